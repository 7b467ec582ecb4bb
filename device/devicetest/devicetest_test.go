package devicetest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"longcheng/device"
	"longcheng/device/tty"
)

// quiet records failures instead of failing.
type quiet struct {
	testing.TB
	failed int
}

func (q *quiet) Cleanup(func()) {}
func (q *quiet) Error(...any)   { q.failed++ }

func TestScriptPlaysWritesAndReadsInOrder(t *testing.T) {
	s := NewScript(t, W(1, 2), W(3), R(4, 5, 6), Silence(), R(7), Gone())
	if n, err := s.Write([]byte{1, 2, 3}); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	b := make([]byte, 4)
	if n, err := device.ReadFull(t.Context(), s, b, time.Second); n != 4 || err != nil || !bytes.Equal(b, []byte{4, 5, 6, 7}) {
		t.Fatal(n, err, b)
	}
	if _, err := s.Read(b); !errors.Is(err, device.ErrGone) {
		t.Fatal(err)
	}
}

func TestScriptComplains(t *testing.T) {
	q := &quiet{TB: t}
	s := NewScript(q, W(1), R(2))
	if n, _ := s.Read(make([]byte, 1)); n != 0 {
		t.Fatal("read before its turn")
	}
	s.Write([]byte{9})
	if q.failed != 1 || s.Close() == nil || s.Left() != 2 {
		t.Fatal("a wrong write or an unplayed end passed")
	}
}

// What kioskctl recorded is played back to a driver.
func TestRecordingIsPlayed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "tape.txt")
	said := "# printer, 2 steps\n" + W(0x10, 4, 1).String() + "\n" + R(0x16).String() + "\n" + Silence().String() + "\n"
	if err := os.WriteFile(name, []byte(said), 0o600); err != nil {
		t.Fatal(err)
	}
	s := NewScript(t, Recording(t, name)...)
	if _, err := s.Write([]byte{0x10, 4, 1}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if n, err := s.Read(b); n != 1 || err != nil || b[0] != 0x16 {
		t.Fatal(n, err, b)
	}
	if n, err := s.Read(b); n != 0 || !errors.Is(err, device.ErrTimeout) {
		t.Fatal(n, err)
	}
}

func TestChaosSplitsAndHangsUp(t *testing.T) {
	s := NewScript(t, R([]byte("hello world")...))
	c := NewChaos(s, 7)
	b := make([]byte, 11)
	if n, err := c.Read(b); n == 0 || n > 3 || err != nil {
		t.Fatal(n, err)
	} else if _, err := device.ReadFull(t.Context(), c, b[n:], time.Second); err != nil || string(b) != "hello world" {
		t.Fatal(err, string(b))
	}
	c.HangUp = 1
	if _, err := c.Read(b); !errors.Is(err, device.ErrGone) {
		t.Fatal(err)
	}
	if _, err := c.Write(b); !errors.Is(err, device.ErrGone) {
		t.Fatal(err)
	}
	n := NewChaos(NewScript(t, R(make([]byte, 300)...)), 7)
	n.Noise, n.Delay = 10, time.Millisecond
	quiet := make([]byte, 300)
	if _, err := device.ReadFull(t.Context(), n, quiet, time.Minute); err != nil || bytes.Count(quiet, []byte{0}) < 200 || bytes.Count(quiet, []byte{0}) == 300 {
		t.Fatal("noise:", err, bytes.Count(quiet, []byte{0}))
	}
	g := NewChaos(NewScript(t), 7)
	g.Garbage = 1
	if n, err := g.Read(b); n == 0 || err != nil {
		t.Fatal("no garbage", n, err)
	}
}

func TestPTYIsTwoEndsOfOneLine(t *testing.T) {
	hw, name := PTY(t)
	p, err := tty.Open(tty.Config{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	hw.Write([]byte{0x0D, 3, 0xFF})
	b := make([]byte, 3)
	if _, err := device.ReadFull(t.Context(), p, b, 2*time.Second); err != nil || !bytes.Equal(b, []byte{0x0D, 3, 0xFF}) {
		t.Fatal(err, b)
	}
}
