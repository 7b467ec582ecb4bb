package hall

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"longcheng/kiosk"
)

// connect presents the box and reads states until the stream ends, which is
// always an error.
func (b *Box) connect(ctx context.Context) error {
	if err := b.hello(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(silence, func() { cancel(errors.New("the hall host is silent: look at the network")) })
	defer late.Stop()
	err := b.stream(ctx, func() { late.Reset(silence) })
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// present says hello at an address.
func (b *Box) present(ctx context.Context, at string, w *kiosk.Welcome) error {
	own, err := b.o.Store.Standing(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	h := kiosk.Hello{Joined: kiosk.Joined{Box: b.o.Store.Origin(), Seq: own.Seq, Places: b.places}, Seen: b.seen, Ranges: owned(b.o.Store)}
	b.mu.Unlock()
	return b.askAt(ctx, at, answerIn, pathHello, h, w)
}

// hello presents the box and drops the ranges that the host takes back.
func (b *Box) hello(ctx context.Context) error {
	b.mu.Lock()
	seen := b.seen.Term
	b.mu.Unlock()
	var w kiosk.Welcome
	if err := b.present(ctx, b.Address(), &w); err != nil {
		return err
	}
	b.mu.Lock()
	b.host = w.Host
	b.mu.Unlock()
	if w.Term < seen {
		return fmt.Errorf("the hall host is in term %d, and this box has seen term %d: another host decides now", w.Term, seen)
	}
	if seen > 0 && w.Term > seen {
		if err := b.o.Store.Doubt(ctx, fmt.Sprintf("the hall host is in term %d, after term %d", w.Term, seen)); err != nil {
			return err
		}
		b.nudge()
	}
	if len(w.Persons) > 0 && b.o.Persons != nil {
		if err := b.o.Persons(w.Persons); err != nil {
			return err
		}
	}
	if len(w.Void) == 0 {
		return nil
	}
	return b.o.Store.Hold(ctx, kiosk.Reserved{Void: w.Void, Why: w.Why})
}

// share is what the box asks the host to be told of.
func (b *Box) share() url.Values {
	q := url.Values{"steps": {"1"}}
	whole := b.o.Whole || len(b.places) == 0
	for _, p := range b.places {
		q.Add("surface", p.Name)
		whole = whole || p.Window == "" && len(p.Zones) == 0
	}
	if whole {
		return q
	}
	for _, w := range b.o.Hall.Windows {
		if slices.ContainsFunc(b.places, func(p kiosk.Place) bool { return p.Window == w.ID || slices.Contains(p.Zones, w.Zone) }) {
			q.Add("window", w.ID)
		}
	}
	for _, k := range b.o.Hall.Queues {
		if slices.ContainsFunc(b.places, func(p kiosk.Place) bool { return slices.Contains(p.Zones, k.Zone) }) {
			q.Add("queue", k.ID)
		}
	}
	return q
}

func (b *Box) stream(ctx context.Context, alive func()) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Address()+Base+pathState+"?"+b.share().Encode(), nil)
	if err != nil {
		return err
	}
	res, err := b.o.Client.Do(r)
	if err != nil {
		return fmt.Errorf("read the hall: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return readSaid(res, nil)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 4096), maxSaid)
	for lines.Scan() {
		alive()
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var s State
		if err := json.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("read the hall: %w: do both boxes have the same version?", err)
		}
		if err := b.receive(s); err != nil {
			return err
		}
	}
	return fmt.Errorf("read the hall: %w", errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}

// receive takes a state over.
func (b *Box) receive(s State) error {
	b.mu.Lock()
	s, err := s.onto(b.last)
	if err == nil && s.Standing.Term < b.seen.Term {
		err = fmt.Errorf("the hall host fell back to term %d", s.Standing.Term)
	}
	if err != nil {
		b.mu.Unlock()
		return err
	}
	if s.Standing.Term != b.seen.Term || s.Standing.Journal != b.seen.Journal {
		clear(b.acked) // calls are numbered by the journal
	}
	fresh := s.Standing.Term != b.seen.Term
	b.seen, b.last = s.Standing, s
	for name, seqs := range b.acked {
		for seq := range seqs {
			if !owes(s.Owed[name], seq) {
				delete(seqs, seq)
			}
		}
	}
	rose := !b.link.Up
	if rose {
		b.link = Link{Up: true, Since: b.o.Now()}
	}
	due := fresh || time.Since(b.saved) > 2*time.Second
	if due {
		b.saved = time.Now()
	}
	b.mu.Unlock()
	if due {
		if err := b.o.Save(s.Standing); err != nil {
			return fmt.Errorf("remember the host: %w", err)
		}
	}
	if rose {
		b.tellLink()
		b.nudge()
	}
	b.wake()
	return nil
}

func owes(calls []kiosk.Call, seq int64) bool {
	for _, c := range calls {
		if c.Seq == seq {
			return true
		}
	}
	return false
}

// down notes that the host is away.
func (b *Box) down(err error) {
	b.mu.Lock()
	fell := b.link.Up || b.link.Why != err.Error()
	since := b.link.Since
	if b.link.Up {
		since = b.o.Now()
	}
	b.link = Link{Since: since, Why: err.Error()}
	seen := b.seen
	b.mu.Unlock()
	if fell {
		b.tellLink()
		_ = b.o.Save(seen) // it is saved again with the next state
		b.wake()
	}
}

// Watch returns a channel that receives after changes, and the function that ends
// the watch.
func (b *Box) Watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers[c] = true
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, c)
	}
}

func (b *Box) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (b *Box) nudge() {
	select {
	case b.poke <- struct{}{}:
	default:
	}
}
