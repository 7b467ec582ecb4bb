package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"longcheng/central"
)

// A Device names a box of a hall.
type Device struct{ Hall, Device string }

// Send gives a message to a box; it is delivered when the box asks.
func (s *Store) Send(ctx context.Context, d Device, m central.Message) (central.Message, error) {
	if m.Stream != central.Commands && m.Stream != central.Documents || !json.Valid(m.Body) || m.Name == "" {
		return m, central.Refuse(http.StatusBadRequest, "message", "a message has a stream, a name and a body of JSON")
	}
	if len(m.Body) > central.MaxField {
		return m, central.Refuse(http.StatusRequestEntityTooLarge, "too_large", "the body is longer than %d bytes", central.MaxField)
	}
	err := s.in(ctx, func(tx *sql.Tx) (err error) {
		m, err = s.give(ctx, tx, d, m)
		return err
	})
	return m, err
}

// give gives a checked message to a box.
func (s *Store) give(ctx context.Context, tx *sql.Tx, d Device, m central.Message) (central.Message, error) {
	m.At = s.now().UTC().Truncate(time.Millisecond)
	err := tx.QueryRowContext(ctx, fmt.Sprintf("UPDATE device SET %s = %s + 1 WHERE hall = $1 AND device = $2 RETURNING %s", m.Stream, m.Stream, m.Stream),
		d.Hall, d.Device).Scan(&m.Number)
	if errors.Is(err, sql.ErrNoRows) {
		return m, central.Refuse(http.StatusNotFound, "no_device", "there is no such box: enrol it first")
	}
	if err != nil {
		return m, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO message (hall, device, stream, number, name, at, starts, body, acked, ok, answer)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, '')`, d.Hall, d.Device, m.Stream, m.Number, m.Name, milli(m.At), milli(m.Starts), string(m.Body))
	return m, err
}

// Messages returns up to 16 messages of a box after a position, in the order of
// each stream.
func (s *Store) Messages(ctx context.Context, d Device, after central.Position) ([]central.Message, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (m central.Message, err error) {
		var at, starts int64
		var body string
		err = r.Scan(&m.Stream, &m.Number, &m.Name, &at, &starts, &body)
		m.At, m.Starts, m.Body = fromMilli(at), fromMilli(starts), json.RawMessage(body)
		return m, err
	}, `SELECT stream, number, name, at, starts, body FROM message WHERE hall = $1 AND device = $2
		AND (stream = 'commands' AND number > $3 OR stream = 'documents' AND number > $4)
		ORDER BY stream, number LIMIT 16`, d.Hall, d.Device, after.Commands, after.Documents)
}

// Acknowledge keeps what became of a message. Repeating it changes nothing; one
// that skips a message is refused.
func (s *Store) Acknowledge(ctx context.Context, d Device, a central.Ack) error {
	if a.Stream != central.Commands && a.Stream != central.Documents {
		return central.Refuse(http.StatusBadRequest, "stream", "a stream is commands or documents")
	}
	return s.in(ctx, func(tx *sql.Tx) error {
		var given, acked int64
		err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT %s, %s_acked FROM device WHERE hall = $1 AND device = $2%s", a.Stream, a.Stream, s.lock),
			d.Hall, d.Device).Scan(&given, &acked)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return central.Refuse(http.StatusNotFound, "no_device", "there is no such box")
		case err != nil || a.Number <= acked:
			return err
		case a.Number != acked+1 || a.Number > given:
			return central.Refuse(http.StatusConflict, central.CodeGap, "%s %d is acknowledged after %d", a.Stream, a.Number, acked)
		}
		ok := 0
		if a.OK {
			ok = 1
		}
		_, err = tx.ExecContext(ctx, "UPDATE message SET acked = $1, ok = $2, answer = $3 WHERE hall = $4 AND device = $5 AND stream = $6 AND number = $7",
			s.millis(), ok, clip(a.Text), d.Hall, d.Device, a.Stream, a.Number)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("UPDATE device SET %s_acked = $1 WHERE hall = $2 AND device = $3", a.Stream), a.Number, d.Hall, d.Device)
		return err
	})
}

// Meet notes that a box is connected and where it stands. If it has acknowledged
// more than was given, this database was restored from a backup: numbers go on
// after the box's, so that none is used twice.
func (s *Store) Meet(ctx context.Context, d Device, at central.Position) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		if err := s.addDevice(ctx, tx, d.Hall, d.Device, ""); err != nil {
			return err
		}
		for stream, n := range map[string]int64{central.Commands: at.Commands, central.Documents: at.Documents} {
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE device SET %s = CASE WHEN %s < $1 THEN $2 ELSE %s END, %s_acked = CASE WHEN %s_acked < $3 THEN $4 ELSE %s_acked END
				WHERE hall = $5 AND device = $6`, stream, stream, stream, stream, stream, stream), n, n, n, n, d.Hall, d.Device)
			if err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE device SET seen = $1 WHERE hall = $2 AND device = $3", s.millis(), d.Hall, d.Device); err != nil {
			return err
		}
		return s.catchUp(ctx, tx, d)
	})
}

// Seen notes that boxes are connected now.
func (s *Store) Seen(ctx context.Context, boxes []Device) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		q, err := tx.PrepareContext(ctx, "UPDATE device SET seen = $1 WHERE hall = $2 AND device = $3")
		if err != nil {
			return err
		}
		defer q.Close()
		for _, d := range boxes {
			if _, err := q.ExecContext(ctx, s.millis(), d.Hall, d.Device); err != nil {
				return err
			}
		}
		return nil
	})
}

// Given returns the last message number of each stream of every box.
func (s *Store) Given(ctx context.Context) (map[Device]central.Position, error) {
	all := map[Device]central.Position{}
	_, err := collect(ctx, s.read, func(r *sql.Rows) (_ struct{}, err error) {
		var d Device
		var p central.Position
		err = r.Scan(&d.Hall, &d.Device, &p.Commands, &p.Documents)
		all[d] = p
		return struct{}{}, err
	}, "SELECT hall, device, commands, documents FROM device")
	return all, err
}

// A Sent message and what became of it.
type Sent struct {
	central.Message
	Acked time.Time // zero: not yet
	OK    bool
	Text  string
}

// Sent returns the latest messages of a box, at most 100.
func (s *Store) Sent(ctx context.Context, d Device) ([]Sent, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (m Sent, err error) {
		var at, starts, acked, ok int64
		var body string
		err = r.Scan(&m.Stream, &m.Number, &m.Name, &at, &starts, &body, &acked, &ok, &m.Text)
		m.At, m.Starts, m.Body, m.Acked, m.OK = fromMilli(at), fromMilli(starts), json.RawMessage(body), fromMilli(acked), ok == 1
		return m, err
	}, `SELECT stream, number, name, at, starts, body, acked, ok, answer FROM message WHERE hall = $1 AND device = $2 ORDER BY at DESC, number DESC LIMIT 100`, d.Hall, d.Device)
}
