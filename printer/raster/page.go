package raster

import (
	"fmt"

	"longcheng/device/glyph"
	"longcheng/printer"
)

// maxRows bounds a drawn page: 3 m of paper are not a ticket.
const maxRows = 24000

// Page draws a whole page as p prints it: every dot from the first line to the
// blade. Text that the printer sets in its own font, for which own reports true,
// is drawn in ours, on the same cells; characters no face has are returned.
func Page(page printer.Page, p printer.Profile, g Glyphs, own func(printer.Text) bool) (*glyph.Bitmap, []rune, error) {
	d := &Drawer{Dots: p.Dots, Glyphs: g, Missing: map[rune]bool{}}
	c := &canvas{d: d, p: p, own: own}
	for _, el := range page {
		if err := c.element(el); err != nil {
			return nil, nil, err
		}
		if c.rows > maxRows {
			return nil, nil, fmt.Errorf("draw page: over %d rows: shorten it", maxRows)
		}
	}
	var missing []rune
	for r := range d.Missing {
		missing = append(missing, r)
	}
	return c.join(), missing, nil
}

// A canvas collects strips of dots from the top.
type canvas struct {
	d      *Drawer
	p      printer.Profile
	own    func(printer.Text) bool
	rows   int
	strips []strip
}

type strip struct {
	y, x int
	dots *glyph.Bitmap
}

func (c *canvas) element(el printer.Element) error {
	switch el := el.(type) {
	case printer.Text:
		return c.text(el)
	case printer.Columns:
		for _, t := range el.Lines(c.p.Columns) {
			if err := c.text(t); err != nil {
				return err
			}
		}
	case printer.Rule:
		return c.text(Rule(c.p))
	case printer.QR:
		m, err := c.d.QR(el)
		return c.centred(m, err, c.p.QR == "native")
	case printer.Barcode:
		m, err := c.d.Barcode(el)
		return c.centred(m, err, c.p.Barcode == "native")
	case printer.Image:
		if el.Dots != nil {
			c.add(el.Dots, el.Align)
		}
	case printer.Feed:
		c.rows += el.Lines * c.p.Line
	case printer.Cut:
		c.rows += c.p.CutFeed * c.p.Line
	default:
		return fmt.Errorf("draw page: element %T is not known", el)
	}
	return nil
}

// Rule returns a rule as text: '-' eight cells wide, a line across the paper in
// a sixth of the bytes.
func Rule(p printer.Profile) printer.Text {
	return printer.Text{S: "----------------"[:min(16, p.Columns/8)], Width: 8}
}

func (c *canvas) text(t printer.Text) error {
	if t.Width > 8 || t.Height > 8 || t.Width < 0 || t.Height < 0 || t.Align > printer.Right {
		return fmt.Errorf("draw page: text %dx%d align %d: sizes are 1-8, align 0-2", t.Width, t.Height, t.Align)
	}
	m := c.d.Line(t)
	width := m.W // of dots: whole bytes
	if !t.Draw && c.own(t) {
		width = min(printer.Width(printer.CleanLine(t.S))*cell/2*max(1, t.Width), c.d.Dots) // of characters
	}
	c.strips = append(c.strips, strip{c.rows, c.left(width, t.Align), m})
	c.rows += max(c.p.Line, m.H)
	return nil
}

// centred adds a code. A printer that makes it aligns its dots, we align bytes.
func (c *canvas) centred(m *glyph.Bitmap, err error, native bool) error {
	if err != nil {
		return err
	}
	width := m.W
	if native {
		width = inkWidth(m)
	}
	c.strips = append(c.strips, strip{c.rows, c.left(width, printer.Center), m})
	if native {
		c.rows += m.H
	} else {
		c.rows += Height(m, c.p)
	}
	return nil
}

// Height returns the rows that m takes on paper: ESC * prints strips of 24.
func Height(m *glyph.Bitmap, p printer.Profile) int {
	if p.Raster == "esc_star" {
		return (m.H + 23) / 24 * 24
	}
	return m.H
}

// inkWidth returns the dots up to the last one that is set.
func inkWidth(m *glyph.Bitmap) int {
	w := 0
	for y := range m.H {
		for x := m.W - 1; x >= w; x-- {
			if m.At(x, y) {
				w = x + 1
			}
		}
	}
	return w
}

func (c *canvas) add(m *glyph.Bitmap, a printer.Align) {
	c.strips = append(c.strips, strip{c.rows, c.left(m.W, a), m})
	c.rows += Height(m, c.p)
}

func (c *canvas) left(width int, a printer.Align) int {
	room := max(0, c.d.Dots-width)
	switch a {
	case printer.Center:
		return room / 2
	case printer.Right:
		return room
	}
	return 0
}

func (c *canvas) join() *glyph.Bitmap {
	out := glyph.NewBitmap(c.d.Dots, c.rows)
	for _, s := range c.strips {
		blit(out, s.dots, s.x, s.y)
	}
	return out
}

// blit adds src at x, y, whole bytes at a time.
func blit(dst, src *glyph.Bitmap, x, y int) {
	from, to := src.Stride(), dst.Stride()
	shift := x % 8
	for j := 0; j < src.H && y+j < dst.H; j++ {
		row := dst.Rows[(y+j)*to : (y+j+1)*to]
		for i, b := range src.Rows[j*from : (j+1)*from] {
			if b == 0 {
				continue
			}
			if k := x/8 + i; k < to {
				row[k] |= b >> shift
				if shift > 0 && k+1 < to {
					row[k+1] |= b << (8 - shift)
				}
			}
		}
	}
}
