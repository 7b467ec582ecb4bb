package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"longcheng/kiosk"
)

const waitingMax = 1000 // legs that Waiting returns

const legColumns = "id, visit, number, item, queue, class, state, arrival, virtual, window, call, recalls, returned, since"

// read gives f one consistent view of the database.
func (s *Store) read(ctx context.Context, f func(querier) error) error {
	t, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // nothing was written
	return f(t)
}

func collect[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) (list []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// ofVisit and jobsOfVisit are the conditions for what belongs to a visit; their
// one argument is the visit's id.
const (
	ofVisit     = "id BETWEEN (SELECT leg FROM visit WHERE visit.id = ?1) AND (SELECT leg + legs - 1 FROM visit WHERE visit.id = ?1)"
	jobsOfVisit = "id IN (SELECT visit.job FROM visit WHERE visit.id = ?1 UNION ALL SELECT c.id FROM job c WHERE c.visit = ?1 AND c.copy > 0)"
)

// callsOf selects the calls of legs: each call names the one before.
func callsOf(legs string) string {
	return `WITH RECURSIVE chain(seq, prev) AS (
		SELECT call.seq, call.prev FROM leg JOIN call ON call.seq = leg.call WHERE ` + legs + `
		UNION ALL SELECT call.seq, call.prev FROM chain JOIN call ON call.seq = chain.prev) SELECT seq FROM chain`
}

type scanner interface{ Scan(...any) error }

func scanLeg(r scanner, more ...any) (l kiosk.Leg, err error) {
	var arrival, virtual, since int64
	err = r.Scan(append([]any{&l.ID, &l.Visit, &l.Number, &l.Item, &l.Queue, &l.Class, &l.State, &arrival, &virtual,
		&l.Window, &l.Call, &l.Recalls, &l.Returned, &since}, more...)...)
	l.Arrival, l.Virtual, l.Since = fromMilli(arrival), fromMilli(virtual), fromMilli(since)
	return l, err
}

func legsWhere(ctx context.Context, q querier, where string, args ...any) ([]kiosk.Leg, error) {
	return collect(ctx, q, func(r *sql.Rows) (kiosk.Leg, error) { return scanLeg(r) },
		"SELECT "+legColumns+" FROM leg WHERE "+where, args...)
}

func callsWhere(ctx context.Context, q querier, where string, args ...any) ([]kiosk.Call, error) {
	return callsBy(ctx, q, parseCall, where, args...)
}

// parseCall reads the parts of a call that are documents.
func parseCall(c *kiosk.Call, why, delivery string) error {
	err := json.Unmarshal([]byte(why), &c.Why)
	if err == nil {
		c.Delivery, err = parseDelivery(delivery)
	}
	return err
}

func callsBy(ctx context.Context, q querier, parse func(c *kiosk.Call, why, delivery string) error, where string, args ...any) ([]kiosk.Call, error) {
	return collect(ctx, q, func(r *sql.Rows) (c kiosk.Call, err error) {
		var at int64
		var why, delivery string
		err = r.Scan(&c.Seq, &c.Visit, &c.Leg, &c.Number, &c.Item, &c.Class, &c.Window, &c.Recall, &at, &c.By, &c.Reason, &why, &delivery)
		if err != nil {
			return c, err
		}
		c.At = fromMilli(at)
		return c, parse(&c, why, delivery)
	}, "SELECT seq, visit, leg, number, item, class, window, recall, at, by, reason, why, delivery FROM call WHERE "+where, args...)
}

func visit(ctx context.Context, q querier, where string, args ...any) (v kiosk.Visit, err error) {
	var taken int64
	err = q.QueryRowContext(ctx, `SELECT id, day, number, item, flow, stage, class, claimed, granter, channel, kiosk, name, taken, unsettled
		FROM visit WHERE `+where, args...).Scan(&v.ID, &v.Day, &v.Number, &v.Item, &v.Flow, &v.Stage, &v.Class, &v.Claimed,
		&v.Granter, &v.Channel, &v.Kiosk, &v.Name, &taken, &v.Unsettled)
	if errors.Is(err, sql.ErrNoRows) {
		return v, refuse("unknown_visit", "未找到该号", "there is no such ticket")
	}
	if err != nil {
		return v, err
	}
	v.TakenAt = fromMilli(taken)
	if v.Legs, err = legsWhere(ctx, q, ofVisit+" ORDER BY id", v.ID); err != nil {
		return v, err
	}
	v.Jobs, err = jobsWhere(ctx, q, jobsOfVisit+" ORDER BY id", v.ID)
	return v, err
}

// Visit returns a visit by its secret.
func (s *Store) Visit(ctx context.Context, id string) (v kiosk.Visit, err error) {
	err = s.read(ctx, func(q querier) error { v, err = visit(ctx, q, "id = ?", id); return err })
	return v, err
}

// Find returns the visit that bears a number in the store's business day.
func (s *Store) Find(ctx context.Context, number string) (v kiosk.Visit, err error) {
	err = s.read(ctx, func(q querier) error {
		v, err = visit(ctx, q, "day = (SELECT day FROM head) AND number = ?", number)
		return err
	})
	return v, err
}

// VisitCalls returns every call of a visit, oldest first.
func (s *Store) VisitCalls(ctx context.Context, id string) (c []kiosk.Call, err error) {
	err = s.read(ctx, func(q querier) error {
		c, err = callsWhere(ctx, q, "seq IN ("+callsOf("leg."+ofVisit)+") ORDER BY seq", id)
		return err
	})
	return c, err
}

// Waiting returns who waits in a queue, in order of virtual arrival: the first
// 1000 of them. Each costs one row.
func (s *Store) Waiting(ctx context.Context, queue string) (l []kiosk.Leg, err error) {
	places := s.mem.Load().list(queue, waitingMax)
	err = s.read(ctx, func(q querier) error {
		for _, p := range places {
			one, err := legsWhere(ctx, q, "id = ? AND state = 'waiting' AND queue = ?", p.leg, queue)
			if err != nil {
				return err
			}
			l = append(l, one...)
		}
		return nil
	})
	return l, err
}

// Parked returns the legs that a window holds or skipped and that can still come
// back, the latest first.
func (s *Store) Parked(ctx context.Context, window string) (l []kiosk.Leg, err error) {
	err = s.read(ctx, func(q querier) error {
		l, err = legsWhere(ctx, q, "state IN ('held','skipped') AND window = ? ORDER BY since DESC, id DESC", window)
		return err
	})
	return l, err
}

// SignedOut returns the sessions that were ended by hand since a time. It reads
// the journal backwards, and no further than that.
func (s *Store) SignedOut(ctx context.Context, since time.Time) (ids []string, err error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT at, CASE WHEN kind = 'signed' THEN body ELSE '{}' END FROM journal ORDER BY seq DESC")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var body string
		if err := rows.Scan(&at, &body); err != nil {
			return nil, err
		}
		if at < since.UnixMilli() {
			break
		}
		var b kiosk.Signed
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			return nil, err
		}
		if b.Session != "" {
			ids = append(ids, b.Session)
		}
	}
	return ids, rows.Err()
}

