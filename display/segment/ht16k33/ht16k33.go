// Package ht16k33 drives seven-segment backpacks with a HT16K33 chip on I2C, at
// addresses 70 to 77 (hex): 21 starts its clock, 81 turns the display on, E0 to EF
// set the brightness, and two bytes of memory belong to each column (datasheet of
// Holtek, HT16K33).
//
// The chip acknowledges every byte: Put proves that it took the cells.
//
// It does not know what the cells say.
package ht16k33

import (
	"fmt"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/host/v3/sysfs"
)

// A Panel is one backpack.
type Panel struct {
	dev     i2c.Dev
	columns []int // memory column of each cell, from the left
	level   byte
}

// FourDigits are the columns of the usual four-digit backpack: the third is the
// colon's.
func FourDigits() []int { return []int{0, 1, 3, 4} }

// Open opens /dev/i2c-<bus> for a panel.
func Open(bus, address int, columns []int, brightness int) (*Panel, error) {
	b, err := sysfs.NewI2C(bus)
	if err != nil {
		return nil, fmt.Errorf("open I2C %d: %w: enable I2C in the boot configuration", bus, err)
	}
	return New(b, address, columns, brightness)
}

// New returns a panel at an address from 0x70 to 0x77 with a brightness from 0 to 15.
func New(bus i2c.Bus, address int, columns []int, brightness int) (*Panel, error) {
	if address < 0x70 || address > 0x77 || brightness < 0 || brightness > 15 || len(columns) == 0 || len(columns) > 8 {
		return nil, fmt.Errorf("ht16k33 at %02X: addresses are 70 to 77, brightness 0 to 15, 1 to 8 columns", address)
	}
	for _, c := range columns {
		if c < 0 || c > 7 {
			return nil, fmt.Errorf("ht16k33 at %02X: column %d: 0 to 7 are possible", address, c)
		}
	}
	return &Panel{i2c.Dev{Bus: bus, Addr: uint16(address)}, columns, byte(brightness)}, nil
}

// Len returns the number of cells.
func (p *Panel) Len() int { return len(p.columns) }

// Put shows the cells from left to right and sets the chip up anew.
func (p *Panel) Put(cells []byte) error {
	memory := make([]byte, 1+16) // from address 0
	for i, c := range p.columns {
		memory[1+2*c] = cells[i]
	}
	for _, w := range [][]byte{{0x21}, memory, {0xE0 | p.level}, {0x81}} {
		if err := p.dev.Tx(w, nil); err != nil {
			return fmt.Errorf("write ht16k33 at %02X: %w: check its wires and address", p.dev.Addr, err)
		}
	}
	return nil
}
