package port

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func start(t *testing.T) (*Port, chan string) {
	t.Helper()
	p, err := Open(filepath.Join(t.TempDir(), "dev", "printer"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 4096)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- p.Run(ctx, func(_ context.Context, b []byte) { got <- string(b) })
	}()
	t.Cleanup(func() { cancel(); <-done; p.Close() })
	return p, got
}

func host(t *testing.T, p *Port) *os.File {
	t.Helper()
	f, err := os.OpenFile(p.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Bytes travel unchanged in both directions: no echo, no CR or XON handling.
func TestRawBothWays(t *testing.T) {
	p, got := start(t)
	h := host(t, p)
	h.Write([]byte("\x03\r\n\x11\x00"))
	if s := <-got; s != "\x03\r\n\x11\x00" {
		t.Fatalf("device got %q", s)
	}
	p.Write([]byte("\r\x04\n\x13"))
	buf := make([]byte, 4)
	if _, err := io.ReadFull(h, buf); err != nil || string(buf) != "\r\x04\n\x13" {
		t.Fatalf("host got %q, %v", buf, err)
	}
	if p.Received() != 5 || p.Sent() != 4 {
		t.Fatalf("counted %d in, %d out", p.Received(), p.Sent())
	}
}

// A host that has the port open sees an error when the cable goes, and finds a
// new port under the same name afterwards.
func TestUnplugAndReplug(t *testing.T) {
	p, got := start(t)
	h := host(t, p)
	p.Unplug()
	h.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := h.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Fatalf("read from a pulled cable: %d, %v", n, err)
	}
	if _, err := os.Lstat(p.Path()); !os.IsNotExist(err) {
		t.Fatalf("link is still there: %v", err)
	}
	if _, err := p.Write([]byte("x")); err != ErrUnplugged {
		t.Fatalf("write: %v", err)
	}
	if err := p.Replug(); err != nil {
		t.Fatal(err)
	}
	host(t, p).Write([]byte("again"))
	if s := <-got; s != "again" {
		t.Fatalf("got %q", s)
	}
}

// A hung device takes nothing; the bytes arrive when it wakes up.
func TestHang(t *testing.T) {
	p, got := start(t)
	h := host(t, p)
	h.Write([]byte("a"))
	<-got
	p.Hang(true)
	h.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	n, err := h.Write(make([]byte, 1<<20))
	if !os.IsTimeout(err) {
		t.Fatalf("a hung device took %d bytes: %v", n, err)
	}
	p.Hang(false)
	if s := <-got; len(s) == 0 {
		t.Fatal("nothing after waking up")
	}
}

// A file that is not a link is never removed.
func TestForeignFileIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := Open(path); err == nil {
		p.Close()
		t.Fatal("replaced a file")
	}
	if b, _ := os.ReadFile(path); string(b) != "keep" {
		t.Fatalf("file is %q", b)
	}
}

// A cable that comes out in the middle of a message lets through what came
// before, and nothing of the rest.
func TestUnplugAfter(t *testing.T) {
	p, got := start(t)
	h := host(t, p)
	p.UnplugAfter(3)
	h.Write([]byte("abcdef"))
	if s := <-got; s != "abc" {
		t.Fatalf("device got %q", s)
	}
	if p.Plugged() {
		t.Fatal("the cable is still in")
	}
	if err := p.Replug(); err != nil {
		t.Fatal(err)
	}
	host(t, p).Write([]byte("whole"))
	if s := <-got; s != "whole" {
		t.Fatalf("after plugging in again: %q", s)
	}
}

// An answer over a paced line takes the line's time and comes whole; noise damages
// about the share it was told to, the same bytes for the same seed.
func TestPaceAndNoise(t *testing.T) {
	p, _ := start(t)
	h := host(t, p)
	answer := bytes.Repeat([]byte("0123456789"), 60)
	const baud = 100000
	p.Pace(baud)
	begun, got := time.Now(), make([]byte, len(answer))
	go p.Write(answer)
	if _, err := io.ReadFull(h, got); err != nil {
		t.Fatal(err)
	}
	least := time.Duration(len(answer)*10) * time.Second / baud
	if took := time.Since(begun); !bytes.Equal(got, answer) || took < least {
		t.Fatalf("%q within %s, want at least %s", got, took, least)
	}
	damage := func() (where []int) {
		p.Noise(0.1, 7)
		p.Pace(0)
		p.Write(answer)
		if _, err := io.ReadFull(h, got); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] != answer[i] {
				where = append(where, i)
			}
		}
		return where
	}
	first := damage()
	if len(first) < 30 || len(first) > 100 || !slices.Equal(damage(), first) {
		t.Errorf("a tenth of %d bytes damaged: %d, and again %v as %v", len(answer), len(first), damage(), first)
	}
}
