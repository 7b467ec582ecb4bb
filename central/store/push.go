package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"longcheng/central"
	"longcheng/kiosk"
)

const (
	maxEpochs    = 200 // journals that one device may begin: one that begins more is out of order, or an attack
	maxSources   = 200 // parts of a device whose health is kept
	maxConflicts = 20  // contradictions of one journal that are kept: the first ones say where it went wrong
)

// SourceJournal is the source of the alarm of a contradiction, which stays until the
// box is enrolled again.
const SourceJournal = "journal"

// An Origin is a journal of a device of a hall.
type Origin struct {
	Hall string
	kiosk.Origin
}

// id is the key of an origin: the same on every machine, without a counter.
func (o Origin) id() int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", o.Hall, o.Device, o.Epoch))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// stand is where an origin stands, while its row is locked.
type stand struct {
	id      int64
	through int64
	hash    []byte
}

func (p stand) answer() *central.Answer { return &central.Answer{Through: p.through, Hash: p.hash} }

// Stand returns how far an origin was committed; an unknown one stands at 0.
func (s *Store) Stand(ctx context.Context, o Origin) (central.Answer, error) {
	p, err := readStand(ctx, s.read, o, "")
	if errors.Is(err, sql.ErrNoRows) {
		return central.Answer{Hash: o.Genesis()}, nil
	}
	return *p.answer(), err
}

type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readStand(ctx context.Context, q rower, o Origin, lock string) (stand, error) {
	p := stand{id: o.id()}
	err := q.QueryRowContext(ctx, "SELECT through, hash FROM origin WHERE id = $1"+lock, p.id).Scan(&p.through, &p.hash)
	return p, err
}

// Push commits a checked batch of o that the device via has sent. What is known
// already is compared, not written. A *central.Problem says that the batch does
// not follow what is known: a gap, or a conflict, which is kept as evidence.
func (s *Store) Push(ctx context.Context, o Origin, via string, b central.Batch) (central.Answer, error) {
	var answer central.Answer
	var refused *central.Problem
	err := s.in(ctx, func(tx *sql.Tx) error {
		refused = nil
		p, err := s.lockOrigin(ctx, tx, o, via)
		if err != nil {
			return err
		}
		err = s.admit(ctx, tx, o, p, b.Events)
		if errors.As(err, &refused) {
			return s.keepRefused(ctx, tx, p, via, b, refused)
		}
		if err != nil {
			return err
		}
		answer, err = s.commit(ctx, tx, o, p, via, b)
		return err
	})
	if err == nil && refused != nil {
		err = refused
	}
	return answer, err
}

// lockOrigin locks the row of o, which it makes when o is new.
func (s *Store) lockOrigin(ctx context.Context, tx *sql.Tx, o Origin, via string) (stand, error) {
	p, err := readStand(ctx, tx, o, s.lock)
	if !errors.Is(err, sql.ErrNoRows) {
		return p, err
	}
	var epochs int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM origin WHERE hall = $1 AND device = $2", o.Hall, o.Device).Scan(&epochs); err != nil {
		return p, err
	}
	if epochs >= maxEpochs {
		return p, central.Refuse(http.StatusForbidden, "epochs", "the device has begun %d journals: look why its store does not last", epochs)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO origin (id, hall, device, epoch, through, hash, at, heard, drift, more, via)
		VALUES ($1, $2, $3, $4, 0, $5, 0, $6, 0, 0, $7) ON CONFLICT DO NOTHING`,
		p.id, o.Hall, o.Device, o.Epoch, o.Genesis(), s.millis(), via)
	if err != nil {
		return p, err
	}
	if err := s.addDevice(ctx, tx, o.Hall, o.Device, ""); err != nil {
		return p, err
	}
	return readStand(ctx, tx, o, s.lock)
}

// admit checks that events follow from what is known of o.
func (s *Store) admit(ctx context.Context, tx *sql.Tx, o Origin, p stand, events []kiosk.Event) error {
	first, last := events[0].Seq, events[len(events)-1].Seq
	if first > p.through+1 {
		r := central.Refuse(http.StatusConflict, central.CodeGap, "event %d is missing", p.through+1)
		r.Seq, r.Answer = first, p.answer()
		return r
	}
	known, err := knownHashes(ctx, tx, p, first-1, min(last, p.through))
	if err != nil {
		return err
	}
	if first == 1 {
		known[0] = o.Genesis()
	}
	return compare(p, known, events)
}

// knownHashes returns the hashes of the committed events from to to.
func knownHashes(ctx context.Context, tx *sql.Tx, p stand, from, to int64) (map[int64][]byte, error) {
	known := map[int64][]byte{p.through: p.hash}
	if from >= p.through {
		return known, nil
	}
	_, err := collect(ctx, tx, func(r *sql.Rows) (_ struct{}, err error) {
		var seq int64
		var hash []byte
		err = r.Scan(&seq, &hash)
		known[seq] = hash
		return struct{}{}, err
	}, "SELECT seq, hash FROM event WHERE origin = $1 AND seq BETWEEN $2 AND $3", p.id, from, to)
	return known, err
}

// compare follows the chain through the batch. An event that does not follow
// from the one sent before it is broken; one that differs from what is known, or
// does not follow from it, is a conflict.
func compare(p stand, known map[int64][]byte, events []kiosk.Event) error {
	prev := known[events[0].Seq-1]
	for i, e := range events {
		follows := bytes.Equal(e.Chain(prev), e.Hash)
		same, was := known[e.Seq]
		switch {
		case !follows && i > 0:
			return contradiction(p, e.Seq, central.CodeBroken, "event %d does not follow from the event sent before it", e.Seq)
		case !follows, was && !bytes.Equal(same, e.Hash):
			return contradiction(p, e.Seq, central.CodeConflict, "event %d contradicts what the centre has committed", e.Seq)
		}
		prev = e.Hash
	}
	return nil
}

func contradiction(p stand, seq int64, code, format string, args ...any) error {
	r := central.Refuse(http.StatusConflict, code, format, args...)
	r.Seq, r.Answer = seq, p.answer()
	return r
}

// keepRefused keeps a contradiction as evidence and as an alarm of the device;
// the same one is kept once.
func (s *Store) keepRefused(ctx context.Context, tx *sql.Tx, p stand, via string, b central.Batch, r *central.Problem) error {
	if r.Code != central.CodeConflict && r.Code != central.CodeBroken {
		return nil
	}
	e := b.Events[r.Seq-b.Events[0].Seq]
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	now := s.millis()
	var kept int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM conflict WHERE origin = $1", p.id).Scan(&kept); err != nil || kept >= maxConflicts {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO conflict (origin, seq, hash, heard, why, via, event) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`, p.id, e.Seq, e.Hash, now, r.Title, via, string(text))
	if err != nil {
		return err
	}
	var hall, device string
	if err := tx.QueryRowContext(ctx, "SELECT hall, device FROM origin WHERE id = $1", p.id).Scan(&hall, &device); err != nil {
		return err
	}
	return saveHealth(ctx, tx, hall, device, SourceJournal, r.Title, "", now)
}

