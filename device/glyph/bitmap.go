package glyph

// A Bitmap is a rectangle of dots, one bit each, set = ink or light. Rows are
// stored from top to bottom, each in whole bytes, the leftmost dot in the
// highest bit; unused bits at the end of a row are 0.
type Bitmap struct {
	W, H int
	Rows []byte // H * Stride() bytes
}

// NewBitmap returns an empty bitmap; negative sizes count as 0.
func NewBitmap(w, h int) *Bitmap {
	b := &Bitmap{W: max(w, 0), H: max(h, 0)}
	b.Rows = make([]byte, b.H*b.Stride())
	return b
}

// Stride returns the bytes of one row.
func (b Bitmap) Stride() int { return (b.W + 7) / 8 }

// Row returns the bytes of row y.
func (b Bitmap) Row(y int) []byte { return b.Rows[y*b.Stride() : (y+1)*b.Stride()] }

// At reports whether the dot at x, y is set; outside nothing is.
func (b Bitmap) At(x, y int) bool {
	if x < 0 || y < 0 || x >= b.W || y >= b.H {
		return false
	}
	return b.Rows[y*b.Stride()+x/8]&(0x80>>(x%8)) != 0
}

// Set sets the dot at x, y; outside nothing happens.
func (b *Bitmap) Set(x, y int) {
	if x < 0 || y < 0 || x >= b.W || y >= b.H {
		return
	}
	b.Rows[y*b.Stride()+x/8] |= 0x80 >> (x % 8)
}

// Blit adds the dots of src at x, y, cut off at b's edges.
func (b *Bitmap) Blit(src Bitmap, x, y int) {
	for sy := max(0, -y); sy < src.H && y+sy < b.H; sy++ {
		for sx := max(0, -x); sx < src.W && x+sx < b.W; sx++ {
			if src.At(sx, sy) {
				b.Set(x+sx, y+sy)
			}
		}
	}
}

// Scale returns b enlarged n times in both directions; n < 2 returns a copy.
func (b Bitmap) Scale(n int) *Bitmap {
	n = max(n, 1)
	out := NewBitmap(b.W*n, b.H*n)
	for y := range out.H {
		for x := range out.W {
			if b.At(x/n, y/n) {
				out.Set(x, y)
			}
		}
	}
	return out
}

// trim corrects the width of a narrow glyph of the 24-dot face: 12 dots are
// stored in two bytes, as 16 would be.
func (b Bitmap) trim(height int) Bitmap {
	if height == 24 && b.W == 16 {
		b.W = 12
	}
	return b
}
