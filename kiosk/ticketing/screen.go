package ticketing

import (
	"crypto/rand"
	"errors"
	"time"

	"longcheng/kiosk"
)

// A Screen is what the touch page of one kiosk shows beside its menus.
type Screen struct {
	Touch Touch
	Card  *Card    // the card on the reader; nil when none
	Note  *Note    // what the reader or scanner has to say; nil when nothing
	Last  *Outcome // the latest ticket or refusal of this kiosk

	Person *bool // somebody stands there, as a sensor sees it; nil without one
}

// A Note is a sentence of the reader or scanner, such as "please lift the card".
// A screen shows it for some seconds after At.
type Note struct {
	Text kiosk.Text
	At   time.Time
}

const noteFor = 20 * time.Second // that a Note stays

// A Card is a presented identity card as far as a screen may know it.
type Card struct {
	Token     string     // names this presentation in a ticket request
	Name      string     // masked
	Class     string     // class that the card proves; empty for none
	ClassName kiosk.Text // its name
	Until     time.Time  // the token is void after this
	person    string
}

// An Outcome is a ticket or a refusal that came from a button, a code or a card,
// so that the screen can show it.
type Outcome struct {
	Issued  *kiosk.Issued
	Refusal *kiosk.Refusal
	Request string
	Channel kiosk.Channel
	At      time.Time
}

// Present shows a card on a kiosk's screen. person is the keyed hash of the
// number, name is masked, age in years.
func (d *Desk) Present(touch, person, name string, age int) {
	class := d.classOf(age)
	d.update(touch, func(s *Screen) {
		s.Note = nil
		s.Card = &Card{
			Token: rand.Text(), Name: name, Class: class, ClassName: d.className(class), person: person,
			Until: d.opts.Now().Add(2 * d.opts.Hall.Rules.WithDefaults().PrivacyAfter.Std()),
		}
	})
}

// Lift notes that the card was taken away; it stays on the screen until its token
// expires, for citizens lift their card as soon as it was read, and so does what
// the reader had to say about it.
func (d *Desk) Lift(touch string) { d.update(touch, func(*Screen) {}) }

// Forget wipes the card from a kiosk: the citizen has left.
func (d *Desk) Forget(touch string) {
	d.update(touch, func(s *Screen) { s.Card, s.Note = nil, nil })
}

// Somebody says whether somebody stands before a kiosk, as a sensor sees it. With
// the last one who leaves, card and note go as well.
func (d *Desk) Somebody(touch string, there bool) {
	d.update(touch, func(s *Screen) {
		s.Person = &there
		if !there {
			s.Card, s.Note = nil, nil
		}
	})
}

// Unwatched says that no sensor watches a kiosk, or not any more.
func (d *Desk) Unwatched(touch string) { d.update(touch, func(s *Screen) { s.Person = nil }) }

// Say puts a sentence on a kiosk's screen, such as "please lift the card".
func (d *Desk) Say(touch string, text kiosk.Text) {
	d.update(touch, func(s *Screen) { s.Note = &Note{text, d.opts.Now()} })
}

// Screen returns the present state of a kiosk's screen, and false when there is
// no such kiosk.
func (d *Desk) Screen(touch string) (Screen, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.screens[touch]
	if !ok {
		return Screen{}, false
	}
	if s.Card != nil && d.opts.Now().After(s.Card.Until) {
		s.Card = nil
	}
	if s.Note != nil && d.opts.Now().Sub(s.Note.At) > noteFor {
		s.Note = nil
	}
	return *s, true
}

// Watch returns a channel that becomes ready after any screen changed, and a
// function that ends the watch.
func (d *Desk) Watch() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watch[ch] = true
	return ch, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watch, ch)
	}
}

// Changed tells the screens that something they show, such as a printer's state,
// is no longer the same.
func (d *Desk) Changed() { d.update("", func(*Screen) {}) }

func (d *Desk) update(touch string, f func(*Screen)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.screens[touch]; s != nil {
		f(s)
	}
	for ch := range d.watch {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// tell puts the outcome on the kiosk's screen and forgets its card.
func (d *Desk) tell(in kiosk.Intent, issued kiosk.Issued, err error) {
	out := &Outcome{Channel: in.Channel, Request: in.Request, At: d.opts.Now()}
	var no *kiosk.Refusal
	switch {
	case err == nil:
		out.Issued = &issued
	case errors.As(err, &no):
		out.Refusal = no
	default:
		out.Refusal = &kiosk.Refusal{Code: "trouble", Text: kiosk.Text{ZH: "取号暂时不可用，请到咨询台", EN: "Tickets are not available at the moment; please ask at the desk"}}
	}
	d.update(in.Kiosk, func(s *Screen) {
		s.Last = out
		if err == nil {
			s.Card, s.Note = nil, nil
		}
	})
}
