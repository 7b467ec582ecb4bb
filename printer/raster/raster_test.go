package raster

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"longcheng/device/glyph"
	"longcheng/printer"
)

// A picture keeps its grey as a share of black dots, and paper stays paper.
func TestDither(t *testing.T) {
	src := image.NewNRGBA(image.Rect(0, 0, 100, 50))
	for x := range 50 {
		for y := range 50 {
			src.SetNRGBA(x, y, color.NRGBA{128, 128, 128, 255}) // the rest is transparent
		}
	}
	m := Dither(src, 205)
	if m.W != 200 || m.H != 100 {
		t.Fatalf("%d x %d dots", m.W, m.H)
	}
	left, right := 0, 0
	for y := range m.H {
		for x := range m.W {
			if m.At(x, y) && x < 96 {
				left++
			} else if m.At(x, y) && x > 104 {
				right++
			}
		}
	}
	if share := 100 * left / (96 * 100); share < 40 || share > 60 || right != 0 {
		t.Errorf("grey became %d %% black, paper has %d dots", share, right)
	}
}

// What is no picture, or too large a one, is refused.
func TestReadImage(t *testing.T) {
	var good, huge bytes.Buffer
	if err := png.Encode(&good, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&huge, image.NewGray(image.Rect(0, 0, 20000, 1000))); err != nil {
		t.Fatal(err)
	}
	if m, err := ReadImage(bytes.NewReader(good.Bytes())); err != nil || m.Bounds().Dx() != 8 {
		t.Errorf("a picture: %v", err)
	}
	for name, b := range map[string][]byte{"huge": huge.Bytes(), "text": []byte("no picture"), "half": good.Bytes()[:40], "nothing": nil} {
		if _, err := ReadImage(bytes.NewReader(b)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// The 16-dot face stands in where the 24-dot one has nothing, and beyond both a
// character is its number, told once.
func TestFacesAndNumbers(t *testing.T) {
	d := &Drawer{Dots: 576, Glyphs: Faces(glyph.Face24(), glyph.Face16()), Missing: map[rune]bool{}}
	if w, h, rows := d.Glyphs('ཀ'); w == 0 || h != 24 || len(rows) == 0 {
		t.Errorf("a Tibetan letter is %d x %d", w, h)
	}
	m := d.Line(printer.Text{S: "😀😀"})
	if len(d.Missing) != 1 || !d.Missing['😀'] {
		t.Errorf("missing %v", d.Missing)
	}
	for _, at := range []image.Point{{0, 0}, {23, 0}, {0, 23}, {23, 23}, {24, 0}} {
		if !m.At(at.X, at.Y) {
			t.Errorf("no frame at %v", at)
		}
	}
	if bytes.Equal(hexBox('😀').Rows, hexBox('😁').Rows) {
		t.Error("two characters have one number")
	}
}

// Whatever is drawn stays on the paper.
func FuzzLine(f *testing.F) {
	f.Add("龙😀A", 3, 2, true)
	d := &Drawer{Dots: 384, Glyphs: Faces(glyph.Face24(), glyph.Face16())}
	f.Fuzz(func(t *testing.T, s string, w, h int, bold bool) {
		if len(s) > 200 {
			return
		}
		m := d.Line(printer.Text{S: s, Width: w & 7, Height: h & 7, Bold: bold})
		if m.W > d.Dots || m.W%8 != 0 || m.H > 24*8 || len(m.Rows) != m.W/8*m.H {
			t.Fatalf("%q is %d x %d", s, m.W, m.H)
		}
	})
}
