package hotplug

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// system is a tree of files like the kernel's, with a hall's devices.
type system struct {
	t testing.TB
	Tree
}

func newSystem(t testing.TB) system {
	return system{t, Tree{Root: t.TempDir()}}
}

func (s system) file(name, content string) {
	s.t.Helper()
	name = s.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content+"\n"), 0o644)); err != nil {
		s.t.Fatal(err)
	}
}

func (s system) link(to, name string) {
	s.t.Helper()
	name = s.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.Symlink(to, name)); err != nil {
		s.t.Fatal(err)
	}
}

// plug puts a USB serial adapter in.
func (s system) plug(node, socket, serial string) {
	usb := "/sys/devices/pci0000:00/usb1/" + socket
	s.file(usb+"/idVendor", "0403")
	s.file(usb+"/idProduct", "6001")
	s.file(usb+"/manufacturer", "FTDI")
	s.file(usb+"/product", "FT232R USB UART")
	s.file(usb+"/serial", serial)
	s.file(usb+"/"+socket+":1.0/bInterfaceNumber", "00")
	s.file(usb+"/"+socket+":1.0/"+node+"/port_number", "0")
	s.link("/sys/bus/usb-serial/drivers/ftdi_sio", usb+"/"+socket+":1.0/"+node+"/driver")
	s.file(usb+"/"+socket+":1.0/"+node+"/tty/"+node+"/dev", "188:0")
	s.link("../..", usb+"/"+socket+":1.0/"+node+"/tty/"+node+"/device")
	s.link("../.."+strings.TrimPrefix(usb, "/sys")+"/"+socket+":1.0/"+node+"/tty/"+node, "/sys/class/tty/"+node)
	s.file("/dev/"+node, "")
}

func (s system) unplug(node, socket string) {
	os.Remove(s.path("/sys/class/tty/" + node))
	os.Remove(s.path("/dev/" + node))
	os.RemoveAll(s.path("/sys/devices/pci0000:00/usb1/" + socket))
}

func TestWhatIsPluggedIn(t *testing.T) {
	s := newSystem(t)
	s.plug("ttyUSB0", "1-1.4", "A900")
	s.link("../../ttyUSB0", "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A900-if00-port0")
	s.link("../../ttyUSB0", "/dev/serial/by-path/pci-0000:00-usb-0:1.4:1.0-port0")
	s.file("/sys/class/tty/ttyS0/type", "0") // a port without a chip
	s.link("..", "/sys/class/tty/ttyS0/device")
	s.file("/sys/class/tty/tty1/dev", "4:1") // a console
	lp := "/sys/devices/pci0000:00/usb1/1-2"
	s.file(lp+"/idVendor", "04b8")
	s.file(lp+"/idProduct", "0e15")
	s.file(lp+"/product", "TM-T88\x1b[31m\u202e"+strings.Repeat("x", 300))
	s.file(lp+"/1-2:1.0/bInterfaceNumber", "00")
	s.link(s.path(lp+"/1-2:1.0"), "/sys/class/usbmisc/lp1/device")
	s.file("/sys/devices/in/name", "Barcode")
	s.link(s.path("/sys/devices/in"), "/sys/class/input/event3/device")
	all := s.List()
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	in, p, d := all[0], all[1], all[2]
	if in.Kind != Input || in.Node != "/dev/input/event3" || in.Name != "Barcode" || in.ID() != "" {
		t.Errorf("%+v", in)
	}
	if p.Kind != Printer || p.Node != "/dev/usb/lp1" || p.Vendor != 0x04B8 || len(p.Model) != 64 || strings.ContainsAny(p.Model, "\x1b\u202e") {
		t.Errorf("%+v", p)
	}
	want := Device{Kind: Serial, Node: "/dev/ttyUSB0", Driver: "ftdi_sio", Vendor: 0x0403, Product: 0x6001, Maker: "FTDI", Model: "FT232R USB UART", Serial: "A900", Path: "1-1.4",
		Links: []string{"/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A900-if00-port0", "/dev/serial/by-path/pci-0000:00-usb-0:1.4:1.0-port0"}}
	if fmt.Sprintf("%+v", d) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v\nwant %+v", d, want)
	}
	if d.ID() != "usb-FTDI_FT232R_USB_UART_A900-if00-port0" {
		t.Error(d.ID())
	}
}

func TestADeviceIsFoundUnderItsNewNumber(t *testing.T) {
	s := newSystem(t)
	name := "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A900-if00-port0"
	s.plug("ttyUSB0", "1-1.4", "A900")
	s.plug("ttyUSB1", "1-1.3", "B800")
	if node, err := s.Resolve(name); err != nil || node != s.path("/dev/ttyUSB0") {
		t.Fatal(node, err)
	}
	s.unplug("ttyUSB0", "1-1.4")
	if node, err := s.Resolve(name); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(node, err)
	}
	s.plug("ttyUSB2", "1-1.2", "A900")
	if node, err := s.Resolve(name); err != nil || node != s.path("/dev/ttyUSB2") {
		t.Fatal(node, err)
	}
	s.link("ttyUSB1", "/dev/printer") // a name of the technician's own
	if node, err := s.Resolve("/dev/printer"); err != nil || node != s.path("/dev/ttyUSB1") {
		t.Fatal(node, err)
	}
}

