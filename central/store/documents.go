package store

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"longcheng/central"
)

// A Version is one version of the document of a hall.
type Version struct {
	Name   string // of the document: the hall that it was written for
	Number int64
	Text   string // TOML; empty in lists
	Note   string // what was changed
	Author string
	At     time.Time
}

// SaveVersion keeps the next version of a document, if base is its newest one; 0
// begins a document. It returns the version's number.
func (s *Store) SaveVersion(ctx context.Context, v Version, base int64) (number int64, err error) {
	err = s.in(ctx, func(tx *sql.Tx) error {
		if number, err = count(ctx, tx, "document "+v.Name); err != nil {
			return err
		}
		if number != base+1 {
			return central.Refuse(http.StatusConflict, "newer", "版本 %d 已由他人保存，请先比较 / somebody has saved version %d: compare first", number-1, number-1)
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO document (name, version, text, note, author, at) VALUES ($1, $2, $3, $4, $5, $6)",
			v.Name, number, v.Text, v.Note, v.Author, s.millis())
		if err != nil {
			return err
		}
		return s.note(ctx, tx, Audit{Who: v.Author, What: "saved document", Hall: v.Name, Text: sprintVersion(number, v.Note)})
	})
	return number, err
}

// count returns the next number under a name. Whoever asks holds the name until
// his transaction ends.
func count(ctx context.Context, tx *sql.Tx, name string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, "INSERT INTO counter (name, last) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET last = counter.last + 1 RETURNING last", name).Scan(&n)
	return n, err
}

// Version returns one version of a document with its text.
func (s *Store) Version(ctx context.Context, name string, number int64) (Version, error) {
	v := Version{Name: name, Number: number}
	var at int64
	err := s.read.QueryRowContext(ctx, "SELECT text, note, author, at FROM document WHERE name = $1 AND version = $2", name, number).Scan(&v.Text, &v.Note, &v.Author, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return v, noVersion()
	}
	v.At = fromMilli(at)
	return v, err
}

func noVersion() error {
	return central.Refuse(http.StatusNotFound, "no_version", "没有这个版本 / there is no such version")
}

// Versions returns the newest versions of a document, at most 200, the newest
// first; of all documents the newest one each when name is empty.
func (s *Store) Versions(ctx context.Context, name string) ([]Version, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (v Version, err error) {
		var at int64
		err = r.Scan(&v.Name, &v.Number, &v.Note, &v.Author, &at)
		v.At = fromMilli(at)
		return v, err
	}, `SELECT name, version, note, author, at FROM document d WHERE name = $1
		OR $1 = '' AND version = (SELECT max(version) FROM document n WHERE n.name = d.name) ORDER BY name, version DESC LIMIT 200`, name)
}

// A Publication is a version that a hall shall use from a moment on.
type Publication struct {
	Hall      string
	Number    int64 // counted for each hall from 1
	Name      string
	Version   int64
	Starts    time.Time
	Author    string
	At        time.Time
	Withdrawn time.Time // zero: not
	Receipts  []Receipt
}

// A Receipt is what a box has answered to a publication.
type Receipt struct {
	Device string
	Acked  time.Time // zero: not yet
	OK     bool
	Text   string
}

// Publish gives a version to the boxes of halls, for use from p.Starts on; all
// halls or none.
func (s *Store) Publish(ctx context.Context, p Publication, halls []string) error {
	v, err := s.Version(ctx, p.Name, p.Version)
	if err != nil {
		return err
	}
	return s.in(ctx, func(tx *sql.Tx) error {
		for _, p.Hall = range halls {
			if p.Number, err = count(ctx, tx, "publication "+p.Hall); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO publication (hall, number, name, version, starts, author, at, withdrawn) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
				p.Hall, p.Number, p.Name, p.Version, milli(p.Starts), p.Author, s.millis())
			if err != nil {
				return err
			}
			if err := s.publishTo(ctx, tx, p, v.Text); err != nil {
				return err
			}
			err = s.note(ctx, tx, Audit{Who: p.Author, What: "published", Hall: p.Hall, Text: sprintVersion(p.Version, p.Name+", from "+p.Starts.UTC().Format(time.RFC3339))})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// publishTo gives a publication to every box of its hall.
func (s *Store) publishTo(ctx context.Context, tx *sql.Tx, p Publication, text string) error {
	boxes, err := devicesOf(ctx, tx, p.Hall)
	if err != nil {
		return err
	}
	if len(boxes) == 0 {
		return central.Refuse(http.StatusConflict, "no_boxes", "大厅 %s 还没有设备 / hall %s has no box yet", p.Hall, p.Hall)
	}
	for _, d := range boxes {
		if err := s.publishBox(ctx, tx, d, p, text); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) publishBox(ctx context.Context, tx *sql.Tx, d Device, p Publication, text string) error {
	body, err := plainJSON(central.HallDocument{Publication: p.Number, Version: p.Version, Text: text})
	if err != nil {
		return err
	}
	m, err := s.give(ctx, tx, d, central.Message{Stream: central.Documents, Name: central.NameHall, Starts: p.Starts, Body: body})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO publication_box (hall, number, device, message) VALUES ($1, $2, $3, $4)", p.Hall, p.Number, d.Device, m.Number)
	return err
}

// Withdraw takes back a publication that has not begun.
func (s *Store) Withdraw(ctx context.Context, hall string, number int64, by string) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		var version int64
		err := tx.QueryRowContext(ctx, "UPDATE publication SET withdrawn = $1 WHERE hall = $2 AND number = $3 AND withdrawn = 0 AND starts > $4 RETURNING version",
			s.millis(), hall, number, s.millis()).Scan(&version)
		if errors.Is(err, sql.ErrNoRows) {
			return central.Refuse(http.StatusConflict, "begun", "该发布已生效或已撤回 / this publication has begun, or was withdrawn")
		}
		if err != nil {
			return err
		}
		body, err := plainJSON(central.HallDocument{Publication: number, Withdrawn: true})
		if err != nil {
			return err
		}
		boxes, err := devicesOf(ctx, tx, hall)
		if err != nil {
			return err
		}
		for _, d := range boxes {
			if _, err := s.give(ctx, tx, d, central.Message{Stream: central.Documents, Name: central.NameHall, Body: body}); err != nil {
				return err
			}
		}
		return s.note(ctx, tx, Audit{Who: by, What: "withdrew", Hall: hall, Text: sprintVersion(version, "")})
	})
}
