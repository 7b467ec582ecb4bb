package escpos

import "longcheng/printer"

// Flow control bytes may appear inside anything and mean nothing here.
const (
	xon  = 0x11
	xoff = 0x13
)

// maxBlock bounds a block answer; real ones are under 80 bytes.
const maxBlock = 128

// demux takes the printer's bytes apart by their fixed bits: Epson's table
// "transmission status identification".
//
//	(b & 93h) == 12h           answer to DLE EOT, bits 0xx1xx10
//	(b & 93h) == 10h           first of four ASB bytes, the rest (b & 90h) == 0
//	35 37 3B 3D 5F ... 00      block data, such as the process ID 37 22 d d d d 00
//	(b & 90h) == 0             answer to GS r
//
// Models that break the table have a dialect of their own.
type demux struct {
	d     dialect
	gsr   bool // GS r is asked: of others, what looks like its answer is noise
	asked int
	asb   []byte // begun ASB
	block []byte // begun block
	full  []byte // begun FULL STATUS
}

// Answers returns a reader of this model's bytes.
func (e *Encoder) Answers() printer.Answers {
	return &demux{d: dialects[e.Profile.Dialect], gsr: e.Profile.Completion == "gs_r"}
}

// Ask notes which DLE EOT is outstanding: its answer does not say. A FULL STATUS
// that has not ended before the question never will: it was noise.
func (d *demux) Ask(n int) {
	if d.asked = n; n == fullStatus {
		d.full = d.full[:0]
	}
}

// Next takes one byte.
func (d *demux) Next(b byte) (printer.Answer, bool) {
	switch {
	case d.d.oneByte:
		return d.status(oneByte(b)), true
	case len(d.full) > 0 || d.d.full && b == 0x10:
		return d.inFull(b)
	case b == xon || b == xoff:
		return printer.Answer{}, false
	}
	if b > 0 && b < 0x20 {
		d.block = d.block[:0] // a block holds 20h-7Eh only: it was noise, or cut short
	}
	switch {
	case len(d.block) > 0:
		return d.inBlock(b)
	case b&d.d.mask == 0x12:
		return d.replied(b)
	case b&0x93 == 0x10:
		d.asb = append(d.asb[:0], b)
		return printer.Answer{}, false
	case len(d.asb) > 0 && b&0x90 == 0:
		return d.inASB(b)
	case b == 0x35 || b == 0x37 || b == 0x3B || b == 0x3D || b == 0x5F:
		d.asb = d.asb[:0]
		d.block = append(d.block[:0], b)
		return printer.Answer{}, false
	case b&0x90 == 0 && d.gsr:
		return printer.Answer{Kind: printer.Marked, Status: pick(b, []bit{{0x03, printer.PaperLow}, {0x0C, printer.PaperOut}}), ID: -1}, true
	}
	d.asb = d.asb[:0] // noise
	return printer.Answer{}, false
}

func (d *demux) replied(b byte) (printer.Answer, bool) {
	n := d.asked
	d.asked = 0
	if n < 1 || n > 4 { // unasked: noise, or image data that looked like a query
		return printer.Answer{}, false
	}
	return printer.Answer{Kind: printer.Replied, Status: pick(b, d.d.realTime[n]), ID: -1}, true
}

// status is an answer that looks the same asked for and on its own.
func (d *demux) status(s printer.Status) printer.Answer {
	a := printer.Answer{Kind: printer.Reported, Status: s, ID: -1}
	if d.asked > 4 {
		a.Kind, d.asked = printer.Replied, 0
	}
	return a
}

func (d *demux) inASB(b byte) (printer.Answer, bool) {
	if d.asb = append(d.asb, b); len(d.asb) < 4 {
		return printer.Answer{}, false
	}
	var s printer.Status
	for i, bits := range d.d.automatic {
		s |= pick(d.asb[i], bits)
	}
	d.asb = d.asb[:0]
	return printer.Answer{Kind: printer.Reported, Status: s, ID: -1}, true
}

// inFull collects 10 0F p u r x.
func (d *demux) inFull(b byte) (printer.Answer, bool) {
	d.full = append(d.full, b)
	if len(d.full) == 2 && b != 0x0F {
		d.full = d.full[:0]
		if b == 0x10 {
			d.full = append(d.full, b)
		}
	}
	if len(d.full) < 6 {
		return printer.Answer{}, false
	}
	var s printer.Status
	for i, bits := range fullBits {
		s |= pick(d.full[2+i], bits)
	}
	d.full = d.full[:0]
	return d.status(s), true
}

func (d *demux) inBlock(b byte) (printer.Answer, bool) {
	if b != 0 {
		if d.block = append(d.block, b); len(d.block) > maxBlock {
			d.block = d.block[:0]
		}
		return printer.Answer{}, false
	}
	k := d.block
	d.block = d.block[:0]
	if len(k) != 6 || k[0] != 0x37 || k[1] != 0x22 {
		return printer.Answer{}, false
	}
	n := int64(0)
	for _, c := range k[2:] {
		if c < '0' || c > '9' {
			return printer.Answer{}, false
		}
		n = n*10 + int64(c-'0')
	}
	return printer.Answer{Kind: printer.Marked, ID: n / 2, Last: n%2 == 1}, true
}
