package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"strings"
	"time"

	"longcheng/kiosk"
)

// maxLife bounds what one search reads of a journal.
const maxLife = 5000

// An Entry is one event of a ticket's life, and its proof.
type Entry struct {
	Device string
	Epoch  int64
	kiosk.Event
	Chained bool // the hash follows from the event before
}

// Life returns everything that the journals of a hall say of the ticket that had
// a number on a day, in order of time. Other visits' events are not in it.
func (s *Store) Life(ctx context.Context, hall string, day kiosk.Day, number string) ([]Entry, error) {
	from, err := time.Parse(time.DateOnly, string(day))
	if err != nil || number == "" {
		return nil, nil
	}
	spans, err := s.spans(ctx, hall, from.Add(-24*time.Hour), from.Add(72*time.Hour))
	if err != nil {
		return nil, err
	}
	visits, err := s.visitsOf(ctx, spans, day, number)
	if err != nil {
		return nil, err
	}
	var life []Entry
	for _, p := range spans {
		found, err := s.lifeIn(ctx, p, visits)
		if err != nil {
			return nil, err
		}
		life = append(life, found...)
	}
	sort.SliceStable(life, func(i, k int) bool { return life[i].At.Before(life[k].At) })
	return life, nil
}

// A span is a stretch of a journal.
type span struct {
	Origin
	first, last int64
}

// spans finds the stretches of a hall's journals between two times. Times of a
// journal never go back, so they are found by halving.
func (s *Store) spans(ctx context.Context, hall string, from, to time.Time) ([]span, error) {
	list, err := collect(ctx, s.read, func(r *sql.Rows) (p span, err error) {
		return p, r.Scan(&p.Hall, &p.Device, &p.Epoch, &p.last)
	}, "SELECT hall, device, epoch, through FROM origin WHERE hall = $1 AND at >= $2 ORDER BY device, epoch", hall, from.UnixMilli())
	if err != nil {
		return nil, err
	}
	for i := range list {
		p := &list[i]
		n := p.last
		if p.first, err = s.firstAt(ctx, p.id(), n, from.UnixMilli()); err != nil {
			return nil, err
		}
		if p.last, err = s.firstAt(ctx, p.id(), n, to.UnixMilli()); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// firstAt returns the first seq of n whose time is at or after a time; n + 1 if
// there is none.
func (s *Store) firstAt(ctx context.Context, origin, n, at int64) (int64, error) {
	var broken error
	i := sort.Search(int(n), func(i int) bool {
		var t int64
		err := s.read.QueryRowContext(ctx, "SELECT at FROM event WHERE origin = $1 AND seq = $2", origin, i+1).Scan(&t)
		if err != nil {
			broken = err
		}
		return t >= at
	})
	return int64(i) + 1, broken
}

// visitsOf returns the ids of the visits that had a number on a day: one, unless
// something is very wrong.
func (s *Store) visitsOf(ctx context.Context, spans []span, day kiosk.Day, number string) (ids []string, err error) {
	for _, p := range spans {
		list, err := s.search(ctx, p, "kind = 'issued'", number)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			var i kiosk.Issued
			if json.Unmarshal(e.Body, &i) == nil && i.Visit.Day == day && i.Visit.Number == number && i.Visit.ID != "" && !slices.Contains(ids, i.Visit.ID) {
				ids = append(ids, i.Visit.ID)
			}
		}
	}
	return ids, nil
}

// search returns the events of a stretch whose body holds a text.
func (s *Store) search(ctx context.Context, p span, where, text string) ([]kiosk.Event, error) {
	like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
	return eventsWhere(ctx, s.read, "origin = $1 AND seq >= $2 AND seq <= $3 AND "+where+` AND body LIKE $4 ESCAPE '\' ORDER BY seq LIMIT $5`,
		p.id(), p.first, p.last, like, maxLife)
}

func (s *Store) lifeIn(ctx context.Context, p span, visits []string) (life []Entry, err error) {
	calls := map[int64]bool{}
	var events []kiosk.Event
	for _, v := range visits {
		list, err := s.search(ctx, p, "kind <> 'delivered'", v)
		if err != nil {
			return nil, err
		}
		events = append(events, list...)
	}
	for _, e := range events {
		var c kiosk.Call
		if e.Kind == kiosk.KindCalled && json.Unmarshal(e.Body, &c) == nil {
			calls[c.Seq] = true
		}
	}
	shown, err := s.deliveries(ctx, p, events, calls)
	if err != nil {
		return nil, err
	}
	for _, e := range append(events, shown...) {
		ok, err := s.chained(ctx, p, e)
		if err != nil {
			return nil, err
		}
		life = append(life, Entry{p.Device, p.Epoch, e, ok})
	}
	return life, nil
}

// deliveries returns the acknowledgements of calls by what shows them.
func (s *Store) deliveries(ctx context.Context, p span, events []kiosk.Event, calls map[int64]bool) ([]kiosk.Event, error) {
	if len(calls) == 0 {
		return nil, nil
	}
	i := slices.IndexFunc(events, func(e kiosk.Event) bool { return e.Kind == kiosk.KindCalled })
	p.first = events[i].Seq
	list, err := s.search(ctx, p, "kind = 'delivered'", "")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(e kiosk.Event) bool {
		var d kiosk.Delivered
		return json.Unmarshal(e.Body, &d) != nil || !slices.ContainsFunc(d.Calls, func(n int64) bool { return calls[n] })
	}), nil
}

// chained recomputes the hash of an event from the event before it.
func (s *Store) chained(ctx context.Context, p span, e kiosk.Event) (bool, error) {
	prev := p.Genesis()
	if e.Seq > 1 {
		err := s.read.QueryRowContext(ctx, "SELECT hash FROM event WHERE origin = $1 AND seq = $2", p.id(), e.Seq-1).Scan(&prev)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
	}
	return bytes.Equal(e.Chain(prev), e.Hash), nil
}
