package idcard

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"

	"longcheng/device"
)

// A Problem is why a card could not be read.
type Problem string

// The problems that need somebody's attention.
const (
	None        Problem = ""
	Moved       Problem = "moved"        // lifted too early, or not readable: lift it and present it again
	Damaged     Problem = "damaged"      // data failed its checks: lift it and present it again
	Counterfeit Problem = "counterfeit"  // the card did not prove itself genuine: a security event
	WrongCard   Problem = "wrong card"   // no identity document
	Unsupported Problem = "unsupported"  // a document of a kind not known here
	OutOfOrder  Problem = "out of order" // the reader itself refuses to work: call service
)

// An Event is a change at the reader. One of Card, Removed, Lift and Problem is
// set.
type Event struct {
	Card    *Card // a card was read; Run wipes it when the handler returns
	Again   bool  // with Card: the same as a moment ago, so the same visitor
	Removed bool  // the card was lifted
	Lift    bool  // the card still lies there: ask to lift it
	Problem Problem
}

// Timing of the life of a card. Makers say: find no more often than every 300 ms.
const (
	pollEvery   = 400 * time.Millisecond
	pollIdle    = time.Second      // when no card has come for
	idleAfter   = 10 * time.Minute // this long
	liftedAfter = time.Second
	liftedPolls = 2
	liftWithin  = 10 * time.Second // a card that lies longer is asked to be lifted
	sameVisit   = 3 * time.Second
	pickTries   = 3
	resetRest   = time.Second
)

// A Reader owns one reader through its link. Set the fields before Run; the
// functions run in its goroutine.
//
// A card has one event per presentation. From then on it is held: whatever the
// module says of it means nothing until it has been away for a second and two
// polls. Some modules do not see a card that they have read, others see it again
// and again.
type Reader struct {
	Whole         bool                // hand over every field, with the newest address, instead of what a queue needs
	OnModule      func(id string)     // the number of the module, whenever its port was opened
	OnCounterfeit func(answer Status) // a card did not prove itself genuine; the event follows

	link   *device.Link
	module Module
	opens  uint64 // of the link, when the module was last greeted
	key    []byte // of the marks, random per Reader

	held    bool      // a card was dealt with and has not been lifted
	since   time.Time // when that began
	asked   bool      // Lift was said
	away    int       // polls without a card in a row, while held
	awayAt  time.Time // the first of them
	seen    time.Time // when a card was last there
	mark    []byte    // keyed hash of the last card's number
	failed  int       // selects that failed in a row
	refused bool      // the reader said that it is out of order
}

// NewReader returns a reader on link. Nothing is sent yet.
func NewReader(link *device.Link) *Reader {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return &Reader{link: link, key: key, seen: time.Now()}
}

// Run polls until ctx ends and hands every event to handle, in its own
// goroutine. Broken wires are the link's to report; Run goes on after them.
func (r *Reader) Run(ctx context.Context, handle func(Event)) error {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		t.Reset(device.OnBeat(r.pause()))
		var ev Event
		err := r.link.Do(ctx, func(p device.Port) (err error) {
			r.module.port = p
			ev, err = r.poll(ctx)
			return err
		})
		r.module.wipe()
		if err == nil && ev != (Event{}) {
			handle(ev)
		}
		if ev.Card != nil {
			ev.Card.Wipe()
		}
	}
}

// pause is longer when nobody has come for a while.
func (r *Reader) pause() time.Duration {
	if !r.held && time.Since(r.seen) > idleAfter {
		return pollIdle
	}
	return pollEvery
}

// poll makes one round: find, select, read.
func (r *Reader) poll(ctx context.Context) (Event, error) {
	if err := r.greet(ctx); err != nil {
		return r.said(err)
	}
	found, err := r.module.Find(ctx)
	if err != nil {
		return r.said(err)
	}
	r.refused = false
	if !found {
		return r.nothing(), nil
	}
	r.seen = time.Now()
	if r.held {
		r.away = 0
		return r.linger(), nil
	}
	return r.take(ctx)
}

// greet asks for the module's number once after every opening of the port.
func (r *Reader) greet(ctx context.Context) error {
	opens := r.link.Health().Opens
	if r.OnModule == nil || r.opens == opens {
		return nil
	}
	id, err := r.module.ID(ctx)
	var no Status
	switch {
	case err == nil:
		r.OnModule(id)
	case !errors.As(err, &no) || no.Broken():
		return err
	}
	r.opens = opens
	return nil
}

