package gpio

import (
	"context"
	"time"

	"periph.io/x/conn/v3/gpio"

	"longcheng/device"
)

// A Button watches one pin for presses.
type Button struct {
	in   input
	keys device.Button
}

// NewButton makes pin an input with its pull resistor and edges.
func NewButton(pin gpio.PinIn, o Options) (*Button, error) {
	in, err := newInput(pin, o)
	if err != nil {
		return nil, err
	}
	return &Button{in, device.Button{LongAfter: o.LongPress, StuckAfter: o.StuckAfter}}, nil
}

// Run hands every press to handle, in its own goroutine, until ctx ends or the
// line is dead, which is an error of the wire. The level found first is no
// press. It returns within 200 ms of the end of ctx.
func (b *Button) Run(ctx context.Context, handle func(device.Press)) error {
	return b.in.follow(ctx, func(now time.Time, down bool) {
		if press, ok := b.keys.Level(now, down); ok {
			handle(press)
		}
	})
}

// A Switch watches one pin for a state that lasts: a door, a paper box, a
// person in front of the screen.
type Switch struct {
	in    input
	state device.Switch
}

// NewSwitch makes pin an input with its pull resistor and edges.
func NewSwitch(pin gpio.PinIn, o Options) (*Switch, error) {
	in, err := newInput(pin, o)
	if err != nil {
		return nil, err
	}
	return &Switch{in, device.Switch{Hold: o.Hold}}, nil
}

// Run tells handle the state found first and then every change, in its own
// goroutine, until ctx ends or the line is dead.
func (s *Switch) Run(ctx context.Context, handle func(on bool)) error {
	s.state.Forget()
	return s.in.follow(ctx, func(now time.Time, closed bool) {
		if on, changed := s.state.Level(now, closed); changed {
			handle(on)
		}
	})
}
