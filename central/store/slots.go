package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"longcheng/central"
)

// A Slot is a time at which so many people may come for an item.
type Slot struct {
	Hall     string
	Item     string
	At       time.Time
	Minutes  int
	Capacity int
	Taken    int
}

// Free is how many may still book it.
func (s Slot) Free() int { return s.Capacity - s.Taken }

// OpenSlots makes slots, or changes those that there are; all or none. A capacity
// below what is taken is refused: cancel first. It returns how many there were.
func (s *Store) OpenSlots(ctx context.Context, list []Slot, by string) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		for _, x := range list {
			var taken int
			err := tx.QueryRowContext(ctx, "SELECT taken FROM slot WHERE hall = $1 AND at = $2 AND item = $3"+s.lock, x.Hall, milli(x.At), x.Item).Scan(&taken)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if taken > x.Capacity {
				at := x.At.In(s.zone).Format("01-02 15:04")
				return central.Refuse(http.StatusConflict, "taken", "%s 已有 %d 个预约 / %d are booked at %s already", at, taken, taken, at)
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO slot (hall, at, item, minutes, capacity, taken) VALUES ($1, $2, $3, $4, $5, 0)
				ON CONFLICT (hall, at, item) DO UPDATE SET minutes = excluded.minutes, capacity = excluded.capacity`, x.Hall, milli(x.At), x.Item, x.Minutes, x.Capacity)
			if err != nil {
				return err
			}
		}
		if len(list) == 0 {
			return nil
		}
		first, last := list[0], list[len(list)-1]
		return s.note(ctx, tx, Audit{Who: by, What: "slots", Hall: first.Hall, Text: fmt.Sprintf("%d for %s, %s to %s, %d each",
			len(list), first.Item, first.At.UTC().Format(time.RFC3339), last.At.UTC().Format(time.RFC3339), first.Capacity)})
	})
}

// Slots returns the slots of a hall between two times, at most 2000; item "" is
// every item.
func (s *Store) Slots(ctx context.Context, hall, item string, from, to time.Time) ([]Slot, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (x Slot, err error) {
		var at int64
		err = r.Scan(&x.Hall, &x.Item, &at, &x.Minutes, &x.Capacity, &x.Taken)
		x.At = fromMilli(at)
		return x, err
	}, `SELECT hall, item, at, minutes, capacity, taken FROM slot WHERE hall = $1 AND at >= $2 AND at < $3 AND ($4 = '' OR item = $4)
		ORDER BY at, item LIMIT 2000`, hall, milli(from), milli(to), item)
}

// A Portal is a program that may book.
type Portal struct {
	Name    string
	Hall    string // empty: all halls
	Made    time.Time
	Maker   string
	Revoked time.Time // zero: not
}

// AddPortal lets a program in whose key has this digest.
func (s *Store) AddPortal(ctx context.Context, p Portal, hash []byte) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "INSERT INTO portal (name, hash, hall, made, maker, revoked) VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING",
			p.Name, hash, p.Hall, s.millis(), p.Maker)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, central.Refuse(http.StatusConflict, "name", "已有同名接口 / this name is taken"))
		}
		return s.note(ctx, tx, Audit{Who: p.Maker, What: "booking key", Hall: p.Hall, Text: p.Name})
	})
}

// RevokePortal ends a program's key.
func (s *Store) RevokePortal(ctx context.Context, name, by string) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE portal SET revoked = $1 WHERE name = $2 AND revoked = 0", s.millis(), name); err != nil {
			return err
		}
		return s.note(ctx, tx, Audit{Who: by, What: "booking key revoked", Text: name})
	})
}

// PortalOf returns whose key has a digest; ok is false when it is nobody's, or
// was revoked.
func (s *Store) PortalOf(ctx context.Context, hash []byte) (p Portal, ok bool, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT name, hall FROM portal WHERE hash = $1 AND revoked = 0", hash).Scan(&p.Name, &p.Hall)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	return p, err == nil, err
}

// Portals returns the programs that may book, or might once.
func (s *Store) Portals(ctx context.Context) ([]Portal, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (p Portal, err error) {
		var made, revoked int64
		err = r.Scan(&p.Name, &p.Hall, &made, &p.Maker, &revoked)
		p.Made, p.Revoked = fromMilli(made), fromMilli(revoked)
		return p, err
	}, "SELECT name, hall, made, maker, revoked FROM portal ORDER BY revoked, name LIMIT 200")
}
