package evdev

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
)

// stroke is a key pressed and released, as the kernel tells it.
func stroke(code uint16, shift bool) (b []byte) {
	if shift {
		b = append(b, told(evKey, keyLeftShift, 1)...)
	}
	b = append(b, told(evKey, code, 1)...)
	b = append(b, told(evSyn, 0, 0)...)
	b = append(b, told(evKey, code, 0)...)
	if shift {
		b = append(b, told(evKey, keyLeftShift, 0)...)
	}
	return append(b, told(evSyn, 0, 0)...)
}

func told(kind, code uint16, value int32) []byte {
	b := make([]byte, eventSize)
	binary.NativeEndian.PutUint16(b[stamp:], kind)
	binary.NativeEndian.PutUint16(b[stamp+2:], code)
	binary.NativeEndian.PutUint32(b[stamp+4:], uint32(value))
	return b
}

// typed is what a scanner types for a text.
func typed(s string) (b []byte) {
	for i := range len(s) {
		for code := range plain {
			switch s[i] {
			case '\n':
				b = append(b, stroke(keyEnter, false)...)
			case plain[code]:
				b = append(b, stroke(uint16(code), false)...)
			case shifted[code]:
				b = append(b, stroke(uint16(code), true)...)
			default:
				continue
			}
			break
		}
	}
	return b
}

func feed(k *keys, b []byte) (out []byte) {
	for ; len(b) >= eventSize; b = b[eventSize:] {
		out = k.event(parse(b), out)
	}
	return out
}

func TestEveryPrintableCharacter(t *testing.T) {
	var all strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		all.WriteByte(c)
	}
	var k keys
	if got := feed(&k, typed(all.String()+"\n")); string(got) != all.String()+"\r" || k.dropped != 0 {
		t.Errorf("%q", got)
	}
}

func TestWholeOrNotAtAll(t *testing.T) {
	with := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	ctrl := func(code uint16) []byte {
		return with(told(evKey, 29, 1), stroke(code, false), told(evKey, 29, 0))
	}
	for name, c := range map[string]struct {
		in      []byte
		want    string
		dropped uint64
	}{
		"two codes":          {typed("abc\nAB-1\n"), "abc\rAB-1\r", 0},
		"empty codes":        {typed("\n\n\n"), "", 0},
		"tab ends":           {with(typed("x"), stroke(keyTab, false)), "x\r", 0},
		"control and letter": {with(typed("a"), ctrl(46), typed("b\nnext\n")), "next\r", 1},
		"control and enter":  {with(typed("a"), ctrl(keyEnter), typed("b\nnext\n")), "next\r", 1},
		"alt and F4":         {with(told(evKey, 56, 1), stroke(62, false), told(evKey, 56, 0), typed("\nnext\n")), "next\r", 1},
		"escape":             {with(stroke(1, false), typed("x\nnext\n")), "next\r", 1},
		"lost events":        {with(typed("a"), told(evSyn, dropped, 0), typed("b\nnext\n")), "next\r", 1},
		"lost with shift":    {with(told(evKey, keyLeftShift, 1), told(evSyn, dropped, 0), typed("\nnext\n")), "next\r", 1},
		"a repeated key":     {with(told(evKey, 30, 1), told(evKey, 30, 2), told(evKey, 30, 2), typed("\n")), "a\r", 0},
		"a key unheard of":   {with(stroke(700, false), typed("\n")), "", 1},
		"the longest":        {typed(strings.Repeat("7", longest) + "\n"), strings.Repeat("7", longest) + "\r", 0},
		"too long":           {typed(strings.Repeat("7", longest+1) + "\nnext\n"), "next\r", 1},
	} {
		var k keys
		if got := string(feed(&k, c.in)); got != c.want || k.dropped != c.dropped {
			t.Errorf("%s: %.20q and %d dropped, want %.20q and %d", name, got, k.dropped, c.want, c.dropped)
		}
	}
}

// keyboard returns a port whose events come out of a pipe.
func keyboard(t *testing.T) (*Port, *os.File) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	w := os.NewFile(uintptr(fds[1]), "keys")
	p := newPort(fds[0], "keyboard")
	t.Cleanup(func() { p.Close(); w.Close() })
	return p, w
}

func TestAPortOfKeys(t *testing.T) {
	p, w := keyboard(t)
	all := typed("code 1\n")
	w.Write(all[:eventSize+5])
	if _, err := p.Read(make([]byte, 100)); !errors.Is(err, device.ErrTimeout) {
		t.Fatal("half a code:", err)
	}
	w.Write(all[eventSize+5:])
	b := make([]byte, 7)
	if n, err := device.ReadFull(t.Context(), p, b, 5*time.Second); n != 7 || err != nil || string(b) != "code 1\r" {
		t.Fatalf("%q %v", b[:n], err)
	}
	w.Write(typed("no end"))
	if n, err := device.ReadFull(t.Context(), p, b, 5*time.Second); n != 7 || err != nil || string(b) != "no end\r" {
		t.Fatalf("%q %v", b[:n], err)
	}
	w.Write(stroke(1, false)) // escape
	for range 4 {
		if n, err := p.Read(b); n != 0 || !errors.Is(err, device.ErrTimeout) {
			t.Fatal(n, err)
		}
	}
	if p.Dropped() != 1 {
		t.Error(p.Dropped())
	}
	if _, err := p.Write([]byte("x")); err == nil || device.IsWire(err) {
		t.Error(err)
	}
	w.Close()
	if _, err := p.Read(b); !errors.Is(err, device.ErrGone) {
		t.Fatal("unplugged:", err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Read(b); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func TestAKeyboardThatIsNoneOrNotThere(t *testing.T) {
	name := filepath.Join(t.TempDir(), "event0")
	if _, err := Open(Config{Name: name}); !device.IsWire(err) || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	os.WriteFile(name, nil, 0o600)
	if _, err := Open(Config{Name: name}); !device.IsWire(err) || !strings.Contains(err.Error(), "not a keyboard") {
		t.Error(err)
	}
	c := Config{}
	c.Match.Name = "nobody has this one"
	if p, err := Opener(c)(t.Context()); p != nil || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if !errors.Is(c.node().Failed("grab", unix.EBUSY), ErrBusy) || !strings.Contains(c.node().Failed("open", unix.EACCES).Error(), "group input") {
		t.Error("reasons")
	}
}

// FuzzKeys: whatever a keyboard sends, only printable characters and the ends
// of codes come out, and memory stays bounded.
func FuzzKeys(f *testing.F) {
	f.Add(typed("Hello, 42!\n"))
	f.Add(append(told(evKey, 29, 1), typed("c\n")...))
	f.Add([]byte(strings.Repeat("\x01", 100)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var k keys
		out := k.end(feed(&k, b))
		for _, c := range out {
			if c != '\r' && (c < ' ' || c > '~') {
				t.Fatalf("%q", c)
			}
		}
		if len(k.code) > longest {
			t.Fatal("grows")
		}
	})
}
