package escpos

import (
	"bytes"
	"fmt"
	"slices"

	"longcheng/printer"
	"longcheng/printer/raster"
)

// maxBytes bounds one slip: 3 m of raster are not a ticket.
const maxBytes = 1 << 20

// Glyphs draws characters; see raster.Faces.
type Glyphs = raster.Glyphs

// An Encoder is the ESC/POS of one printer model. Glyphs draws what the printer
// has no font for; without it, such characters are printed as their numbers.
type Encoder struct {
	Profile printer.Profile
	Glyphs  Glyphs

	b      []byte // kept from page to page: a busy printer makes no garbage
	frames []printer.Frame
}

var _ printer.Language = (*Encoder)(nil)

// Encode writes p. The slip's mark is id mod 5000; its two process IDs are twice
// that for the body and one more for the tail.
func (e *Encoder) Encode(p printer.Page, id int64) (printer.Data, error) {
	w := writer{e: e, b: e.b[:0], frames: e.frames[:0]}
	defer func() { e.b, e.frames = w.b, w.frames }()
	w.begin()
	cut := -1
	for i, el := range p {
		if _, ok := el.(printer.Cut); ok {
			if cut = len(w.b); i != len(p)-1 {
				return printer.Data{}, fmt.Errorf("encode page: element %d follows the cut: make it another page", i+1)
			}
			break
		}
		if err := w.element(el); err != nil {
			return printer.Data{}, err
		}
		if len(w.b) > maxBytes {
			return printer.Data{}, fmt.Errorf("encode page: over %d bytes: use fewer drawn lines", maxBytes)
		}
	}
	return w.data(id, cut >= 0), nil
}

// afresh completes a part of a tail, and starts the printer anew. B is the
// missing byte of GS V 66, which must not become a cut through the text; where
// nothing is missing, ESC @ takes it out of the line again. 03h means nothing.
const afresh = "B\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x1b@"

// data adds the marks and the tail, and copies what is to be kept.
func (w *writer) data(id int64, cut bool) printer.Data {
	d := printer.Data{Dots: w.dots, Mark: id % 5000, LeftOut: w.leftOut}
	w.b = w.e.mark(w.b, id, false)
	body := len(w.b)
	w.b = append(w.b, afresh...)
	again := len(w.b)
	if cut {
		w.b = w.e.cut(w.b)
		d.Dots += w.e.Profile.Gap + w.e.Profile.CutFeed*w.e.Profile.Line
	}
	tail := len(w.b)
	w.b = w.e.mark(w.b, id, true)
	d.Marks = len(w.b) > tail
	all := bytes.Clone(w.b)
	d.Body, d.Again, d.Tail = all[:body:body], all[body:], all[again:]
	d.Frames = slices.Clone(w.frames)
	for r := range w.missing {
		d.Missing = append(d.Missing, r)
	}
	slices.Sort(d.Missing)
	return d
}

// A writer appends commands and remembers the printer's modes, so that only
// changes go over the wire.
type writer struct {
	e       *Encoder
	b       []byte
	frames  []printer.Frame
	dots    int
	leftOut int
	missing map[rune]bool

	size  byte // as GS ! has it
	align printer.Align
	bold  bool
	twice bool // Han are doubled (FS W)
	page  byte // code page (ESC t)
}

func (w *writer) put(b ...byte) { w.b = append(w.b, b...) }

// begin resets the printer and chooses the font by command: what ESC @ leaves
// differs from model to model.
func (w *writer) begin() {
	w.put(0x1B, '@')
	w.put(w.e.font()...)
	if w.e.Profile.ASB {
		w.put(0x1D, 'a', 0xFF)
	}
}

// font enters Chinese mode (FS &) or leaves it (FS .).
func (e *Encoder) font() []byte {
	if e.Profile.Chinese {
		return []byte{0x1C, '&'}
	}
	return []byte{0x1C, '.'}
}

// frame appends a command whose data the printer counts.
func (w *writer) frame(head []byte, data ...byte) {
	from := len(w.b)
	w.put(head...)
	w.put(data...)
	w.frames = append(w.frames, printer.Frame{From: from, To: len(w.b)})
}

func (w *writer) element(el printer.Element) error {
	switch el := el.(type) {
	case printer.Text:
		return w.text(el)
	case printer.Columns:
		for _, t := range el.Lines(w.e.Profile.Columns) {
			if err := w.text(t); err != nil {
				return err
			}
		}
	case printer.Rule:
		return w.text(raster.Rule(w.e.Profile))
	case printer.QR:
		return w.qr(el)
	case printer.Barcode:
		return w.barcode(el)
	case printer.Image:
		w.image(el)
	case printer.Feed:
		w.feed(el.Lines)
	default:
		return fmt.Errorf("encode page: element %T is not known", el)
	}
	return nil
}

func (w *writer) setAlign(a printer.Align) {
	if w.align != a {
		w.align = a
		w.put(0x1B, 'a', byte(a))
	}
}

func (w *writer) setSize(n byte) {
	if w.size != n {
		w.size = n
		w.put(0x1D, '!', n)
	}
}

func (w *writer) setBold(on bool) {
	if w.bold != on {
		w.bold = on
		w.put(0x1B, 'E', bit01(on))
	}
}

func bit01(on bool) byte {
	if on {
		return 1
	}
	return 0
}

func (w *writer) feed(lines int) {
	lines = min(max(lines, 0), 255)
	if lines > 0 {
		w.setSize(0)
		w.put(0x1B, 'd', byte(lines))
		w.dots += lines * w.e.Profile.Line
	}
}
