package sign

import (
	"image"
	"image/color"

	"longcheng/device/glyph"
)

// Colours that lamps are lit in.
var (
	Red    = color.RGBA{R: 0xFF, A: 0xFF}
	Green  = color.RGBA{G: 0xFF, A: 0xFF}
	Orange = color.RGBA{R: 0xFF, G: 0xA0, A: 0xFF}
)

// Dots returns w by h lamps that are off.
func Dots(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 0xFF
	}
	return m
}

// Light lights the dots of a character whose upper left corner is at x, y, as far as
// there are lamps.
func Light(m *image.RGBA, g glyph.Bitmap, x, y int, c color.RGBA) {
	box := image.Rect(x, y, x+g.W, y+g.H).Intersect(m.Rect)
	for py := box.Min.Y; py < box.Max.Y; py++ {
		for px := box.Min.X; px < box.Max.X; px++ {
			if g.At(px-x, py-y) {
				m.SetRGBA(px, py, c)
			}
		}
	}
}

// A Run is a stretch of text in one colour.
type Run struct {
	Text  string
	Color color.RGBA
}

// Line lays runs of text from the left of a panel of w by h dots, in the middle of
// its height.
func Line(w, h int, face *glyph.Face, runs ...Run) image.Image {
	m, x := Dots(w, h), 0
	for _, r := range runs {
		for _, c := range r.Text {
			g, _ := face.Glyph(c)
			Light(m, g, x, (h-face.Height())/2, r.Color)
			x += g.W
		}
	}
	return m
}