// Ahead returns how many wait before a visit in its first queue in which it
// still waits, and the expected wait; zero when it waits nowhere. Before it is
// whoever has an earlier virtual arrival, so credits of classes are counted, and
// so are legs that another window holds back or that are reserved. It costs one
// look at the visit and one step per 512 people waiting.
func (s *Store) Ahead(ctx context.Context, id string) (n int, wait time.Duration, err error) {
	err = s.read(ctx, func(q querier) error {
		v, err := visit(ctx, q, "id = ?", id)
		if err != nil {
			return err
		}
		l, ok := find(v.Legs, func(l kiosk.Leg) bool { return l.State == kiosk.Waiting })
		if ok {
			n, wait = s.ahead(l)
		}
		return err
	})
	return n, wait, err
}

// Undelivered returns today's calls that a surface has not acknowledged, oldest
// first. Each costs one row.
func (s *Store) Undelivered(ctx context.Context, surface string) (c []kiosk.Call, err error) {
	seqs := slices.DeleteFunc(s.mem.Load().calls(surface), func(seq int64) bool { return s.rides(surface, seq) })
	if len(seqs) == 0 {
		return nil, nil
	}
	slices.Sort(seqs)
	err = s.read(ctx, func(q querier) error {
		for _, seq := range seqs {
			one, err := callsWhere(ctx, q, "seq = ?", seq)
			if err != nil {
				return err
			}
			c = append(c, one...)
		}
		return nil
	})
	return c, err
}

// Journal returns up to limit events of this origin after a position, in order.
func (s *Store) Journal(ctx context.Context, after int64, limit int) (list []kiosk.Event, err error) {
	return numbered(ctx, s.reader, s.base, after, min(max(limit, 0), 10_000))
}

func events(ctx context.Context, q querier, after int64, limit int) ([]kiosk.Event, error) {
	return collect(ctx, q, func(r *sql.Rows) (e kiosk.Event, err error) {
		var at int64
		var body string
		var request, answer sql.NullString
		err = r.Scan(&e.Seq, &at, &e.Kind, &body, &request, &answer, &e.Hash)
		e.At, e.Body, e.Request = time.UnixMilli(at).UTC(), json.RawMessage(body), request.String
		if answer.Valid {
			e.Answer = json.RawMessage(answer.String)
		}
		return e, err
	}, "SELECT seq, at, kind, body, request, answer, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
}

// Check writes one row and reads it back: the store works, to the disk.
func (s *Store) Check(ctx context.Context) error {
	var wrote, read int64
	err := s.do(ctx, func(t *tx) error {
		return t.QueryRowContext(ctx, "INSERT INTO probe (one, n) VALUES (1, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n").Scan(&wrote)
	})
	if err != nil {
		return err
	}
	if err := s.reader.QueryRowContext(ctx, "SELECT n FROM probe").Scan(&read); err != nil {
		return err
	}
	if read < wrote {
		return errors.New("check store: a committed row cannot be read: restart the program")
	}
	return nil
}
