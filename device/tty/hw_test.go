//go:build hw

package tty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/devicetest"
	"longcheng/device/hotplug"
	"longcheng/device/internal/ioctl"
)

// cable opens both ends of a cable between two real 8250 UARTs.
func cable(t *testing.T, a, b Config) (*Port, *Port) {
	t.Helper()
	var ends [2]*Port
	for i, c := range []Config{a, b} {
		c.Name = fmt.Sprintf("/dev/hw-tty%d", i)
		p, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		ends[i] = p
	}
	return ends[0], ends[1]
}

func TestHWHostEveryByteValuePassesARealUART(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, c := range []Config{{Baud: 1200, TwoStopBits: true}, {}, {Baud: 19200, Parity: 'E'}, {Baud: 115200, Parity: 'O', Flow: RTSCTS}} {
		a, b := cable(t, c, c)
		if n, err := a.Write(all); n != 256 || err != nil {
			t.Fatal(n, err)
		}
		got := make([]byte, 256)
		if n, err := device.ReadFull(t.Context(), b, got, 20*time.Second); err != nil || !bytes.Equal(got, all) {
			t.Fatalf("%+v: %d bytes, %v", c, n, err)
		}
		a.Close()
		b.Close()
	}
}

// The hardware's clock has no 921600: the driver takes another speed without a
// word, and that must be noticed before a device seems dead.
func TestHWASpeedThatTheHardwareCannotDoIsRefused(t *testing.T) {
	_, err := Open(Config{Name: "/dev/hw-tty2", Baud: 921600})
	if err == nil {
		t.Fatal("a plain 8250 does 921600 baud")
	}
	t.Log(err)
	if _, err := Open(Config{Name: "/dev/hw-tty2", RS485: &RS485{Driver: true}}); !errors.Is(err, unix.ENOTTY) {
		t.Fatal("a plain 8250 knows RS-485:", err)
	}
}

// The PL011 of a Raspberry Pi's own pins is here the machine's console, which
// nothing reads: its driver takes RS-485, says so, and sends.
func TestHWADriverThatSwitchesRS485(t *testing.T) {
	for _, want := range []RS485{
		{Driver: true, BeforeSend: 2 * time.Millisecond, AfterSend: 3 * time.Millisecond},
		{Driver: true, RTSLow: true, Echo: true},
	} {
		p, err := Open(Config{Name: "/dev/ttyAMA0", Baud: 115200, RS485: &want})
		if err != nil {
			t.Fatal(err)
		}
		got := rs485{}
		if err := ioctl.Do(p.guard, unix.TIOCGRS485, &got); err != nil || got.flags != want.driver().flags || got.before != want.driver().before || got.after != want.driver().after {
			t.Errorf("the driver holds %+v for %+v: %v", got, want.driver(), err)
		}
		if n, err := p.Write([]byte("\r\n")); n != 2 || err != nil {
			t.Error(n, err)
		}
		got = rs485{}
		if err := ioctl.Do(p.guard, unix.TIOCSRS485, &got); err != nil {
			t.Error("switch it off again:", err)
		}
		p.Close()
	}
}

func TestHWHostFlowControlByBytesStopsAndGoesOn(t *testing.T) {
	a, b := cable(t, Config{Baud: 115200, Flow: XonXoff, WriteTimeout: 2 * time.Second}, Config{Baud: 115200})
	if _, err := b.Write([]byte{0x13}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, device.ErrTimeout) {
		t.Fatal("the stop byte arrived as data:", err)
	}
	if _, err := a.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 1)
	if n, err := device.ReadFull(t.Context(), b, got, time.Second); n != 0 || !errors.Is(err, device.ErrTimeout) {
		t.Fatal("a stopped line sends", n, err)
	}
	b.Write([]byte{0x11})
	if _, err := device.ReadFull(t.Context(), b, got, 20*time.Second); err != nil || got[0] != 'x' {
		t.Fatal("a line set free does not send:", err)
	}
	b.Write([]byte{0x13})
	device.ReadFull(t.Context(), a, got, time.Second)
	if n, err := a.Write(make([]byte, 1<<16)); !errors.Is(err, device.ErrTimeout) {
		t.Fatal("a printer that says stop for ever:", n, err)
	}
}

