package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"longcheng/kiosk"
)

// A clock is set by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

func (c *clock) add(d time.Duration) { c.set(c.now().Add(d)) }

var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("CST", 8*3600))

func hall() *kiosk.Hall {
	return &kiosk.Hall{
		ID:     "test",
		Queues: []kiosk.Queue{{ID: "a", Prefix: "A", Appointment: "Y"}, {ID: "b", Prefix: "B"}},
		Items: []kiosk.Item{
			{ID: "x", Queue: "a"}, {ID: "y", Queue: "b"}, {ID: "card", Queue: "a", NeedsCard: true},
			{ID: "few", Queue: "b", Hours: kiosk.Hours{Bands: []kiosk.Band{{From: 9 * 60, To: 10 * 60, Quota: 1}, {From: 13 * 60, To: 14 * 60, Quota: 1}}}},
		},
		Windows: []kiosk.Window{
			{ID: "1", Number: 1, Groups: [][]string{{"a"}, {"b"}}},
			{ID: "2", Number: 2, Groups: [][]string{{"a", "b"}}},
		},
		Classes: []kiosk.Class{{ID: "old", Credit: kiosk.Duration(15 * time.Minute), Claim: "self"}, {ID: "hero", Credit: kiosk.Duration(time.Hour), Claim: "desk"}},
		Flows:   []kiosk.Flow{{ID: "build", Stages: []kiosk.Stage{{ID: "1", Items: []string{"x", "y"}}}}},
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if !errors.Is(err, &kiosk.Refusal{Code: code}) {
		t.Fatalf("got %v, want refusal %s", err, code)
	}
}

func openAt(t testing.TB, path string, c *clock) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Path: path, Hall: hall(), Origin: "k1", Now: c.now, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// quick returns a directory for tests that do not depend on a disk: in memory,
// where syncs are free, if the machine has one. Benchmarks get the disk.
func quick(t testing.TB) string {
	t.Helper()
	if _, bench := t.(*testing.B); bench {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "longcheng")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// begin opens an empty store with both windows open.
func begin(t testing.TB) (*Store, *clock) {
	t.Helper()
	c := &clock{t: morning}
	s := openAt(t, filepath.Join(quick(t), "hall.db"), c)
	for _, w := range []string{"1", "2"} {
		must[kiosk.WindowState](t)(s.SetWindow(t.Context(), kiosk.WindowRequest{Window: w, By: "li", Desk: kiosk.Open}))
	}
	return s, c
}

func take(t testing.TB, s *Store, in kiosk.Intent) kiosk.Issued {
	t.Helper()
	return must[kiosk.Issued](t)(s.Issue(t.Context(), in, nil))
}

func callAt(t testing.TB, s *Store, w string) kiosk.Call {
	t.Helper()
	return must[kiosk.Call](t)(s.Call(t.Context(), kiosk.CallRequest{Window: w, By: "li", Surfaces: []string{"wall"}}))
}

func act(t testing.TB, s *Store, w string, a kiosk.Action) kiosk.Leg {
	t.Helper()
	return must[kiosk.Leg](t)(s.Act(t.Context(), kiosk.ActRequest{Window: w, Action: a, By: "li"}))
}

// A ticket is taken, called, recalled, served; nobody is left.
func TestDayOfATicket(t *testing.T) {
	s, _ := begin(t)
	i := take(t, s, kiosk.Intent{Item: "x", Printer: "p"})
	j, what, ok, err := s.NextJob(t.Context(), "p")
	if err != nil || !ok || what.Visit.Number != "A001" || j.ID != i.Job {
		t.Fatalf("next job %+v %v %v", j, ok, err)
	}
	for _, st := range []kiosk.JobState{kiosk.JobPrinting, kiosk.JobPrinted} {
		if err := s.SetJob(t.Context(), j.ID, st, ""); err != nil {
			t.Fatal(err)
		}
	}
	if c := callAt(t, s, "1"); c.Number != "A001" || c.Seq != 1 {
		t.Fatalf("called %+v", c)
	}
	_, err = s.Call(t.Context(), kiosk.CallRequest{Window: "1"})
	wantCode(t, err, "window_busy")
	if l := act(t, s, "1", kiosk.DoRecall); l.Call != 2 || l.Recalls != 1 {
		t.Fatalf("recalled %+v", l)
	}
	act(t, s, "1", kiosk.DoStart)
	act(t, s, "1", kiosk.DoDone)
	_, err = s.Call(t.Context(), kiosk.CallRequest{Window: "1"})
	wantCode(t, err, "nobody_waiting")
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if snap := must[kiosk.Snapshot](t)(s.Snapshot(t.Context())); len(snap.Calls) != 1 || snap.Calls[0].Seq != 2 {
		t.Fatalf("snapshot %+v", snap.Calls)
	}
	same(t, s)
}

// The same request has the same answer for ever, refusals included; with another
// content it is refused.
func TestRetry(t *testing.T) {
	s, c := begin(t)
	in := kiosk.Intent{Request: "r1", Item: "x"}
	a, _ := take(t, s, in), s.Close()
	s = openAt(t, s.path, c)
	if b := take(t, s, in); b.Visit.ID != a.Visit.ID {
		t.Fatal("a repeated request got a second ticket")
	}
	in.Item = "y"
	_, err := s.Issue(t.Context(), in, nil)
	wantCode(t, err, "request_reused")
	in = kiosk.Intent{Request: "r2", Item: "card"}
	for range 2 {
		_, err = s.Issue(t.Context(), in, nil)
		wantCode(t, err, "card_needed")
	}
	r := kiosk.CallRequest{Request: "c1", Window: "1", Surfaces: []string{"wall"}}
	first := must[kiosk.Call](t)(s.Call(t.Context(), r))
	r.Surfaces = nil
	if again := must[kiosk.Call](t)(s.Call(t.Context(), r)); again.Seq != first.Seq {
		t.Fatal("a repeated call called again")
	}
	same(t, s)
}

// A held leg returns to its window; a skip waits for delivery; a skipped one
// comes back; transfers go to the front; parallel legs block each other.
func TestActions(t *testing.T) {
	s, c := begin(t)
	take(t, s, kiosk.Intent{Item: "x"})
	take(t, s, kiosk.Intent{Item: "x"})
	first := callAt(t, s, "1")
	_, err := s.Act(t.Context(), kiosk.ActRequest{Window: "1", Action: kiosk.DoSkip})
	wantCode(t, err, "too_early_to_skip")
	c.add(15 * time.Second)
	if err := s.Deliver(t.Context(), kiosk.Delivered{Surface: "wall", Calls: []int64{first.Seq}}); err != nil {
		t.Fatal(err)
	}
	c.add(10 * time.Second)
	_, err = s.Act(t.Context(), kiosk.ActRequest{Window: "1", Action: kiosk.DoSkip})
	wantCode(t, err, "too_early_to_skip")
	c.add(10 * time.Second)
	act(t, s, "1", kiosk.DoSkip)
	must[kiosk.Leg](t)(s.Act(t.Context(), kiosk.ActRequest{Visit: first.Visit, Action: kiosk.DoRequeue}))
	second := callAt(t, s, "1")
	act(t, s, "1", kiosk.DoHold)
	_, err = s.Act(t.Context(), kiosk.ActRequest{Visit: second.Visit, Window: "2", Action: kiosk.DoCall})
	wantCode(t, err, "not_allowed")
	must[kiosk.Leg](t)(s.Act(t.Context(), kiosk.ActRequest{Visit: second.Visit, Window: "1", Action: kiosk.DoCall}))
	must[kiosk.Leg](t)(s.Act(t.Context(), kiosk.ActRequest{Window: "1", Action: kiosk.DoTransfer, To: "2", Position: "front"}))
	if got := callAt(t, s, "1"); got.Visit != first.Visit {
		t.Fatal("a leg reserved for window 2 was called to window 1")
	}
	if got := callAt(t, s, "2"); got.Visit != second.Visit {
		t.Fatal("the reserved leg was not called")
	}
	same(t, s)
}

func TestParallelLegs(t *testing.T) {
	s, _ := begin(t)
	take(t, s, kiosk.Intent{Flow: "build", Stage: "1"})
	callAt(t, s, "1")
	_, err := s.Call(t.Context(), kiosk.CallRequest{Window: "2"})
	wantCode(t, err, "nobody_waiting")
	act(t, s, "1", kiosk.DoDone)
	if c := callAt(t, s, "2"); c.Item != "y" {
		t.Fatalf("called %+v", c)
	}
	same(t, s)
}

func TestPriorityAndGrant(t *testing.T) {
	s, c := begin(t)
	var want []string
	for _, class := range []string{"", "", "old", "old", "old"} {
		want = append(want, take(t, s, kiosk.Intent{Item: "x", Class: class}).Visit.Number)
		c.add(time.Second)
	}
	hero := take(t, s, kiosk.Intent{Item: "x", Class: "hero"})
	if early := take(t, s, kiosk.Intent{Item: "y"}); hero.Ahead != 5 || early.Ahead != 0 {
		t.Fatalf("%d and %d are ahead, want 5 and 0", hero.Ahead, early.Ahead)
	}
	if hero.Visit.Claimed != "hero" || hero.Visit.Class != "" {
		t.Fatalf("a desk class was granted: %+v", hero.Visit)
	}
	must[kiosk.Visit](t)(s.Grant(t.Context(), kiosk.GrantRequest{Visit: hero.Visit.ID, Class: "hero", By: "li"}))
	want = []string{hero.Visit.Number, want[2], want[0], want[3], want[4], want[1]}
	var got []string
	for range want {
		got = append(got, callAt(t, s, "1").Number)
		act(t, s, "1", kiosk.DoDone)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("called %v, want %v", got, want)
	}
	same(t, s)
}

func TestLimits(t *testing.T) {
	s, _ := begin(t)
	take(t, s, kiosk.Intent{Item: "few"})
	for _, c := range []struct {
		in   kiosk.Intent
		code string
	}{
		{kiosk.Intent{Item: "few"}, "quota_full"},
		{kiosk.Intent{Item: "none"}, "unknown_item"},
		{kiosk.Intent{Item: "card"}, "card_needed"},
		{kiosk.Intent{Code: "none"}, "appointment_unknown"},
	} {
		_, err := s.Issue(t.Context(), c.in, nil)
		wantCode(t, err, c.code)
	}
	for n, code := range []string{"", "already_waiting"} {
		_, err := s.Issue(t.Context(), kiosk.Intent{Item: "card", Person: "h", Request: fmt.Sprint("p", n)}, nil)
		if code != "" {
			wantCode(t, err, code)
		}
	}
	must[kiosk.Appointment](t)(s.Book(t.Context(), kiosk.Appointment{Code: "c", Item: "x", At: morning.Add(time.Hour)}))
	must[kiosk.Appointment](t)(s.Book(t.Context(), kiosk.Appointment{Code: "d", Item: "x", At: morning.Add(48 * time.Hour)}))
	if i := take(t, s, kiosk.Intent{Code: "c"}); i.Visit.Number != "Y001" {
		t.Fatalf("appointment got %s", i.Visit.Number)
	}
	_, err := s.Issue(t.Context(), kiosk.Intent{Code: "c"}, nil)
	wantCode(t, err, "appointment_used")
	_, err = s.Issue(t.Context(), kiosk.Intent{Code: "d"}, nil)
	wantCode(t, err, "day_mismatch")
	same(t, s)
}

// The power goes while a slip is printing: its fate is unknown, a copy follows.
func TestPrintingAtOpen(t *testing.T) {
	s, c := begin(t)
	i := take(t, s, kiosk.Intent{Item: "x", Printer: "p"})
	if err := s.SetJob(t.Context(), i.Job, kiosk.JobPrinting, ""); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s = openAt(t, s.path, c)
	j, _, ok, err := s.NextJob(t.Context(), "p")
	if err != nil || !ok || j.Copy != 1 {
		t.Fatalf("next job %+v %v %v", j, ok, err)
	}
	v := must[kiosk.Visit](t)(s.Find(t.Context(), "A001"))
	if v.Jobs[0].State != kiosk.JobUnknown {
		t.Fatalf("jobs %+v", v.Jobs)
	}
	same(t, s)
}

// Midnight restarts numbers and expires who waited; a clock that steps back,
// jumps or is not set never gives a number twice.
func TestDays(t *testing.T) {
	s, c := begin(t)
	old := take(t, s, kiosk.Intent{Item: "x"})
	c.set(morning.Add(-48 * time.Hour))
	if i := take(t, s, kiosk.Intent{Item: "x"}); i.Visit.Number != "A002" || !i.Visit.Unsettled || i.Visit.TakenAt.Before(old.Visit.TakenAt) {
		t.Fatalf("after a step back: %+v", i.Visit)
	}
	c.set(morning.Add(900 * 24 * time.Hour))
	if i := take(t, s, kiosk.Intent{Item: "x"}); i.Visit.Number != "A003" || !i.Visit.Unsettled {
		t.Fatalf("after a jump: %+v", i.Visit)
	}
	c.set(morning.Add(24 * time.Hour))
	if i := take(t, s, kiosk.Intent{Item: "x"}); i.Visit.Number != "A001" || i.Visit.Unsettled || i.Visit.Day != "2026-03-03" {
		t.Fatalf("the next day: %+v", i.Visit)
	}
	if v := must[kiosk.Visit](t)(s.Visit(t.Context(), old.Visit.ID)); v.Legs[0].State != kiosk.Expired {
		t.Fatalf("yesterday's leg is %s", v.Legs[0].State)
	}
	same(t, s)
}

func TestUnsetClock(t *testing.T) {
	c := &clock{t: time.Unix(100, 0)}
	s := openAt(t, filepath.Join(quick(t), "hall.db"), c)
	if i := take(t, s, kiosk.Intent{Item: "x"}); !i.Visit.Unsettled {
		t.Fatal("a ticket of 1970 is believed")
	}
	c.set(morning)
	if i := take(t, s, kiosk.Intent{Item: "x"}); i.Visit.Unsettled || i.Visit.Day != "2026-03-02" {
		t.Fatalf("after the clock was set: %+v", i.Visit)
	}
	same(t, s)
}

func TestDamageAtOpen(t *testing.T) {
	s, c := begin(t)
	for range 50 {
		take(t, s, kiosk.Intent{Item: "x"})
	}
	_ = s.Close()
	b, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(b); i += 4096 {
		copy(b[i:], "this page was lost")
	}
	if err := os.WriteFile(s.path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), Options{Path: s.path, Hall: hall(), Origin: "k1", Now: c.now}); err == nil {
		_ = s.Close()
		t.Fatal("a damaged file was opened")
	}
}
