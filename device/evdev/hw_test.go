//go:build hw

package evdev

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/devicetest"
	"longcheng/device/hotplug"
)

var wedge = Config{Match: hotplug.Match{Vendor: 0x0525, Product: 0xA4A8}}

// usage is the USB number of the key that has a number of the kernel.
var usage = map[int]byte{keyEnter: 40, 30: 4, 48: 5, 46: 6, 2: 30, 3: 31, 4: 32, 12: 45}

// scan types a text on the gadget keyboard, as a scanner does: reports of eight
// bytes, the first for shift and control, the third for the key.
func scan(t *testing.T, modifiers byte, text string) {
	t.Helper()
	f, err := os.OpenFile("/dev/hidg0", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range text {
		report := make([]byte, 8)
		report[0] = modifiers
		for code, u := range usage {
			if c == '\n' && code == keyEnter || rune(plain[code]) == c {
				report[2] = u
			}
			if code != keyEnter && rune(shifted[code]) == c {
				report[0], report[2] = report[0]|2, u
			}
		}
		for _, r := range [][]byte{report, make([]byte, 8)} {
			if _, err := f.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func open(t *testing.T) *Port {
	t.Helper()
	devicetest.Plug(t, devicetest.Gadget, true)
	var p *Port
	devicetest.Until(t, "the keyboard", func() bool {
		var err error
		p, err = Open(wedge)
		return err == nil && devicetest.There("/dev/hidg0")
	})
	t.Cleanup(func() { p.Close() })
	return p
}

func TestHWAKeyboardIsTakenFromEverybodyElse(t *testing.T) {
	p := open(t)
	node, err := hotplug.Tree{}.Find(hotplug.Input, wedge.Match)
	if err != nil {
		t.Fatal(err)
	}
	browser, err := unix.Open(node, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(browser)
	if _, err := Open(wedge); !errors.Is(err, ErrBusy) {
		t.Error("grabbed twice:", err)
	}
	scan(t, 0, "Ab-1#\n")
	b := make([]byte, 6)
	if _, err := device.ReadFull(t.Context(), p, b, 20*time.Second); err != nil || string(b) != "Ab-1#\r" {
		t.Errorf("%q, %v", b, err)
	}
	scan(t, 1, "c") // control and C
	scan(t, 0, "abc\n123\n")
	if n, err := device.ReadFull(t.Context(), p, b[:4], 20*time.Second); err != nil || string(b[:4]) != "123\r" || p.Dropped() != 1 {
		t.Errorf("%q, %v, %d dropped", b[:n], err, p.Dropped())
	}
	if n, err := unix.Read(browser, make([]byte, 1000)); err != unix.EAGAIN {
		t.Errorf("the browser got %d bytes of keys, %v", n, err)
	}
}

func TestHWALongCodeComesWholeAndAPulledPlugIsGone(t *testing.T) {
	p := open(t)
	long := strings.Repeat("abc123", 50)
	var typing sync.WaitGroup
	typing.Go(func() { scan(t, 0, long+"\n") })
	b := make([]byte, len(long)+1)
	if n, err := device.ReadFull(t.Context(), p, b, 30*time.Second); err != nil || string(b) != long+"\r" {
		t.Errorf("%d bytes, %v, %d dropped", n, err, p.Dropped())
	}
	typing.Wait()
	// Nobody reads meanwhile: the kernel's queue is too short for this code, so
	// it must not come at all, and the next one whole.
	scan(t, 0, long+"\n")
	typing.Go(func() { scan(t, 0, "\nabc\n") })
	if n, err := device.ReadFull(t.Context(), p, b[:4], 30*time.Second); err != nil || string(b[:4]) != "abc\r" || p.Dropped() != 1 {
		t.Errorf("%q, %v, %d dropped", b[:n], err, p.Dropped())
	}
	typing.Wait()
	devicetest.Plug(t, devicetest.Gadget, false)
	var err error
	devicetest.Until(t, "the end of the keyboard", func() bool {
		_, err = p.Read(b)
		return !errors.Is(err, device.ErrTimeout)
	})
	if !errors.Is(err, device.ErrGone) {
		t.Error(err)
	}
}
