package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"longcheng/central"
)

const (
	maxDeliveries = 10_000              // that wait for one hook; more are not kept
	keepEnded     = 30 * 24 * time.Hour // alarms that are over
	giveUp        = 24 * time.Hour      // a delivery that nobody took by then
)

// An Alarm needs somebody.
type Alarm struct {
	Device
	Source string
	State  string
	Since  time.Time
	Ended  time.Time // zero: open
	Acked  time.Time // zero: nobody looks after it
	Who    string    // who does
}

type alarmKey struct {
	Device
	source string
}

// SetAlarms makes the open alarms what they are now: new ones begin, others end.
// Every change is put down for each of the hooks, in the same transaction. When
// several processes look at once, each change is made by one of them.
func (s *Store) SetAlarms(ctx context.Context, now []Alarm, hooks []string) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		open, err := alarmsWhere(ctx, tx, "ended = 0")
		if err != nil {
			return err
		}
		is := map[alarmKey]Alarm{}
		for _, a := range now {
			is[alarmKey{a.Device, a.Source}] = a
		}
		for _, was := range open {
			k := alarmKey{was.Device, was.Source}
			if a, still := is[k]; still && a.State == was.State {
				delete(is, k)
			} else if err := s.endAlarm(ctx, tx, was, hooks); err != nil {
				return err
			}
		}
		for _, a := range now {
			if _, fresh := is[alarmKey{a.Device, a.Source}]; !fresh {
				continue
			}
			if err := s.beginAlarm(ctx, tx, a, hooks); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM alarm WHERE ended > 0 AND ended < $1", s.now().Add(-keepEnded).UnixMilli())
		return err
	})
}

func (s *Store) beginAlarm(ctx context.Context, tx *sql.Tx, a Alarm, hooks []string) error {
	a.Since = s.now().UTC().Truncate(time.Millisecond)
	r, err := tx.ExecContext(ctx, `INSERT INTO alarm (hall, device, source, since, state, ended, acked, who) VALUES ($1, $2, $3, $4, $5, 0, 0, '') ON CONFLICT DO NOTHING`,
		a.Hall, a.Device.Device, clip(a.Source), milli(a.Since), clip(a.State))
	return s.tellOf(ctx, tx, r, err, "alarm.raised", a, hooks)
}

func (s *Store) endAlarm(ctx context.Context, tx *sql.Tx, a Alarm, hooks []string) error {
	a.Ended = s.now().UTC().Truncate(time.Millisecond)
	r, err := tx.ExecContext(ctx, "UPDATE alarm SET ended = $1 WHERE hall = $2 AND device = $3 AND source = $4 AND ended = 0", milli(a.Ended), a.Hall, a.Device.Device, a.Source)
	return s.tellOf(ctx, tx, r, err, "alarm.ended", a, hooks)
}

// tellOf puts a change down for the hooks, if it was made here.
func (s *Store) tellOf(ctx context.Context, tx *sql.Tx, r sql.Result, err error, event string, a Alarm, hooks []string) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	id := rand.Text()
	body, err := json.Marshal(told{id, event, a.Hall, a.Device.Device, a.Source, a.State, a.Since, a.Ended, a.Acked, a.Who})
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		_, err := tx.ExecContext(ctx, `INSERT INTO delivery (id, hook, made, body, tries, next, fault)
			SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS TEXT), 0, 0, '' WHERE (SELECT count(*) FROM delivery WHERE hook = $2) < $5`,
			id, hook, s.millis(), string(body), maxDeliveries)
		if err != nil {
			return err
		}
	}
	return nil
}

// told is what a hook is told.
type told struct {
	ID     string    `json:"id"`
	Event  string    `json:"event"` // alarm.raised, alarm.ended or alarm.acknowledged
	Hall   string    `json:"hall"`
	Device string    `json:"device"`
	Source string    `json:"source"`
	State  string    `json:"state"`
	Since  time.Time `json:"since"`
	Ended  time.Time `json:"ended,omitzero"`
	Acked  time.Time `json:"acknowledged,omitzero"`
	Who    string    `json:"by,omitempty"`
}

