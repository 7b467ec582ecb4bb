package commission

import (
	"bytes"

	"longcheng/cmd/internal/parts"
	"longcheng/device/glyph"
	"longcheng/printer"
	"longcheng/printer/escpos"
	"longcheng/printer/preview"
)

// ticket draws a page with the dots of a printer's model; nil for a page or model
// that cannot be drawn, which printed all the same.
func ticket(page printer.Page, profile string) []byte {
	p, err := printer.ProfileNamed(profile)
	if err != nil {
		return nil
	}
	m, _, err := escpos.Preview(page, p, parts.Glyphs())
	if err != nil {
		return nil
	}
	return dots(m)
}

// words draws what a sign was told to show.
func words(text string) []byte {
	face := glyph.Face16()
	m := glyph.NewBitmap(face.Width(text)+8, face.Height()+8)
	face.Draw(m, 4, 4, text)
	return dots(m.Scale(3))
}

// A spot is where a screen was touched, in pixels of a screen so wide and high.
type spot struct{ x, y, wide, high int }

// fits reports whether a browser may have sent this.
func (s spot) fits() bool {
	return s.wide > 0 && s.high > 0 && s.wide <= 1<<14 && s.high <= 1<<14 && s.x >= 0 && s.x <= s.wide && s.y >= 0 && s.y <= s.high
}

// touched draws the screen and a cross at each place that was touched.
func touched(spots []spot) []byte {
	const wide = 320
	if len(spots) == 0 {
		return nil
	}
	first := spots[0]
	m := glyph.NewBitmap(wide, min(4*wide, max(1, wide*first.high/first.wide)))
	for x := range m.W {
		m.Set(x, 0)
		m.Set(x, m.H-1)
	}
	for y := range m.H {
		m.Set(0, y)
		m.Set(m.W-1, y)
	}
	for _, s := range spots {
		cross(m, s.x*(m.W-1)/s.wide, s.y*(m.H-1)/s.high)
	}
	return dots(m)
}

// cross marks a point; what lies outside is left out.
func cross(m *glyph.Bitmap, x, y int) {
	for d := -9; d <= 9; d++ {
		for w := -1; w <= 1; w++ { // thick enough for a small picture
			m.Set(x+d+w, y+d)
			m.Set(x+d+w, y-d)
		}
	}
}

func dots(m *glyph.Bitmap) []byte {
	var b bytes.Buffer
	if preview.WritePNG(&b, m) != nil {
		return nil
	}
	return b.Bytes()
}
