package main

import (
	"context"
	"strings"
	"sync"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/device"
	"longcheng/device/gpio"
)

// onPins is the word that stands for the pins of this machine where otherwise
// the name of a board stands.
const onPins = "gpio"

// pins makes buttons, lamps, switches and buzzers of the machine's pins, by the
// names of the kernel's lines. The function that comes with one gives its pin back.
type pins struct {
	button  func(name string, o gpio.Options) (*gpio.Button, func() error, error)
	lamp    func(name string, activeLow bool) (*gpio.Lamp, error)
	contact func(name string, o gpio.Options) (*gpio.Switch, func() error, error)
	buzzer  func(name string, activeLow bool) (*device.Buzzer, func() error, error)
}

// machinePins are those of this machine.
func machinePins() pins { return pins{machineButton, machineLamp, machineContact, machineBuzzer} }

// findPin asks whether the machine has a pin.
func findPin(name string) error {
	_, err := gpio.Open(name)
	return err
}

func machineButton(name string, o gpio.Options) (*gpio.Button, func() error, error) {
	pin, err := gpio.Open(name)
	if err != nil {
		return nil, nil, err
	}
	button, err := gpio.NewButton(pin, o)
	return button, pin.Close, err
}

func machineLamp(name string, activeLow bool) (*gpio.Lamp, error) {
	pin, err := gpio.Open(name)
	if err != nil {
		return nil, err
	}
	return gpio.NewLamp(pin, activeLow)
}

func machineContact(name string, o gpio.Options) (*gpio.Switch, func() error, error) {
	pin, err := gpio.Open(name)
	if err != nil {
		return nil, nil, err
	}
	contact, err := gpio.NewSwitch(pin, o)
	return contact, pin.Close, err
}

func machineBuzzer(name string, activeLow bool) (*device.Buzzer, func() error, error) {
	pin, err := gpio.Open(name)
	if err != nil {
		return nil, nil, err
	}
	buzzer, err := gpio.NewBuzzer(pin, activeLow)
	return buzzer, pin.Close, err
}

// makePins connects the push buttons and lamps that hang on this machine's pins.
func (b *box) makePins() error {
	for _, button := range b.conf.Buttons {
		if pin, ok := strings.CutPrefix(button.Input, onPins+":"); ok {
			pulse := b.pulse("button "+button.Name, deviceSilence)
			b.input = append(b.input, part{pulse.name, func(ctx context.Context) error {
				return b.watchPin(ctx, button, pin, pulse.beat)
			}, pulse})
		}
		if pin, ok := strings.CutPrefix(button.Lamp, onPins+":"); ok {
			b.addLamp(button, &pinLamp{open: func() (*gpio.Lamp, error) { return b.pins.lamp(pin, button.LampLow) }})
		}
	}
	return nil
}

// watchPin serves one button on a pin. A pin that cannot be had is reported, and
// tried again after a pause.
func (b *box) watchPin(ctx context.Context, button config.Button, pin string, beat func()) error {
	beat()
	name := "button " + button.Name
	key, giveBack, err := b.pins.button(pin, gpio.Options{LongPress: heldFor, Beat: beat})
	if err != nil {
		b.health.tell(name, doctor.OfPort(err), err.Error())
		return err
	}
	defer giveBack()
	b.health.say(name, ready)
	err = key.Run(ctx, func(press device.Press) {
		switch {
		case press != device.Pressed:
			b.buttonSays(button, press)
		case button.Item != "":
			b.pressed(ctx, b.firstPage(), button.Item)
		}
	})
	if ctx.Err() == nil {
		b.health.tell(name, doctor.OfPort(err), err.Error()+advice(err))
	}
	return err
}

// A pinLamp is a lamp on a pin, opened when it is first needed.
type pinLamp struct {
	mu   sync.Mutex // a technician may try it while it is tended
	open func() (*gpio.Lamp, error)
	lamp *gpio.Lamp
}

func (p *pinLamp) light(_ context.Context, on bool) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lamp == nil {
		if p.lamp, err = p.open(); err != nil {
			p.lamp = nil
			return err
		}
	}
	return p.lamp.Set(on)
}

func (p *pinLamp) halt(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lamp == nil {
		return nil
	}
	return p.lamp.Halt()
}
