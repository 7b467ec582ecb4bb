package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"longcheng/kiosk"
)

// Standing returns how far this host has come: what its boxes remember.
func (s *Store) Standing(ctx context.Context) (st kiosk.Standing, err error) {
	err = s.read(ctx, func(q querier) error {
		h, err := readPlace(ctx, q, s.origin)
		st = kiosk.Standing{Hall: s.hall.ID, Journal: s.origin, Seq: h.seq - h.base, Hash: h.hash, Day: h.day}
		return err
	})
	m := s.mem.Load()
	m.mu.RLock()
	defer m.mu.RUnlock()
	st.Term, st.Host = max(1, m.term), cmp.Or(m.host, s.self)
	st.Numbers, st.Tops = map[string]int{}, map[string]int{}
	for p, n := range m.numbers {
		st.Numbers[p] = n
	}
	for p, list := range m.ranges {
		st.Tops[p] = max(m.tops[p], topOf(list))
	}
	return st, err
}

func topOf(list []held) (top int) {
	for _, r := range list {
		top = max(top, r.High)
	}
	return top
}

// Meet notes a box that presents itself. A host that learns from it that it was
// set back begins a new term behind everything that was ever seen. A box that
// was itself set back loses its ranges.
func (s *Store) Meet(ctx context.Context, h kiosk.Hello) (w kiosk.Welcome, err error) {
	err = s.do(ctx, func(t *tx) error {
		w = kiosk.Welcome{}
		if err := t.today(); err != nil {
			return err
		}
		if err := t.heardOfAnother(h.Seen); err != nil {
			return err
		}
		known, err := t.box(h.Box.Device)
		if err != nil {
			return err
		}
		if h.Box.Epoch < known.Box.Epoch {
			return refuse("old_epoch", "该设备已被替换", "another box has taken the place of this one: take it out of the hall")
		}
		if err := t.learn(h.Seen); err != nil {
			return err
		}
		if err := t.meetRanges(h, known, &w); err != nil {
			return err
		}
		w.Term = max(1, t.mem.term)
		return t.meetPlaces(h, known)
	})
	return w, err
}

type knownBox struct {
	kiosk.Joined
	at time.Time
}

func (t *tx) box(device string) (b knownBox, err error) {
	var at int64
	var places string
	b.Box.Device = device
	err = t.QueryRowContext(context.Background(), "SELECT epoch, seq, at, places FROM box WHERE device = ?", device).
		Scan(&b.Box.Epoch, &b.Seq, &at, &places)
	if errors.Is(err, sql.ErrNoRows) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(places), &b.Places)
	}
	b.at = fromMilli(at)
	return b, err
}

// learn compares what a box has seen of the host with what the host is.
func (t *tx) learn(seen kiosk.Standing) error {
	if seen.Hall != t.s.hall.ID || seen.Seq == 0 {
		return nil
	}
	lost, err := t.setBack(seen)
	if err != nil {
		return err
	}
	if !lost {
		return nil
	}
	b := kiosk.Term{Term: max(1, t.mem.term), Host: t.s.self, Day: max(t.head.day, seen.Day), Numbers: map[string]int{}, Tops: map[string]int{}}
	first := seen.Term >= b.Term // else it was learned from another box
	for p, n := range seen.Numbers {
		if had := t.mem.numbers[p]; seen.Day >= t.head.day && (first || n > had) {
			b.Numbers[p] = max(n, had) + setBackGap
		}
	}
	for p, n := range seen.Tops {
		if had := max(t.mem.tops[p], topOf(t.mem.ranges[p])); first || n > had {
			b.Tops[p] = max(n, had) + setBackGap
		}
	}
	if first {
		b.Term = seen.Term + 1
	} else if len(b.Numbers)+len(b.Tops) == 0 {
		return nil
	}
	b.Why = fmt.Sprintf("a box has seen term %d, event %d of %s epoch %d, which is not in this journal: the host was set back", seen.Term, seen.Seq, seen.Journal.Device, seen.Journal.Epoch)
	return t.append(kiosk.KindTerm, t.time(), b, "", nil)
}

