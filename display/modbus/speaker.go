package modbus

import (
	"context"
	"fmt"

	"longcheng/display"
	"longcheng/display/line"
)

// A Speaker shows a window on one Modbus display.
type Speaker struct {
	unit byte
	m    Map
}

// NewSpeaker returns the speaker of the display at an address from 1 to 247.
func NewSpeaker(unit int, m Map) (*Speaker, error) {
	if unit < 1 || unit > 247 {
		return nil, fmt.Errorf("modbus display: address %d is not between 1 and 247", unit)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return &Speaker{unit: byte(unit), m: m}, nil
}

// Say writes the registers; the display's answer is the acknowledgement.
func (s *Speaker) Say(ctx context.Context, c *line.Conn, st display.Strip) error {
	register, values := s.m.registers(st)
	return s.write(ctx, c, register, values)
}

// Dark blanks the display.
func (s *Speaker) Dark(ctx context.Context, c *line.Conn) error {
	if s.m.Value != nil {
		return s.write(ctx, c, s.m.Value.Register, []uint16{uint16(s.m.Value.Blank)})
	}
	return s.write(ctx, c, s.m.Text.Register, s.m.Text.of(""))
}

func (s *Speaker) write(ctx context.Context, c *line.Conn, register uint16, values []uint16) error {
	frame := WriteOne(s.unit, register, values[0])
	if len(values) > 1 {
		var err error
		if frame, err = Write(s.unit, register, values...); err != nil {
			return err
		}
	}
	return c.Ask(ctx, frame, Await(frame).Feed)
}
