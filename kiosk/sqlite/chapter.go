package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"

	"longcheng/kiosk"
)

// chapters returns the origins of a journal, oldest first; the last is the one
// that is being written.
func chapters(ctx context.Context, q querier, present kiosk.Origin) ([]kiosk.Chapter, error) {
	list, err := collect(ctx, q, func(r *sql.Rows) (c kiosk.Chapter, err error) {
		return c, r.Scan(&c.Last, &c.Origin.Device, &c.Origin.Epoch)
	}, "SELECT last, device, epoch FROM chapter ORDER BY last")
	return append(list, kiosk.Chapter{Origin: present}), err
}

// chain is the hash of the event in row e.Seq, if it follows.
func (h *head) chain(e kiosk.Event) []byte {
	e.Seq -= h.base
	return e.Chain(h.hash)
}

// turn begins the next chapter where one ends.
func (h *head) turn(all []kiosk.Chapter) {
	for i, c := range all {
		if h.seq == 0 && i == 0 || i > 0 && all[i-1].Last == h.seq {
			h.base, h.hash = h.seq, c.Origin.Genesis()
		}
	}
}

// follows reports whether e is the next event of a journal with these chapters.
func (h *head) follows(e kiosk.Event, all []kiosk.Chapter) bool {
	h.turn(all)
	return e.Seq == h.seq+1 && bytes.Equal(h.chain(e), e.Hash)
}

// begun notes chapters that the journal goes on from.
func (t *tx) begun(past []kiosk.Chapter) error {
	for _, c := range past {
		if err := t.exec("INSERT INTO chapter (last, device, epoch) VALUES (?, ?, ?)", c.Last, c.Origin.Device, c.Origin.Epoch); err != nil {
			return err
		}
	}
	return nil
}

// rowOf is the row of event seq of an origin, if it is in this journal.
func (t *tx) rowOf(o kiosk.Origin, seq int64) (row int64, ok bool, err error) {
	all, err := chapters(context.Background(), t, t.s.origin)
	base := int64(0)
	for _, c := range all {
		end := c.Last
		if end == 0 {
			end = t.head.seq
		}
		if c.Origin == o {
			return base + seq, base+seq <= end, err
		}
		base = end
	}
	return 0, false, err
}

// errOtherPast answers a copy that is of another journal, or of another past.
var errOtherPast = refuse("other_past", "主机日志与副本不一致", "this copy is of another past of the journal: it has to be begun anew")

// Copy returns what follows a mark, at most limit events, for a copy of this
// journal on another box. A mark that is not in this journal is refused.
func (s *Store) Copy(ctx context.Context, m kiosk.Mark, limit int) (p kiosk.Page, err error) {
	err = s.read(ctx, func(q querier) error {
		h, err := readPlace(ctx, q, s.origin)
		if err != nil {
			return err
		}
		p.End = h.seq
		if p.Chapters, err = chapters(ctx, q, s.origin); err != nil {
			return err
		}
		if m.Row > 0 {
			if err := knows(ctx, q, p.Chapters, m); err != nil {
				return err
			}
		}
		p.Rows, err = events(ctx, q, m.Row, limit)
		return err
	})
	return p, err
}

func knows(ctx context.Context, q querier, all []kiosk.Chapter, m kiosk.Mark) error {
	for i, c := range m.Chapters {
		if i >= len(all) || all[i].Origin != c.Origin {
			return errOtherPast
		}
	}
	var hash []byte
	err := q.QueryRowContext(ctx, "SELECT hash FROM journal WHERE seq = ?", m.Row).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !bytes.Equal(hash, m.Hash) {
		return errOtherPast
	}
	return err
}

// A Past is a chapter that this journal goes on from, as an outbox ships it.
type Past struct {
	s       *Store
	chapter kiosk.Chapter
	base    int64
}

// Pasts returns the earlier chapters of this journal, oldest first.
func (s *Store) Pasts(ctx context.Context) (list []*Past, err error) {
	err = s.read(ctx, func(q querier) error {
		all, err := chapters(ctx, q, s.origin)
		base := int64(0)
		for _, c := range all[:len(all)-1] {
			list = append(list, &Past{s, c, base})
			base = c.Last
		}
		return err
	})
	return list, err
}

// Origin returns whose chapter it is.
func (p *Past) Origin() kiosk.Origin { return p.chapter.Origin }

// Last is the number of its last event.
func (p *Past) Last() int64 { return p.chapter.Last - p.base }

// Journal returns up to limit of its events after a position, in order.
func (p *Past) Journal(ctx context.Context, after int64, limit int) ([]kiosk.Event, error) {
	limit = min(max(limit, 0), 10_000, int(max(p.chapter.Last-p.base-after, 0)))
	return numbered(ctx, p.s.reader, p.base, after, limit)
}

// Watch returns a channel that never receives: nothing is added.
func (p *Past) Watch() (<-chan struct{}, func()) { return nil, func() {} }

// numbered returns events as their origin numbers them.
func numbered(ctx context.Context, q querier, base, after int64, limit int) ([]kiosk.Event, error) {
	list, err := events(ctx, q, base+after, limit)
	for i := range list {
		list[i].Seq -= base
	}
	return slices.Clip(list), err
}
