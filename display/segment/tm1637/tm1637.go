// Package tm1637 drives seven-segment modules with a TM1637 chip on two pins: clock
// and data, lowest bit first, with a start and a stop as on I2C (datasheet of Titan
// Micro, TM1637). 40 writes cells one after the other, C0 sets the first address, 88
// to 8F turn the display on with brightness 0 to 7.
//
// The chip pulls the data pin low after each byte: without that Put is an error, so a
// missing module is noticed.
//
// It does not know what the cells say.
package tm1637

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
)

const (
	writeData  = 0x40
	setAddress = 0xC0
	displayOn  = 0x88
	half       = 5 * time.Microsecond // of a clock; the chip takes 2
)

// ErrNoChip says that nothing acknowledged.
var ErrNoChip = errors.New("no tm1637 answers: check its wires and power")

// A Panel is one module of up to six cells.
type Panel struct {
	clock, data gpio.PinIO
	cells       int
	level       byte
}

// New returns a panel of 1 to 6 cells with a brightness from 0 to 7.
func New(clock, data gpio.PinIO, cells, brightness int) (*Panel, error) {
	if cells < 1 || cells > 6 || brightness < 0 || brightness > 7 {
		return nil, fmt.Errorf("tm1637: %d cells of brightness %d: 1 to 6 cells, 0 to 7", cells, brightness)
	}
	p := &Panel{clock, data, cells, byte(brightness)}
	return p, errors.Join(p.high(clock), p.high(data))
}

// Len returns the number of cells.
func (p *Panel) Len() int { return p.cells }

// Put shows the cells from left to right.
func (p *Panel) Put(cells []byte) error {
	for _, frame := range [][]byte{{writeData}, append([]byte{setAddress}, cells...), {displayOn | p.level}} {
		if err := p.frame(frame); err != nil {
			return fmt.Errorf("write tm1637: %w", err)
		}
	}
	return nil
}

// high lets a line rise, low pulls it down; both then wait half a clock.
func (p *Panel) high(line gpio.PinIO) error { return settle(line.Out(gpio.High)) }
func (p *Panel) low(line gpio.PinIO) error  { return settle(line.Out(gpio.Low)) }

// settle waits half a clock: too short for a timer.
func settle(err error) error {
	for began := time.Now(); time.Since(began) < half; {
	}
	return err
}

// frame sends bytes between a start and a stop.
func (p *Panel) frame(b []byte) error {
	err := errors.Join(p.high(p.clock), p.high(p.data), p.low(p.data)) // start: data falls while the clock is high
	for _, v := range b {
		if err == nil {
			err = p.send(v)
		}
	}
	return errors.Join(err, p.low(p.clock), p.low(p.data), p.high(p.clock), p.high(p.data)) // stop: data rises
}

// send clocks out one byte and looks for the chip's acknowledgement.
func (p *Panel) send(v byte) error {
	for i := range 8 {
		bit := p.low
		if v>>i&1 == 1 {
			bit = p.high
		}
		if err := errors.Join(p.low(p.clock), bit(p.data), p.high(p.clock)); err != nil {
			return err
		}
	}
	if err := errors.Join(p.low(p.clock), settle(p.data.In(gpio.PullUp, gpio.NoEdge)), p.high(p.clock)); err != nil {
		return err
	}
	if p.data.Read() == gpio.High {
		return ErrNoChip
	}
	return p.low(p.clock)
}
