package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"longcheng/kiosk"
)

const (
	pageOfEvents = 512
	maxFaults    = 100
)

// A Report is what Verify found.
type Report struct {
	Origin kiosk.Origin
	Events int64    // events read
	Hash   []byte   // of the last event
	Faults []string // one sentence each, at most 100; none means the journal is whole
}

func (r *Report) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// Verify reads the journal of the database at path and checks that it has no
// gap, that every hash follows from the event before, that the state's tickets,
// calls and print jobs are all in it, and that no number was given twice in a
// day. Nothing in a file can tell that its latest events were cut off together
// with their state: compare Report.Hash with a copy of the journal elsewhere. A fault in the
// journal is in the report; an error means that the file could not be read.
func Verify(ctx context.Context, path string) (Report, error) {
	var r Report
	db, err := openForReading(path)
	if err != nil {
		return r, err
	}
	err = r.verify(ctx, db)
	if err = errors.Join(err, db.Close()); err != nil {
		err = forRoom(fmt.Errorf("verify %s: %w", path, err))
	}
	return r, err
}

func openForReading(path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", dsn(path, "mode=ro&_busy_timeout=5000&_query_only=1"))
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

func (r *Report) verify(ctx context.Context, db *sql.DB) (err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if r.Origin, err = readOrigin(ctx, tx); err != nil {
		return err
	}
	v := verifier{Report: r, given: map[string]int64{}, requests: map[string]int64{}}
	if v.chapters, err = chapters(ctx, tx, r.Origin); err != nil {
		return err
	}
	r.Hash = v.chapters[0].Origin.Genesis()
	err = tx.QueryRowContext(ctx, "SELECT seq, hash FROM head").Scan(&v.anchor.seq, &v.anchor.hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := eachEvent(ctx, tx, func(e kiosk.Event) error { v.check(e); return nil }); err != nil {
		return err
	}
	return v.compare(ctx, tx)
}

// A verifier is a report in the making.
type verifier struct {
	*Report
	anchor          head // where the state says the journal stood
	chapters        []kiosk.Chapter
	place           head // where reading stands
	last            kiosk.Event
	given, requests map[string]int64
	counters
}

// compare finds state without its events: the end of a journal that was cut off.
func (v *verifier) compare(ctx context.Context, q querier) error {
	if v.anchor.seq > v.last.Seq {
		v.fault("the state stands at event %d, the journal ends at %d", v.anchor.seq, v.last.Seq)
	}
	h, err := readHead(ctx, q, v.Origin)
	if err == nil && h.counters != v.counters {
		v.fault("the state has calls, legs and print jobs up to %v, the journal up to %v", h.counters, v.counters)
	}
	return err
}

func (v *verifier) check(e kiosk.Event) {
	if e.Seq != v.last.Seq+1 {
		v.fault("after event %d comes event %d", v.last.Seq, e.Seq)
	}
	if e.At.Before(v.last.At) {
		v.fault("event %d is earlier than the event before", e.Seq)
	}
	v.place.turn(v.chapters)
	if !bytes.Equal(v.place.chain(e), e.Hash) {
		v.fault("event %d does not fit the chain", e.Seq)
	}
	v.place.seq, v.place.hash = e.Seq, e.Hash
	if e.Seq == v.anchor.seq && !bytes.Equal(e.Hash, v.anchor.hash) {
		v.fault("event %d is not the one that the state follows from", e.Seq)
	}
	if first, ok := v.requests[e.Request]; ok && e.Request != "" {
		v.fault("events %d and %d answer the same request", first, e.Seq)
	}
	v.requests[e.Request] = e.Seq
	if err := v.count(e); err != nil {
		v.fault("event %d cannot be read", e.Seq)
	}
	v.last, v.Hash = e, e.Hash
	v.Events++
}

func (v *verifier) count(e kiosk.Event) error {
	switch e.Kind {
	case kiosk.KindIssued:
		return with(e, nil, func(b issuedBody) error { v.countVisit(e.Seq, b.Issued); return nil })
	case kiosk.KindKept, kiosk.KindOwed:
		return with(e, nil, func(b keptBody) error { v.countVisit(e.Seq, b.Issued); return nil })
	case kiosk.KindJob:
		return with(e, nil, func(j kiosk.Job) error { v.jobs = max(v.jobs, j.ID); return nil })
	case kiosk.KindCalled:
		return with(e, nil, func(c calledBody) error { v.calls = max(v.calls, c.Seq); return nil })
	}
	return nil
}

func (v *verifier) countVisit(seq int64, i kiosk.Issued) {
	key := string(i.Visit.Day) + " " + i.Visit.Number
	if first, ok := v.given[key]; ok {
		v.fault("events %d and %d give the same number %s", first, seq, key)
	}
	v.given[key] = seq
	v.jobs = max(v.jobs, i.Job)
	for _, l := range i.Visit.Legs {
		v.legs = max(v.legs, l.ID)
	}
}

// eachEvent pages through a journal.
func eachEvent(ctx context.Context, q querier, f func(kiosk.Event) error) error {
	var after int64
	for {
		page, err := events(ctx, q, after, pageOfEvents)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			if err := f(e); err != nil {
				return err
			}
			after = e.Seq
		}
	}
}

// Rebuild makes a new database at dst from the journal of src alone. It refuses
// an existing dst and a journal whose chain is broken.
func Rebuild(ctx context.Context, src, dst string) (err error) {
	if _, err := os.Stat(dst); err == nil {
		return fmt.Errorf("rebuild %s: the file exists: give another path", dst)
	}
	from, err := openForReading(src)
	if err != nil {
		return fmt.Errorf("rebuild from %s: %w", src, err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := openFile(ctx, dst)
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", dst, err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	o, err := readOrigin(ctx, from)
	if err == nil {
		err = replayAs(ctx, from, to, o)
	}
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", dst, err)
	}
	return nil
}
