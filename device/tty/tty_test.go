package tty

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"

	"longcheng/device"
)

// line returns an open port and the master side of its pseudo-terminal.
func line(t *testing.T) (*Port, *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	p, err := Open(Config{Name: slave.Name(), Baud: 115200, WriteTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	slave.Close()
	t.Cleanup(func() { p.Close() })
	return p, master
}

func TestEveryByteValuePasses(t *testing.T) {
	p, master := line(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if _, err := master.Write(all); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 256)
	if n, err := device.ReadFull(t.Context(), p, got, 2*time.Second); err != nil || !bytes.Equal(got, all) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if n, err := p.Write(all); n != 256 || err != nil {
		t.Fatal(n, err)
	}
	back := make([]byte, 0, 256)
	for buf := make([]byte, 256); len(back) < 256; {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, buf[:n]...)
	}
	if !bytes.Equal(back, all) {
		t.Fatal("bytes changed on the way out")
	}
}

func TestSilenceIsATimeoutAndNothingElse(t *testing.T) {
	p, _ := line(t)
	for range 3 {
		n, err := p.Read(make([]byte, 10))
		if n != 0 || !errors.Is(err, device.ErrTimeout) {
			t.Fatal(n, err)
		}
	}
}

func TestHangUpIsGoneAndStaysGone(t *testing.T) {
	p, master := line(t)
	master.Close()
	for range 3 {
		if _, err := p.Read(make([]byte, 10)); !errors.Is(err, device.ErrGone) {
			t.Fatalf("read: %v", err)
		}
	}
	if _, err := p.Write([]byte("x")); !errors.Is(err, device.ErrGone) || !device.IsWire(err) {
		t.Fatalf("write: %v", err)
	}
	if err := p.Flush(); !errors.Is(err, device.ErrGone) {
		t.Fatalf("flush: %v", err)
	}
	if _, err := Open(p.cfg); !device.IsWire(err) {
		t.Fatalf("open: %v", err)
	}
}

// A printer that has stopped listening must not stop the kiosk.
func TestAStuckWriterIsGivenUp(t *testing.T) {
	p, _ := line(t)
	n, err := p.Write(make([]byte, 1<<20))
	if !errors.Is(err, device.ErrTimeout) || n == 1<<20 {
		t.Fatal(n, err)
	}
	if _, err := p.Write([]byte("x")); !device.IsWire(err) {
		t.Fatalf("a broken port took more bytes: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatalf("close after a stuck write: %v", err)
	}
}

func TestALineHasOneOwner(t *testing.T) {
	p, _ := line(t)
	if _, err := Open(p.cfg); !errors.Is(err, ErrBusy) {
		t.Fatalf("second open: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal("closing twice:", err)
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Fatalf("read after close: %v", err)
	}
	q, err := Opener(p.cfg)(t.Context())
	if err != nil {
		t.Fatal("open after close:", err)
	}
	q.Close()
}

func TestSymbolicLinksAndStaleBytes(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	name := filepath.Join(t.TempDir(), "printer")
	if err := os.Symlink(slave.Name(), name); err != nil {
		t.Fatal(err)
	}
	master.Write([]byte("old\n"))
	p, err := Open(Config{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.String() != name {
		t.Fatal(p)
	}
	if _, err := p.Read(make([]byte, 10)); !errors.Is(err, device.ErrTimeout) {
		t.Fatalf("stale bytes: %v", err)
	}
}

func TestAPlainFileIsNotALine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	os.WriteFile(name, nil, 0o600)
	if _, err := Open(Config{Name: name}); !device.IsWire(err) {
		t.Fatal(err)
	}
	for _, c := range []Config{{}, {Name: "x", Baud: -1}, {Name: "x", Parity: 'X'}, {Name: "x", WriteTimeout: -1}} {
		if c.Validate() == nil {
			t.Errorf("%+v passed", c)
		}
	}
}
