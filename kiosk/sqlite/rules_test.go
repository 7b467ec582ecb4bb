package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
)

// ruled opens a store whose hall has other rules.
func ruled(t *testing.T, change func(*kiosk.Rules)) (*Store, *clock) {
	t.Helper()
	c, h := &clock{t: morning}, hall()
	change(&h.Rules)
	s, err := Open(t.Context(), Options{Path: filepath.Join(quick(t), "hall.db"), Hall: h, Origin: "k1", Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	must[kiosk.WindowState](t)(s.SetWindow(t.Context(), kiosk.WindowRequest{Window: "1", Desk: kiosk.Open}))
	return s, c
}

// skip takes a ticket that is called and does not come.
func skip(t *testing.T, s *Store, c *clock) kiosk.Call {
	t.Helper()
	called := callAt(t, s, "1")
	c.add(time.Minute)
	act(t, s, "1", kiosk.DoSkip)
	return called
}

func requeue(t *testing.T, s *Store, visit string) error {
	t.Helper()
	_, err := s.Act(t.Context(), kiosk.ActRequest{Visit: visit, Action: kiosk.DoRequeue, By: "li"})
	return err
}

// A skipped ticket comes back so often and no more.
func TestReturnLimit(t *testing.T) {
	s, c := ruled(t, func(r *kiosk.Rules) { r.SkippedReturn = 1 })
	take(t, s, kiosk.Intent{Item: "x"})
	first := skip(t, s, c)
	if err := requeue(t, s, first.Visit); err != nil {
		t.Fatal(err)
	}
	skip(t, s, c)
	wantCode(t, requeue(t, s, first.Visit), "return_limit")
	same(t, s)
}

// A skipped ticket goes behind the next few.
func TestSkippedGoesBack(t *testing.T) {
	s, c := ruled(t, func(r *kiosk.Rules) { r.Skipped, r.SkippedBack = "back", 2 })
	for range 4 {
		take(t, s, kiosk.Intent{Item: "x"})
		c.add(time.Second)
	}
	first := skip(t, s, c)
	if err := requeue(t, s, first.Visit); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A002", "A003", "A001", "A004"} {
		if got := callAt(t, s, "1").Number; got != want {
			t.Fatalf("called %s, want %s", got, want)
		}
		act(t, s, "1", kiosk.DoDone)
	}
	same(t, s)
}

// Where skipped tickets are void, one neither comes back nor is called.
func TestSkippedIsVoid(t *testing.T) {
	s, c := ruled(t, func(r *kiosk.Rules) { r.Skipped = "void" })
	take(t, s, kiosk.Intent{Item: "x"})
	first := skip(t, s, c)
	wantCode(t, requeue(t, s, first.Visit), "not_allowed")
	_, err := s.Act(t.Context(), kiosk.ActRequest{Visit: first.Visit, Window: "1", Action: kiosk.DoCall})
	wantCode(t, err, "not_allowed")
}

// Copies are numbered; the same request makes one; a slip of unknown fate has
// one copy, one that was printed none.
func TestCopies(t *testing.T) {
	s, _ := begin(t)
	i := take(t, s, kiosk.Intent{Item: "x", Printer: "p"})
	set := func(id int64, states ...kiosk.JobState) {
		t.Helper()
		for _, st := range states {
			if err := s.SetJob(t.Context(), id, st, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err := s.CopyAfterUnknown(t.Context(), i.Job)
	wantCode(t, err, "not_allowed")
	set(i.Job, kiosk.JobPrinting, kiosk.JobUnknown)
	one := must[kiosk.Job](t)(s.CopyAfterUnknown(t.Context(), i.Job))
	if one.Copy != 1 || one.State != kiosk.JobPending {
		t.Fatalf("copy %+v", one)
	}
	_, err = s.CopyAfterUnknown(t.Context(), i.Job)
	wantCode(t, err, "not_allowed")
	set(one.ID, kiosk.JobPrinting, kiosk.JobPrinted)
	r := kiosk.ReprintRequest{Request: "r1", Visit: i.Visit.ID, Printer: "q", By: "li", Reason: "lost"}
	two := must[kiosk.Job](t)(s.Reprint(t.Context(), r))
	if again := must[kiosk.Job](t)(s.Reprint(t.Context(), r)); two.Copy != 2 || again.ID != two.ID {
		t.Fatalf("reprint %+v, then %+v", two, again)
	}
	j, what, ok, err := s.NextJob(t.Context(), "q")
	if err != nil || !ok || j.ID != two.ID || what.Visit.Number != "A001" {
		t.Fatalf("next job %+v %v %v", j, ok, err)
	}
	_, err = s.Reprint(t.Context(), kiosk.ReprintRequest{Visit: "none", Printer: "q"})
	wantCode(t, err, "unknown_visit")
	for _, to := range []string{"spare", "q", "spare"} {
		if err := s.MoveJob(t.Context(), two.ID, to); err != nil {
			t.Fatal(err)
		}
	}
	if j, _, ok, _ := s.NextJob(t.Context(), "q"); ok {
		t.Errorf("%+v stands in both lines", j)
	}
	if j, _, _, _ := s.NextJob(t.Context(), "spare"); j.ID != two.ID || j.Printer != "spare" || j.Reason != "lost; moved from q" {
		t.Errorf("moved: %+v", j)
	}
	set(two.ID, kiosk.JobPrinting)
	wantCode(t, s.MoveJob(t.Context(), two.ID, "q"), "not_allowed")
	same(t, s)
}

// The last millisecond of a day belongs to it, midnight to the next. What waits
// expires, what is at a window was served, what is printing is unknown.
func TestMidnight(t *testing.T) {
	s, c := begin(t)
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, morning.Location())
	served, waits := take(t, s, kiosk.Intent{Item: "x"}), take(t, s, kiosk.Intent{Item: "x", Printer: "p"})
	callAt(t, s, "1")
	act(t, s, "1", kiosk.DoStart)
	if err := s.SetJob(t.Context(), waits.Job, kiosk.JobPrinting, ""); err != nil {
		t.Fatal(err)
	}
	c.set(midnight.Add(-time.Millisecond))
	if i := take(t, s, kiosk.Intent{Item: "x"}); i.Visit.Number != "A003" || i.Visit.Day != "2026-03-02" {
		t.Fatalf("before midnight: %+v", i.Visit)
	}
	c.set(midnight)
	if i := take(t, s, kiosk.Intent{Item: "x"}); i.Visit.Number != "A001" || i.Visit.Day != "2026-03-03" || i.Ahead != 0 {
		t.Fatalf("at midnight: %+v", i)
	}
	for id, want := range map[string]kiosk.State{served.Visit.ID: kiosk.Served, waits.Visit.ID: kiosk.Expired} {
		if v := must[kiosk.Visit](t)(s.Visit(t.Context(), id)); v.Legs[0].State != want {
			t.Errorf("%s of yesterday is %s, want %s", v.Number, v.Legs[0].State, want)
		}
	}
	if v := must[kiosk.Visit](t)(s.Visit(t.Context(), waits.Visit.ID)); v.Jobs[0].State != kiosk.JobUnknown {
		t.Errorf("yesterday's slip is %s", v.Jobs[0].State)
	}
	same(t, s)
}

// A window serves its first group while anybody waits in it; a clerk may choose
// other queues.
func TestQueuesOfAWindow(t *testing.T) {
	s, c := begin(t)
	take(t, s, kiosk.Intent{Item: "y"})
	c.add(time.Minute)
	take(t, s, kiosk.Intent{Item: "x"})
	if got := callAt(t, s, "1").Number; got != "A001" {
		t.Errorf("window 1 ranks a before b, but called %s", got)
	}
	act(t, s, "1", kiosk.DoDone)
	take(t, s, kiosk.Intent{Item: "x"})
	only := [][]string{{"b"}}
	must[kiosk.WindowState](t)(s.SetWindow(t.Context(), kiosk.WindowRequest{Window: "1", Desk: kiosk.Open, Groups: only}))
	if got := callAt(t, s, "1").Number; got != "B001" {
		t.Errorf("window 1 serves only b, but called %s", got)
	}
	act(t, s, "1", kiosk.DoDone)
	_, err := s.Call(t.Context(), kiosk.CallRequest{Window: "1"})
	wantCode(t, err, "nobody_waiting")
	_, err = s.SetWindow(t.Context(), kiosk.WindowRequest{Window: "1", Desk: kiosk.Open, Groups: [][]string{{"none"}}})
	wantCode(t, err, "unknown_queue")
	same(t, s)
}

// A clock is believed on somebody's word, but never one that is not set or goes
// back: the day does not, and no number is given twice.
func TestBelieveClock(t *testing.T) {
	s, c := begin(t)
	given := map[string]bool{}
	give := func(unsettled bool) kiosk.Day {
		t.Helper()
		v := take(t, s, kiosk.Intent{Item: "x"}).Visit
		if key := string(v.Day) + v.Number; given[key] || v.Unsettled != unsettled {
			t.Errorf("%s on %s: given before %v, unsettled %v", v.Number, v.Day, given[key], v.Unsettled)
		} else {
			given[key] = true
		}
		return v.Day
	}
	give(false)
	if err := s.BelieveClock(t.Context(), "wang"); err != nil {
		t.Errorf("without an alarm: %v", err)
	}
	c.set(morning.Add(-72 * time.Hour))
	give(true)
	wantCode(t, s.BelieveClock(t.Context(), "wang"), "clock_before_day")
	c.set(time.Unix(60, 0))
	wantCode(t, s.BelieveClock(t.Context(), "wang"), "clock_unset")
	c.set(morning.Add(900 * 24 * time.Hour))
	if day := give(true); day != "2026-03-02" {
		t.Errorf("a jump moved the day to %s", day)
	}
	if err := s.BelieveClock(t.Context(), "wang"); err != nil {
		t.Fatal(err)
	}
	if day := give(false); day != "2028-08-18" {
		t.Errorf("the believed day is %s", day)
	}
	c.set(morning)
	if day := give(true); day != "2028-08-18" {
		t.Errorf("the day went back to %s", day)
	}
	same(t, s)
}

// One flipped bit anywhere in any row of the journal is found.
func TestVerifyFindsAnyFlippedBit(t *testing.T) {
	s, _ := begin(t)
	for n := range 5 {
		take(t, s, kiosk.Intent{Item: "x", Request: strings.Repeat(string(rune('a'+n)), 8), Printer: "p"})
	}
	callAt(t, s, "1")
	for _, q := range []string{"DROP TRIGGER journal_keep", "DROP TRIGGER journal_whole"} {
		if _, err := s.conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for range 60 {
		column := []string{"body", "kind", "request", "answer", "hash"}[rand.IntN(5)]
		seq := 1 + rand.Int64N(s.head.seq)
		was, ok := flip(t, s, seq, column)
		if !ok {
			continue // an empty column
		}
		if r, err := Verify(t.Context(), s.path); err == nil && len(r.Faults) == 0 {
			t.Errorf("a flipped bit in %s of event %d is not found", column, seq)
		}
		restore(t, s, seq, column, was)
	}
	same(t, s)
}

// flip flips a random bit of a column's bytes, not of its type.
func flip(t *testing.T, s *Store, seq int64, column string) (was []byte, ok bool) {
	t.Helper()
	err := s.conn.QueryRowContext(t.Context(), "SELECT CAST("+column+" AS BLOB) FROM journal WHERE seq = ?", seq).Scan(&was)
	if err != nil {
		t.Fatal(err)
	}
	if len(was) == 0 {
		return nil, false
	}
	now := append([]byte(nil), was...)
	now[rand.IntN(len(now))] ^= 1 << rand.IntN(8)
	restore(t, s, seq, column, now)
	return was, true
}

func restore(t *testing.T, s *Store, seq int64, column string, b []byte) {
	t.Helper()
	typ := map[bool]string{true: "BLOB", false: "TEXT"}[column == "hash"]
	_, err := s.conn.ExecContext(t.Context(), "UPDATE journal SET "+column+" = CAST(? AS "+typ+") WHERE seq = ?", b, seq)
	if err != nil {
		t.Fatal(errors.Join(err, fmt.Errorf("event %d", seq)))
	}
}
