package raster

import "longcheng/device/glyph"

// Glyphs returns the dots of a character: its size, and its rows from the top,
// each padded to whole bytes, bit 7 leftmost, 1 is black. A width of 0 means
// that there is no such glyph.
type Glyphs func(r rune) (w, h int, rows []byte)

// Faces returns the glyphs of a 24-dot face, and where it has none, those of a
// 16-dot face enlarged by half: minority scripts and rare symbols.
func Faces(face24, face16 *glyph.Face) Glyphs {
	return func(r rune) (int, int, []byte) {
		if m, ok := face24.Glyph(r); ok {
			return m.W, m.H, m.Rows
		}
		m, ok := face16.Glyph(r)
		if !ok {
			return 0, 0, nil
		}
		big := half(m)
		return big.W, big.H, big.Rows
	}
}

// half enlarges m by half in both directions.
func half(m glyph.Bitmap) *glyph.Bitmap {
	out := glyph.NewBitmap(m.W*3/2, m.H*3/2)
	for y := range out.H {
		for x := range out.W {
			if m.At(x*2/3, y*2/3) {
				out.Set(x, y)
			}
		}
	}
	return out
}

// digits are the hexadecimal digits in 3x5 dots, a row in 3 bits, top first.
var digits = [16][5]byte{
	{7, 5, 5, 5, 7}, {2, 6, 2, 2, 7}, {7, 1, 7, 4, 7}, {7, 1, 3, 1, 7}, {5, 5, 7, 1, 1}, {7, 4, 7, 1, 7}, {7, 4, 7, 5, 7}, {7, 1, 1, 2, 2},
	{7, 5, 7, 5, 7}, {7, 5, 7, 1, 7}, {7, 5, 7, 5, 5}, {6, 5, 6, 5, 6}, {7, 4, 4, 4, 7}, {6, 5, 5, 5, 6}, {7, 4, 7, 4, 7}, {7, 4, 7, 4, 4},
}

// hexBox draws the code point of a character that no face has: a frame with two
// rows of three digits, so that what is missing can be looked up.
func hexBox(r rune) *glyph.Bitmap {
	m := glyph.NewBitmap(24, 24)
	for i := range 24 {
		m.Set(i, 0)
		m.Set(i, 23)
		m.Set(0, i)
		m.Set(23, i)
	}
	for i := range 6 {
		d := digits[r>>(4*(5-i))&15]
		for y, row := range d {
			for x := range 3 {
				if row&(4>>x) != 0 {
					box(m, 3+i%3*7+x*2-x/2, 2+i/3*11+y*2, 2, 2)
				}
			}
		}
	}
	return m
}

// box blackens w by h dots.
func box(m *glyph.Bitmap, x, y, w, h int) {
	for j := range h {
		for i := range w {
			m.Set(x+i, y+j)
		}
	}
}
