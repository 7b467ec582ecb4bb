package pixel

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"longcheng/device/glyph"
	"longcheng/display"
	"longcheng/display/line"
	"longcheng/display/line/linetest"
	"longcheng/display/onbon"
	"longcheng/kiosk"
)

var face = glyph.Face16() // unpacked once

func draw(w, h int, text string) *glyph.Bitmap {
	b := glyph.NewBitmap(w, h)
	face.Draw(b, 0, 0, text)
	return b
}

func model(t testing.TB, name string) Model {
	t.Helper()
	m, err := ModelNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Frames of the vendor's manuals, and the layout that the vendor's kits produce.
func TestFrames(t *testing.T) {
	ping := Frame(onbon.AnyAddress, 0xFFFE, Ping())
	if want := linetest.Hex(t, "A5A5A5A5A5A5A5A5 FE FF 00 80 F0 00 FE FF 00 00 00 00 05 00 00 00 01 A2 00 00 00 C6 86 5A"); !bytes.Equal(ping, want) {
		t.Errorf("ping % X", ping)
	}
	m := model(t, "bx-5e1")
	data, err := m.Update(Area{Red: draw(16, 16, "A3")})
	if err != nil {
		t.Fatal(err)
	}
	want := linetest.Hex(t, `A5A5A5A5A5A5A5A5 01 00 00 80 F0 00 54 01 00 00 00 00 52 00 00 00 01 A7 00 00 00 49 00 00 00 00 00 00 00 01 00 00
		00 00 00 00 00 10 00 00 00 00 10 00 10 00 00 01 00 2D 00 00 00 00 01 00 00 00 00 00 10 00 00 00 00 00 FF FF FF FF FF FF FF FF
		E7 C3 DB BD DB BD BD FD BD E3 81 FD BD FD BD BD BD BD BD C3 FF FF FF FF E0 44 5A`)
	if got := Frame(1, m.Type, data); !bytes.Equal(got, want) {
		t.Errorf("got\n% X, want\n% X", got, want)
	}
	if b := Brightness(99); len(b) != 5+0x31 || b[6] != 15 {
		t.Errorf("brightness % X", b)
	}
}

// Words of 32 dots, low byte first, 0 is lit.
func TestWordsOfGenerationSix(t *testing.T) {
	b := glyph.NewBitmap(32, 4)
	b.Set(0, 0)
	b.Set(9, 1)
	b.Set(31, 3)
	m := model(t, "bx-6e1")
	want := linetest.Hex(t, "FF FF FF 7F FF FF BF FF FF FF FF FF FE FF FF FF")
	if got := m.dots(Area{Red: b}, 32); !bytes.Equal(got, want) {
		t.Errorf("% X", got)
	}
	two := m.dots(Area{Red: b, Green: glyph.NewBitmap(32, 4)}, 32)
	if !bytes.Equal(two[:16], want) || bytes.Count(two[16:], []byte{0xFF}) != 16 {
		t.Errorf("planes % X", two)
	}
	data, err := m.Update(Area{Red: b})
	if err != nil || len(data) != 7+4+63+16 || data[7] != 63 {
		t.Errorf("%d bytes, area of %d, %v", len(data), data[7], err)
	}
	wide := m.dots(Area{Red: draw(40, 16, "A012")}, 64)
	if len(wide) != 16*8 || wide[7*8+4] != 0xFF {
		t.Errorf("%d bytes of a widened area", len(wide))
	}
}

func TestTwoColoursOfGenerationFiveTakeTurns(t *testing.T) {
	red, green := glyph.NewBitmap(16, 1), glyph.NewBitmap(16, 1)
	red.Set(0, 0)
	green.Set(15, 0)
	if got := model(t, "bx-5e").dots(Area{Red: red, Green: green}, 16); !bytes.Equal(got, []byte{0x7F, 0xFF, 0xFF, 0xFE}) {
		t.Errorf("% X", got)
	}
}

func TestAreasThatAreRefused(t *testing.T) {
	m := model(t, "bx-6e1")
	for _, a := range []Area{
		{Red: glyph.NewBitmap(4, 4)}, {Red: glyph.NewBitmap(32, 16), X: 8}, {Red: glyph.NewBitmap(32, 16), Green: glyph.NewBitmap(32, 8)},
		{Red: glyph.NewBitmap(32, 16), ID: 32}, {Red: glyph.NewBitmap(512, 256)},
	} {
		if _, err := m.Update(a); err == nil {
			t.Errorf("accepted %dx%d at %d, area %d", a.Red.W, a.Red.H, a.X, a.ID)
		}
	}
	if _, err := ModelNamed("bx-9"); err == nil {
		t.Error("unknown model")
	}
	for _, c := range []Config{{Model: m, W: 64, H: 16}, {Model: m, Face: face}} {
		if _, err := NewSpeaker(c); err == nil {
			t.Errorf("accepted %+v", c)
		}
	}
}

// answer is what a card says.
func answer(card byte, cmd byte, code byte) []byte {
	return onbon.Wrap(nil, []byte{0, 0x80, card, 0, 0xF0, 0, 0x54, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0xA0, cmd, cmd, 0, code, 0, 0, 0})
}

func TestSpeaker(t *testing.T) {
	w := &linetest.Wire{Reply: func([]byte) []byte { return append(answer(2, 0, 0), answer(1, 0, 0)...) }}
	s, err := NewSpeaker(Config{Card: 1, Model: model(t, "bx-5e1"), W: 64, H: 16, TwoColour: true, Face: face})
	if err != nil {
		t.Fatal(err)
	}
	sign := line.NewSign("strip:1", "1", linetest.Start(t, w), s)
	v := display.View{Strip: &display.Strip{Phase: display.PhaseCalling, Number: "A012", Text: kiosk.Text{ZH: "请A012"}}}
	if _, err := sign.Show(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	lit := w.Last()
	if err := sign.Blink(t.Context(), v, false); err != nil || bytes.Equal(lit, w.Last()) {
		t.Fatal("not darkened", err)
	}
	w.Reply = func([]byte) []byte { return answer(1, 1, 18) }
	var no *Refused
	if _, err := sign.Show(t.Context(), v); !errors.As(err, &no) || no.Code != 18 {
		t.Fatal(err)
	}
	w.Reply = func([]byte) []byte { return answer(2, 0, 0) }
	if _, err := sign.Show(t.Context(), v); !errors.Is(err, line.ErrSilent) {
		t.Fatal(err)
	}
}

// What the strip says stands in the middle, as large as it fits; a text too long
// gives way to the number.
func TestDrawing(t *testing.T) {
	s, err := NewSpeaker(Config{Card: 1, Model: model(t, "bx-6e"), W: 64, H: 32, Face: face})
	if err != nil {
		t.Fatal(err)
	}
	area := func(text, number string) string {
		return picture(s.area(display.Strip{Number: number, Text: kiosk.Text{ZH: text}}).Red)
	}
	if area("请A012到本窗口来办理业务", "A012") != area("A012", "") {
		t.Error("a long text does not give way to its number")
	}
	if p := area("A012", ""); strings.Count(p, "#") != 4*strings.Count(picture(draw(32, 16, "A012")), "#") {
		t.Error("the number is not doubled:\n" + p)
	}
}

func picture(b *glyph.Bitmap) string {
	var s strings.Builder
	for y := range b.H {
		for x := range b.W {
			s.WriteByte(map[bool]byte{true: '#', false: '.'}[b.At(x, y)])
		}
		s.WriteByte('\n')
	}
	return s.String()
}

func FuzzReply(f *testing.F) {
	f.Add(answer(1, 0, 0))
	f.Add(answer(1, 1, 5))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &reply{card: 1}
		for _, c := range b {
			if done, err := r.feed(c); done && err != nil {
				var no *Refused
				if !errors.As(err, &no) {
					t.Fatal(err)
				}
			}
		}
		_, _ = ParseReply(b)
	})
}