// commit writes the events that are new and what they say of the box.
func (s *Store) commit(ctx context.Context, tx *sql.Tx, o Origin, p stand, via string, b central.Batch) (central.Answer, error) {
	fresh := b.Events[min(int64(len(b.Events)), p.through+1-b.Events[0].Seq):]
	if len(fresh) == 0 {
		return *p.answer(), nil
	}
	if err := s.insert(ctx, tx, p.id, fresh); err != nil {
		return central.Answer{}, fmt.Errorf("insert events %d to %d: %w", fresh[0].Seq, fresh[len(fresh)-1].Seq, err)
	}
	last, now := fresh[len(fresh)-1], s.now()
	more := 0
	if b.More {
		more = 1
	}
	_, err := tx.ExecContext(ctx, `UPDATE origin SET through = $1, hash = $2, at = $3, heard = $4, drift = $5, more = $6, via = $7 WHERE id = $8`,
		last.Seq, last.Hash, last.At.UnixMilli(), now.UnixMilli(), drift(b.Sent, now), more, via, p.id)
	if err != nil {
		return central.Answer{}, err
	}
	return central.Answer{Through: last.Seq, Hash: last.Hash}, s.observe(ctx, tx, o, fresh)
}

func drift(sent, now time.Time) int64 {
	if sent.IsZero() {
		return 0
	}
	return sent.Sub(now).Milliseconds()
}

// observe keeps what events say of the health and the version of their box. A
// body that cannot be read says nothing.
func (s *Store) observe(ctx context.Context, tx *sql.Tx, o Origin, events []kiosk.Event) error {
	for _, e := range events {
		var err error
		switch e.Kind {
		case kiosk.KindAlarm:
			var a kiosk.Alarm
			if json.Unmarshal(e.Body, &a) == nil {
				err = saveHealth(ctx, tx, o.Hall, o.Device, clip(a.Source), clip(a.State), clip(a.Fault), e.At.UnixMilli())
			}
		case kiosk.KindIssued:
			var i struct {
				kiosk.Issued
				Code string `json:"code"`
			}
			if bytes.Contains(e.Body, []byte(`"code":"`)) && json.Unmarshal(e.Body, &i) == nil && i.Code != "" {
				err = s.used(ctx, tx, o.Hall, clip(i.Code), e.At)
			}
		case kiosk.KindBooted:
			var b kiosk.Booted
			if json.Unmarshal(e.Body, &b) == nil {
				_, err = tx.ExecContext(ctx, "UPDATE device SET version = $1, document = $2 WHERE hall = $3 AND device = $4", clip(b.Version), b.Document, o.Hall, o.Device)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func saveHealth(ctx context.Context, tx *sql.Tx, hall, device, source, state, fault string, at int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO health (hall, device, source, state, fault, at)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS BIGINT)
		WHERE (SELECT count(*) FROM health WHERE hall = $1 AND device = $2 AND source <> $3) < $7
		ON CONFLICT (hall, device, source) DO UPDATE SET state = excluded.state, fault = excluded.fault, at = excluded.at`, hall, device, source, state, fault, at, maxSources)
	return err
}

// clip shortens a text of a box to what a page shows; PostgreSQL takes no zero
// bytes.
func clip(s string) string {
	r := []rune(s)
	if len(r) > 200 {
		r = r[:200]
	}
	for i, c := range r {
		if c == 0 {
			r[i] = ' '
		}
	}
	return string(r)
}
