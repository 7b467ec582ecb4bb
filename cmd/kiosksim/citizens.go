package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/device"
	"longcheng/kiosk"
)

// press is how long a finger stays on a button, and then away from it.
const press = 250 * time.Millisecond

// between is the least time from lifting one card to placing the next: a reader
// cannot tell a card that was pushed about from another one.
const between = 2 * time.Second

// citizens take tickets at one kiosk, one after the other.
type citizens struct {
	*day
	*client
	boss *client   // books the appointments
	away time.Time // when a card was last lifted
}

// arrive lets the citizens of this kiosk take their tickets.
func (c *citizens) arrive(ctx context.Context, list []citizen) error {
	for _, p := range list {
		if err := c.faults(ctx); err != nil {
			return err
		}
		if err := c.one(ctx, p); err != nil {
			return fmt.Errorf("citizen %d by %s: %w", p.no+1, p.way, err)
		}
		if err := device.Sleep(ctx, c.plan.apart); err != nil {
			return err
		}
	}
	return nil
}

func (c *citizens) one(ctx context.Context, p citizen) error {
	switch {
	case p.way == byCard:
		return c.byCard(ctx, p)
	case p.way == byButton:
		return c.byButton(ctx)
	case p.way == byCode:
		return c.byCode(ctx, p)
	case p.way == byPage:
		number, err := c.page(ctx, p)
		if err == nil {
			c.promise(number)
		}
		return err
	}
	return c.byTouch(ctx, p, "")
}

// byTouch taps until the kiosk gives a ticket: an empty printer is waited for.
func (c *citizens) byTouch(ctx context.Context, p citizen, card string) error {
	for {
		var issued kiosk.Issued
		err := c.post(ctx, "/api/v1/tickets", map[string]any{"kiosk": c.conf.Touches[p.touch].Name, "item": p.item, "card": card, "print": true}, &issued)
		var no *refused
		if errors.As(err, &no) && no.Code == "printer_not_ready" {
			if err := device.Sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
			continue
		}
		if err == nil {
			c.promise(issued.Visit.Number)
		}
		return err
	}
}

// byCard puts the card on the reader until a ticket came. A box that restarts
// forgets a card that it has read; the citizen puts it down again.
func (c *citizens) byCard(ctx context.Context, p citizen) error {
	reader := c.hw.readers[c.conf.Touches[p.touch].Reader]
	for {
		if err := device.Sleep(ctx, time.Until(c.away.Add(between))); err != nil {
			return err
		}
		reader.Place(invented(p.no), sam.Good)
		token, err := c.token(ctx, c.conf.Touches[p.touch].Name)
		if err == nil {
			err = c.byTouch(ctx, p, token)
		}
		reader.Lift()
		c.away = time.Now()
		var no *refused
		if err == nil || ctx.Err() != nil || errors.As(err, &no) && no.Code != "card_gone" {
			return err
		}
	}
}

var errSeen = errors.New("seen")

// token waits until the touch page shows the card, a citizen's patience long.
func (c *citizens) token(ctx context.Context, touch string) (token string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		err = c.events(ctx, "/kiosk/"+touch+"/events", func(_ string, data []byte) error {
			var s struct {
				Touch struct {
					Card *struct{ Token string }
				}
			}
			if json.Unmarshal(data, &s) == nil && s.Touch.Card != nil {
				token = s.Touch.Card.Token
				return errSeen
			}
			return nil
		})
		if errors.Is(err, errSeen) {
			return token, nil
		}
		_ = device.Sleep(ctx, 50*time.Millisecond)
	}
	return "", ctx.Err()
}

// byButton presses until a ticket came: a press while the box restarts is lost,
// as on hardware.
func (c *citizens) byButton(ctx context.Context) error {
	name, n, ok := inputOf(c.conf.Buttons[0].Input)
	board := c.hw.boards[name]
	if !ok || board == nil {
		return fmt.Errorf("button %s: no board has its input %q", c.conf.Buttons[0].Name, c.conf.Buttons[0].Input)
	}
	lamp, coil, lit := inputOf(c.conf.Buttons[0].Lamp)
	return c.expect(ctx, kiosk.ByButton, time.Second, func() {
		if b := c.hw.boards[lamp]; lit && b != nil {
			_ = until(ctx, "the lamp of the button", func() bool { return b.Lamp(coil) })
		}
		for _, down := range []bool{true, false} {
			board.Press(n, down)
			_ = device.Sleep(ctx, press)
		}
	})
}

// inputOf splits "board1:0" into the board and the number of its input.
func inputOf(s string) (board string, n int, ok bool) {
	board, number, ok := strings.Cut(s, ":")
	n, err := strconv.Atoi(number)
	return board, n, ok && err == nil
}

func (c *citizens) byCode(ctx context.Context, p citizen) error {
	code := fmt.Sprintf("YY%06d", p.no)
	body := map[string]any{"code": code, "item": p.item, "at": c.now().Add(-time.Minute)}
	if err := c.boss.post(ctx, "/api/v1/appointments", body, nil); err != nil {
		return fmt.Errorf("book: %w", err)
	}
	scanner := c.hw.scanners[c.conf.Scanners[0].Name]
	return c.expect(ctx, kiosk.ByAppointment, 3500*time.Millisecond, func() { // the scanner ignores repeats for 3 s
		_ = until(ctx, "a screen that offers tickets", func() bool { return !c.outOfPaper(ctx) })
		_ = scanner.Scan(code) // an unplugged scanner: tried again
	})
}

// expect does something at the kiosk, again whenever patience is over, until one
// more ticket of that kind exists.
func (c *citizens) expect(ctx context.Context, by kiosk.Channel, patience time.Duration, do func()) error {
	before := c.watch.issued(by)
	for ctx.Err() == nil {
		do()
		wait, cancel := context.WithTimeout(ctx, patience)
		err := until(wait, fmt.Sprintf("a ticket by %s", by), func() bool { return c.watch.issued(by) > before })
		cancel()
		if err == nil {
			return nil
		}
	}
	return ctx.Err()
}

// invented is a person who does not exist: born in 1990, district 110101.
func invented(i int) sam.Person {
	number := fmt.Sprintf("110101199001%02d%03d", 1+i%28, i%1000)
	return sam.Person{
		Name: "测试员" + string([]rune("甲乙丙丁戊己庚辛壬癸")[i%10]), Sex: "1", Nation: "01", Birth: number[6:14],
		Address: "测试市测试路1号", Number: number + check(number), Issuer: "测试公安局", From: "20200101", Until: "20400101",
	}
}

// check is the eighteenth character of an identity number, ISO 7064 MOD 11-2.
func check(number string) string {
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(number[i]-'0') * w
	}
	return string("10X98765432"[sum%11])
}
