package escpos

import (
	"longcheng/device/glyph"
	"longcheng/printer"
	"longcheng/printer/raster"
)

// logoTime is how long a logo may take on the wire before it is left out, in
// bytes per second of the wire: two seconds.
const logoTime = 2

func (w *writer) drawer() *raster.Drawer {
	if w.missing == nil {
		w.missing = map[rune]bool{}
	}
	return &raster.Drawer{Dots: w.e.Profile.Dots, Glyphs: w.e.Glyphs, Missing: w.missing}
}

// drawn prints a line as dots, because the printer lacks one of its characters:
// raster works at the beginning of a line only.
func (w *writer) drawn(t printer.Text) {
	m := w.drawer().Line(t)
	w.raster(m)
	if rest := w.e.Profile.Line - m.H; rest > 0 {
		w.skip(rest)
	}
}

// raster prints dots, in short bands, without the white rows where the printer
// can be trusted to feed by dots.
func (w *writer) raster(m *glyph.Bitmap) {
	w.setSize(0)
	w.dots += raster.Height(m, w.e.Profile)
	if w.e.Profile.Raster == "esc_star" {
		w.columns(m)
		return
	}
	stride := m.Stride()
	for y := 0; y < m.H; {
		if n := white(m, y); w.e.Profile.RowFeed > 0 && n*stride > 12 {
			w.skipped(n)
			y += n
			continue
		}
		n := w.inked(m, y)
		w.band(m, y, n)
		y += n
	}
}

// white returns how many rows from y on have no ink.
func white(m *glyph.Bitmap, y int) int {
	n := 0
	for ; y+n < m.H; n++ {
		for _, b := range m.Row(y + n) {
			if b != 0 {
				return n
			}
		}
	}
	return n
}

// inked returns how many rows from y on make the next band: up to the profile's
// limit, or to white rows that are worth skipping.
func (w *writer) inked(m *glyph.Bitmap, y int) int {
	limit := min(w.e.Profile.Band, m.H-y)
	if w.e.Profile.RowFeed == 0 {
		return limit
	}
	for n := 1; n < limit; n++ {
		if white(m, y+n)*m.Stride() > 12 {
			return n
		}
	}
	return limit
}

// band prints n rows.
func (w *writer) band(m *glyph.Bitmap, y, n int) {
	stride := m.Stride()
	rows := m.Rows[y*stride : (y+n)*stride]
	if w.e.Profile.Raster == "gs_l" { // GS ( L fn 112 stores, fn 50 prints; x and y in dots
		k := len(rows) + 10
		x := stride * 8
		w.frame([]byte{0x1D, '(', 'L', byte(k), byte(k >> 8), 48, 112, 48, 1, 1, 49, byte(x), byte(x >> 8), byte(n), byte(n >> 8)}, rows...)
		w.frame([]byte{0x1D, '(', 'L', 2, 0, 48, 50})
		return
	}
	w.frame([]byte{0x1D, 'v', '0', 0, byte(stride), byte(stride >> 8), byte(n), byte(n >> 8)}, rows...)
}

// skip feeds dots after a line that the printer does not know to be shorter than
// its line spacing.
func (w *writer) skip(dots int) {
	w.dots += dots
	if w.e.Profile.RowFeed > 0 {
		w.skipped(dots)
		return
	}
	w.band(glyph.NewBitmap(8, dots), 0, dots)
}

// skipped is ESC J: its unit is half a dot on some models.
func (w *writer) skipped(dots int) {
	for unit := w.e.Profile.RowFeed; dots > 0; {
		n := min(dots, 255/unit)
		w.put(0x1B, 'J', byte(n*unit))
		dots -= n
	}
}

// columns prints with ESC * 33, the oldest way: strips of 24 rows, 3 bytes a
// column, with a line spacing of 24 dots.
func (w *writer) columns(m *glyph.Bitmap) {
	w.put(0x1B, '3', byte(24*max(1, w.e.Profile.RowFeed)))
	for y := 0; y < m.H; y += 24 {
		data := make([]byte, 0, m.W*3)
		for x := range m.W {
			for k := range 3 {
				var b byte
				for j := range 8 {
					if m.At(x, y+k*8+j) {
						b |= 0x80 >> j
					}
				}
				data = append(data, b)
			}
		}
		w.frame([]byte{0x1B, '*', 33, byte(m.W), byte(m.W >> 8)}, data...)
		w.put('\n')
	}
	w.put(0x1B, '2')
}

