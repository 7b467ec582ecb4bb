package sam

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

var (
	status = []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x11, 0xFF, 0xED}
	find   = []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x20, 1, 0x22}
	choose = []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x20, 2, 0x21}
	read   = []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x30, 1, 0x32}
)

// ask sends the maker's frames and returns the last reply.
func ask(r *Reader, out *bytes.Buffer, frames ...[]byte) []byte {
	for _, f := range frames {
		out.Reset()
		r.Receive(context.Background(), f[:4]) // frames arrive in pieces
		r.Receive(context.Background(), f[4:])
	}
	return append([]byte(nil), out.Bytes()...)
}

func sw3(b []byte) byte {
	if len(b) < 11 || xor(b[5:]) != 0 || len(b) != 7+int(b[5])<<8+int(b[6]) {
		return 0
	}
	return b[9]
}

// A card is read once, and is not found again before it is lifted.
func TestReadOnce(t *testing.T) {
	var out bytes.Buffer
	r := New(&out)
	if c := sw3(ask(r, &out, status)); c != 0x90 {
		t.Fatalf("status %x", c)
	}
	if c := sw3(ask(r, &out, find)); c != 0x80 {
		t.Fatalf("find without card %x", c)
	}
	p := Person{Name: "张测试", Sex: "1", Until: "长期"}
	r.Place(p, Good)
	b := ask(r, &out, find, choose, read)
	if len(b) != 1295 || sw3(b) != 0x90 || !bytes.Equal(b[14:18], []byte{0x20, 0x5F, 0x4B, 0x6D}) {
		t.Fatalf("read: %d bytes, %x, % x", len(b), sw3(b), b[:18])
	}
	if !bytes.Equal(b[14+204:14+210], []byte{0x7F, 0x95, 0x1F, 0x67, 0x20, 0}) {
		t.Fatalf("valid until: % x", b[14+204:14+210])
	}
	if c := sw3(ask(r, &out, find)); c != 0x80 {
		t.Fatalf("find after read %x", c)
	}
	r.Lift()
	r.Place(p, Good)
	if c := sw3(ask(r, &out, find)); c != 0x9F {
		t.Fatalf("find after lifting %x", c)
	}
}

// Each kind of bad card answers as its maker says.
func TestBadCards(t *testing.T) {
	for c, want := range map[Condition]byte{MovedTooEarly: 0x41, Forged: 0x33, BadChecksum: 0} {
		var out bytes.Buffer
		r := New(&out)
		r.Place(Person{Name: strings.Repeat("长", 40)}, c)
		if got := sw3(ask(r, &out, find, choose, read)); got != want {
			t.Errorf("condition %d: %x, want %x", c, got, want)
		}
	}
}

// No bytes from the line stop the reader from answering the next frame.
func FuzzReceive(f *testing.F) {
	f.Add(find[:9])
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		r := New(&out)
		r.Receive(context.Background(), b)
		r.Receive(context.Background(), make([]byte, 80))
		if sw3(ask(r, &out, status)) != 0x90 {
			t.Fatal("no answer")
		}
	})
}

// The whole command set, by the makers' lists: each request with its answer and
// the length of its data.
func TestCommandSet(t *testing.T) {
	request := func(body ...byte) []byte {
		f := append([]byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, byte(len(body) + 1)}, body...)
		return append(f, xor(f[5:]))
	}
	for _, c := range []struct {
		name  string
		frame []byte
		sw3   byte
		total int // bytes of the whole reply
	}{
		{"reset", request(0x10, 0xFF), 0x90, 11},
		{"status", request(0x11, 0xFF), 0x90, 11},
		{"module number", request(0x12, 0xFF), 0x90, 27},
		{"card number 30 05", request(0x30, 0x05), 0x90, 39},
		{"text and photo 30 01", request(0x30, 0x01), 0x90, 1295},
		{"with fingerprints 30 10", request(0x30, 0x10), 0x90, 1297},
		{"newest address 30 03: none", request(0x30, 0x03), 0x91, 11},
		{"57600 baud", request(0x60, 0x01), 0x90, 11},
		{"longest radio frame", []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 4, 0x61, 0xFF, 0x50, 0xCA}, 0x90, 11},
		{"longest radio frame without a length", request(0x61, 0xFF), 0x21, 11},
		{"beep: there is none", request(0x30, 0xA0), 0x21, 11},
		{"no such speed", request(0x60, 0x09), 0x21, 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			r := New(&out)
			r.Place(Person{Name: "张测试"}, Good)
			b := ask(r, &out, find, choose, c.frame)
			if sw3(b) != c.sw3 || len(b) != c.total {
				t.Errorf("reply % x ... (%d bytes), want %x and %d bytes", b[:min(len(b), 12)], len(b), c.sw3, c.total)
			}
		})
	}
}

// Nothing can be read from a card that was not selected.
func TestReadNeedsSelect(t *testing.T) {
	for _, para := range []byte{0x01, 0x10, 0x03, 0x05} {
		var out bytes.Buffer
		r := New(&out)
		r.Place(Person{}, Good)
		f := []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x30, para, 0x33 ^ para}
		if c := sw3(ask(r, &out, find, f)); c != 0x41 {
			t.Errorf("30 %02x without select: %x", para, c)
		}
	}
}
