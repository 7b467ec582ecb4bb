package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"longcheng/kiosk"
)

// A head is where the journal stands and what is counted beside it.
type head struct {
	base  int64 // rows of earlier chapters
	seq   int64 // row
	at    time.Time
	hash  []byte
	day   kiosk.Day
	alarm string
	counters
	before counters // when this business day began
}

// counters are the highest ids given so far.
type counters struct{ calls, legs, jobs int64 }

// A tx is the transaction of one batch. Decisions read it; only append and apply
// write.
type tx struct {
	*conn
	s    *Store // nil while rebuilding
	head *head
	mem  *memory
}

// readPlace reads where the journal ends and which business day it is.
func readPlace(ctx context.Context, q querier, o kiosk.Origin) (head, error) {
	h := head{hash: o.Genesis()}
	var at int64
	err := q.QueryRowContext(ctx, `SELECT seq, at, hash, (SELECT coalesce(max(last), 0) FROM chapter)
		FROM journal ORDER BY seq DESC LIMIT 1`).Scan(&h.seq, &at, &h.hash, &h.base)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	if h.seq == h.base {
		h.hash = o.Genesis()
	}
	h.at = fromMilli(at)
	err = q.QueryRowContext(ctx, "SELECT day, alarm, calls, legs, jobs FROM head").
		Scan(&h.day, &h.alarm, &h.before.calls, &h.before.legs, &h.before.jobs)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return h, err
}

func readHead(ctx context.Context, q querier, o kiosk.Origin) (head, error) {
	h, err := readPlace(ctx, q, o)
	if err != nil {
		return h, err
	}
	err = q.QueryRowContext(ctx, `SELECT (SELECT coalesce(max(seq), 0) FROM call), (SELECT coalesce(max(id), 0) FROM leg),
		(SELECT coalesce(max(id), 0) FROM job)`).Scan(&h.calls, &h.legs, &h.jobs)
	return h, err
}

// anchor notes in the state where the journal stands.
func (t *tx) anchor() error {
	h := t.head
	return t.exec("INSERT OR REPLACE INTO head (one, seq, hash, day, alarm, calls, legs, jobs) VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
		h.seq, h.hash, string(h.day), h.alarm, h.before.calls, h.before.legs, h.before.jobs)
}

// milli and fromMilli are how times are stored: milliseconds, 0 for no time.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// time returns the time of the event that is being decided: the clock's, unless
// the clock is not believed or stands before the last event.
func (t *tx) time() time.Time {
	now := t.s.now().UTC().Truncate(time.Millisecond)
	_, alarm := kiosk.NextDay(t.head.day, t.head.at.In(t.s.loc), now.In(t.s.loc), t.s.rules.MaxClockJump.Std())
	if t.head.seq > 0 && (now.Before(t.head.at) || alarm != "") {
		return t.head.at
	}
	return now
}

// append writes one event and carries it into the state.
func (t *tx) append(kind kiosk.Kind, at time.Time, body any, request string, answer []byte) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	e := kiosk.Event{Seq: t.head.seq + 1, At: at, Kind: kind, Body: b, Request: request, Answer: answer}
	e.Hash = t.head.chain(e)
	return t.record(e, body)
}

