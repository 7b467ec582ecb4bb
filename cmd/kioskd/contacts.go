package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/device"
	"longcheng/device/gpio"
)

// makeSwitches connects the doors and presence sensors on this machine's pins.
func (b *box) makeSwitches() error {
	for _, s := range b.conf.Switches {
		pulse := b.pulse(s.Kind+" "+s.Name, deviceSilence)
		b.input = append(b.input, part{pulse.name, func(ctx context.Context) error {
			return b.watchSwitch(ctx, s, pulse.name, pulse.beat)
		}, pulse})
	}
	return nil
}

// watchSwitch follows one contact. A page whose sensor fails does without it.
func (b *box) watchSwitch(ctx context.Context, s config.Switch, name string, beat func()) error {
	beat()
	if s.Kind == "presence" {
		defer b.desk.Unwatched(s.Touch)
	}
	contact, giveBack, err := b.pins.contact(strings.TrimPrefix(s.Input, onPins+":"), gpio.Options{ActiveHigh: s.ActiveHigh, Hold: s.Hold.Std(), Beat: beat})
	if err == nil {
		defer giveBack()
		err = contact.Run(ctx, func(closed bool) { b.switched(s, name, closed) })
	}
	if ctx.Err() == nil {
		b.health.tell(name, doctor.OfPort(err), err.Error())
	}
	return err
}

// switched tells technicians of a door and the touch page of a person.
func (b *box) switched(s config.Switch, name string, closed bool) {
	if s.Kind == "door" && !closed {
		b.health.tell(name, "door-open", "open: close and lock it, or check its contact")
		return
	}
	b.health.say(name, ready)
	if s.Kind == "presence" {
		b.desk.Somebody(s.Touch, closed)
	}
}

// A tone is how long a buzzer sounds, again and again with toneRest between.
type tone []time.Duration

// What a citizen hears.
var (
	toneTaken   = tone{80 * time.Millisecond}
	toneRefused = tone{80 * time.Millisecond, 80 * time.Millisecond, 80 * time.Millisecond}
)

const toneRest = 80 * time.Millisecond

// makeBuzzer connects the buzzer on a pin of this machine.
func (b *box) makeBuzzer() error {
	pin, ok := strings.CutPrefix(b.conf.Buzzer.Output, onPins+":")
	if !ok {
		return nil
	}
	b.tones = make(chan tone, 1)
	pulse := b.pulse("buzzer", deviceSilence)
	b.try("buzzer", "响一声", "Sound it", func(context.Context) error { b.sound(true); return nil })
	b.input = append(b.input, part{pulse.name, func(ctx context.Context) error { return b.tendBuzzer(ctx, pin, pulse.beat) }, pulse})
	return nil
}

// sound lets a citizen hear whether something was taken or refused. It never
// waits: who is heard already is not heard twice.
func (b *box) sound(taken bool) {
	t := toneRefused
	if taken {
		t = toneTaken
	}
	select {
	case b.tones <- t: // nil without a buzzer
	default:
	}
}

// tendBuzzer plays what sound asks for, as far as the buzzer's limits let it.
func (b *box) tendBuzzer(ctx context.Context, pin string, beat func()) error {
	beat()
	buzzer, giveBack, err := b.pins.buzzer(pin, b.conf.Buzzer.ActiveLow)
	if err != nil {
		b.health.tell("buzzer", doctor.OfPort(err), err.Error())
		return err
	}
	defer giveBack()
	b.health.say("buzzer", ready)
	tick := time.NewTicker(idleBeat)
	defer tick.Stop()
	for {
		beat()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case t := <-b.tones:
			err := t.play(ctx, buzzer)
			if err != nil && !errors.Is(err, device.ErrTired) && ctx.Err() == nil {
				b.health.tell("buzzer", doctor.OfPort(err), err.Error())
				return err
			}
		}
	}
}

func (t tone) play(ctx context.Context, buzzer *device.Buzzer) error {
	for i, d := range t {
		if i > 0 {
			if err := sleep(ctx, toneRest); err != nil {
				return err
			}
		}
		if err := buzzer.Sound(ctx, d); err != nil {
			return err
		}
	}
	return nil
}