// stopped is a line whose far end has said XOFF, with a byte that waits for that to end;
// the kernel, too, would wait for ever with closing it (TIOCSSERIAL, closing_wait).
func stopped(t *testing.T) (a, b *Port) {
	t.Helper()
	a, b = cable(t, Config{Baud: 115200, Flow: XonXoff}, Config{Baud: 115200})
	var serial [72]byte // struct serial_struct of linux/serial.h
	if err := ioctl.Do(a.guard, unix.TIOCGSERIAL, &serial); err != nil {
		t.Fatal(err)
	}
	serial[40], serial[41] = 0, 0
	if err := ioctl.Do(a.guard, unix.TIOCSSERIAL, &serial); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write([]byte{0x13, '!'}); err != nil {
		t.Fatal(err)
	}
	if n, err := device.ReadFull(t.Context(), a, make([]byte, 1), 20*time.Second); err != nil {
		t.Fatal(n, err)
	}
	if _, err := a.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestHWHostAStoppedLineIsGivenUp(t *testing.T) {
	a, _ := stopped(t)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Opener(Config{Name: "/dev/hw-tty0"})(t.Context())
	if err != nil {
		t.Fatal("the line that was given up:", err)
	}
	again.Close()
}

func TestHWHostADriverHangsInOpening(t *testing.T) {
	a, b := stopped(t)
	if err := a.serial.Close(); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- a.bell.Close() }() // without a look at what waits
	open := Opener(Config{Name: "/dev/hw-tty0"})
	devicetest.Until(t, "that the driver hangs", func() bool {
		p, err := open(t.Context())
		if err == nil { // the other one had not begun to close
			p.Close()
		}
		return errors.Is(err, device.ErrHangs)
	})
	if _, err := b.Write([]byte{0x11}); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	devicetest.Until(t, "that the driver comes back", func() bool {
		p, err := open(t.Context())
		if err == nil {
			p.Close()
		}
		return err == nil
	})
}

// settled waits until a device node is there or gone.
func settled(t *testing.T, name string, there bool) {
	t.Helper()
	devicetest.Until(t, fmt.Sprintf("%s there: %v", name, there), func() bool { return devicetest.There(name) == there })
}

// echo asks the adapter's far end, which says the same again.
func echo(t *testing.T, p device.Port, word string) error {
	if _, err := p.Write([]byte(word)); err != nil {
		return err
	}
	b := make([]byte, len(word))
	_, err := device.ReadFull(t.Context(), p, b, 10*time.Second)
	if err == nil && string(b) != word {
		return fmt.Errorf("%q came back for %q", b, word)
	}
	return err
}

// A loose plug: the adapter comes back as ttyUSB1, because somebody still holds
// ttyUSB0, and is found by its name.
func TestHWHostAnAdapterComesBackUnderAnotherNumber(t *testing.T) {
	devicetest.Plug(t, devicetest.Adapter, true)
	settled(t, "/dev/ttyUSB0", true)
	l := NewLine(Config{Name: stable(t, "/dev/ttyUSB0"), Baud: 115200})
	link := device.NewLink(l.Open)
	ask := func(p device.Port) error { return echo(t, p, "hello") }
	if err := link.Do(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Name: "/dev/ttyUSB0"}); !errors.Is(err, ErrBusy) {
		t.Fatal("a line in use was opened a second time:", err)
	}
	held, err := unix.Open("/dev/ttyUSB0", unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0) // root may
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(held)
	devicetest.Plug(t, devicetest.Adapter, false)
	settled(t, "/dev/ttyUSB0", false)
	for _, want := range []error{device.ErrGone, os.ErrNotExist} {
		if err := link.Do(t.Context(), ask); !errors.Is(err, want) {
			t.Fatalf("%v instead of %v", err, want)
		}
	}
	devicetest.Plug(t, devicetest.Adapter, true)
	settled(t, "/dev/ttyUSB1", true)
	devicetest.Until(t, "the adapter under its new number", func() bool { return link.Do(t.Context(), ask) == nil })
	if n := l.Counters().Opens; n != 2 {
		t.Errorf("%d opens", n)
	}
	broke := make(chan error)
	go func() {
		for {
			if err := link.Do(t.Context(), ask); err != nil {
				broke <- err
				return
			}
		}
	}()
	nap(t.Context(), 500*time.Millisecond)
	devicetest.Plug(t, devicetest.Adapter, false) // in the middle of an exchange
	if err := <-broke; !errors.Is(err, device.ErrGone) {
		t.Error("the plug was pulled during an exchange:", err)
	}
	settled(t, "/dev/ttyUSB1", false)
	if c := l.Counters(); c.Opens != 2 || c.Sent == 0 || c.Bytes == 0 {
		t.Errorf("%+v", c)
	}
}

