package raster

import (
	"fmt"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/code128"
	"github.com/boombuler/barcode/qr"

	"longcheng/device/glyph"
	"longcheng/printer"
)

const (
	cell = 24 // dots: a Han is cell by cell, ASCII half as wide

	maxQR      = 256 // bytes that still fit 48 mm of paper at 4 dots a module
	maxBarcode = 32

	// BarHeight is the height of a barcode that names none, in dots.
	BarHeight = 80
)

// A Drawer turns elements into dots for paper of one width.
type Drawer struct {
	Dots    int
	Glyphs  Glyphs
	Missing map[rune]bool // characters that were drawn as their number, if not nil
}

// Line draws one line of text, without alignment, its width rounded up to whole
// bytes and cut off at the paper's edge.
func (d *Drawer) Line(t printer.Text) *glyph.Bitmap {
	s := printer.CleanLine(t.S)
	wide, high := max(1, t.Width), max(1, t.Height)
	width := 0
	for _, r := range s {
		width += d.advance(r) * wide
	}
	m := glyph.NewBitmap(min(up(width), d.Dots), cell*high)
	x := 0
	for _, r := range s {
		if r != ' ' {
			stamp(m, d.glyph(r), x, wide, high, t.Bold)
		}
		x += d.advance(r) * wide
	}
	return m
}

// advance returns the dots from r to the next character: half a cell for ASCII
// and for letters that are drawn as narrow, a cell for everything else.
func (d *Drawer) advance(r rune) int {
	if r < 0x80 {
		return cell / 2
	}
	if d.Glyphs != nil {
		if w, _, _ := d.Glyphs(r); w > 0 && w <= cell/2 {
			return cell / 2
		}
	}
	return cell
}

// up rounds dots up to whole bytes.
func up(dots int) int { return (dots + 7) / 8 * 8 }

// glyph returns the dots of r, or its number in a box.
func (d *Drawer) glyph(r rune) glyph.Bitmap {
	if d.Glyphs != nil {
		gw, gh, rows := d.Glyphs(r)
		if gw > 0 && gw <= 64 && gh > 0 && gh <= 64 && len(rows) >= (gw+7)/8*gh {
			return glyph.Bitmap{W: gw, H: gh, Rows: rows}
		}
	}
	if d.Missing != nil {
		d.Missing[r] = true
	}
	return *hexBox(r)
}

// stamp puts g at x, enlarged.
func stamp(m *glyph.Bitmap, g glyph.Bitmap, x, wide, high int, bold bool) {
	stride := g.Stride()
	for j := range min(g.H, cell) {
		for i := range g.W {
			if g.Rows[j*stride+i/8]&(0x80>>(i%8)) == 0 {
				continue
			}
			w := wide
			if bold {
				w++
			}
			fill(m, x+i*wide, j*high, w, high)
		}
	}
}

// fill blackens w by h dots, a byte at a time where it can; it is what most of
// the time of a drawn page goes into.
func fill(m *glyph.Bitmap, x, y, w, h int) {
	end := min(x+w, m.W)
	if x < 0 || x >= end || y < 0 {
		return
	}
	stride := m.Stride()
	first, last := x/8, (end-1)/8
	head, tail := byte(0xFF)>>(x%8), byte(0xFF)<<(7-(end-1)%8)
	for j := y; j < min(y+h, m.H); j++ {
		row := m.Rows[j*stride : (j+1)*stride]
		if first == last {
			row[first] |= head & tail
			continue
		}
		row[first] |= head
		for k := first + 1; k < last; k++ {
			row[k] = 0xFF
		}
		row[last] |= tail
	}
}

// QR draws a QR code of level M.
func (d *Drawer) QR(q printer.QR) (*glyph.Bitmap, error) {
	if q.S == "" || len(q.S) > maxQR {
		return nil, fmt.Errorf("draw qr code: %d bytes: use 1 to %d", len(q.S), maxQR)
	}
	code, err := qr.Encode(q.S, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("draw qr code: %w", err)
	}
	n := code.Bounds().Dx()
	size, err := Module(q, n, d.Dots)
	if err != nil {
		return nil, err
	}
	m := glyph.NewBitmap(up(n*size), n*size)
	for y := range n {
		for x := range n {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fill(m, x*size, y*size, size, size)
			}
		}
	}
	return m, nil
}

// Module returns the dots of one module of a code of n modules: what q asks for,
// or 6 (0.75 mm at 203 dpi), less where the paper has no room for the code and 4
// modules of quiet zone on each side.
func Module(q printer.QR, n, dots int) (int, error) {
	size := q.Module
	if size == 0 {
		size = 6
	}
	size = min(size, dots/(n+8))
	if size < 2 {
		return 0, fmt.Errorf("draw qr code: %d modules do not fit %d dots: shorten it", n, dots)
	}
	return min(size, 16), nil
}

// byteRoom is what versions 1, 2, ... hold at level M in byte mode, ISO/IEC
// 18004 table 7.
var byteRoom = [...]int{14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287}

// Modules returns the side of the QR code of level M that holds n bytes.
func Modules(n int) int {
	v := 0
	for v < len(byteRoom)-1 && byteRoom[v] < n {
		v++
	}
	return 21 + 4*v
}

// CheckQR says whether q can be printed on so many dots.
func CheckQR(q printer.QR, dots int) (module int, err error) {
	if q.S == "" || len(q.S) > maxQR {
		return 0, fmt.Errorf("encode qr code: %d bytes: use 1 to %d", len(q.S), maxQR)
	}
	return Module(q, Modules(len(q.S)), dots)
}

// CheckBarcode says whether b can be printed on so many dots, and returns the
// dots of its narrowest bar, 2 or 3.
func CheckBarcode(b printer.Barcode, dots int) (module int, err error) {
	if b.S == "" || len(b.S) > maxBarcode || b.Height < 0 || b.Height > 255 {
		return 0, fmt.Errorf("encode barcode: %d characters, %d dots tall: use 1 to %d and 1 to 255", len(b.S), b.Height, maxBarcode)
	}
	for i := range len(b.S) {
		if b.S[i] < 0x20 || b.S[i] > 0x7E {
			return 0, fmt.Errorf("encode barcode: byte %d is not printable ASCII: remove it", i)
		}
	}
	n := 11*(len(b.S)+3) + 2 + 20 // set B, start, check, stop; quiet zone of 10 on each side
	if module = min(3, dots/n); module < 2 {
		return 0, fmt.Errorf("encode barcode: %d modules do not fit %d dots: shorten it", n, dots)
	}
	return module, nil
}

// Barcode draws a CODE128.
func (d *Drawer) Barcode(b printer.Barcode) (*glyph.Bitmap, error) {
	module, err := CheckBarcode(b, d.Dots)
	if err != nil {
		return nil, err
	}
	code, err := code128.Encode(b.S)
	if err != nil {
		return nil, fmt.Errorf("draw barcode: %w", err)
	}
	height := b.Height
	if height == 0 {
		height = BarHeight
	}
	return bars(code, module, height), nil
}

func bars(code barcode.Barcode, module, height int) *glyph.Bitmap {
	n := code.Bounds().Dx()
	m := glyph.NewBitmap(up(n*module), height)
	for x := range n {
		if r, _, _, _ := code.At(x, 0).RGBA(); r == 0 {
			fill(m, x*module, 0, module, height)
		}
	}
	return m
}