func TestTheOneThatFits(t *testing.T) {
	s := newSystem(t)
	s.plug("ttyUSB0", "1-1.4", "A900")
	if node, err := s.Find(Serial, Match{Vendor: 0x0403, Product: 0x6001}); err != nil || node != s.path("/dev/ttyUSB0") {
		t.Fatal(node, err)
	}
	s.plug("ttyUSB1", "1-1.3", "B800")
	if node, err := s.Find(Serial, Match{Vendor: 0x0403}); err == nil || !strings.Contains(err.Error(), "2 of serial 0403:0000") {
		t.Fatal(node, err)
	}
	if node, err := s.Find(Serial, Match{Serial: "B800"}); err != nil || node != s.path("/dev/ttyUSB1") {
		t.Fatal(node, err)
	}
	for _, m := range []Match{{Vendor: 1}, {Product: 1}, {Serial: "x"}, {Name: "x"}} {
		if _, err := s.Find(Serial, m); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", m, err)
		}
	}
	if _, err := s.Find(Printer, Match{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestNamesThatDoNotLast(t *testing.T) {
	for name, want := range map[string]bool{
		"/dev/ttyUSB0": false, "/dev/ttyACM12": false, "/dev/usb/lp0": false, "/dev/input/event7": false,
		"/dev/ttyS0": true, "/dev/ttyAMA0": true, "/dev/serial/by-id/usb-x": true, "/dev/kiosk-lp": true, "ports/lp0": true, "/dev/lpx": true,
	} {
		if Stable(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// scripted gives one answer after another, each after its time.
type scripted struct {
	mu     sync.Mutex
	at     []time.Duration // moments of messages
	begun  time.Time
	closed chan struct{}
}

func (s *scripted) Close() error { close(s.closed); return nil }

func (s *scripted) next(until time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	come := false
	if len(s.at) > 0 && !s.begun.Add(s.at[0]).After(until) {
		until, come = s.begun.Add(s.at[0]), true
		s.at = s.at[1:]
	}
	select {
	case <-time.After(time.Until(until)):
		return come, nil
	case <-s.closed:
		return false, os.ErrClosed
	}
}

func TestChangesAreToldAsTheWholeList(t *testing.T) {
	s := newSystem(t)
	synctest.Test(t, func(t *testing.T) {
		var got []string
		begun := time.Now()
		w := Watcher{Tree: s.Tree, OnChange: func(all []Device) {
			got = append(got, fmt.Sprintf("%d@%s", len(all), time.Since(begun)))
		}}
		ms := time.Millisecond
		m := &scripted{begun: begun, closed: make(chan struct{}), at: []time.Duration{5000 * ms, 5010 * ms, 5100 * ms, 20 * time.Second}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.run(ctx, m) }()
		time.Sleep(4 * time.Second)
		s.plug("ttyUSB0", "1-1.4", "A900") // told by messages: seen when they stop
		time.Sleep(12 * time.Second)
		s.unplug("ttyUSB0", "1-1.4") // seen at the next message
		time.Sleep(10 * time.Second)
		s.plug("ttyUSB1", "1-1.4", "A900") // without a message: seen by the rescan
		time.Sleep(2 * time.Minute)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if want := []string{"0@0s", "1@5.3s", "0@20.2s", "1@52.2s"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestWithoutMessagesTimeStillPasses(t *testing.T) {
	s := newSystem(t)
	synctest.Test(t, func(t *testing.T) {
		var got []int
		w := Watcher{Tree: s.Tree, OnChange: func(all []Device) { got = append(got, len(all)) }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.run(ctx, nothing{make(chan struct{})}) }()
		time.Sleep(time.Second)
		s.plug("ttyUSB0", "1-1.4", "A900")
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || !slices.Equal(got, []int{0, 1}) {
			t.Error(err, got)
		}
	})
}

func TestTheKernelsSocketEndsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := Watcher{Tree: newSystem(t).Tree, OnChange: func([]Device) { cancel() }}
	if err := w.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestMessages(t *testing.T) {
	good := "add@/devices/usb1/ttyUSB0\x00ACTION=add\x00DEVPATH=/devices/usb1/ttyUSB0\x00SUBSYSTEM=tty\x00MAJOR=188\x00DEVNAME=ttyUSB0\x00SEQNUM=4711\x00"
	if e, ok := parse([]byte(good)); !ok || e != (Event{"add", "tty", "/dev/ttyUSB0"}) || !e.matters() {
		t.Fatal(e, ok)
	}
	for _, bad := range []string{"", "libudev\x00\xfe\xed\xca\xfe", "add@/x", "add@/x\x00SUBSYSTEM=tty\x00", "ACTION=add\x00SUBSYSTEM=tty\x00"} {
		if e, ok := parse([]byte(bad)); ok {
			t.Errorf("%q: %+v", bad, e)
		}
	}
	if (Event{"add", "block", "/dev/sda"}).matters() {
		t.Error("a disk matters")
	}
	if fromKernel(&unix.SockaddrNetlink{Pid: 77}) || !fromKernel(&unix.SockaddrNetlink{}) || fromKernel(nil) {
		t.Error("anybody may say that a device came")
	}
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte("add@/devices/usb1\x00ACTION=add\x00SUBSYSTEM=tty\x00DEVNAME=ttyUSB0\x00"))
	f.Add([]byte("libudev\x00\xfe\xed\xca\xfe\x28\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		e, ok := parse(msg)
		if ok && (e.Action == "" || e.Subsystem == "") {
			t.Fatalf("%+v", e)
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add([]byte("FT232R\x1b[2J USB\n"))
	name := filepath.Join(f.TempDir(), "product")
	f.Fuzz(func(t *testing.T, content []byte) {
		os.WriteFile(name, content, 0o644)
		s := text(name)
		if len([]rune(s)) > 64 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F || r == 0x202E }) {
			t.Fatalf("%q", s)
		}
		if id := (Device{Kind: Serial, Vendor: 1, Model: s, Port: -1}).ID(); strings.ContainsAny(id, "/ \n") {
			t.Fatal(id)
		}
	})
}
