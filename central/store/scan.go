package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"longcheng/kiosk"
)

const scanPage = 2000 // events that are read at once

// Scan hands the events of some kinds that the journals of a hall hold between two
// times to f, journal by journal and in order. It ends with f's error.
func (s *Store) Scan(ctx context.Context, hall string, from, to time.Time, kinds []kiosk.Kind, f func(Origin, kiosk.Event) error) error {
	spans, err := s.spans(ctx, hall, from, to)
	if err != nil {
		return err
	}
	for _, p := range spans {
		if err := s.scan(ctx, p, kinds, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) scan(ctx context.Context, p span, kinds []kiosk.Kind, f func(Origin, kiosk.Event) error) error {
	for after := p.first - 1; ; {
		list, err := s.eventsOf(ctx, p.Origin, after, p.last-1, kinds)
		if err != nil {
			return err
		}
		for _, e := range list {
			after = e.Seq
			if err := f(p.Origin, e); err != nil {
				return err
			}
		}
		if len(list) < scanPage {
			return nil
		}
	}
}

// eventsOf returns the next events of some kinds after one seq and up to another.
func (s *Store) eventsOf(ctx context.Context, o Origin, after, last int64, kinds []kiosk.Kind) ([]kiosk.Event, error) {
	marks := make([]string, len(kinds))
	args := []any{o.id(), after, last}
	for i, k := range kinds {
		args = append(args, string(k))
		marks[i] = fmt.Sprint("$", len(args))
	}
	where := fmt.Sprintf("origin = $1 AND seq > $2 AND seq <= $3 AND kind IN (%s) ORDER BY seq LIMIT %d", strings.Join(marks, ", "), scanPage)
	return eventsWhere(ctx, s.read, where, args...)
}

// Since returns what the journals of a hall have got after cursors, in order of
// each journal, and moves the cursors on. A journal without a cursor begins at a
// time.
func (s *Store) Since(ctx context.Context, hall string, begin time.Time, kinds []kiosk.Kind, cursors map[kiosk.Origin]int64, f func(kiosk.Origin, kiosk.Event)) error {
	spans, err := s.spans(ctx, hall, begin, s.now().Add(time.Hour))
	if err != nil {
		return err
	}
	for _, p := range spans {
		if at, ok := cursors[p.Origin.Origin]; ok {
			p.first = at + 1
		}
		if p.first >= p.last {
			continue
		}
		err := s.scan(ctx, p, kinds, func(o Origin, e kiosk.Event) error { f(o.Origin, e); return nil })
		if err != nil {
			return err
		}
		cursors[p.Origin.Origin] = p.last - 1
	}
	return nil
}
