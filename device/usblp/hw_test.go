//go:build hw

package usblp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/devicetest"
	"longcheng/device/hotplug"
)

// setStatus is the gadget's ioctl GADGET_SET_PRINTER_STATUS of linux/usb/g_printer.h.
const setStatus = 0xC0016722

var acme = Config{Match: hotplug.Match{Vendor: 0x0525, Product: 0xA4A8}, WriteTimeout: 3 * time.Second}

// printing plugs the printer in and returns it open. While nobody reads its far
// end, it takes nothing, as a printer without paper.
func printing(t *testing.T) *Port {
	t.Helper()
	devicetest.Plug(t, devicetest.Gadget, true)
	var p *Port
	devicetest.Until(t, "the printer", func() (ok bool) {
		var err error
		p, err = Open(acme)
		return err == nil && devicetest.There("/dev/g_printer0")
	})
	t.Cleanup(func() { p.Close() })
	return p
}

// paper is the far end. It must be closed before the plug is pulled: the
// gadget's driver does not survive that.
func paper(t *testing.T) *os.File {
	t.Helper()
	far, err := os.OpenFile("/dev/g_printer0", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return far
}

func TestHWThePrinterSaysWhatItIsAndHowItIs(t *testing.T) {
	p, far := printing(t), paper(t)
	if id, err := p.ID(); err != nil || id != (ID{Maker: "Acme", Model: "TM-T88", Class: "PRINTER", Commands: "ESC/POS"}) {
		t.Errorf("%+v, %v", id, err)
	}
	for _, want := range []Status{0x18, 0x38, 0x10} {
		raw, err := far.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) { unix.Syscall(unix.SYS_IOCTL, fd, setStatus, uintptr(want)) })
		if s, err := p.Status(); err != nil || s != want {
			t.Errorf("%02X instead of %02X, %v", byte(s), byte(want), err)
		}
	}
	if _, err := Open(Config{Name: "/dev/usb/lp0"}); !errors.Is(err, ErrBusy) {
		t.Error("a second owner:", err)
	}
}

// Write and then Close is what loses the end of a ticket, with the cut in it.
func TestHWTheEndOfATicketIsNotLost(t *testing.T) {
	p, far := printing(t), paper(t)
	for i := range 20 {
		ticket := append(bytes.Repeat([]byte{byte('a' + i)}, 1000+i*997), "\x1dV\x00"...)
		got := make(chan []byte, 1)
		go func() {
			b := make([]byte, len(ticket))
			n, _ := io.ReadFull(far, b)
			got <- b[:n]
		}()
		if n, err := p.Write(ticket); n != len(ticket) || err != nil {
			t.Fatal(n, err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		select {
		case b := <-got:
			if !bytes.Equal(b, ticket) {
				t.Fatalf("ticket %d: %d of %d bytes", i, len(b), len(ticket))
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("the end of ticket %d is lost", i)
		}
		var err error
		if p, err = Open(acme); err != nil {
			t.Fatal(err)
		}
	}
	p.Close()
}

func TestHWAPrinterThatTakesNothingAndAPulledPlug(t *testing.T) {
	p := printing(t)
	if n, err := p.Write(make([]byte, 1<<20)); !errors.Is(err, device.ErrTimeout) {
		t.Fatal("stuck:", n, err)
	}
	link := device.NewLink(Opener(acme))
	p.limit = 20 * time.Second
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := p.Write(make([]byte, 1<<20)); !errors.Is(err, device.ErrGone) {
			t.Error("the plug was pulled during a write:", err)
		}
	})
	time.Sleep(300 * time.Millisecond)
	devicetest.Plug(t, devicetest.Gadget, false)
	wg.Wait()
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, device.ErrGone) {
		t.Error("read:", err)
	}
	p.Close()
	if err := link.Do(t.Context(), func(device.Port) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	devicetest.Plug(t, devicetest.Gadget, true)
	devicetest.Until(t, "the printer again", func() bool {
		return link.Do(t.Context(), func(q device.Port) error { _, err := q.(*Port).ID(); return err }) == nil
	})
	link.Close(context.Background())
}
