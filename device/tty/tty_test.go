package tty

import (
	"bytes"
	"context"
	"errors"
	"io"
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

// Whoever waits for a silent line is woken by the end of the time, of the context
// and of the line, and by a byte.
func TestAwaitIsWoken(t *testing.T) {
	p, master := line(t)
	const never = 2 * time.Minute
	await := func(what string, ctx context.Context, d time.Duration, wake func()) {
		t.Helper()
		begun := time.Now()
		time.AfterFunc(10*time.Millisecond, wake)
		if p.Await(ctx, d); time.Since(begun) >= never {
			t.Fatal("not woken by", what)
		}
	}
	nothing := func() {}
	await("time", t.Context(), 20*time.Millisecond, nothing)
	ctx, cancel := context.WithCancel(t.Context())
	await("the end of the context", ctx, never, cancel)
	await("a context that has ended", ctx, never, nothing)
	await("a byte", t.Context(), never, func() { master.Write([]byte{7}) })
	if n, err := p.Read(make([]byte, 10)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	await("a hang-up", t.Context(), never, func() { master.Close() })
	if _, err := p.Read(make([]byte, 10)); !errors.Is(err, device.ErrGone) {
		t.Fatal(err)
	}
}

// What is longer than the driver's buffer waits for room in it.
func TestALongWriteWaitsForRoom(t *testing.T) {
	p, master := line(t)
	p.cfg.WriteTimeout = time.Minute
	want := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
	got := make([]byte, len(want))
	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(master, got)
		read <- err
	}()
	if n, err := p.Write(want); n != len(want) || err != nil {
		t.Fatal(n, err)
	}
	if err := <-read; err != nil || !bytes.Equal(got, want) {
		t.Fatal("other bytes arrived than were written:", err)
	}
}

// A slow line that moves has time for what the driver holds, and no more than that.
func TestALineHasTimeForWhatWaitsBeforeIt(t *testing.T) {
	p := &Port{cfg: Config{Baud: 9600}.withDefaults()}
	if d := p.limit(96); d != 1100*time.Millisecond {
		t.Error("nothing waits:", d)
	}
	p.rest = time.Now().Add(time.Hour)
	if d := p.limit(96); d != 1100*time.Millisecond+p.cfg.onWire(buffered) {
		t.Error("a full buffer:", d)
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
