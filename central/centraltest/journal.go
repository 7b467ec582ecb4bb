// Package centraltest is what tests of the centre need: a journal in memory, and
// a wire that loses, doubles, delays and reorders.
package centraltest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"longcheng/kiosk"
)

// A Journal is a journal in memory, chained like a real one.
type Journal struct {
	origin kiosk.Origin
	at     func(seq int) time.Time

	mu       sync.Mutex
	events   []kiosk.Event
	watchers map[chan struct{}]bool
}

// NewJournal begins a journal with n events.
func NewJournal(device string, epoch int64, n int) *Journal {
	j := NewJournalAt(device, epoch, func(seq int) time.Time { return time.UnixMilli(1_770_000_000_000 + int64(seq)*731).UTC() })
	j.Fill(n)
	return j
}

// NewJournalAt begins a journal whose events have times that follow from their
// seq.
func NewJournalAt(device string, epoch int64, at func(seq int) time.Time) *Journal {
	return &Journal{origin: kiosk.Origin{Device: device, Epoch: epoch}, at: at, watchers: map[chan struct{}]bool{}}
}

// Fill appends n events whose bodies look like real ones.
func (j *Journal) Fill(n int) {
	for range n {
		seq := j.Len() + 1
		j.Append(kiosk.KindMoved, kiosk.Moved{Action: kiosk.DoDone, By: "li", Reason: "<办结> & more", Leg: kiosk.Leg{
			ID: int64(seq), Visit: fmt.Sprintf("%s%017d", "vst", seq), Number: fmt.Sprintf("A%03d", seq%1000), Item: "yyzz", Queue: "A",
			State: kiosk.Served, Arrival: j.at(seq), Virtual: j.at(seq), Since: j.at(seq), Window: "12", Call: int64(seq),
		}})
	}
}

// Append adds one event.
func (j *Journal) Append(kind kiosk.Kind, body any) kiosk.Event {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return j.AppendRaw(kind, string(b))
}

// AppendRaw adds one event with exactly this body.
func (j *Journal) AppendRaw(kind kiosk.Kind, body string) kiosk.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	seq := len(j.events) + 1
	e := kiosk.Event{Seq: int64(seq), At: j.at(seq), Kind: kind, Body: json.RawMessage(body)}
	if seq%3 == 0 {
		e.Request, e.Answer = fmt.Sprint("request-", seq), json.RawMessage(`{"digest":"AAAA"}`)
	}
	prev := j.origin.Genesis()
	if seq > 1 {
		prev = j.events[seq-2].Hash
	}
	e.Hash = e.Chain(prev)
	j.events = append(j.events, e)
	for c := range j.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	return e
}

// Restore forgets what came after n, as a restored backup does.
func (j *Journal) Restore(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = j.events[:n:n]
}

// Len returns how many events there are.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.events)
}

// Slice returns events first to last.
func (j *Journal) Slice(first, last int) []kiosk.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]kiosk.Event(nil), j.events[first-1:last]...)
}

// Origin names the journal.
func (j *Journal) Origin() kiosk.Origin { return j.origin }

// Journal returns up to limit events after a position.
func (j *Journal) Journal(_ context.Context, after int64, limit int) ([]kiosk.Event, error) {
	n := j.Len()
	if after >= int64(n) {
		return nil, nil
	}
	return j.Slice(int(after)+1, min(n, int(after)+limit)), nil
}

// Watch returns a channel that receives after an append.
func (j *Journal) Watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.watchers[c] = true
	return c, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.watchers, c)
	}
}
