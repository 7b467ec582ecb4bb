package gpio

import (
	"context"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"

	"longcheng/device"
)

const (
	slice    = 200 * time.Millisecond // never wait longer for an edge, nor for ever
	settle   = 20 * time.Millisecond  // two equal levels this far apart are a level
	bounce   = 10 * time.Millisecond  // the kernel's debounce, where the pin has it
	deadWait = 10                     // waits in a row that end too early: the line is dead
)

// Options describe an input. The usual one connects its pin to ground.
type Options struct {
	ActiveHigh bool          // active is high, pulled down; otherwise active is low, pulled up
	LongPress  time.Duration // buttons: 0 means no long presses
	StuckAfter time.Duration // buttons: 0 means 30s
	Hold       time.Duration // switches: stays on this long after the contact opened
	Beat       func()        // called in every round of Run, some times a second, as its sign of life; may be nil
}

// An input is a pin whose level is followed.
type input struct {
	pin    gpio.PinIn
	active gpio.Level
	beat   func()
}

// newInput makes pin an input with its pull resistor, edges and, if it is one
// of Open, the kernel's debounce.
func newInput(pin gpio.PinIn, o Options) (input, error) {
	pull, active := gpio.PullUp, gpio.Low
	if o.ActiveHigh {
		pull, active = gpio.PullDown, gpio.High
	}
	if p, ok := pin.(interface{ Debounce(time.Duration) }); ok {
		p.Debounce(bounce)
	}
	if err := pin.In(pull, gpio.BothEdges); err != nil {
		return input{}, fmt.Errorf("watch pin %s: %w", pin.Name(), err)
	}
	beat := o.Beat
	if beat == nil {
		beat = func() {}
	}
	return input{pin, active, beat}, nil
}

// follow hands the settled level on, at least every 200 ms, until ctx ends or
// the line is dead, which is an error of the wire.
func (i input) follow(ctx context.Context, level func(now time.Time, on bool)) error {
	early := 0
	for {
		i.beat()
		l, err := i.settled(ctx)
		if err != nil {
			return err
		}
		level(time.Now(), l == i.active)
		begun := time.Now()
		if i.pin.WaitForEdge(slice) || time.Since(begun) >= slice/2 {
			early = 0
			continue
		}
		if early++; early == deadWait {
			return &device.Wire{Op: "watch pin", Port: i.pin.Name(), Err: device.ErrGone}
		}
		if err := device.Sleep(ctx, slice); err != nil {
			return err
		}
	}
}

// settled reads the pin until it has been the same for a while: long cables
// pick up spikes that a single look would take for a level.
func (i input) settled(ctx context.Context) (gpio.Level, error) {
	l := i.pin.Read()
	for {
		if err := device.Sleep(ctx, settle); err != nil {
			return l, err
		}
		again := i.pin.Read()
		if again == l {
			return l, nil
		}
		l = again
	}
}