// unplugged waits until the reader is gone, whatever its number was.
func unplugged(t *testing.T) {
	t.Helper()
	devicetest.Until(t, "no reader", func() bool {
		all, _ := filepath.Glob("/dev/ttyACM*")
		return len(all) == 0
	})
}

// stable returns the by-id name of a line; no udev runs here to make it.
func stable(t *testing.T, node string) string {
	t.Helper()
	for _, d := range (hotplug.Tree{}).List() {
		if d.Node == node {
			return "/dev/serial/by-id/" + d.ID()
		}
	}
	t.Fatal(node, "is not in the list")
	return ""
}

// A plug that is pulled while bytes are on their way, two hundred times: nothing
// is left behind, nothing spins, and the reader is there again each time.
func TestHWTwoHundredPulledPlugs(t *testing.T) {
	devicetest.Plug(t, devicetest.Gadget, true)
	settled(t, "/dev/ttyACM0", true)
	name := stable(t, "/dev/ttyACM0")
	line := NewLine(Config{Name: name, Baud: 115200})
	link := device.NewLink(line.Open)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	heard, opens := 0, uint64(0)
	wg.Go(func() { // the daemon: reads as long as there is something to read
		b := make([]byte, 4096)
		for ctx.Err() == nil {
			link.Do(ctx, func(p device.Port) error {
				n, err := p.Read(b)
				mu.Lock()
				defer mu.Unlock()
				if heard += n; n > 0 {
					opens = line.Counters().Opens
				}
				return err
			})
		}
	})
	wg.Go(func() { babble(ctx) })
	talks := func(after uint64) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return opens > after
		}
	}
	cycle := func() {
		mu.Lock()
		was := line.Counters().Opens
		mu.Unlock()
		devicetest.Plug(t, devicetest.Gadget, false)
		unplugged(t)
		devicetest.Plug(t, devicetest.Gadget, true)
		devicetest.Until(t, "the reader after a pulled plug", talks(was))
	}
	devicetest.Until(t, "the first bytes", talks(0))
	for range 5 {
		cycle()
	}
	files, routines := devicetest.Descriptors(t), runtime.NumGoroutine()
	for range 195 {
		cycle()
	}
	devicetest.Until(t, "everything given back", func() bool {
		return devicetest.Descriptors(t) <= files && runtime.NumGoroutine() <= routines
	})
	devicetest.Plug(t, devicetest.Gadget, false)
	unplugged(t)
	busy := share(t, func() { nap(ctx, 5*time.Second) })
	t.Logf("%+v; %.1f%% of the processor while unplugged", line.Counters(), busy*100)
	if busy > 0.25 {
		t.Error("spins while unplugged")
	}
	cancel()
	link.Close(context.Background())
	wg.Wait()
	devicetest.Plug(t, devicetest.Gadget, true)
}

// babble is the far end of the reader: it talks all the time, and opens its
// port again when the pulled plug has hung it up.
func babble(ctx context.Context) {
	for ctx.Err() == nil {
		fd, err := unix.Open("/dev/ttyGS0", unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		for err == nil || err == unix.EAGAIN {
			nap(ctx, 20*time.Millisecond)
			_, err = unix.Write(fd, bytes.Repeat([]byte{0xAA}, 64))
			if ctx.Err() != nil {
				break
			}
		}
		unix.Close(fd)
		nap(ctx, 5*time.Millisecond)
	}
}

func nap(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func TestHWWhatIsThere(t *testing.T) {
	var got []string
	for _, d := range (hotplug.Tree{}).List() {
		if d.Kind == "serial" && d.Vendor == 0 {
			got = append(got, d.Node)
		}
	}
	// The machine's console and four ports; no port without a chip.
	if want := "/dev/ttyAMA0"; len(got) != 5 || !slices.Contains(got, want) {
		t.Errorf("%v", got)
	}
}
