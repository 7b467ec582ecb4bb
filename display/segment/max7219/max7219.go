// Package max7219 drives seven-segment modules with MAX7219 or MAX7221 chips on SPI:
// mode 0, up to 10 MHz, 16 bits each, register then value (datasheet 19-4452).
//
// Every Put sends all registers: a chip that noise has reset comes back in its test
// or blank state. The chip never answers, so Put proves only that the bits have left.
//
// It does not know what the cells say.
package max7219

import (
	"fmt"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/host/v3/sysfs"
)

const (
	regDecode    = 0x09
	regIntensity = 0x0A
	regScan      = 0x0B
	regRun       = 0x0C
	regTest      = 0x0F
	most         = 8
)

// A Panel is one chip with up to eight cells, the first register at the right.
type Panel struct {
	c     spi.Conn
	cells int
	level byte
}

// Open opens /dev/spidev<bus>.<select> for a panel.
func Open(bus, chip, cells, brightness int) (*Panel, error) {
	p, err := sysfs.NewSPI(bus, chip)
	if err != nil {
		return nil, fmt.Errorf("open SPI %d.%d: %w: enable SPI in the boot configuration", bus, chip, err)
	}
	return New(p, cells, brightness)
}

// New returns a panel of 1 to 8 cells with a brightness from 0 to 15.
func New(p spi.Port, cells, brightness int) (*Panel, error) {
	if cells < 1 || cells > most || brightness < 0 || brightness > 15 {
		return nil, fmt.Errorf("max7219: %d cells of brightness %d: 1 to 8 cells, 0 to 15", cells, brightness)
	}
	c, err := p.Connect(physic.MegaHertz, spi.Mode0, 8)
	if err != nil {
		return nil, fmt.Errorf("max7219: connect: %w", err)
	}
	return &Panel{c, cells, byte(brightness)}, nil
}

// Len returns the number of cells.
func (p *Panel) Len() int { return p.cells }

// Put shows the cells from left to right.
func (p *Panel) Put(cells []byte) error {
	send := [][2]byte{{regTest, 0}, {regDecode, 0}, {regScan, byte(p.cells - 1)}, {regIntensity, p.level}}
	for i := range p.cells {
		send = append(send, [2]byte{byte(1 + i), turned(cells[p.cells-1-i])})
	}
	for _, w := range append(send, [2]byte{regRun, 1}) {
		if err := p.c.Tx(w[:], nil); err != nil {
			return fmt.Errorf("write max7219: %w", err)
		}
	}
	return nil
}

// turned gives the chip's order of segments: point, then A in bit 6 to G in bit 0.
func turned(b byte) byte {
	out := b & 0x80
	for i := range 7 {
		out |= b >> i & 1 << (6 - i)
	}
	return out
}
