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
	"longcheng/device/modbusio"
)

// makeSwitches connects the doors and presence sensors on this machine's pins.
func (b *box) makeSwitches() error {
	for _, s := range b.conf.Switches {
		if !strings.HasPrefix(s.Input, onPins+":") {
			continue // its board follows it
		}
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

// followSwitches connects the doors and presence sensors on a board. What is not
// known while the board is away is nobody's state.
func (b *box) followSwitches(name string, board *modbusio.Board) {
	states := map[int]*device.Switch{}
	of := map[int]config.Switch{}
	for _, s := range b.conf.Switches {
		if on, n := contact(s.Input); on == name {
			states[n], of[n] = &device.Switch{Hold: s.Hold.Std()}, s
		}
	}
	board.OnLevel = func(input int, closed bool) {
		if s := states[input]; s != nil {
			if on, changed := s.Level(time.Now(), closed); changed {
				b.switched(of[input], of[input].Kind+" "+of[input].Name, on)
			}
		}
	}
	board.OnLost = func() {
		for n, s := range states {
			s.Forget()
			if of[n].Kind == "presence" {
				b.desk.Unwatched(of[n].Touch)
			}
		}
	}
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

// makeBuzzer connects the buzzer on a pin of this machine or on a board.
func (b *box) makeBuzzer() error {
	if b.conf.Buzzer.Output == "" {
		return nil
	}
	b.tones = make(chan tone, 1)
	pulse := b.pulse("buzzer", deviceSilence)
	b.try("buzzer", "响一声", "Sound it", func(context.Context) error { b.sound(true); return nil })
	b.input = append(b.input, part{pulse.name, func(ctx context.Context) error { return b.tendBuzzer(ctx, pulse.beat) }, pulse})
	return nil
}

// openBuzzer returns the buzzer and the function that gives its pin back.
func (b *box) openBuzzer() (*device.Buzzer, func() error, error) {
	board, n := contact(b.conf.Buzzer.Output)
	if board := b.boards[board]; board != nil {
		coil := coil{board, n}
		return device.NewBuzzer(func(ctx context.Context, on bool) error {
			ctx, cancel := context.WithTimeout(ctx, markWithin) // a board that is away must not sound later
			defer cancel()
			return coil.light(ctx, on)
		}), func() error { return nil }, nil
	}
	return b.pins.buzzer(strings.TrimPrefix(b.conf.Buzzer.Output, onPins+":"), b.conf.Buzzer.ActiveLow)
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
func (b *box) tendBuzzer(ctx context.Context, beat func()) error {
	beat()
	buzzer, giveBack, err := b.openBuzzer()
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
			if err := device.Sleep(ctx, toneRest); err != nil {
				return err
			}
		}
		if err := buzzer.Sound(ctx, d); err != nil {
			return err
		}
	}
	return nil
}