// setBack reports whether the host once knew more than its journal says.
func (t *tx) setBack(seen kiosk.Standing) (bool, error) {
	row, ok, err := t.rowOf(seen.Journal, seen.Seq)
	if err != nil || !ok || seen.Term > max(1, t.mem.term) {
		return true, err
	}
	var hash []byte
	err = t.QueryRowContext(context.Background(), "SELECT hash FROM journal WHERE seq = ?", row).Scan(&hash)
	return !bytes.Equal(hash, seen.Hash), err
}

func (t *tx) applyTerm(b kiosk.Term) error {
	err := t.exec("INSERT OR REPLACE INTO term (one, term, host) VALUES (1, ?, ?)", b.Term, b.Host)
	if err != nil {
		return err
	}
	for what, list := range map[string]map[string]int{"number": b.Numbers, "range": b.Tops} {
		for p, n := range list {
			err := t.exec(`INSERT INTO floor (what, prefix, day, n) VALUES (?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET day = excluded.day, n = max(excluded.n, CASE WHEN day = excluded.day OR what = 'range' THEN n ELSE 0 END)`,
				what, p, string(b.Day), n)
			if err != nil {
				return err
			}
		}
	}
	t.mem.newTerm(b, t.head.day)
	return nil
}

func (m *memory) newTerm(b kiosk.Term, today kiosk.Day) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.term, m.host = b.Term, b.Host
	for p, n := range b.Numbers {
		m.floor("number", p, b.Day, n, today)
	}
	for p, n := range b.Tops {
		m.floor("range", p, b.Day, n, today)
	}
}

// meetRanges takes over ranges that the host has forgotten, and takes back those
// of a box that has forgotten what it gave.
func (t *tx) meetRanges(h kiosk.Hello, known knownBox, w *kiosk.Welcome) error {
	var b kiosk.Reserved
	back := h.Box == known.Box && h.Seq < known.Seq
	for _, r := range h.Ranges {
		list := t.mem.ranges[r.Prefix]
		switch {
		case r.Owner != h.Box || r.Low < 1 || r.High < r.Low || r.High-r.Low >= reserveLargest:
			return refuse("not_allowed", "号段无效", "the box claims a range that is not its own")
		case back:
			b.Void = append(b.Void, r)
		case slices.ContainsFunc(list, func(o held) bool { return o.Range == r }):
		case slices.ContainsFunc(list, func(o held) bool { return o.Overlaps(r) }):
			b.Void = append(b.Void, r)
		default:
			b.Ranges = append(b.Ranges, r)
		}
	}
	if len(b.Ranges)+len(b.Void) == 0 {
		return nil
	}
	b.Why = "the host had forgotten them"
	if len(b.Void) > 0 {
		b.Why = "the box was set back, or its numbers were granted again"
	}
	w.Void, w.Why = b.Void, b.Why
	return t.append(kiosk.KindReserved, t.time(), b, "", nil)
}

func (t *tx) meetPlaces(h kiosk.Hello, known knownBox) error {
	at := t.time()
	same := h.Box == known.Box && slices.EqualFunc(h.Places, known.Places, samePlace)
	if same && at.Sub(known.at) < time.Minute {
		return nil
	}
	b := h.Joined
	if h.Box == known.Box {
		b.Seq = max(b.Seq, known.Seq)
	}
	return t.append(kiosk.KindJoined, at, b, "", nil)
}

func samePlace(a, b kiosk.Place) bool {
	return a.Name == b.Name && a.Window == b.Window && slices.Equal(a.Zones, b.Zones)
}

func (t *tx) applyJoined(b kiosk.Joined, at time.Time) error {
	places, err := json.Marshal(b.Places)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO box (device, epoch, seq, at, places) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, at = excluded.at, places = excluded.places`,
		b.Box.Device, b.Box.Epoch, b.Seq, milli(at), string(places))
}

// Boxes returns the boxes that have joined this host since a time.
func (s *Store) Boxes(ctx context.Context, since time.Time) (list []kiosk.Joined, err error) {
	err = s.read(ctx, func(q querier) error {
		list, err = collect(ctx, q, func(r *sql.Rows) (b kiosk.Joined, err error) {
			var places string
			if err := r.Scan(&b.Box.Device, &b.Box.Epoch, &b.Seq, &places); err != nil {
				return b, err
			}
			return b, json.Unmarshal([]byte(places), &b.Places)
		}, "SELECT device, epoch, seq, places FROM box WHERE at >= ? ORDER BY device", milli(since))
		return err
	})
	return list, err
}
