package escpos

import (
	"image"
	"image/color"
	"time"
)

// A Slip is one piece of paper that has left the printer.
type Slip struct {
	No       int       // from 1, in the order of leaving
	Text     []string  // printed lines of text, without empty ones
	QR       []string  // payloads of the QR codes printed by command
	Image    *Paper    // every dot
	Complete bool      // cut, and neither paper end nor power loss fell into it
	CutAt    time.Time // when it left

	Retracted bool // nobody took it, and it was drawn back
}

// Paper is a strip of thermal paper as an image: one bit per dot, bit 7 of
// each byte leftmost, set is black.
type Paper struct {
	Dots int      // width
	Rows [][]byte // top to bottom
}

// ColorModel returns color.GrayModel.
func (p *Paper) ColorModel() color.Model { return color.GrayModel }

// Bounds returns the size in dots.
func (p *Paper) Bounds() image.Rectangle { return image.Rect(0, 0, p.Dots, len(p.Rows)) }

// At returns black for a burnt dot and white for any other.
func (p *Paper) At(x, y int) color.Color {
	if !image.Pt(x, y).In(p.Bounds()) || !bit(p.Rows[y], x) {
		return color.Gray{Y: 255}
	}
	return color.Gray{}
}

func bit(row []byte, x int) bool { return row[x/8]&(0x80>>(x%8)) != 0 }

// set burns dot x; dots beyond the head are lost.
func set(row []byte, x int) {
	if x >= 0 && x < len(row)*8 {
		row[x/8] |= 0x80 >> (x % 8)
	}
}

// A mark is something readable that ends at a row of the paper not yet cut.
type mark struct {
	row  int
	text string
	qr   bool
}

// tear makes a slip of the first n rows and keeps the rest in the printer.
func (p *Printer) tear(n int, complete bool) {
	s := Slip{No: p.count + 1, Complete: complete, CutAt: time.Now(),
		Image: &Paper{Dots: p.cfg.Dots, Rows: p.rows[:n:n]}}
	var rest []mark
	for _, m := range p.marks {
		switch {
		case m.row > n:
			rest = append(rest, mark{m.row - n, m.text, m.qr})
		case m.qr:
			s.QR = append(s.QR, m.text)
		default:
			s.Text = append(s.Text, m.text)
		}
	}
	p.rows, p.marks, p.spoiled = append([][]byte(nil), p.rows[n:]...), rest, false
	p.count++
	p.slips = append(p.slips, s)
	if len(p.slips) > maxSlips {
		p.slips = p.slips[1:]
	}
	p.wake()
}
