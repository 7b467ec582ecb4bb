package commission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	"longcheng/device/gpio"
	"longcheng/device/modbusio"
	"longcheng/kiosk"
)

// onPins is the word that stands for the pins of this machine.
const onPins = "gpio:"

// board lights the lamps one after another and waits for the buttons.
func (t *Tester) board(ctx context.Context, d config.Board, v *Verdict) error {
	link, board, err := t.openBoard(d)
	if err != nil {
		return err
	}
	defer shut(ctx, link)
	pressed := make(chan int, 64)
	board.OnPress = func(input int) {
		select {
		case pressed <- input:
		default:
		}
	}
	return during(ctx, []func(context.Context) error{board.Run}, func(ctx context.Context) error {
		for _, n := range t.used(d.Name, d.Coils, func(b config.Button) string { return b.Lamp }) {
			if err := t.coil(ctx, board, n, v); err != nil {
				return err
			}
		}
		for _, n := range t.used(d.Name, d.Inputs, func(b config.Button) string { return b.Input }) {
			if err := t.input(ctx, n, pressed, link, v); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *Tester) openBoard(d config.Board) (*device.Link, *modbusio.Board, error) {
	link := t.linkOf("board", d.Name)
	board, err := modbusio.NewBoard(link, modbusio.Options{Unit: byte(d.Address), Inputs: d.Inputs, Lamps: d.Coils})
	return link, board, err
}

// onBoard finds the board of "board1:0".
func (t *Tester) onBoard(at string) (d config.Board, n int, ok bool) {
	name, number, _ := strings.Cut(at, ":")
	n, err := strconv.Atoi(number)
	i := slices.IndexFunc(t.Conf.Boards, func(b config.Board) bool { return b.Name == name })
	if i < 0 || err != nil {
		return d, 0, false
	}
	return t.Conf.Boards[i], n, true
}

// used are the numbers on a board that buttons of the configuration hang on.
func (t *Tester) used(board string, most int, of func(config.Button) string) (all []int) {
	for n := range most {
		for _, b := range t.Conf.Buttons {
			if of(b) == fmt.Sprintf("%s:%d", board, n) {
				all = append(all, n)
			}
		}
	}
	return all
}

// coil lights one lamp, asks, and darkens it.
func (t *Tester) coil(ctx context.Context, board *modbusio.Board, n int, v *Verdict) error {
	what := say(fmt.Sprintf("灯 %d", n), fmt.Sprintf("lamp %d", n))
	set, cancel := context.WithTimeout(ctx, showWithin)
	err := board.SetLamp(set, n, true)
	cancel()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		v.add(Bad, what, say(err.Error(), err.Error()))
		v.Remedy = say("检查板的电源、地址、波特率和 A/B 线", "check the board's power, address, speed and wires A and B")
		return nil
	}
	err = t.asks(ctx, v, what, say(fmt.Sprintf("灯 %d 亮了吗？", n), fmt.Sprintf("is lamp %d lit?", n)), say("检查灯和继电器的接线", "check the wires of lamp and relay"))
	dark, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = board.SetLamp(dark, n, false) // the next test will show
	return err
}

// input waits for one button.
func (t *Tester) input(ctx context.Context, n int, pressed <-chan int, link *device.Link, v *Verdict) error {
	t.Person.Tell(say(fmt.Sprintf("请按一下按钮 %d", n), fmt.Sprintf("press button %d", n)))
	what := say(fmt.Sprintf("按钮 %d", n), fmt.Sprintf("button %d", n))
	late := time.NewTimer(t.patience())
	defer late.Stop()
	for {
		select {
		case got := <-pressed:
			if got == n {
				v.add(Good, what, say("已按下", "pressed"))
				return nil
			}
			t.Person.Tell(say(fmt.Sprintf("按下的是 %d，请按 %d", got, n), fmt.Sprintf("that was %d, press %d", got, n)))
		case <-late.C:
			detail := say("没有按下", "no press came")
			if link.Health().State == device.Broken {
				detail = t.wireSays(link)
			}
			v.add(Bad, what, detail)
			v.Remedy = say("检查按钮和板之间的接线、板的地址", "check the wires between button and board, and the board's address")
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// button tests a button on a pin, and its lamp.
func (t *Tester) button(ctx context.Context, d config.Button, v *Verdict) error {
	if lamp, ok := strings.CutPrefix(d.Lamp, onPins); ok {
		if err := t.lamp(ctx, lamp, d.LampLow, v); err != nil {
			return err
		}
	}
	pin, err := gpio.Open(strings.TrimPrefix(d.Input, onPins))
	if err != nil {
		return err
	}
	defer pin.Close()
	key, err := gpio.NewButton(pin, gpio.Options{})
	if err != nil {
		return err
	}
	t.Person.Tell(say("请按一下按钮 "+d.Name, "press button "+d.Name))
	came, err := await(ctx, t.patience(), func(ctx context.Context, done func()) error {
		return key.Run(ctx, func(p device.Press) {
			if p == device.Pressed {
				done()
			}
		})
	})
	what := say("按钮 "+d.Name, "button "+d.Name)
	switch {
	case err != nil:
		return err
	case came:
		v.add(Good, what, say("已按下", "pressed"))
	default:
		v.add(Bad, what, say("没有按下", "no press came"))
		v.Remedy = say("检查按钮到引脚和地的接线", "check the wires from the button to the pin and to ground")
	}
	return nil
}

// contact tests a door or a presence sensor: both its states must come.
func (t *Tester) contact(ctx context.Context, d config.Switch, v *Verdict) error {
	follow, giveBack, err := t.follower(ctx, d)
	if err != nil {
		return err
	}
	defer giveBack()
	if d.Kind == "door" {
		t.Person.Tell(say("请打开并关上柜门 "+d.Name, "open and shut the door "+d.Name))
	} else {
		t.Person.Tell(say("请走到 "+d.Name+" 前，再走开", "step before "+d.Name+" and away"))
	}
	seen := map[bool]bool{}
	came, err := await(ctx, t.patience(), func(ctx context.Context, done func()) error {
		return follow(ctx, func(closed bool) {
			if seen[closed] = true; len(seen) == 2 {
				done()
			}
		})
	})
	what := say("开关 "+d.Name, "switch "+d.Name)
	switch {
	case err != nil:
		return err
	case came:
		v.add(Good, what, say("两种状态均已出现", "both states were seen"))
	case seen[true]:
		v.add(Bad, what, say("一直闭合", "closed all the time"))
		v.Remedy = say("检查接线是否短路，触点或传感器是否动作", "look for a short circuit, and whether contact or sensor moves at all")
	default:
		v.add(Bad, what, say("一直断开", "open all the time"))
		v.Remedy = say("检查到引脚和地的接线；传感器输出高电平时设 active_high", "check the wires to the pin and to ground; active_high is for sensors that give 3.3 V")
	}
	return nil
}

// follower returns what tells the levels of a contact, and gives it back.
func (t *Tester) follower(ctx context.Context, d config.Switch) (follow func(context.Context, func(closed bool)) error, giveBack func(), err error) {
	if on, n, ok := t.onBoard(d.Input); ok {
		link, board, err := t.openBoard(on)
		if err != nil {
			return nil, nil, err
		}
		return func(ctx context.Context, tell func(bool)) error {
			board.OnLevel = func(input int, closed bool) {
				if input == n {
					tell(closed)
				}
			}
			return board.Run(ctx)
		}, func() { shut(ctx, link) }, nil
	}
	pin, err := gpio.Open(strings.TrimPrefix(d.Input, onPins))
	if err != nil {
		return nil, nil, err
	}
	contact, err := gpio.NewSwitch(pin, gpio.Options{ActiveHigh: d.ActiveHigh})
	if err != nil {
		return nil, nil, errors.Join(err, pin.Close())
	}
	return contact.Run, func() { _ = pin.Close() }, nil // the kernel takes it back anyway
}

// buzzer sounds it and asks.
func (t *Tester) buzzer(ctx context.Context, d config.Buzzer, v *Verdict) error {
	buzzer, giveBack, err := t.openBuzzer(ctx, d)
	if err != nil {
		return err
	}
	defer giveBack()
	if err := buzzer.Sound(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	return t.asks(ctx, v, say("蜂鸣器", "the buzzer"), say("听到响声了吗？", "did you hear it?"),
		say("检查蜂鸣器、三极管的接线；低电平响的设 active_low", "check the wires of buzzer and transistor; active_low is for those that sound while the pin is low"))
}

func (t *Tester) openBuzzer(ctx context.Context, d config.Buzzer) (*device.Buzzer, func(), error) {
	if on, n, ok := t.onBoard(d.Output); ok {
		link, board, err := t.openBoard(on)
		if err != nil {
			return nil, nil, err
		}
		set := func(ctx context.Context, on bool) error {
			ctx, cancel := context.WithTimeout(ctx, showWithin)
			defer cancel()
			return board.SetLamp(ctx, n, on)
		}
		return device.NewBuzzer(set), func() { shut(ctx, link) }, nil
	}
	pin, err := gpio.Open(strings.TrimPrefix(d.Output, onPins))
	if err != nil {
		return nil, nil, err
	}
	buzzer, err := gpio.NewBuzzer(pin, d.ActiveLow)
	if err != nil {
		return nil, nil, errors.Join(err, pin.Close())
	}
	return buzzer, func() { _ = pin.Close() }, nil // the kernel takes it back anyway
}

func (t *Tester) lamp(ctx context.Context, name string, activeLow bool, v *Verdict) error {
	pin, err := gpio.Open(name)
	if err != nil {
		return err
	}
	defer pin.Close()
	lamp, err := gpio.NewLamp(pin, activeLow)
	if err == nil {
		err = lamp.Set(true)
	}
	if err != nil {
		return err
	}
	defer func() { _ = lamp.Halt() }() // the pin is given back anyway
	return t.asks(ctx, v, say("灯 "+name, "lamp "+name), say("灯亮了吗？", "is the lamp lit?"), kiosk.Text{ZH: "检查灯、三极管或继电器的接线", EN: "check the wires of lamp, transistor or relay"})
}