func (t *tx) record(e kiosk.Event, body any) error {
	err := t.exec("INSERT INTO journal (seq, at, kind, body, request, answer, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
		e.Seq, e.At.UnixMilli(), string(e.Kind), string(e.Body), orNull(e.Request), orNull(string(e.Answer)), e.Hash)
	if err != nil {
		return fmt.Errorf("append event %d: %w", e.Seq, err)
	}
	t.head.seq, t.head.at, t.head.hash = e.Seq, e.At, e.Hash
	if err := apply(t, e, body); err != nil {
		return fmt.Errorf("apply event %d (%s): %w", e.Seq, e.Kind, err)
	}
	return nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// today begins a new business day when the clock says so, and notes when the
// clock begins or ceases to be believed.
func (t *tx) today() error {
	h, now := t.head, t.s.now().In(t.s.loc)
	day, alarm := kiosk.NextDay(h.day, h.at.In(t.s.loc), now, t.s.rules.MaxClockJump.Std())
	if alarm == "" && now.Year() < 2024 {
		alarm = "the clock is not set"
	}
	if day == h.day && (alarm == "") == (h.alarm == "") {
		return nil
	}
	return t.append(kiosk.KindDay, t.time(), kiosk.DayOpened{Day: day, Alarm: alarm}, "", nil)
}

// A demand is what every writing request has in common.
type demand struct {
	what    string // operation, such as "issue"
	request string
	who     string
	content any // digested: the same id with another content is refused
	sum     []byte
}

// An answer is what the journal keeps of a reply. Without Value the event's body
// is the reply.
type answer struct {
	Digest  []byte          `json:"digest"`
	Value   json.RawMessage `json:"value,omitempty"`
	Refusal *kiosk.Refusal  `json:"refusal,omitempty"`
}

// A decision is the event that follows from a request, and what to reply.
type decision[T any] struct {
	kind     kiosk.Kind
	body     any
	value    T
	bodyIsIt bool // body says all that value does
}

// settle runs one request: the stored answer if there is one, else decide, then
// the event. decide only reads.
func settle[T any](ctx context.Context, s *Store, d demand, decide func(*tx, time.Time) (decision[T], error)) (T, error) {
	var v T
	var refused *kiosk.Refusal
	d.sum = d.digest()
	err := s.do(ctx, func(t *tx) error {
		v, refused = *new(T), nil // a batch that was rolled back runs again
		if found, err := t.recalled(d, &v); found {
			return err
		}
		if err := t.decides(); err != nil {
			refused, _ = err.(*kiosk.Refusal)
			return nil
		}
		if err := t.today(); err != nil {
			return err
		}
		at := t.time()
		c, err := decide(t, at)
		if errors.As(err, &refused) {
			return t.refuse(d, at, refused)
		}
		if err != nil || c.kind == "" {
			v = c.value
			return err
		}
		v = c.value
		return t.append(c.kind, at, c.body, d.request, c.envelope(d))
	})
	if err == nil && refused != nil {
		err = refused
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

func (d demand) digest() []byte {
	if d.request == "" {
		return nil
	}
	b, err := json.Marshal(d.content)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(append([]byte(d.what+"\n"), b...))
	return sum[:16]
}

func (c decision[T]) envelope(d demand) []byte {
	if d.request == "" {
		return nil
	}
	a := answer{Digest: d.sum}
	if !c.bodyIsIt {
		a.Value, _ = json.Marshal(c.value) // our own types always marshal
	}
	b, _ := json.Marshal(a)
	return b
}

func (t *tx) refuse(d demand, at time.Time, r *kiosk.Refusal) error {
	if d.request == "" {
		return nil
	}
	b, err := json.Marshal(answer{Digest: d.sum, Refusal: r})
	if err != nil {
		return err
	}
	return t.append(kiosk.KindRefused, at, kiosk.Refused{What: d.what, Code: r.Code, Text: r.Text, Who: d.who}, d.request, b)
}

// recalled finds the answer that a request already has.
func (t *tx) recalled(d demand, v any) (bool, error) {
	if d.request == "" {
		return false, nil
	}
	row := make([]driver.Value, 2)
	found, err := t.row(row, "SELECT body, answer FROM journal WHERE request = ?", d.request)
	if err != nil || !found {
		return err != nil, err
	}
	body, _ := row[0].(string)
	stored, _ := row[1].(string)
	var a answer
	if err := json.Unmarshal([]byte(stored), &a); err != nil {
		return true, err
	}
	switch {
	case string(a.Digest) != string(d.sum):
		return true, refuse("request_reused", "请求编号已被使用", "this request id was used for something else")
	case a.Refusal != nil:
		return true, a.Refusal
	case a.Value != nil:
		return true, json.Unmarshal(a.Value, v)
	}
	return true, json.Unmarshal([]byte(body), v)
}

func refuse(code, zh, en string) *kiosk.Refusal {
	return &kiosk.Refusal{Code: code, Text: kiosk.Text{ZH: zh, EN: en}}
}
