package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"longcheng/kiosk"
)

// Unbook forgets an appointment that was cancelled elsewhere. One whose ticket was
// taken stays.
func (s *Store) Unbook(ctx context.Context, request, code string) (kiosk.Appointment, error) {
	return settle(ctx, s, demand{what: "unbook", request: request, who: "", content: code}, func(t *tx, _ time.Time) (decision[kiosk.Appointment], error) {
		a, err := t.appointment(code)
		d := decision[kiosk.Appointment]{kiosk.KindUnbooked, a, a, true}
		if err == nil && a.Visit != "" {
			err = refuse("appointment_used", "该预约已取号", "this appointment was already used")
		}
		return d, err
	})
}

func (t *tx) applyUnbooked(a kiosk.Appointment) error {
	return t.exec("DELETE FROM appointment WHERE code = ?", a.Code)
}

// Appointments returns what is booked between two times, used ones too.
func (s *Store) Appointments(ctx context.Context, from, to time.Time) (list []kiosk.Appointment, err error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT code, item, at, name, visit FROM appointment WHERE at >= ? AND at < ?", milli(from), milli(to))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		a, err := scanAppointment(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

func scanAppointment(rows *sql.Rows) (a kiosk.Appointment, err error) {
	var at int64
	err = rows.Scan(&a.Code, &a.Item, &at, &a.Name, &a.Visit)
	a.At = fromMilli(at)
	return a, err
}
