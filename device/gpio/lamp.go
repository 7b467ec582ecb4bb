package gpio

import (
	"context"
	"fmt"

	"periph.io/x/conn/v3/gpio"

	"longcheng/device"
)

// A Lamp drives one pin. It is safe for several goroutines. If the whole program
// is killed, the kernel takes the pin back: what the pin then does is up to the
// board, so lamps want a resistor that keeps them off.
type Lamp struct {
	pin       gpio.PinOut
	activeLow bool
}

// NewLamp makes pin an output and switches the lamp off. With activeLow a low
// pin is light.
func NewLamp(pin gpio.PinOut, activeLow bool) (*Lamp, error) {
	l := &Lamp{pin, activeLow}
	return l, l.Set(false)
}

// Set switches the lamp.
func (l *Lamp) Set(on bool) error {
	if err := l.pin.Out(gpio.Level(on != l.activeLow)); err != nil {
		return fmt.Errorf("switch lamp %s: %w", l.pin.Name(), err)
	}
	return nil
}

// Halt switches the lamp off.
func (l *Lamp) Halt() error { return l.Set(false) }

// NewBuzzer makes pin an output and silent. With activeLow a low pin sounds.
func NewBuzzer(pin gpio.PinOut, activeLow bool) (*device.Buzzer, error) {
	lamp, err := NewLamp(pin, activeLow)
	if err != nil {
		return nil, err
	}
	return device.NewBuzzer(func(_ context.Context, on bool) error { return lamp.Set(on) }), nil
}
