package central

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"longcheng/kiosk"
)

// A Journal is what an outbox ships from. Journal returns up to limit events
// after a position, in order. Watch returns a channel that receives after events
// were added (several may become one) and a function that ends the watch.
type Journal interface {
	Origin() kiosk.Origin
	Journal(ctx context.Context, after int64, limit int) ([]kiosk.Event, error)
	Watch() (<-chan struct{}, func())
}

// Shipping is how a journal stands with the centre.
type Shipping struct {
	Through int64     // committed by the centre, as far as it has said
	State   string    // one of the Ship constants
	Fault   string    // why, when State is ShipCut or ShipRefused
	Since   time.Time // when State was entered
}

// The states of shipping.
const (
	ShipStarting = "starting" // the centre has not answered yet
	ShipCurrent  = "current"  // the centre has everything
	ShipBehind   = "behind"   // catching up
	ShipCut      = "cut off"  // the centre cannot be reached; tried again with backoff
	ShipRefused  = "refused"  // the centre will not take this journal: somebody has to look
)

// OutboxOptions are the parts of an Outbox. Journal, Client and Backoff are
// required.
type OutboxOptions struct {
	Journal  Journal
	Closed   bool // nothing is added to it here; whose it was may have gone on with it
	Client   *Client
	Backoff  func(fails int) time.Duration // wait before the next try; with full jitter
	Rate     int                           // events a second while catching up; 0 means 1000, so that issuing tickets is not hurt
	Linger   time.Duration                 // wait for more events after the first; 0 means 50 ms
	Stubborn time.Duration                 // wait after a refusal; 0 means 10 min
	Ask      time.Duration                 // so often the centre is asked where it stands; 0 means 10 min
	OnChange func(Shipping)                // hears every change of State; must not block
	OnFork   func(error)                   // hears that the centre knows another past of this journal; nil: nobody
	Now      func() time.Time              // nil means time.Now
}

// An Outbox ships a journal to the centre. It keeps nothing of its own: where to
// go on is what the centre answers, so that a centre that was restored from a
// backup is filled again.
type Outbox struct {
	o OutboxOptions

	mu   sync.Mutex
	ship Shipping
}

