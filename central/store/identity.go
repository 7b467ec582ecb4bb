package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"longcheng/central"
)

// A Code lets one box in, once.
type Code struct {
	Device
	Role  string
	Maker string // who made it
	Ends  time.Time
}

// AddCode keeps a code; of the secret only a digest is kept.
func (s *Store) AddCode(ctx context.Context, secret string, c Code) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM code WHERE ends < $1", s.millis()-dayMillis); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO code (hash, hall, device, role, maker, ends, used, public, issued) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)`,
			digest(secret), c.Hall, c.Device.Device, c.Role, c.Maker, milli(c.Ends), []byte{}, []byte{})
		return err
	})
}

const dayMillis = 24 * 60 * 60 * 1000

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte("longcheng enrol\x00" + central.Tidy(secret)))
	return sum[:]
}

// A Certificate that was signed for a box.
type Certificate struct {
	PEM    []byte
	Serial string
	From   time.Time
	Ends   time.Time
}

// Enrol spends a code on a key: sign makes the certificate, and whatever other
// certificates the box had are revoked, which ends the alarm of a contradiction. The same key gets the same certificate
// for as long as the code is good.
func (s *Store) Enrol(ctx context.Context, secret string, public []byte, sign func(central.Identity) (Certificate, error)) (central.Identity, Certificate, error) {
	var id central.Identity
	var cert Certificate
	err := s.in(ctx, func(tx *sql.Tx) error {
		var ends, used int64
		var had, issued []byte
		err := tx.QueryRowContext(ctx, "SELECT hall, device, role, ends, used, public, issued FROM code WHERE hash = $1"+s.lock, digest(secret)).
			Scan(&id.Hall, &id.Device, &id.Role, &ends, &used, &had, &issued)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err != nil || ends < s.millis() || used != 0 && !bytes.Equal(had, public) {
			return central.Refuse(http.StatusForbidden, "code", "the code is not good, was used, or has ended: get a new one")
		}
		if used != 0 {
			cert = Certificate{PEM: issued}
			return nil
		}
		if cert, err = sign(id); err != nil {
			return err
		}
		return s.keepEnrolled(ctx, tx, secret, public, id, cert)
	})
	return id, cert, err
}

func (s *Store) keepEnrolled(ctx context.Context, tx *sql.Tx, secret string, public []byte, id central.Identity, c Certificate) error {
	if err := s.revoke(ctx, tx, Device{id.Hall, id.Device}, "the box was enrolled again"); err != nil {
		return err
	}
	if err := s.addDevice(ctx, tx, id.Hall, id.Device, id.Role); err != nil {
		return err
	}
	if err := s.addCertificate(ctx, tx, id, c); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM health WHERE hall = $1 AND device = $2 AND source = $3", id.Hall, id.Device, SourceJournal); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE code SET used = $1, public = $2, issued = $3 WHERE hash = $4", s.millis(), public, c.PEM, digest(secret))
	if err != nil {
		return err
	}
	return s.note(ctx, tx, Audit{What: "enrolled", Hall: id.Hall, Device: id.Device, Text: "role " + id.Role + ", certificate " + c.Serial})
}

func (s *Store) addCertificate(ctx context.Context, tx *sql.Tx, id central.Identity, c Certificate) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO certificate (serial, hall, device, role, made, ends, revoked, why) VALUES ($1, $2, $3, $4, $5, $6, 0, '')",
		c.Serial, id.Hall, id.Device, id.Role, milli(c.From), milli(c.Ends))
	return err
}

// Renew keeps a certificate that replaces one that is still good.
func (s *Store) Renew(ctx context.Context, id central.Identity, c Certificate) error {
	return s.in(ctx, func(tx *sql.Tx) error { return s.addCertificate(ctx, tx, id, c) })
}

// Revoke ends every certificate of a box, and returns how many ended.
func (s *Store) Revoke(ctx context.Context, d Device, by, why string) (int, error) {
	n := 0
	err := s.in(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM certificate WHERE hall = $1 AND device = $2 AND revoked = 0", d.Hall, d.Device).Scan(&n)
		if err != nil {
			return err
		}
		if err := s.revoke(ctx, tx, d, why); err != nil {
			return err
		}
		return s.note(ctx, tx, Audit{Who: by, What: "revoked", Hall: d.Hall, Device: d.Device, Text: why})
	})
	return n, err
}

func (s *Store) revoke(ctx context.Context, tx *sql.Tx, d Device, why string) error {
	_, err := tx.ExecContext(ctx, "UPDATE certificate SET revoked = $1, why = $2 WHERE hall = $3 AND device = $4 AND revoked = 0", s.millis(), why, d.Hall, d.Device)
	return err
}

// Revoked returns the serials of revoked certificates that would still be good.
func (s *Store) Revoked(ctx context.Context) ([]string, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (serial string, err error) {
		return serial, r.Scan(&serial)
	}, "SELECT serial FROM certificate WHERE revoked > 0 AND ends > $1", s.millis()-dayMillis)
}
