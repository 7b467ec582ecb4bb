package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/device"
	"longcheng/device/modbusio"
)

// A lamp is one light, wherever it hangs.
type lamp interface {
	light(ctx context.Context, on bool) error
	halt(ctx context.Context) error
}

// makeBoards connects the push buttons and lamps that hang on boards.
func (b *box) makeBoards() error {
	for _, conf := range b.conf.Boards {
		if err := b.makeBoard(conf); err != nil {
			return fmt.Errorf("board %s: %w", conf.Name, err)
		}
	}
	return nil
}

func (b *box) makeBoard(conf config.Board) error {
	ref := b.port("board", conf.Name)
	name := "board " + conf.Name
	pulse := b.pulse(name, deviceSilence)
	link := b.link(ref, pulse.beat)
	link.OnChange = b.reporting(ref)
	board, err := modbusio.NewBoard(link, modbusio.Options{Unit: byte(conf.Address), Inputs: conf.Inputs, Lamps: conf.Coils})
	if err != nil {
		return err
	}
	buttons := b.hangOn(conf.Name, board)
	presses := make(chan config.Button, 8) // a citizen's patience; more presses than this are one
	board.OnPress = func(input int) {
		if button, ok := buttons[input]; ok {
			select {
			case presses <- button:
			default:
			}
		}
	}
	board.OnEvent = func(input int, press device.Press) {
		if button, ok := buttons[input]; ok {
			b.buttonSays(button, press)
		}
	}
	serving := b.pulse("buttons "+conf.Name, deviceSilence)
	b.input = append(b.input,
		part{name, board.Run, pulse},
		part{serving.name, func(ctx context.Context) error { return b.servePresses(ctx, presses, serving.beat) }, serving},
	)
	return nil
}

// hangOn returns the buttons of a board by their input, and keeps their lamps.
func (b *box) hangOn(name string, board *modbusio.Board) map[int]config.Button {
	buttons := map[int]config.Button{}
	for _, button := range b.conf.Buttons {
		if on, n := contact(button.Input); on == name {
			buttons[n] = button
		}
		if on, n := contact(button.Lamp); on == name {
			b.addLamp(button, coil{board, n})
		}
	}
	return buttons
}

// buttonSays reports a button that is held down for ever, and its release.
func (b *box) buttonSays(button config.Button, press device.Press) {
	switch press {
	case device.Stuck:
		b.health.tell("button "+button.Name, "button-stuck", "held down for too long: free the button, or check its wires for a short circuit")
	case device.Released:
		b.health.over("button " + button.Name)
	}
}

// servePresses gives the tickets of pressed buttons, one after the other.
func (b *box) servePresses(ctx context.Context, presses <-chan config.Button, beat func()) error {
	tick := time.NewTicker(idleBeat)
	defer tick.Stop()
	for {
		beat()
		select {
		case <-ctx.Done():
			return nil
		case button := <-presses:
			b.pressed(ctx, b.firstPage(), button.Item)
		case <-tick.C:
		}
	}
}

// addLamp keeps the lamp of a button: it shines while the button would give a
// ticket.
func (b *box) addLamp(button config.Button, l lamp) {
	b.try("lamp "+button.Name, "闪灯测试", "Flash it", b.tryLamp(l))
	pulse := b.pulse("lamp "+button.Name, deviceSilence)
	b.input = append(b.input, part{pulse.name, func(ctx context.Context) error {
		return b.tendLamp(ctx, button, l, pulse.beat)
	}, pulse})
}

// tendLamp keeps a lamp in agreement with the first page's printer.
func (b *box) tendLamp(ctx context.Context, button config.Button, l lamp, beat func()) error {
	changed, stop := b.desk.Watch()
	defer stop()
	tick := time.NewTicker(idleBeat)
	defer tick.Stop()
	for {
		beat()
		_, good := b.desk.Ready(b.firstPage())
		err := l.light(ctx, good)
		switch {
		case ctx.Err() != nil: // no news of the lamp
		case err != nil:
			b.health.tell("lamp "+button.Name, doctor.OfPort(err), err.Error())
		default:
			b.health.over("lamp " + button.Name)
		}
		select {
		case <-ctx.Done():
			halt, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
			defer cancel()
			return l.halt(halt)
		case <-changed:
		case <-tick.C:
		}
	}
}

// A coil is a lamp on a board.
type coil struct {
	board *modbusio.Board
	n     int
}

// light switches the lamp. The board keeps a wish that it cannot fulfil now, and
// its port's trouble is reported already.
func (c coil) light(ctx context.Context, on bool) error {
	if err := c.board.SetLamp(ctx, c.n, on); err != nil && !device.IsWire(err) {
		return err
	}
	return nil
}

// halt switches the lamp off.
func (c coil) halt(ctx context.Context) error { return c.light(ctx, false) }

// contact splits "board1:0" into the board and the number on it; what is
// written wrongly was found by the configuration's check.
func contact(s string) (board string, n int) {
	board, number, ok := strings.Cut(s, ":")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		return "", -1
	}
	return board, n
}