// NewOutbox makes an outbox; Run ships.
func NewOutbox(o OutboxOptions) (*Outbox, error) {
	if o.Journal == nil || o.Client == nil || o.Backoff == nil {
		return nil, errors.New("outbox: journal, client or backoff is missing: give all three")
	}
	if o.Rate <= 0 {
		o.Rate = 1000
	}
	if o.Linger <= 0 {
		o.Linger = 50 * time.Millisecond
	}
	if o.Stubborn <= 0 {
		o.Stubborn = 10 * time.Minute
	}
	if o.Ask <= 0 {
		o.Ask = 10 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Outbox{o: o, ship: Shipping{State: ShipStarting, Since: o.Now()}}, nil
}

// Shipping returns how the journal stands.
func (x *Outbox) Shipping() Shipping {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.ship
}

// Run ships until ctx ends.
func (x *Outbox) Run(ctx context.Context) error {
	news, stop := x.o.Journal.Watch()
	defer stop()
	through, fails, asked := int64(-1), 0, time.Now() // -1: ask the centre
	for {
		next, more, err := x.step(ctx, through)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		through = next
		if err != nil {
			fails++
			x.failed(err)
			sleep(ctx, x.delay(err, fails))
			continue
		}
		fails = 0
		if more > 0 {
			x.became(ShipBehind, "", through)
			sleep(ctx, time.Duration(more)*time.Second/time.Duration(x.o.Rate))
			continue
		}
		x.became(ShipCurrent, "", through)
		x.quiet(ctx, news)
		if time.Since(asked) > x.o.Ask { // it may have been restored from a backup
			through, asked = -1, time.Now()
		}
		sleep(ctx, x.o.Linger)
	}
}

// step ships one batch. It returns where the centre stands then, and how many
// events were shipped if there are more.
func (x *Outbox) step(ctx context.Context, through int64) (next int64, more int, err error) {
	if through < 0 {
		if through, err = x.stand(ctx); err != nil {
			return -1, 0, err
		}
	}
	events, err := x.o.Journal.Journal(ctx, through, MaxEvents)
	if err != nil || len(events) == 0 {
		return through, 0, err
	}
	b := Batch{Sent: x.o.Now(), Events: fit(events)}
	b.More = len(b.Events) < len(events) || len(events) == MaxEvents
	a, err := x.o.Client.Push(ctx, x.o.Journal.Origin(), b)
	switch last := b.Events[len(b.Events)-1].Seq; {
	case isGap(err):
		return -1, 0, err
	case err != nil:
		return through, 0, err
	case a.Through > last:
		return -1, 1, nil // it knows more than was sent: ask again and compare
	case a.Through < last || b.More:
		return a.Through, len(b.Events), nil
	}
	return a.Through, 0, nil
}

func isGap(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == CodeGap
}

// errAhead means that the centre has what this journal has not.
var errAhead = errors.New("the centre has events that this journal has lost: the store is an old copy: it has to begin a new epoch (kioskctl restore)")

// stand asks where to go on. If the centre has another past, the event where it
// shows is sent once more, so that the centre sees the conflict.
func (x *Outbox) stand(ctx context.Context) (int64, error) {
	a, err := x.o.Client.Stand(ctx, x.o.Journal.Origin())
	if err != nil || a.Through <= 0 {
		return 0, err
	}
	last, err := x.o.Journal.Journal(ctx, a.Through-1, 1)
	switch {
	case err != nil:
		return -1, err
	case len(last) == 0 && x.o.Closed:
		return a.Through, nil
	case len(last) == 0:
		return -1, errAhead
	case !bytes.Equal(last[0].Hash, a.Hash):
		return a.Through - 1, nil
	}
	return a.Through, nil
}

func (x *Outbox) failed(err error) {
	state := ShipCut
	if stubborn(err) {
		state = ShipRefused
	}
	x.became(state, err.Error(), -1)
	if x.o.OnFork != nil && !x.o.Closed && forked(err) {
		x.o.OnFork(err)
	}
}

// forked reports whether the centre knows another past: the store is an old copy,
// or has gone on from one.
func forked(err error) bool {
	var p *Problem
	return errors.Is(err, errAhead) || errors.As(err, &p) && p.Code == CodeConflict
}

func stubborn(err error) bool { return Final(err) || errors.Is(err, errAhead) }

func (x *Outbox) delay(err error, fails int) time.Duration {
	if stubborn(err) {
		return x.o.Stubborn
	}
	wait := x.o.Backoff(fails - 1)
	var p *Problem
	if errors.As(err, &p) {
		wait = max(wait, time.Duration(min(p.Wait, 600))*time.Second)
	}
	return wait
}

// quiet waits for news, or for the end.
func (x *Outbox) quiet(ctx context.Context, news <-chan struct{}) {
	select {
	case <-news:
	case <-time.After(min(time.Minute, x.o.Ask)): // a lost signal costs a minute
	case <-ctx.Done():
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (x *Outbox) became(state, fault string, through int64) {
	x.mu.Lock()
	was := x.ship
	if state != was.State {
		x.ship.Since = x.o.Now()
	}
	x.ship.State, x.ship.Fault = state, fault
	if through >= 0 {
		x.ship.Through = through
	}
	now := x.ship
	x.mu.Unlock()
	if x.o.OnChange != nil && (was.State != now.State || was.Fault != now.Fault && state == ShipRefused) {
		x.o.OnChange(now)
	}
}

// String says the state in one sentence.
func (s Shipping) String() string {
	if s.Fault != "" {
		return fmt.Sprintf("%s through %d: %s", s.State, s.Through, s.Fault)
	}
	return fmt.Sprintf("%s through %d", s.State, s.Through)
}
