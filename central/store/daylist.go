package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"longcheng/central"
)

const daysAhead = 7 // days before it that a list is sent, so that a hall may be cut off

// SendDays gives the hosts of halls the lists of appointments that have changed,
// each list at most once in a while. It returns how many it gave.
func (s *Store) SendDays(ctx context.Context, every time.Duration) (n int, err error) {
	now := s.now()
	due, err := collect(ctx, s.read, func(r *sql.Rows) (d [2]string, err error) {
		return d, r.Scan(&d[0], &d[1])
	}, "SELECT hall, day FROM booking_day WHERE changed <> sent AND at <= $1 AND day >= $2 AND day <= $3 LIMIT 500",
		now.Add(-every).UnixMilli(), s.dayOf(now), s.dayOf(now.AddDate(0, 0, daysAhead)))
	if err != nil {
		return 0, err
	}
	for _, d := range due {
		if err := s.in(ctx, func(tx *sql.Tx) error { return s.sendDay(ctx, tx, d[0], d[1]) }); err != nil {
			return n, fmt.Errorf("send appointments of %s, %s: %w", d[0], d[1], err)
		}
		n++
	}
	return n, nil
}

// sendDay gives one list to the hosts of its hall, unless another process just
// has.
func (s *Store) sendDay(ctx context.Context, tx *sql.Tx, hall, day string) error {
	var changed, sent int64
	err := tx.QueryRowContext(ctx, "SELECT changed, sent FROM booking_day WHERE hall = $1 AND day = $2"+s.lock, hall, day).Scan(&changed, &sent)
	if err != nil || changed == sent {
		return err
	}
	hosts, err := collect(ctx, tx, func(r *sql.Rows) (d Device, err error) { return d, r.Scan(&d.Hall, &d.Device) },
		"SELECT hall, device FROM device WHERE hall = $1 AND role = $2 ORDER BY device", hall, central.RoleHost)
	if err != nil || len(hosts) == 0 {
		return err // it waits for the first host
	}
	list, err := s.promises(ctx, tx, hall, day)
	if err != nil {
		return err
	}
	body, err := plainJSON(central.DayList{Day: day, List: list})
	if err != nil {
		return err
	}
	for _, d := range hosts {
		m, err := s.give(ctx, tx, d, central.Message{Stream: central.Documents, Name: central.NameAppointments, Body: body})
		if err != nil {
			return err
		}
		if err := outdate(ctx, tx, d, m.Number, day); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE booking_day SET sent = $1, at = $2 WHERE hall = $3 AND day = $4", changed, s.millis(), hall, day)
	return err
}

func (s *Store) promises(ctx context.Context, tx *sql.Tx, hall, day string) ([]central.Promise, error) {
	from, err := time.ParseInLocation(time.DateOnly, day, s.zone)
	if err != nil {
		return nil, err
	}
	return collect(ctx, tx, func(r *sql.Rows) (p central.Promise, err error) {
		var at int64
		err = r.Scan(&p.Code, &p.Item, &at)
		p.At = fromMilli(at)
		return p, err
	}, "SELECT code, item, at FROM booking WHERE hall = $1 AND at >= $2 AND at < $3 AND cancelled = 0 ORDER BY at, item, code", hall, milli(from), milli(from.AddDate(0, 0, 1)))
}

// outdate empties the lists of a day that a box was given before, so that a busy
// day does not fill the database.
func outdate(ctx context.Context, tx *sql.Tx, d Device, number int64, day string) error {
	old, err := plainJSON(central.DayList{Day: day, Old: true})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE message SET body = $1 WHERE hall = $2 AND device = $3 AND stream = 'documents' AND number < $4 AND name = $5
		AND body LIKE $6 AND body <> $7`, string(old), d.Hall, d.Device, number, central.NameAppointments, `{"day":"`+day+`",%`, string(old))
	return err
}
