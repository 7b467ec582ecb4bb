package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/device"
	"longcheng/device/modbusio"
	"longcheng/printer"
)

// A lamp is one light, wherever it hangs.
type lamp interface {
	light(ctx context.Context, on bool) error
	halt(ctx context.Context) error
}

// heldFor is how long a button is held to call staff.
const heldFor = 1500 * time.Millisecond

// makeBoards connects the push buttons, lamps and switches that hang on boards.
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
	board, err := modbusio.NewBoard(link, modbusio.Options{Unit: byte(conf.Address), Inputs: conf.Inputs, Lamps: conf.Coils, LongPress: heldFor})
	if err != nil {
		return err
	}
	b.boards[conf.Name] = board
	buttons := b.hangOn(conf.Name, board)
	b.followSwitches(conf.Name, board)
	presses := make(chan config.Button, 8) // a citizen's patience; more presses than this are one
	board.OnPress = func(input int) {
		if button, ok := buttons[input]; ok && button.Item != "" {
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

// buttonSays brings staff to who holds a button for that, and reports a button that
// is held down for ever, and its release.
func (b *box) buttonSays(button config.Button, press device.Press) {
	switch press {
	case device.Long:
		if button.Held == "staff" {
			b.health.happened("button "+button.Name, "help-wanted", "somebody asks for help here: go and see")
			b.sound(true)
		}
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

// addLamp keeps the lamp of a button.
func (b *box) addLamp(button config.Button, l lamp) {
	b.try("lamp "+button.Name, "闪灯测试", "Flash it", b.tryLamp(l))
	pulse := b.pulse("lamp "+button.Name, deviceSilence)
	b.input = append(b.input, part{pulse.name, func(ctx context.Context) error {
		return b.tendLamp(ctx, button, l, pulse.beat)
	}, pulse})
}

// tendLamp keeps a lamp in agreement with what its button would do; however it ends,
// the lamp is dark.
func (b *box) tendLamp(ctx context.Context, button config.Button, l lamp, beat func()) (err error) {
	changed, stop := b.desk.Watch()
	defer stop()
	defer func() {
		halt, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
		defer cancel()
		err = errors.Join(err, l.halt(halt))
	}()
	for {
		beat()
		left := time.NewTimer(b.lightLamp(ctx, button, l))
		select {
		case <-ctx.Done():
			left.Stop()
			return nil
		case <-changed:
			left.Stop()
		case <-left.C:
		}
	}
}

// lightLamp switches a lamp as it is to be now, and returns for how long.
func (b *box) lightLamp(ctx context.Context, button config.Button, l lamp) time.Duration {
	on, left := b.shows(button).At(time.Duration(time.Now().UnixNano())) // all lamps blink together
	err := l.light(ctx, on)
	switch {
	case ctx.Err() != nil: // no news of the lamp
	case err != nil:
		b.health.tell("lamp "+button.Name, doctor.OfPort(err), err.Error())
	default:
		b.health.over("lamp " + button.Name)
	}
	if left == 0 {
		return idleBeat
	}
	return min(left, idleBeat)
}

// shows is what a lamp tells of its button: light, it gives tickets; blinking, it
// does, and staff should look after the paper; dark, it does not.
func (b *box) shows(button config.Button) device.Pattern {
	if button.Item == "" {
		return device.Steady // it calls staff
	}
	if _, good := b.desk.Ready(b.firstPage()); !good || !b.taken(button.Item) {
		return device.Dark
	}
	if s := b.spools["printer "+b.pagePrinter()]; s != nil && s.Status().Status&printer.PaperLow != 0 {
		return device.Blink
	}
	return device.Steady
}

// taken reports whether tickets of an item are given at this hour.
func (b *box) taken(item string) bool {
	hours := b.conf.Hall.Hours
	for _, i := range b.conf.Hall.Items {
		if i.ID == item && len(i.Hours.Bands) > 0 {
			hours = i.Hours
		}
	}
	_, open := hours.BandAt(b.now().In(b.conf.Hall.Location()))
	return open
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
