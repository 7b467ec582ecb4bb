package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"longcheng/kiosk"
)

// KindAudit is the kind of what people and boxes did at the centre, in the
// centre's own journal; the body is an Audit.
const KindAudit kiosk.Kind = "audit"

// An Audit entry says who did what to which box.
type Audit struct {
	Who    string `json:"who,omitempty"` // a person; empty for a box or the centre itself
	What   string `json:"what"`
	Hall   string `json:"hall,omitempty"`
	Device string `json:"device,omitempty"`
	Text   string `json:"text,omitempty"`
}

// Note appends to the centre's own journal, which is chained like every other.
func (s *Store) Note(ctx context.Context, a Audit) error {
	return s.in(ctx, func(tx *sql.Tx) error { return s.note(ctx, tx, a) })
}

func (s *Store) note(ctx context.Context, tx *sql.Tx, a Audit) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	o, err := s.self(ctx, tx)
	if err != nil {
		return err
	}
	p, err := readStand(ctx, tx, o, s.lock)
	if err != nil {
		return err
	}
	e := kiosk.Event{Seq: p.through + 1, At: s.now().UTC().Truncate(time.Millisecond), Kind: KindAudit, Body: body}
	e.Hash = e.Chain(p.hash)
	if err := s.insert(ctx, tx, p.id, []kiosk.Event{e}); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE origin SET through = $1, hash = $2, at = $3, heard = $4 WHERE id = $5", e.Seq, e.Hash, e.At.UnixMilli(), e.At.UnixMilli(), p.id)
	return err
}

// self returns the centre's own origin, and begins it once.
func (s *Store) self(ctx context.Context, tx *sql.Tx) (Origin, error) {
	epoch := make([]byte, 8)
	binary.BigEndian.PutUint64(epoch, uint64(s.millis()))
	epoch, err := s.own(ctx, tx, "epoch", epoch)
	if err != nil {
		return Origin{}, err
	}
	o := Origin{Origin: kiosk.Origin{Device: "centre", Epoch: int64(binary.BigEndian.Uint64(epoch))}}
	_, err = tx.ExecContext(ctx, `INSERT INTO origin (id, hall, device, epoch, through, hash, at, heard, drift, more, via)
		VALUES ($1, '', $2, $3, 0, $4, 0, 0, 0, 0, '') ON CONFLICT DO NOTHING`, o.id(), o.Device, o.Epoch, o.Genesis())
	return o, err
}

// own returns what the centre remembers under a name, or keeps value there.
func (s *Store) own(ctx context.Context, tx *sql.Tx, name string, value []byte) ([]byte, error) {
	if _, err := tx.ExecContext(ctx, "INSERT INTO own (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, value); err != nil {
		return nil, err
	}
	return value, tx.QueryRowContext(ctx, "SELECT value FROM own WHERE name = $1", name).Scan(&value)
}

// Key returns a secret key of 32 bytes that all processes of this centre share.
func (s *Store) Key(ctx context.Context, name string) (key []byte, err error) {
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails since Go 1.24
	err = s.in(ctx, func(tx *sql.Tx) error {
		key, err = s.own(ctx, tx, "key "+name, fresh)
		return err
	})
	return key, err
}

// Audits returns the latest entries of the centre's own journal, the newest
// first.
func (s *Store) Audits(ctx context.Context, limit int) ([]kiosk.Event, error) {
	var epoch []byte
	err := s.read.QueryRowContext(ctx, "SELECT value FROM own WHERE name = 'epoch'").Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o := Origin{Origin: kiosk.Origin{Device: "centre", Epoch: int64(binary.BigEndian.Uint64(epoch))}}
	return eventsWhere(ctx, s.read, "origin = $1 ORDER BY seq DESC LIMIT $2", o.id(), limit)
}
