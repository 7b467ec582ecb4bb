// Package ticketing is the desk where tickets are taken: it knows the place where
// somebody asks (its printer, the card on its reader, its screen), has the store
// decide and issue, and wakes the printer. The order is always the same: durable,
// then printed.
//
// It does not know what a printer or a card reader is made of, nor the rules of
// hours, quotas and limits: the store decides those in its transaction.
package ticketing

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"longcheng/kiosk"
)

// Store issues tickets. Issue returns only after the ticket, its number and its
// print job would survive a power cut. may is asked inside the transaction, after
// a repeated request has been answered from the journal; a Refusal from it is
// recorded like any other.
type Store interface {
	Issue(ctx context.Context, in kiosk.Intent, may func() error) (kiosk.Issued, error)
}

// Printer prints pending jobs by itself. Ready returns nil, or a Refusal that
// tells a citizen why no paper can come; it answers from memory. Wake says that
// a job was added.
type Printer interface {
	Ready() error
	Wake()
}

// A Touch is one place where tickets are taken: its screen and its printer.
type Touch struct {
	Name    string
	Printer string // name of its printer; empty prints nothing
}

// Options configure a Desk.
type Options struct {
	Hall     *kiosk.Hall
	Store    Store
	Printers map[string]Printer
	Touches  []Touch
	Now      func() time.Time
}

// A Desk gives tickets. Its methods may be called from any goroutine.
type Desk struct {
	opts    Options
	mu      sync.Mutex
	screens map[string]*Screen
	watch   map[chan struct{}]bool
}

// NewDesk returns a desk for the touches of opts.
func NewDesk(opts Options) *Desk {
	d := &Desk{opts: opts, screens: map[string]*Screen{}, watch: map[chan struct{}]bool{}}
	for _, t := range opts.Touches {
		d.screens[t.Name] = &Screen{Touch: t}
	}
	return d
}

// Take issues a ticket and wakes its printer. A refusal is a *kiosk.Refusal and
// promises nothing.
func (d *Desk) Take(ctx context.Context, in kiosk.Intent) (kiosk.Issued, error) {
	d.complete(&in)
	printer := d.opts.Printers[in.Printer]
	issued, err := d.opts.Store.Issue(ctx, in, func() error {
		if printer == nil {
			return nil
		}
		return printer.Ready()
	})
	if err == nil && printer != nil {
		printer.Wake()
	}
	d.tell(in, issued, err)
	return issued, err
}

// Ready reports whether a touch can print and otherwise why not, in a citizen's
// words. A touch without a printer is ready.
func (d *Desk) Ready(touch string) (why kiosk.Text, ok bool) {
	d.mu.Lock()
	s := d.screens[touch]
	d.mu.Unlock()
	if s == nil {
		return kiosk.Text{ZH: "没有此取号机", EN: "There is no such kiosk"}, false
	}
	p := d.opts.Printers[s.Touch.Printer]
	if p == nil {
		return kiosk.Text{}, true
	}
	err := p.Ready()
	var no *kiosk.Refusal
	if errors.As(err, &no) {
		why = no.Text
	}
	return why, err == nil
}

// Scan takes the ticket of an appointment whose code was read.
func (d *Desk) Scan(ctx context.Context, touch, request, code string) (kiosk.Issued, error) {
	return d.Take(ctx, kiosk.Intent{Request: request, Kiosk: touch, Channel: kiosk.ByAppointment, Code: code})
}

// complete fills in what the place and the card on its reader know.
func (d *Desk) complete(in *kiosk.Intent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	screen := d.screens[in.Kiosk]
	if screen == nil {
		return
	}
	if in.Printer == "" {
		in.Printer = screen.Touch.Printer
	}
	if card := screen.Card; in.Person != "" && card != nil && card.person == in.Person && card.Class != "" {
		if in.Class == "" {
			in.Class = card.Class
		}
		if in.Class == card.Class {
			in.Granter = "card"
		}
	}
}

// Resolve returns who stands behind the token of a presented card, while it is
// good.
func (d *Desk) Resolve(token string) (person, name, class string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.screens {
		if c := s.Card; c != nil && c.Token == token && !d.opts.Now().After(c.Until) {
			return c.person, c.Name, c.Class, true
		}
	}
	return "", "", "", false
}

// classOf returns the best class that an identity card alone proves.
func (d *Desk) classOf(age int) string {
	best, id := kiosk.Duration(0), ""
	for _, c := range d.opts.Hall.Classes {
		if c.MinAge > 0 && age >= c.MinAge && c.Credit > best {
			best, id = c.Credit, c.ID
		}
	}
	return id
}

// className is the class as a citizen reads it.
func (d *Desk) className(id string) kiosk.Text {
	for _, c := range d.opts.Hall.Classes {
		if strings.EqualFold(c.ID, id) {
			return c.Name
		}
	}
	return kiosk.Text{}
}
