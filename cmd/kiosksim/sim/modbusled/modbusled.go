// Package modbusled is a simulated RS-485 line with Modbus RTU displays on it, by the
// MODBUS Application Protocol V1.1b3: registers are written with functions 06 and 16
// and read with 03. What a register shows is the maker's affair and is told by the
// Config. It does not know the program that writes.
package modbusled

import (
	"context"
	"io"
	"strings"
	"sync"

	"longcheng/cmd/kiosksim/sim/crc16"
	"longcheng/cmd/kiosksim/sim/sign"
)

// A Config describes one display.
type Config struct {
	Name   string
	Unit   int
	Text   int  // first register of the text
	Cells  int  // characters
	Packed bool // two in a register
}

// A Display is one panel.
type Display struct {
	sign.Face
	c    Config
	regs [2048]uint16
}

// A Line is the wire with its displays.
type Line struct {
	host io.Writer
	mu   sync.Mutex
	in   []byte
	all  []*Display
}

// New returns a line whose displays answer into host.
func New(host io.Writer, displays ...Config) *Line {
	l := &Line{host: host}
	for _, c := range displays {
		l.all = append(l.all, &Display{Face: sign.Face{Name: c.Name, Dark: sign.Segments("", c.Cells)}, c: c})
	}
	return l
}

// Face returns the display of that name, or nil.
func (l *Line) Face(name string) *sign.Face {
	for _, d := range l.all {
		if d.Name == name {
			return &d.Face
		}
	}
	return nil
}

// Receive takes the host's bytes in pieces of any size. A real display ends a frame by
// silence; here a frame ends where its length says, and noise is skipped byte by byte.
func (l *Line) Receive(_ context.Context, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in = append(l.in, b...)
	for len(l.in) >= 8 {
		n := 8
		if l.in[1] == 16 {
			n = 9 + int(l.in[6])
		}
		if len(l.in) < n {
			return
		}
		if crc16.Modbus(l.in[:n-2]) != uint16(l.in[n-2])|uint16(l.in[n-1])<<8 {
			l.in = l.in[1:]
			continue
		}
		for _, d := range l.all {
			if (l.in[0] == 0 || int(l.in[0]) == d.c.Unit) && d.Hears() {
				answer := d.execute(l.in[:n-2])
				if l.in[0] != 0 {
					c := crc16.Modbus(answer)
					l.host.Write(append(answer, byte(c), byte(c>>8)))
				}
			}
		}
		l.in = l.in[n:]
	}
}

// execute carries out a request without its check sum.
func (d *Display) execute(q []byte) []byte {
	at, v := int(q[2])<<8|int(q[3]), int(q[4])<<8|int(q[5])
	no := func(code byte) []byte { return []byte{q[0], q[1] | 0x80, code} }
	switch q[1] {
	case 3:
		if v < 1 || v > 125 || at+v > len(d.regs) {
			return no(2)
		}
		out := []byte{q[0], 3, byte(2 * v)}
		for _, r := range d.regs[at : at+v] {
			out = append(out, byte(r>>8), byte(r))
		}
		return out
	case 6:
		if at >= len(d.regs) {
			return no(2)
		}
		d.regs[at] = uint16(v)
	case 16:
		if at+v > len(d.regs) {
			return no(2)
		}
		if int(q[6]) != 2*v {
			return no(3)
		}
		for i := range v {
			d.regs[at+i] = uint16(q[7+2*i])<<8 | uint16(q[8+2*i])
		}
	default:
		return no(1)
	}
	d.draw()
	return append([]byte(nil), q[:6]...)
}

func (d *Display) draw() {
	var s strings.Builder
	for i := range d.c.Cells {
		r := d.regs[d.c.Text+i]
		if d.c.Packed {
			r = d.regs[d.c.Text+i/2] >> (8 * (1 - i%2)) & 0xFF
		}
		if r < 0x20 || r >= 0x7F {
			r = ' '
		}
		s.WriteByte(byte(r))
	}
	d.Show(sign.Look{Text: strings.TrimSpace(s.String()), Image: sign.Segments(s.String(), d.c.Cells)})
}
