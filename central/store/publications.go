package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

func sprintVersion(n int64, text string) string {
	return strings.TrimSuffix(fmt.Sprintf("version %d: %s", n, text), ": ")
}

// plainJSON is v as JSON without the escapes that only HTML needs.
func plainJSON(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

func devicesOf(ctx context.Context, q querier, hall string) ([]Device, error) {
	return collect(ctx, q, func(r *sql.Rows) (d Device, err error) {
		return d, r.Scan(&d.Hall, &d.Device)
	}, "SELECT hall, device FROM device WHERE hall = $1 ORDER BY device", hall)
}

// Publications returns the latest publications of a hall, at most limit, the
// latest first, with what the boxes have answered; of all halls when hall is
// empty.
func (s *Store) Publications(ctx context.Context, hall string, limit int) ([]Publication, error) {
	list, err := publications(ctx, s.read, hall, limit)
	if err != nil {
		return nil, err
	}
	at := map[string]*Publication{}
	for i := range list {
		at[fmt.Sprint(list[i].Hall, "/", list[i].Number)] = &list[i]
	}
	_, err = collect(ctx, s.read, func(r *sql.Rows) (_ struct{}, err error) {
		var h string
		var n, acked, ok int64
		var x Receipt
		if err = r.Scan(&h, &n, &x.Device, &acked, &ok, &x.Text); err != nil {
			return struct{}{}, err
		}
		x.Acked, x.OK = fromMilli(acked), ok == 1
		if p := at[fmt.Sprint(h, "/", n)]; p != nil {
			p.Receipts = append(p.Receipts, x)
		}
		return struct{}{}, nil
	}, `SELECT b.hall, b.number, b.device, m.acked, m.ok, m.answer FROM publication_box b
		JOIN message m ON m.hall = b.hall AND m.device = b.device AND m.stream = 'documents' AND m.number = b.message
		WHERE $1 = '' OR b.hall = $1 ORDER BY b.device`, hall)
	return list, err
}

func publications(ctx context.Context, q querier, hall string, limit int) ([]Publication, error) {
	return collect(ctx, q, func(r *sql.Rows) (p Publication, err error) {
		var starts, at, withdrawn int64
		err = r.Scan(&p.Hall, &p.Number, &p.Name, &p.Version, &starts, &p.Author, &at, &withdrawn)
		p.Starts, p.At, p.Withdrawn = fromMilli(starts), fromMilli(at), fromMilli(withdrawn)
		return p, err
	}, "SELECT hall, number, name, version, starts, author, at, withdrawn FROM publication WHERE $1 = '' OR hall = $1 ORDER BY hall, number DESC LIMIT $2", hall, limit)
}

// InForce returns the number of the publication of list, which is one hall's,
// that is in force at a moment; 0 when none is.
func InForce(list []Publication, at time.Time) int64 {
	var best Publication
	for _, p := range list {
		later := p.Starts.After(best.Starts) || p.Starts.Equal(best.Starts) && p.Number > best.Number
		if p.Withdrawn.IsZero() && !p.Starts.After(at) && (best.Number == 0 || later) {
			best = p
		}
	}
	return best.Number
}

// catchUp gives a box that was never given a document the one that its hall uses
// and those that are planned, and has the lists of appointments sent again.
func (s *Store) catchUp(ctx context.Context, tx *sql.Tx, d Device) error {
	var given int64
	if err := tx.QueryRowContext(ctx, "SELECT documents FROM device WHERE hall = $1 AND device = $2", d.Hall, d.Device).Scan(&given); err != nil || given > 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE booking_day SET sent = 0 WHERE hall = $1 AND day >= $2", d.Hall, s.dayOf(s.now())); err != nil {
		return err
	}
	list, err := publications(ctx, tx, d.Hall, 200)
	if err != nil {
		return err
	}
	now := s.now()
	used := InForce(list, now)
	slices.Reverse(list)
	for _, p := range list {
		if !p.Withdrawn.IsZero() || p.Number != used && !p.Starts.After(now) {
			continue
		}
		var text string
		if err := tx.QueryRowContext(ctx, "SELECT text FROM document WHERE name = $1 AND version = $2", p.Name, p.Version).Scan(&text); err != nil {
			return err
		}
		if err := s.publishBox(ctx, tx, d, p, text); err != nil {
			return err
		}
	}
	return nil
}

// Using returns for each box of a hall, or of all halls, the publication that it
// has said it uses.
func (s *Store) Using(ctx context.Context, hall string) (map[Device]int64, error) {
	all := map[Device]int64{}
	_, err := collect(ctx, s.read, func(r *sql.Rows) (_ struct{}, err error) {
		var d Device
		var n int64
		err = r.Scan(&d.Hall, &d.Device, &n)
		all[d] = n
		return struct{}{}, err
	}, "SELECT hall, device, document FROM device WHERE $1 = '' OR hall = $1", hall)
	return all, err
}
