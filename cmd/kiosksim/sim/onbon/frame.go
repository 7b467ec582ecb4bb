package onbon

import (
	"encoding/binary"

	"longcheng/cmd/kiosksim/sim/crc16"
)

const (
	preamble  = 0xA5
	end       = 0x5A
	anyCard   = 0xFFFE // wildcard address
	headerLen = 14
	barcode   = 16   // bytes after the header when its option byte is 1
	maxFrame  = 8192 // longest frame kept, without escapes
)

// A decoder finds frames in a stream of bytes: one or more A5, the escaped
// body, 5A. An A5 inside a body always begins a new frame.
type decoder struct {
	body     []byte
	open     bool // an A5 has been seen
	escaping byte // A6 or 5B when the byte before was one
}

// next takes one byte and returns a body when it ends one.
func (d *decoder) next(b byte) []byte {
	switch {
	case b == preamble:
		d.reset()
		d.open = true
	case !d.open:
	case b == end:
		f := d.body
		whole := d.escaping == 0
		d.body = nil
		d.reset()
		if whole {
			return f
		}
	case d.escaping != 0:
		d.unescape(b)
	case b == 0xA6 || b == 0x5B:
		d.escaping = b
	default:
		d.keep(b)
	}
	return nil
}

// unescape undoes A6 02 = A5, A6 01 = A6, 5B 02 = 5A, 5B 01 = 5B.
func (d *decoder) unescape(b byte) {
	first := d.escaping
	d.escaping = 0
	switch b {
	case 1:
		d.keep(first)
	case 2:
		d.keep(first - 1)
	default:
		d.reset()
	}
}

func (d *decoder) keep(b byte) {
	if len(d.body) == maxFrame {
		d.reset()
		return
	}
	d.body = append(d.body, b)
}

func (d *decoder) reset() { d.body, d.open, d.escaping = d.body[:0], false, 0 }

// A request is the checked content of a frame from the host.
type request struct {
	to, from   uint16
	group, cmd byte
	reply      bool
	process    byte // 1 = clear the areas first
	payload    []byte
}

// parse checks length and CRC; a frame that fails is noise.
func parse(f []byte) (request, bool) {
	if len(f) < headerLen+5+2 || crc16.ARC(f) != 0 {
		return request{}, false
	}
	data := f[headerLen : len(f)-2]
	if f[7] == 1 {
		data = data[min(barcode, len(data)):]
	}
	if len(data) < 5 || int(binary.LittleEndian.Uint16(f[12:])) != len(data) {
		return request{}, false
	}
	return request{
		to: binary.LittleEndian.Uint16(f), from: binary.LittleEndian.Uint16(f[2:]),
		group: data[0], cmd: data[1], reply: data[2] == 1, process: data[3], payload: data[5:],
	}, true
}

// answer returns the frame in which card from tells host to how it went.
// A damaged one carries a wrong CRC.
func answer(to, from uint16, f fault, damaged bool) []byte {
	h := make([]byte, headerLen, headerLen+7)
	binary.LittleEndian.PutUint16(h, to)
	binary.LittleEndian.PutUint16(h[2:], from)
	h[10], h[11], h[12] = 0xFE, 2, 5
	word := byte(0) // A0 00 = done, A0 01 = refused
	if f != 0 {
		word = 1
	}
	h = append(h, 0xA0, word, byte(f), 0, 0)
	c := crc16.ARC(h)
	if damaged {
		c ^= 0x0110
	}
	return seal(append(h, byte(c), byte(c>>8)))
}

// seal escapes a body that has its CRC and puts preamble and end around it.
func seal(body []byte) []byte {
	out := make([]byte, 8, len(body)+16)
	for i := range out {
		out[i] = preamble
	}
	for _, b := range body {
		switch b {
		case 0xA5, 0x5A:
			out = append(out, b+1, 2)
		case 0xA6, 0x5B:
			out = append(out, b, 1)
		default:
			out = append(out, b)
		}
	}
	return append(out, end)
}