// Alarms returns the open alarms of a hall, or of all halls when hall is empty,
// and then the latest that have ended; at most limit of these.
func (s *Store) Alarms(ctx context.Context, hall string, limit int) (open, ended []Alarm, err error) {
	if open, err = alarmsWhere(ctx, s.read, "ended = 0 AND ($1 = '' OR hall = $1) ORDER BY since DESC, hall, device, source", hall); err != nil {
		return nil, nil, err
	}
	ended, err = alarmsWhere(ctx, s.read, "ended > 0 AND ($1 = '' OR hall = $1) ORDER BY ended DESC, hall, device, source LIMIT $2", hall, limit)
	return open, ended, err
}

func alarmsWhere(ctx context.Context, q querier, where string, args ...any) ([]Alarm, error) {
	return collect(ctx, q, func(r *sql.Rows) (a Alarm, err error) {
		var since, ended, acked int64
		err = r.Scan(&a.Hall, &a.Device.Device, &a.Source, &a.State, &since, &ended, &acked, &a.Who)
		a.Since, a.Ended, a.Acked = fromMilli(since), fromMilli(ended), fromMilli(acked)
		return a, err
	}, "SELECT hall, device, source, state, since, ended, acked, who FROM alarm WHERE "+where, args...)
}

// AckAlarm notes that somebody looks after an open alarm. The first word stands.
func (s *Store) AckAlarm(ctx context.Context, d Device, source, who string, hooks []string) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		list, err := alarmsWhere(ctx, tx, "ended = 0 AND hall = $1 AND device = $2 AND source = $3", d.Hall, d.Device, source)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return central.Refuse(http.StatusNotFound, "no_alarm", "这个告警已经结束 / this alarm is over")
		}
		a := list[0]
		if !a.Acked.IsZero() {
			return nil
		}
		a.Acked, a.Who = s.now().UTC().Truncate(time.Millisecond), who
		r, err := tx.ExecContext(ctx, "UPDATE alarm SET acked = $1, who = $2 WHERE hall = $3 AND device = $4 AND source = $5 AND ended = 0 AND acked = 0",
			milli(a.Acked), who, d.Hall, d.Device, source)
		if err := s.tellOf(ctx, tx, r, err, "alarm.acknowledged", a, hooks); err != nil {
			return err
		}
		return s.note(ctx, tx, Audit{Who: who, What: "alarm acknowledged", Hall: d.Hall, Device: d.Device, Text: clip(source + ": " + a.State)})
	})
}

// A Delivery is something that a hook has to be told.
type Delivery struct {
	ID    string
	Hook  string
	Made  time.Time
	Body  []byte
	Tries int
	Fault string
}

// NextDelivery returns a delivery that is due and holds it back from others for
// hold; ok is false when there is none.
func (s *Store) NextDelivery(ctx context.Context, hold time.Duration) (d Delivery, ok bool, err error) {
	err = s.in(ctx, func(tx *sql.Tx) error {
		var made int64
		var body string
		err := tx.QueryRowContext(ctx, "SELECT id, hook, made, body, tries, fault FROM delivery WHERE next <= $1 ORDER BY next, made LIMIT 1"+s.lock, s.millis()).
			Scan(&d.ID, &d.Hook, &made, &body, &d.Tries, &d.Fault)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		d.Made, d.Body, ok = fromMilli(made), []byte(body), true
		_, err = tx.ExecContext(ctx, "UPDATE delivery SET tries = tries + 1, next = $1 WHERE id = $2 AND hook = $3", s.now().Add(hold).UnixMilli(), d.ID, d.Hook)
		return err
	})
	return d, ok && err == nil, err
}

// Delivered forgets a delivery that was taken.
func (s *Store) Delivered(ctx context.Context, d Delivery) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM delivery WHERE id = $1 AND hook = $2", d.ID, d.Hook)
		return err
	})
}

// Undelivered keeps a delivery for another try after wait, or gives it up when it
// is a day old.
func (s *Store) Undelivered(ctx context.Context, d Delivery, fault string, wait time.Duration) (gaveUp bool, err error) {
	if s.now().Sub(d.Made) > giveUp {
		return true, s.Delivered(ctx, d)
	}
	return false, s.in(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE delivery SET next = $1, fault = $2 WHERE id = $3 AND hook = $4", s.now().Add(wait).UnixMilli(), clip(fault), d.ID, d.Hook)
		return err
	})
}

// Deliveries returns how many deliveries wait.
func (s *Store) Deliveries(ctx context.Context) (n int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM delivery").Scan(&n)
	return n, err
}
