package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"

	"longcheng/central"
)

var errWhole = central.Refuse(http.StatusConflict, "backup", "this backup is complete: give a new one another name")

// KeepPiece keeps one piece of a backup that is not complete yet. With the first
// piece earlier ones that were never completed are forgotten.
func (s *Store) KeepPiece(ctx context.Context, d Device, name string, number int, body []byte) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		if number == 0 {
			if err := forget(ctx, tx, d, "at = 0 AND name <> $3", name); err != nil {
				return err
			}
		}
		var at int64
		_, err := tx.ExecContext(ctx, `INSERT INTO backup (hall, device, name, at, pieces, bytes, sum) VALUES ($1, $2, $3, 0, 0, 0, '')
			ON CONFLICT DO NOTHING`, d.Hall, d.Device, name)
		if err == nil {
			err = tx.QueryRowContext(ctx, "SELECT at FROM backup WHERE hall = $1 AND device = $2 AND name = $3"+s.lock, d.Hall, d.Device, name).Scan(&at)
		}
		if err != nil {
			return err
		}
		if at > 0 {
			return s.sameOr(ctx, tx, d, name, number, body)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO backup_piece (hall, device, name, number, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (hall, device, name, number) DO UPDATE SET body = excluded.body`, d.Hall, d.Device, name, number, body)
		return err
	})
}

// sameOr refuses another piece of a complete backup: a request may be repeated.
func (s *Store) sameOr(ctx context.Context, tx *sql.Tx, d Device, name string, number int, body []byte) error {
	var has []byte
	err := tx.QueryRowContext(ctx, "SELECT body FROM backup_piece WHERE hall = $1 AND device = $2 AND name = $3 AND number = $4", d.Hall, d.Device, name, number).Scan(&has)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !bytes.Equal(has, body) {
		return errWhole
	}
	return err
}

// KeepBackup completes a backup whose pieces are here, and forgets the oldest
// complete ones of the box. It returns what is kept.
func (s *Store) KeepBackup(ctx context.Context, d Device, k central.Kept) (central.Kept, error) {
	if err := s.summed(ctx, d, k); err != nil {
		return k, err
	}
	err := s.in(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE backup SET at = $1, pieces = $2, bytes = $3, sum = $4 WHERE hall = $5 AND device = $6 AND name = $7 AND at = 0`,
			s.millis(), k.Pieces, k.Bytes, k.SHA256, d.Hall, d.Device, k.Name)
		if err != nil {
			return err
		}
		return forget(ctx, tx, d, `at > 0 AND name NOT IN (
			SELECT name FROM backup WHERE hall = $1 AND device = $2 AND at > 0 ORDER BY at DESC, name DESC LIMIT $3)`, central.BackupsKept)
	})
	if err != nil {
		return k, err
	}
	list, err := s.Backups(ctx, d)
	for _, has := range list {
		if has.Name == k.Name && has.SHA256 == k.SHA256 {
			return has, err
		}
	}
	return k, errors.Join(err, errWhole)
}

// summed compares what is here with what was meant.
func (s *Store) summed(ctx context.Context, d Device, k central.Kept) error {
	sum, size := sha256.New(), int64(0)
	list, err := collect(ctx, s.read, func(r *sql.Rows) (_ struct{}, err error) {
		var body []byte
		err = r.Scan(&body)
		sum.Write(body)
		size += int64(len(body))
		return struct{}{}, err
	}, "SELECT body FROM backup_piece WHERE hall = $1 AND device = $2 AND name = $3 ORDER BY number", d.Hall, d.Device, k.Name)
	if err != nil {
		return err
	}
	if len(list) != k.Pieces || size != k.Bytes || hex.EncodeToString(sum.Sum(nil)) != k.SHA256 {
		return central.Refuse(http.StatusConflict, "backup", "%d pieces with %d bytes have come, which are not the backup: send it again", len(list), size)
	}
	return nil
}

// forget removes backups of a box.
func forget(ctx context.Context, tx *sql.Tx, d Device, which string, arg any) error {
	chosen := " WHERE hall = $1 AND device = $2 AND name IN (SELECT name FROM backup WHERE hall = $1 AND device = $2 AND " + which + ")"
	for _, table := range []string{"backup_piece", "backup"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+chosen, d.Hall, d.Device, arg); err != nil {
			return err
		}
	}
	return nil
}

// Backups lists the complete backups of a box, the newest first.
func (s *Store) Backups(ctx context.Context, d Device) ([]central.Kept, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (k central.Kept, err error) {
		var at int64
		err = r.Scan(&k.Name, &at, &k.Pieces, &k.Bytes, &k.SHA256)
		k.At = fromMilli(at)
		return k, err
	}, "SELECT name, at, pieces, bytes, sum FROM backup WHERE hall = $1 AND device = $2 AND at > 0 ORDER BY at DESC, name DESC", d.Hall, d.Device)
}

// Piece returns one piece of a complete backup.
func (s *Store) Piece(ctx context.Context, d Device, name string, number int) (body []byte, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT p.body FROM backup_piece p JOIN backup b ON b.hall = p.hall AND b.device = p.device AND b.name = p.name
		WHERE p.hall = $1 AND p.device = $2 AND p.name = $3 AND p.number = $4 AND b.at > 0`, d.Hall, d.Device, name, number).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		err = central.Refuse(http.StatusNotFound, "no_backup", "there is no such piece of a backup")
	}
	return body, err
}
