package onbon

import (
	"bytes"
	"context"
	"encoding/hex"
	"image/color"
	"strings"
	"testing"

	"longcheng/cmd/kiosksim/sim/crc16"
	"longcheng/device/glyph"
)

const (
	ping1   = "01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A2 00 01 00 00 68 F8"
	clear1  = "01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A3 10 01 00 00 51 F8"
	clearAl = "FE FF 00 80 00 00 00 00 00 00 FE 02 05 00 A3 10 01 00 00 75 DC"
	screen  = "FE FF 00 80 00 00 00 00 00 00 FE 02 06 00 A3 00 01 00 00 01 5D F1"
	clock   = "FE FF 00 80 00 00 00 00 00 00 FE 02 0D 00 A2 03 01 00 00 26 20 11 23 09 05 07 01 A0 B1"
	window3 = "01 00 00 80 00 00 00 00 00 00 51 02 33 00 A3 06 01 00 00 00 01 2A 00 00 00 00 00 00 08 00 10 00 00 00 00 05 00 00 00 00 01 01 01 00 00 00 0F 00 00 00 41 30 31 32 C7 EB B5 BD 33 BA C5 B4 B0 BF DA 55 06"
	redA012 = "01 00 00 80 00 00 00 00 00 00 FE 02 2E 00 A3 06 01 00 00 00 01 25 00 00 00 80 00 00 40 80 10 00 00 00 00 00 00 00 00 00 01 01 01 00 00 00 0A 00 00 00 5C 43 31 41 30 31 32 20 C7 EB 81 F6"
	ack1    = "00 80 01 00 00 00 00 00 00 00 FE 02 05 00 A0 00 00 00 00 64 DC"
)

