package store

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"longcheng/central"
)

// A Person may sign in. Hall is empty for who sees all halls.
type Person struct {
	Name    string
	Hash    string // of the password, as package signin makes it
	Role    string
	Hall    string
	Changed time.Time
	Locked  time.Time // zero: not
}

// SavePerson adds a person, or changes one, who is no longer locked then.
func (s *Store) SavePerson(ctx context.Context, p Person, by string) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO person (name, hash, role, hall, changed, locked) VALUES ($1, $2, $3, $4, $5, 0)
			ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, role = excluded.role, hall = excluded.hall, changed = excluded.changed, locked = 0`,
			p.Name, p.Hash, p.Role, p.Hall, s.millis())
		if err != nil {
			return err
		}
		return s.note(ctx, tx, Audit{Who: by, What: "person", Hall: p.Hall, Text: p.Name + " as " + p.Role})
	})
}

// AddPerson adds a person whose name nobody has.
func (s *Store) AddPerson(ctx context.Context, p Person, by string) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "INSERT INTO person (name, hash, role, hall, changed, locked) VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING",
			p.Name, p.Hash, p.Role, p.Hall, s.millis())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, central.Refuse(http.StatusConflict, "name", "已有同名用户 / this name is taken"))
		}
		return s.note(ctx, tx, Audit{Who: by, What: "person added", Hall: p.Hall, Text: p.Name + " as " + p.Role})
	})
}

// ChangePerson gives a person another role and hall.
func (s *Store) ChangePerson(ctx context.Context, p Person, by string) error {
	return s.change(ctx, Audit{Who: by, What: "person changed", Hall: p.Hall, Text: p.Name + " as " + p.Role},
		"UPDATE person SET role = $1, hall = $2, changed = $3 WHERE name = $4", p.Role, p.Hall, s.millis(), p.Name)
}

// SetSecret gives a person another password; every session of the old one ends.
func (s *Store) SetSecret(ctx context.Context, name, hash, by string) error {
	return s.change(ctx, Audit{Who: by, What: "new password", Text: name}, "UPDATE person SET hash = $1, changed = $2 WHERE name = $3", hash, s.millis(), name)
}

// LockPerson keeps a person out, or lets him in again.
func (s *Store) LockPerson(ctx context.Context, name string, lock bool, by string) error {
	a, at := Audit{Who: by, What: "person unlocked", Text: name}, int64(0)
	if lock {
		a.What, at = "person locked", s.millis()
	}
	return s.change(ctx, a, "UPDATE person SET locked = $1 WHERE name = $2", at, name)
}

// change runs a statement that must change one person, and notes it.
func (s *Store) change(ctx context.Context, a Audit, statement string, args ...any) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, central.Refuse(http.StatusNotFound, "no_person", "没有这个用户 / there is no such person"))
		}
		return s.note(ctx, tx, a)
	})
}

const personColumns = "SELECT name, hash, role, hall, changed, locked FROM person "

func scanPerson(r interface{ Scan(...any) error }) (p Person, err error) {
	var changed, locked int64
	err = r.Scan(&p.Name, &p.Hash, &p.Role, &p.Hall, &changed, &locked)
	p.Changed, p.Locked = fromMilli(changed), fromMilli(locked)
	return p, err
}

// People returns everybody who may sign in, or might once, at most 2000.
func (s *Store) People(ctx context.Context) ([]Person, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (Person, error) { return scanPerson(r) }, personColumns+"ORDER BY hall, name LIMIT 2000")
}

// Person returns who has a name; ok is false when nobody has.
func (s *Store) Person(ctx context.Context, name string) (p Person, ok bool, err error) {
	p, err = scanPerson(s.read.QueryRowContext(ctx, personColumns+"WHERE name = $1", name))
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	return p, err == nil, err
}

// End ends a session before its time, and forgets those whose time has passed.
func (s *Store) End(ctx context.Context, session string, till time.Time) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM ended WHERE till < $1", s.millis()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO ended (id, till) VALUES ($1, $2) ON CONFLICT DO NOTHING", session, milli(till))
		return err
	})
}

// Ended reports whether a session was ended before its time.
func (s *Store) Ended(ctx context.Context, session string) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM ended WHERE id = $1", session).Scan(&n)
	return n > 0, err
}
