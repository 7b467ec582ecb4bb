package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
)

// A way is how a citizen takes a ticket.
type way string

const (
	byTouch  way = "touch"
	byCard   way = "card"
	byButton way = "button"
	byCode   way = "code"
	byPage   way = "page" // at the touch page in a real browser: day.page
)

// A citizen is one person of a plan.
type citizen struct {
	no    int // from 0, in the order of arrival
	touch int // index of the kiosk
	way   way
	item  string // what for; the button's own for byButton
}

// A plan is everything a day's people and faults will do. It depends on the
// hall and the seed alone.
type plan struct {
	citizens []citizen
	paperOut int // before which arrival the paper begins to run out
	rows     int // dot lines that are left of it then
	unplug   int // before which arrival the strips' line goes, comes back,
	replug   int
	kill     int           // and kioskd is killed
	pause    int           // milliseconds after that arrival
	never    bool          // no fault of the plan happens
	apart    time.Duration // between two citizens of one kiosk
}

// makePlan draws the plan of a day with the first windows of a hall open.
func makePlan(c *config.Config, o options) plan {
	rng := rand.New(rand.NewPCG(o.seed, 1))
	at := func(part int) int { return o.tickets * part / 6 }
	p := plan{paperOut: at(1), rows: 100 + rng.IntN(400), unplug: at(2), replug: at(3), kill: at(4), pause: rng.IntN(60)}
	d := drawer{c: c, rng: rng, served: servedBy(openWindows(c, o))}
	for i := range o.tickets {
		p.citizens = append(p.citizens, d.citizen(i))
	}
	return p
}

// openWindows are the windows that open on the day.
func openWindows(c *config.Config, o options) []kiosk.Window {
	return c.Hall.Windows[:min(o.windows, len(c.Hall.Windows))]
}

func servedBy(windows []kiosk.Window) map[string]bool {
	served := map[string]bool{}
	for _, w := range windows {
		for _, group := range w.Groups {
			for _, q := range group {
				served[q] = true
			}
		}
	}
	return served
}

// drawer draws citizens.
type drawer struct {
	c      *config.Config
	rng    *rand.Rand
	served map[string]bool // queues that an open window serves
	cards  int
}

// maxCards bounds how many of a day come with a card: each takes a second.
const maxCards = 3

func (d *drawer) citizen(i int) citizen {
	p := citizen{no: i, touch: d.rng.IntN(len(d.c.Touches)), way: byTouch, item: d.item(false)}
	switch n := d.rng.IntN(10); {
	case n <= 1 && d.c.Touches[p.touch].Reader != "" && d.cards < maxCards:
		d.cards++
		p.way, p.item = byCard, d.item(true)
	case n <= 3 && len(d.c.Buttons) > 0 && d.served[d.queue(d.c.Buttons[0].Item)]:
		p.way, p.touch, p.item = byButton, 0, d.c.Buttons[0].Item
	case n <= 5 && len(d.c.Scanners) > 0:
		if item := d.appointed(); item != "" {
			p.way, p.touch, p.item = byCode, 0, item
		}
	}
	return p
}

// item is any item that an open window serves, of those that want a card only
// for who has one.
func (d *drawer) item(card bool) string {
	for {
		it := d.c.Hall.Items[d.rng.IntN(len(d.c.Hall.Items))]
		if (card || !it.NeedsCard) && d.served[it.Queue] {
			return it.ID
		}
	}
}

// appointed is an item whose queue takes appointments, or empty.
func (d *drawer) appointed() string {
	for range 20 {
		id := d.item(false)
		for _, q := range d.c.Hall.Queues {
			if q.ID == d.queue(id) && q.Appointment != "" {
				return id
			}
		}
	}
	return ""
}

func (d *drawer) queue(item string) string {
	for _, it := range d.c.Hall.Items {
		if it.ID == item {
			return it.Queue
		}
	}
	return ""
}

// check says what keeps a day from being planned.
func (o options) check(c *config.Config) error {
	if len(c.Touches) == 0 {
		return fmt.Errorf("hall %s: it has no touch page to take tickets at", o.hall)
	}
	if o.tickets < 1 || o.windows < 1 {
		return fmt.Errorf("-tickets %d, -windows %d: a day needs at least one of each", o.tickets, o.windows)
	}
	served := servedBy(openWindows(c, o))
	for _, it := range c.Hall.Items {
		if !it.NeedsCard && served[it.Queue] {
			return nil
		}
	}
	return fmt.Errorf("hall %s: its first %d windows serve no item that can be had without a card: use more -windows", o.hall, o.windows)
}