// said sorts what went wrong before a card was taken: the wire's errors are the
// link's, a module that is out of order says so once, and any other answer is
// asked again at the next poll.
func (r *Reader) said(err error) (Event, error) {
	var no Status
	if !errors.As(err, &no) {
		return Event{}, err
	}
	if !no.Broken() || r.refused {
		return Event{}, nil
	}
	r.refused = true
	return Event{Problem: OutOfOrder}, nil
}

// nothing notes that no card was found.
func (r *Reader) nothing() Event {
	r.failed = 0
	if !r.held {
		return Event{}
	}
	if r.away++; r.away == 1 {
		r.awayAt = time.Now()
	}
	if r.away < liftedPolls || time.Since(r.awayAt) < liftedAfter {
		return Event{}
	}
	r.held, r.away = false, 0
	return Event{Removed: true}
}

// linger asks once to lift a card that stays.
func (r *Reader) linger() Event {
	if r.asked || time.Since(r.since) < liftWithin {
		return Event{}
	}
	r.asked = true
	return Event{Lift: true}
}

// take selects and reads a card that was found.
func (r *Reader) take(ctx context.Context) (Event, error) {
	if err := r.module.Select(ctx); err != nil {
		return r.notSelected(err)
	}
	c, err := r.module.Read(ctx)
	if err != nil {
		return r.notRead(ctx, err)
	}
	r.complete(ctx, &c)
	again := r.again(c)
	return r.hold(Event{Card: &c, Again: again}), nil
}

// notSelected tries again at the next poll, three times.
func (r *Reader) notSelected(err error) (Event, error) {
	var no Status
	if !errors.As(err, &no) {
		return Event{}, err
	}
	if r.failed++; r.failed < pickTries && !no.Counterfeit() && !no.Broken() {
		return Event{}, nil
	}
	return r.hold(Event{Problem: r.problem(err)}), nil
}

// notRead says why a card was not read. The module is asked how it is, and
// started anew if it is not well: some stay stuck after a failed read.
func (r *Reader) notRead(ctx context.Context, err error) (Event, error) {
	if device.IsWire(err) && !errors.Is(err, ErrGarbled) || ctx.Err() != nil {
		return Event{}, err
	}
	ev := r.hold(Event{Problem: r.problem(err)})
	var no Status
	if !errors.As(err, &no) || no.Counterfeit() || no == WrongType {
		return ev, nil
	}
	if errors.As(r.module.Status(ctx), &no) {
		_ = r.module.Reset(ctx)          // the next poll shows whether it helped
		_ = device.Sleep(ctx, resetRest) // the next poll sees the end of ctx
	}
	return ev, nil
}

// complete adds the newest address, or takes away what was not asked for. When
// there is none, or it cannot be read any more, the printed one stands.
func (r *Reader) complete(ctx context.Context, c *Card) {
	if !r.Whole {
		c.Lean()
		return
	}
	if c.Kind != Resident && c.Kind != Permit {
		return
	}
	if newest, err := r.module.Address(ctx); err == nil {
		c.Address.Wipe()
		c.Address = newest
	}
}

// again reports whether this is the card that was here a moment ago, and
// remembers it, as a keyed hash.
func (r *Reader) again(c Card) bool {
	h := hmac.New(sha256.New, r.key)
	number := []byte(c.Number.Reveal())
	h.Write(number)
	clear(number)
	mark := h.Sum(nil)
	same := hmac.Equal(mark, r.mark) && time.Since(r.awayAt) < sameVisit
	r.mark = mark
	return same
}

// hold remembers that this card has had its answer: it must be lifted before
// the next, which the makers also demand after a failed read.
func (r *Reader) hold(e Event) Event {
	r.held, r.since, r.asked, r.away, r.failed = true, time.Now(), false, 0, 0
	return e
}

func (r *Reader) problem(err error) Problem {
	var no Status
	switch errors.As(err, &no); {
	case errors.Is(err, ErrUnsupported):
		return Unsupported
	case errors.Is(err, ErrDamaged), errors.Is(err, ErrGarbled):
		return Damaged
	case no.Counterfeit():
		if r.OnCounterfeit != nil {
			r.OnCounterfeit(no)
		}
		return Counterfeit
	case no == WrongType:
		return WrongCard
	case no.Broken():
		return OutOfOrder
	}
	return Moved // 31, 41, 47 and what the notes do not list
}
