package escpos

import "longcheng/device/glyph"

// FaceFont makes the printer's font of a 24-dot face.
func FaceFont(f *glyph.Face) Font { return face{f} }

type face struct{ *glyph.Face }

func (f face) Glyph(r rune) (w, h int, at func(x, y int) bool, ok bool) {
	b, ok := f.Face.Glyph(r)
	return b.W, b.H, b.At, ok
}
