// Package segment shows calls on seven-segment displays that hang on a board
// computer's own pins. The packages below it drive one chip each: max7219 on SPI,
// tm1637 on two pins, ht16k33 on I2C.
//
// A cell is seven segments and a point, one bit each from the lowest: A top, B and C
// right, D bottom, E and F left, G middle, point. Letters are those that seven
// segments can form; what they cannot form is blank.
//
// It does not know who is called or why.
package segment

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"longcheng/display"
)

// Point is the bit of the decimal point.
const Point byte = 0x80

// Cell returns the segments of a character, and whether it can be shown.
func Cell(r rune) (byte, bool) {
	const digits = "\x3F\x06\x5B\x4F\x66\x6D\x7D\x07\x7F\x6F"
	const letters = "\x77\x7C\x39\x5E\x79\x71\x3D\x76\x30\x1E\x75\x38\x00\x54\x5C\x73\x67\x50\x6D\x78\x3E\x1C\x00\x00\x6E\x5B"
	switch {
	case r >= '0' && r <= '9':
		return digits[r-'0'], true
	case r >= 'a' && r <= 'z':
		r -= 'a' - 'A'
	}
	switch {
	case r >= 'A' && r <= 'Z':
		b := letters[r-'A']
		return b, b != 0
	case r == '-':
		return 0x40, true
	case r == ' ':
		return 0, true
	case r == '_':
		return 0x08, true
	}
	return 0, false
}

// Cells lays a text at the right of n cells. Of a text that is too long the end
// stays: that is where numbers differ.
func Cells(text string, n int) []byte {
	var out []byte
	for _, r := range text {
		b, _ := Cell(r)
		out = append(out, b)
	}
	out = out[max(0, len(out)-n):]
	return append(make([]byte, n-len(out)), out...)
}

// A Panel is one display. Put shows cells from left to right. Nil means as much as
// its chip can say: that it acknowledged, or that the bits have left.
type Panel interface {
	Put(cells []byte) error
	Len() int
}

// A Sign is one panel as a surface of the hall. It shows the number, and lines while
// a window is paused.
type Sign struct {
	name  string
	panel Panel
	mu    sync.Mutex // a panel has one user at a time
}

// NewSign returns the sign of the named surface, such as "strip:12".
func NewSign(name string, p Panel) *Sign { return &Sign{name: name, panel: p} }

// Name returns the surface's name.
func (s *Sign) Name() string { return s.name }

// Show puts the number on the panel.
func (s *Sign) Show(_ context.Context, v display.View) ([]int64, error) {
	if v.Strip == nil {
		return nil, fmt.Errorf("show on %s: the view is not a strip's: build it with display.BuildStrip", s.name)
	}
	text := v.Strip.Number
	if v.Strip.Phase == display.PhasePaused || v.Strip.Phase == display.PhaseFault {
		text = "----"
	}
	if err := s.put(Cells(text, s.panel.Len())); err != nil {
		return nil, err
	}
	return slices.Clone(v.Calls), nil
}

// Blink lights or darkens the number.
func (s *Sign) Blink(ctx context.Context, v display.View, lit bool) error {
	if lit {
		_, err := s.Show(ctx, v)
		return err
	}
	return s.put(make([]byte, s.panel.Len()))
}

func (s *Sign) put(cells []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.panel.Put(cells); err != nil {
		return fmt.Errorf("show on %s: %w", s.name, err)
	}
	return nil
}