func wire(t *testing.T, vector string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(vector, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return append(append(bytes.Repeat([]byte{0xA5}, 8), b...), 0x5A)
}

func frame(to uint16, data ...byte) []byte {
	f := []byte{byte(to), byte(to >> 8), 0, 0x80, 0, 0, 0, 0, 0, 0, 0xFE, 2, byte(len(data)), byte(len(data) >> 8)}
	f = append(f, data...)
	c := crc16.ARC(f)
	return seal(append(f, byte(c), byte(c>>8)))
}

// text is A3 06 with one area 0 of 64 x 16 dots that stands still.
func text(to uint16, gbk string) []byte {
	a := []byte{0, 0, 0x80, 0, 0, 64, 0x80, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, byte(len(gbk)), 0, 0, 0}
	a = append(a, gbk...)
	return frame(to, append([]byte{0xA3, 6, 1, 0, 0, 0, 1, byte(len(a)), 0}, a...)...)
}

type rig struct {
	*Line
	out bytes.Buffer
}

func newRig(cards ...Config) *rig {
	r := &rig{}
	r.Line = New(&r.out, glyph.Face16(), cards...)
	return r
}

func (r *rig) ask(f []byte) []byte {
	r.out.Reset()
	r.Receive(context.Background(), f)
	return bytes.Clone(r.out.Bytes())
}

func one() Config { return Config{"one", 1, 64, 16} }
func two() Config { return Config{"two", 2, 64, 16} }

// The published frames are acknowledged byte for byte and do what they say.
func TestVectors(t *testing.T) {
	r := newRig(one())
	c := r.Card("one")
	for _, s := range []struct{ name, in, text string }{
		{"ping", ping1, ""},
		{"window", window3, "A012请到3号窗口"},
		{"clear", clear1, ""},
		{"red", redA012, "A012 请"},
		{"screen on", screen, "A012 请"},
		{"clock", clock, "A012 请"},
		{"clear any", clearAl, ""},
	} {
		if got := r.ask(wire(t, s.in)); !bytes.Equal(got, wire(t, ack1)) {
			t.Errorf("%s: answer % x", s.name, got)
		}
		if c.Text() != s.text {
			t.Errorf("%s: shows %q", s.name, c.Text())
		}
	}
	if got := c.Clock().Format("2006-01-02 15:04:05"); got != "2026-11-23 09:05:07" {
		t.Errorf("clock %s", got)
	}
	if h := c.History(); len(h) != 4 || h[0].Text != "A012请到3号窗口" || h[0].At.IsZero() || c.Frames() != 7 {
		t.Errorf("history %v, %d frames", h, c.Frames())
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(one())
	for _, s := range []struct {
		name string
		data []byte
		want fault
	}{
		{"group", []byte{0xB0, 0, 1, 0, 0}, badGroup},
		{"command", []byte{0xA2, 0x55, 1, 0, 0}, badCommand},
		{"cut area", []byte{0xA3, 6, 1, 0, 0, 0, 1, 9, 0, 0}, badDownload},
		{"date", []byte{0xA2, 3, 1, 0, 0, 0x26, 0x20, 0x13, 0x23, 9, 5, 7, 1}, badDate},
		{"screen", []byte{0xA3, 0, 1, 0, 0, 3}, badDownload},
	} {
		if got := r.ask(frame(1, s.data...)); !bytes.Equal(got, answer(0x8000, 1, s.want, false)) {
			t.Errorf("%s: answer % x", s.name, got)
		}
	}
	nack := wire(t, "00 80 01 00 00 00 00 00 00 00 FE 02 05 00 A0 01 05 00 00 75 21")
	if got := answer(0x8000, 1, 5, false); !bytes.Equal(got, nack) {
		t.Errorf("nack % x", got)
	}
}

func TestDamageIsIgnored(t *testing.T) {
	good := wire(t, redA012)
	for i := 8; i < len(good)-1; i++ {
		r := newRig(one())
		bad := bytes.Clone(good)
		bad[i] ^= 4
		if got := r.ask(bad); len(got) != 0 || r.Card("one").Text() != "" {
			t.Fatalf("byte %d damaged: answer % x", i, got)
		}
		if got := r.ask(wire(t, ping1)); !bytes.Equal(got, wire(t, ack1)) {
			t.Fatalf("byte %d damaged: deaf afterwards", i)
		}
	}
}

// Bytes come one at a time, after noise and half a frame.
func TestResync(t *testing.T) {
	r := newRig(one())
	in := append([]byte{0x5A, 1, 0xA6, 0xA5, 0xA5, 1, 0, 0x5B}, wire(t, redA012)...)
	for _, b := range in {
		r.Receive(context.Background(), []byte{b})
	}
	if r.Card("one").Text() != "A012 请" || !bytes.Equal(r.out.Bytes(), wire(t, ack1)) {
		t.Fatalf("shows %q, answer % x", r.Card("one").Text(), r.out.Bytes())
	}
}

// An address and a text full of bytes that need escapes.
func TestEscapes(t *testing.T) {
	r := newRig(Config{"odd", 0xA55A, 64, 16})
	in := text(0xA55A, "Z[\xA5\xA6\xA6\xA5")
	if n := bytes.Count(in[8:len(in)-1], []byte{0xA5}) + bytes.Count(in[:len(in)-1], []byte{0x5A}); n != 0 {
		t.Fatalf("%d bare marks in % x", n, in)
	}
	want := []byte{0x5B, 2, 0xA6, 2}
	if got := r.ask(in); !bytes.Contains(got, want) || r.Card("odd").Text() != "Z[ウΕ" {
		t.Fatalf("shows %q, answer % x", r.Card("odd").Text(), got)
	}
}

func TestTwoCards(t *testing.T) {
	r := newRig(one(), two())
	a, b := r.Card("one"), r.Card("two")
	if got := r.ask(text(2, `\C2B007`)); !bytes.Equal(got, answer(0x8000, 2, 0, false)) {
		t.Fatalf("answer % x", got)
	}
	if a.Text() != "" || b.Text() != "B007" || b.Colour() != Green || a.Colour() != Dark {
		t.Fatalf("%q %q %v", a.Text(), b.Text(), b.Colour())
	}
	if got := r.ask(text(9, "X")); len(got) != 0 || a.Frames() != 0 {
		t.Fatalf("absent address answers % x", got)
	}
	if got := r.ask(text(anyCard, "ALL")); len(got) != 0 || a.Text() != "ALL" || b.Text() != "ALL" {
		t.Fatalf("to all: %q %q, answer % x", a.Text(), b.Text(), got)
	}
	b.Unplug(true)
	if got := r.ask(text(2, "X")); len(got) != 0 || b.Text() != "ALL" {
		t.Fatalf("unplugged card answers % x", got)
	}
	b.Unplug(false)
	if got := r.ask(frame(2, 0xA2, 0, 1, 0, 0)); len(got) == 0 {
		t.Fatal("card is deaf after it was plugged in")
	}
	if got := r.ask(frame(2, 0xA2, 0, 2, 0, 0)); len(got) != 0 || r.Card("three") != nil {
		t.Fatalf("answers though it need not: % x", got)
	}
}

func TestPowerAndGarble(t *testing.T) {
	r := newRig(one())
	c := r.Card("one")
	r.ask(wire(t, redA012))
	c.PowerOff()
	if got := r.ask(wire(t, ping1)); len(got) != 0 || c.Text() != "" {
		t.Fatalf("dead card shows %q, answers % x", c.Text(), got)
	}
	c.PowerOn()
	if c.Text() != "" {
		t.Fatalf("remembers %q", c.Text())
	}
	c.Garble(true)
	var d decoder
	var body []byte
	for _, b := range r.ask(wire(t, ping1)) {
		if f := d.next(b); f != nil {
			body = f
		}
	}
	if len(body) != 21 || crc16.ARC(body) == 0 {
		t.Fatalf("garbled answer % x", body)
	}
	c.Garble(false)
	if got := r.ask(wire(t, ping1)); !bytes.Equal(got, wire(t, ack1)) {
		t.Fatalf("answer % x", got)
	}
}

// The second byte of a GBK character may look like a backslash: 昞 is 95 5C.
func TestTextIsDecodedBeforeEscapes(t *testing.T) {
	r := newRig(one())
	r.ask(text(1, "\x95\x5CC1\\C3X\\FO001Y"))
	if c := r.Card("one"); !strings.HasSuffix(c.Text(), "C1XY") || len([]rune(c.Text())) != 5 || c.Colour() != Red {
		t.Fatalf("shows %q", c.Text())
	}
}

func TestImage(t *testing.T) {
	r := newRig(Config{"one", 1, 12, 16})
	r.ask(text(1, `\C1A\C3AAAA`))
	img := r.Card("one").Image()
	if img.Bounds().Dx() != 12 || img.Bounds().Dy() != 16 {
		t.Fatalf("size %v", img.Bounds())
	}
	g, _ := glyph.Face16().Glyph('A')
	for y := range 16 {
		for x := range 12 {
			want := color.RGBA{A: 0xFF}
			if g.At(x%8, y) {
				want.R = 0xFF
				if x >= 8 {
					want.G = 0xFF
				}
			}
			if got := img.At(x, y); got != want {
				t.Fatalf("dot %d,%d is %v", x, y, got)
			}
		}
	}
	r.ask(frame(1, 0xA3, 0, 1, 0, 0, 2))
	if r.Card("one").Text() != "" {
		t.Fatal("screen is off and shows text")
	}
}

func TestHistoryIsBounded(t *testing.T) {
	r := newRig(one())
	for i := range historyLen + 5 {
		r.ask(text(1, string(rune('A'+i%2))))
	}
	if h := r.Card("one").History(); len(h) != historyLen {
		t.Fatalf("%d entries", len(h))
	}
}

func FuzzReceive(f *testing.F) {
	f.Add(text(1, "A012"), false)
	f.Add([]byte{0xA3, 6, 1, 0, 0, 0xFF, 1, 2, 0, 0, 0}, true)
	f.Add([]byte{0xA5, 0xA6, 3, 0x5A}, false)
	face := glyph.Face16()
	f.Fuzz(func(t *testing.T, in []byte, asData bool) {
		if asData {
			in = frame(1, in[:min(len(in), 0xFFFF)]...)
		}
		var out bytes.Buffer
		l := New(&out, face, one())
		l.Receive(context.Background(), in)
		l.Card("one").Image()
		if len(l.in.body) > maxFrame {
			t.Fatalf("keeps %d bytes", len(l.in.body))
		}
		l.Receive(context.Background(), frame(1, 0xA3, 0x10, 1, 0, 0))
		if l.Card("one").Text() != "" || out.Len() == 0 {
			t.Fatal("deaf afterwards")
		}
	})
}
