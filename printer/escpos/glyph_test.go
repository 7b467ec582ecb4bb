package escpos

import (
	"bytes"
	"testing"

	"longcheng/device/glyph"
	"longcheng/printer"
)

// The project's 24-dot face serves as Glyphs: a printer without a Chinese font
// gets its Han as the dots of that face.
func TestFaceServesAsGlyphs(t *testing.T) {
	face := glyph.Face24()
	p := profile(t, "generic58")
	p.Chinese = false
	e := &Encoder{Profile: p, Glyphs: func(r rune) (int, int, []byte) {
		m, _ := face.Glyph(r)
		return m.W, m.H, m.Rows
	}}
	d := encode(t, e, printer.Page{printer.Text{S: "龙"}})
	m, ok := face.Glyph('龙')
	if !ok || m.W != 24 {
		t.Fatalf("face has 龙 as %dx%d, %v", m.W, m.H, ok)
	}
	if want := append([]byte{0x1D, 'v', '0', 0, 3, 0, 24, 0}, m.Rows...); !bytes.Contains(d.Body, want) {
		t.Errorf("the dots of 龙 are not in % x", d.Body)
	}
}
