package usblp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
)

// printer returns a port and its far end: a pair of sockets behaves like the
// driver as far as waiting, filling up and hanging up go.
func printer(t *testing.T, limit time.Duration) (*Port, *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	far := os.NewFile(uintptr(fds[1]), "far end")
	p := newPort(fds[0], "lp", limit)
	t.Cleanup(func() { p.Close(); far.Close() })
	return p, far
}

func TestALongTicketArrivesWhole(t *testing.T) {
	p, far := printer(t, 0)
	ticket := bytes.Repeat([]byte("ticket\n"), 60000) // more than any buffer
	got := make(chan []byte)
	go func() {
		b := make([]byte, len(ticket))
		n, _ := io.ReadFull(far, b)
		got <- b[:n]
	}()
	if n, err := p.Write(ticket); n != len(ticket) || err != nil {
		t.Fatal(n, err)
	}
	if !bytes.Equal(<-got, ticket) {
		t.Fatal("changed on the way")
	}
	if _, err := p.Read(make([]byte, 9)); !errors.Is(err, device.ErrTimeout) {
		t.Fatal("silence:", err)
	}
	far.Write([]byte{0x12})
	if n, err := p.Read(make([]byte, 9)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

// A printer out of paper takes nothing. It must not stop the kiosk.
func TestAPrinterThatTakesNothingIsGivenUp(t *testing.T) {
	p, _ := printer(t, 50*time.Millisecond)
	n, err := p.Write(make([]byte, 1<<22))
	if !errors.Is(err, device.ErrTimeout) || !device.IsWire(err) || n == 1<<22 || !strings.Contains(err.Error(), "out of paper") {
		t.Fatal(n, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal("closing twice:", err)
	}
	if _, err := p.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
}

func TestUnpluggedIsGone(t *testing.T) {
	p, far := printer(t, time.Second)
	far.Close()
	for range 2 {
		if _, err := p.Write([]byte("x")); !errors.Is(err, device.ErrGone) {
			t.Fatal("write:", err)
		}
		if _, err := p.Read(make([]byte, 1)); !errors.Is(err, device.ErrGone) {
			t.Fatal("read:", err)
		}
	}
	if _, err := p.ID(); !device.IsWire(err) {
		t.Fatal("identify:", err)
	}
	if _, err := p.Status(); !device.IsWire(err) {
		t.Fatal("status:", err)
	}
}

func TestAPrinterThatIsNotThere(t *testing.T) {
	for _, c := range []Config{{Name: filepath.Join(t.TempDir(), "lp0")}, {}} {
		c.Match.Serial = "nobody has this one"
		if p, err := Opener(c)(t.Context()); p != nil || !device.IsWire(err) || !errors.Is(err, os.ErrNotExist) {
			t.Error(p, err)
		}
	}
	if !errors.Is((Config{}).node().Failed("open", unix.EBUSY), ErrBusy) || !strings.Contains((Config{}).node().Failed("open", unix.EACCES).Error(), "group lp") {
		t.Error("reasons")
	}
}

func TestWhatAPrinterIs(t *testing.T) {
	for s, want := range map[string]ID{
		"MFG:EPSON;CMD:ESC/POS;MDL:TM-T88VI;CLS:PRINTER;DES:x;": {Maker: "EPSON", Commands: "ESC/POS", Model: "TM-T88VI", Class: "PRINTER"},
		"manufacturer: Acme ;MODEL:a:b;SN:17":                   {Maker: "Acme", Model: "a:b", Serial: "17"},
		"MDL:first;MDL:second;MFG":                              {Model: "first"},
		"MDL:\x1b[2J\xffx" + strings.Repeat("y", 99):            {Model: "[2Jx" + strings.Repeat("y", 60)},
		"": {},
	} {
		if got := ParseID([]byte(s)); got != want {
			t.Errorf("%q: %+v", s, got)
		}
	}
	for s, want := range map[Status]string{0x18: "", 0x38: "paper", 0x10: "fault", 0x08: "off line"} {
		if s.NoPaper() != (want == "paper") || s.Faulty() != (want == "fault") || !s.Selected() != (want == "off line") {
			t.Errorf("%02X is not %s", byte(s), want)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add([]byte("MFG:EPSON;CMD:ESC/POS;MDL:TM-T88VI;CLS:PRINTER;"))
	f.Add([]byte(":;;::MDL"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id := ParseID(b)
		for _, s := range []string{id.Maker, id.Model, id.Commands, id.Class, id.Serial} {
			if len(s) > 64 || printable(s) != s {
				t.Fatalf("%q", s)
			}
		}
	})
}
