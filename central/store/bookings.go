package store

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"longcheng/central"
)

// A Booking is a place in a slot. The centre does not know whose it is: the
// portal that made it does.
type Booking struct {
	Hall      string
	Code      string
	Request   string
	Portal    string
	Item      string
	At        time.Time
	Cancelled time.Time // zero: not
	Used      time.Time // when a ticket was taken; zero: not
}

// Book takes a place of a slot. The same request of the same portal gets the same
// booking. b.Code is used when the booking is new.
func (s *Store) Book(ctx context.Context, b Booking) (got Booking, err error) {
	err = s.in(ctx, func(tx *sql.Tx) error {
		var capacity, taken int64
		err := tx.QueryRowContext(ctx, "SELECT capacity, taken FROM slot WHERE hall = $1 AND at = $2 AND item = $3"+s.lock, b.Hall, milli(b.At), b.Item).
			Scan(&capacity, &taken)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		known := false
		if got, known, err = repeated(ctx, tx, b); err != nil || known {
			return err
		}
		switch {
		case capacity == 0:
			return central.Refuse(http.StatusNotFound, "no_slot", "there is no such slot: ask for the slots again")
		case !b.At.After(s.now()):
			return central.Refuse(http.StatusConflict, "past", "this slot has begun")
		case taken >= capacity:
			return central.Refuse(http.StatusConflict, "full", "this slot is full")
		}
		got = b
		return s.take(ctx, tx, b)
	})
	return got, err
}

const bookingColumns = "SELECT hall, code, request, portal, item, at, cancelled, used FROM booking WHERE "

func scanBooking(r interface{ Scan(...any) error }) (b Booking, err error) {
	var at, cancelled, used int64
	err = r.Scan(&b.Hall, &b.Code, &b.Request, &b.Portal, &b.Item, &at, &cancelled, &used)
	b.At, b.Cancelled, b.Used = fromMilli(at), fromMilli(cancelled), fromMilli(used)
	return b, err
}

// repeated returns the booking that the same request got before.
func repeated(ctx context.Context, tx *sql.Tx, b Booking) (Booking, bool, error) {
	had, err := scanBooking(tx.QueryRowContext(ctx, bookingColumns+"hall = $1 AND portal = $2 AND request = $3", b.Hall, b.Portal, b.Request))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return b, false, nil
	case err != nil:
		return b, false, err
	case had.Item != b.Item || !had.At.Equal(b.At):
		return b, false, central.Refuse(http.StatusConflict, "request", "this request was made for another slot: give every booking its own id")
	}
	return had, true, nil
}

// take takes the first free place of a slot whose row is locked.
func (s *Store) take(ctx context.Context, tx *sql.Tx, b Booking) error {
	places, err := collect(ctx, tx, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) },
		"SELECT place FROM booking WHERE hall = $1 AND at = $2 AND item = $3 AND place IS NOT NULL ORDER BY place", b.Hall, milli(b.At), b.Item)
	if err != nil {
		return err
	}
	place := int64(1)
	for _, n := range places {
		if n == place {
			place++
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO booking (hall, code, request, portal, at, item, place, made, cancelled, used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)`,
		b.Hall, b.Code, b.Request, b.Portal, milli(b.At), b.Item, place, s.millis())
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, "UPDATE slot SET taken = taken + 1 WHERE hall = $1 AND at = $2 AND item = $3", b.Hall, milli(b.At), b.Item); err != nil {
		return err
	}
	return s.touchDay(ctx, tx, b)
}

// touchDay notes that boxes have to be told of a day anew.
func (s *Store) touchDay(ctx context.Context, tx *sql.Tx, b Booking) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO booking_day (hall, day, changed, sent, at) VALUES ($1, $2, 1, 0, 0)
		ON CONFLICT (hall, day) DO UPDATE SET changed = booking_day.changed + 1`, b.Hall, s.dayOf(b.At))
	return err
}

// dayOf is the day of a time in the time zone of the halls.
func (s *Store) dayOf(t time.Time) string { return t.In(s.zone).Format(time.DateOnly) }

// Booking returns a portal's booking of a hall.
func (s *Store) Booking(ctx context.Context, hall, code, portal string) (Booking, error) {
	b, err := scanBooking(s.read.QueryRowContext(ctx, bookingColumns+"hall = $1 AND code = $2 AND portal = $3", hall, code, portal))
	if errors.Is(err, sql.ErrNoRows) {
		return b, noBooking()
	}
	return b, err
}

func noBooking() error {
	return central.Refuse(http.StatusNotFound, "no_booking", "there is no such booking")
}

// Cancel gives a booking back. Repeating it changes nothing; one whose ticket was
// taken stays.
func (s *Store) Cancel(ctx context.Context, hall, code, portal string) (b Booking, err error) {
	err = s.in(ctx, func(tx *sql.Tx) error {
		b, err = scanBooking(tx.QueryRowContext(ctx, bookingColumns+"hall = $1 AND code = $2 AND portal = $3"+s.lock, hall, code, portal))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return noBooking()
		case err != nil || !b.Cancelled.IsZero():
			return err
		case !b.Used.IsZero():
			return central.Refuse(http.StatusConflict, "used", "a ticket was taken for this booking")
		}
		b.Cancelled = fromMilli(s.millis())
		if _, err := tx.ExecContext(ctx, "UPDATE booking SET cancelled = $1, place = NULL WHERE hall = $2 AND code = $3", milli(b.Cancelled), hall, code); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE slot SET taken = taken - 1 WHERE hall = $1 AND at = $2 AND item = $3", hall, milli(b.At), b.Item); err != nil {
			return err
		}
		return s.touchDay(ctx, tx, b)
	})
	return b, err
}

// used notes that a ticket was taken for a booking of which a journal tells.
func (s *Store) used(ctx context.Context, tx *sql.Tx, hall, code string, at time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE booking SET used = $1 WHERE hall = $2 AND code = $3 AND used = 0", milli(at), hall, code)
	return err
}
