package tm1637

import (
	"bytes"
	"errors"
	"testing"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"longcheng/display/segment"
)

// chip listens to two wires and executes the datasheet.
type chip struct {
	missing            bool
	clk, dio           bool // levels on the wires
	open               bool // between start and stop
	bits               int
	now                byte
	ack                bool // it pulls the data wire down
	frame              []byte
	memory             []byte
	on                 bool
	brightness, frames int
}

func (c *chip) set(clk, dio bool) {
	was := *c
	c.clk, c.dio = clk, dio
	switch {
	case was.clk && clk && was.dio && !dio:
		c.open, c.bits, c.now, c.frame = true, 0, 0, nil
	case was.clk && clk && !was.dio && dio && c.open:
		c.open = false
		c.execute()
	case !was.clk && clk && c.open && c.bits < 8: // a bit is read at the rising clock
		if dio {
			c.now |= 1 << c.bits
		}
		c.bits++
	case was.clk && !clk && c.open && c.bits == 8 && !c.ack:
		c.frame = append(c.frame, c.now)
		c.ack = true
	case was.clk && !clk && c.ack:
		c.ack, c.bits, c.now = false, 0, 0
	}
}

func (c *chip) execute() {
	c.frames++
	if len(c.frame) == 0 {
		return
	}
	switch b := c.frame[0]; {
	case b&0xC0 == 0xC0:
		c.memory = append([]byte(nil), c.frame[1:]...)
	case b&0xC0 == 0x80:
		c.on, c.brightness = b&8 != 0, int(b&7)
	}
}

// wire is one of the chip's pins as our side drives it.
type wire struct {
	gpiotest.Pin
	c    *chip
	data bool
}

func (w *wire) Out(l gpio.Level) error {
	if w.data {
		w.c.set(w.c.clk, bool(l))
	} else {
		w.c.set(bool(l), w.c.dio)
	}
	return nil
}

func (w *wire) In(gpio.Pull, gpio.Edge) error { return nil }
func (w *wire) Read() gpio.Level              { return gpio.Level(w.c.missing || !w.c.ack) }

func TestPanel(t *testing.T) {
	c := &chip{}
	p, err := New(&wire{c: c}, &wire{c: c, data: true}, 4, 5)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Put(segment.Cells("A012", p.Len())); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(c.memory, []byte{0x77, 0x3F, 0x06, 0x5B}) || !c.on || c.brightness != 5 || c.frames != 6 {
		t.Errorf("%+v", c)
	}
	c.missing = true
	if err := p.Put(make([]byte, 4)); !errors.Is(err, ErrNoChip) {
		t.Error(err)
	}
	for _, bad := range [][2]int{{0, 1}, {7, 1}, {4, 8}} {
		if _, err := New(&wire{c: c}, &wire{c: c, data: true}, bad[0], bad[1]); err == nil {
			t.Errorf("accepted %v", bad)
		}
	}
}
