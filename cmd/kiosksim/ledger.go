package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"longcheng/kiosk"
)

// A ledger is what a journal says happened, kept by somebody who trusts nobody.
type ledger struct {
	after     int64
	numbers   map[string]string         // number by visit
	jobs      map[int64]kiosk.Job       // latest state by id
	calls     map[int64]kiosk.Call      // by Call.Seq
	delivered map[int64]map[string]bool // surfaces that acknowledged, by Call.Seq
	firsts    map[int64]int             // calls that were no recalls, by leg
	channels  map[kiosk.Channel]int     // tickets by how they were asked for
	boots     int                       // starts of kioskd
	days      []kiosk.Day               // business days, in the order they were opened
}

func newLedger() *ledger {
	return &ledger{numbers: map[string]string{}, jobs: map[int64]kiosk.Job{}, calls: map[int64]kiosk.Call{}, delivered: map[int64]map[string]bool{}, firsts: map[int64]int{}, channels: map[kiosk.Channel]int{}}
}

// read takes in what is new in the journal.
func (l *ledger) read(ctx context.Context, boss *client) error {
	for {
		events, err := journal(ctx, boss, l.after)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if err := l.take(e); err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
		}
	}
}

// journal returns the events after one, not all at once.
func journal(ctx context.Context, boss *client, after int64) (events []kiosk.Event, err error) {
	err = boss.get(ctx, fmt.Sprintf("/api/v1/journal?after=%d&limit=500", after), &events)
	return events, err
}

func (l *ledger) take(e kiosk.Event) error {
	if e.Seq != l.after+1 {
		return fmt.Errorf("it follows %d", l.after)
	}
	l.after = e.Seq
	switch e.Kind {
	case kiosk.KindBooted:
		l.boots++
	case kiosk.KindDay:
		var b kiosk.DayOpened
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		if !slices.Contains(l.days, b.Day) { // it is told again when the clock is doubted
			l.days = append(l.days, b.Day)
		}
	case kiosk.KindIssued:
		var b kiosk.Issued
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		l.numbers[b.Visit.ID] = b.Visit.Number
		l.channels[b.Visit.Channel]++
		for _, j := range b.Visit.Jobs {
			l.jobs[j.ID] = j
		}
	case kiosk.KindJob:
		var j kiosk.Job
		if err := json.Unmarshal(e.Body, &j); err != nil {
			return err
		}
		l.jobs[j.ID] = j
	case kiosk.KindCalled:
		var c kiosk.Call
		if err := json.Unmarshal(e.Body, &c); err != nil {
			return err
		}
		l.calls[c.Seq] = c
		if c.Recall == 0 {
			l.firsts[c.Leg]++
		}
	case kiosk.KindDelivered:
		return l.deliver(e)
	}
	return nil
}

func (l *ledger) deliver(e kiosk.Event) error {
	var b kiosk.Delivered
	if err := json.Unmarshal(e.Body, &b); err != nil || b.Fault != "" {
		return err
	}
	for _, seq := range b.Calls {
		if l.delivered[seq] == nil {
			l.delivered[seq] = map[string]bool{}
		}
		l.delivered[seq][b.Surface] = true
	}
	return nil
}

// open says what is still on its way: paper not settled, calls not shown.
func (l *ledger) open() (still []string) {
	for _, j := range l.jobs {
		if j.State == kiosk.JobPending || j.State == kiosk.JobPrinting {
			still = append(still, fmt.Sprintf("%s is not printed yet", l.numbers[j.Visit]))
		}
	}
	for seq, c := range l.calls {
		for _, surface := range l.owed(seq) {
			still = append(still, fmt.Sprintf("%s has not shown call %d of %s", surface, seq, c.Number))
		}
	}
	slices.Sort(still)
	return still
}

// owed are the surfaces that have not acknowledged a call.
func (l *ledger) owed(seq int64) (surfaces []string) {
	for _, d := range l.calls[seq].Delivery {
		if !l.delivered[seq][d.Surface] {
			surfaces = append(surfaces, d.Surface)
		}
	}
	return surfaces
}

// numberOf is the number of a leg that was called.
func (l *ledger) numberOf(leg int64) string {
	for _, c := range l.calls {
		if c.Leg == leg {
			return c.Number
		}
	}
	return fmt.Sprintf("of leg %d", leg)
}

// faults compares the journal with what citizens were promised.
func (l *ledger) faults(promised []string) (bad []string) {
	byNumber := map[string]int{}
	for _, n := range l.numbers {
		byNumber[n]++
	}
	for n, count := range byNumber {
		if count > 1 {
			bad = append(bad, fmt.Sprintf("number %s was given %d times", n, count))
		}
	}
	for _, n := range promised {
		if byNumber[n] == 0 {
			bad = append(bad, fmt.Sprintf("ticket %s was promised and is not in the journal", n))
		}
	}
	for leg, n := range l.firsts {
		if n > 1 {
			bad = append(bad, fmt.Sprintf("ticket %s was called %d times as if for the first time", l.numberOf(leg), n))
		}
	}
	bad = append(bad, l.open()...)
	slices.Sort(bad)
	return bad
}