// image prints dots, or the logo that the printer keeps (FS p).
func (w *writer) image(i printer.Image) {
	p := w.e.Profile
	if i.Logo && p.NVLogo > 0 {
		w.setAlign(i.Align)
		w.put(0x1C, 'p', byte(p.NVLogo), 0)
		if i.Dots != nil {
			w.dots += i.Dots.H
		}
		return
	}
	if i.Dots == nil || i.Dots.W == 0 || i.Dots.H == 0 {
		return
	}
	if i.Logo && p.Baud > 0 && len(i.Dots.Rows) > p.Baud/10*logoTime {
		w.leftOut++
		return
	}
	w.setAlign(i.Align)
	w.raster(i.Dots)
}

// qr prints a QR code of correction level M, centred.
func (w *writer) qr(q printer.QR) error {
	w.setAlign(printer.Center)
	if w.e.Profile.QR == "native" {
		return w.nativeQR(q)
	}
	m, err := w.drawer().QR(q)
	if err != nil {
		return err
	}
	w.raster(m)
	return nil
}

// nativeQR stores and prints with GS ( k: model 2, module size, level M, data,
// print. Lengths are little-endian.
func (w *writer) nativeQR(q printer.QR) error {
	size, err := raster.CheckQR(q, w.e.Profile.Dots)
	if err != nil {
		return err
	}
	w.setSize(0)
	w.dots += raster.Modules(len(q.S)) * size
	k := len(q.S) + 3
	from := len(w.b)
	w.put(0x1D, '(', 'k', 4, 0, '1', 'A', '2', 0)
	w.put(0x1D, '(', 'k', 3, 0, '1', 'C', byte(size))
	w.put(0x1D, '(', 'k', 3, 0, '1', 'E', '1')
	w.put(0x1D, '(', 'k', byte(k), byte(k>>8), '1', 'P', '0')
	w.b = append(w.b, q.S...)
	w.put(0x1D, '(', 'k', 3, 0, '1', 'Q', '0')
	w.frames = append(w.frames, printer.Frame{From: from, To: len(w.b)})
	return nil
}

// barcode prints a CODE128, centred: with GS k 73 in set B, the only one that all
// printers read alike. Its setup is sent each time: some forget it.
func (w *writer) barcode(b printer.Barcode) error {
	module, err := raster.CheckBarcode(b, w.e.Profile.Dots)
	if err != nil {
		return err
	}
	w.setAlign(printer.Center)
	if w.e.Profile.Barcode != "native" {
		m, err := w.drawer().Barcode(b)
		if err != nil {
			return err
		}
		w.raster(m)
		return nil
	}
	height := b.Height
	if height == 0 {
		height = raster.BarHeight
	}
	w.setSize(0)
	w.put(0x1D, 'h', byte(height), 0x1D, 'w', byte(module), 0x1D, 'H', 0)
	data := append([]byte{'{', 'B'}, b.S...)
	w.frame([]byte{0x1D, 'k', 73, byte(len(data))}, data...)
	w.dots += height
	return nil
}

// StoreLogo returns FS q, which keeps m as logo 1 in the printer's memory for
// good; other logos stored with FS q are lost. Makers allow about ten such writes
// a day: it is for commissioning, never for a running printer. Columns from the
// left, 8 rows a byte.
func StoreLogo(m *glyph.Bitmap) []byte {
	x, y := (m.W+7)/8, (m.H+7)/8
	b := []byte{0x1C, 'q', 1, byte(x), byte(x >> 8), byte(y), byte(y >> 8)}
	for col := range x * 8 {
		for k := range y {
			var v byte
			for j := range 8 {
				if m.At(col, k*8+j) {
					v |= 0x80 >> j
				}
			}
			b = append(b, v)
		}
	}
	return b
}
