package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
)

// A pair is a host and a kiosk that has joined it, with the wire between them in
// the test's hands.
type pair struct {
	t           testing.TB
	dir         string
	clock       *clock
	host, kiosk *Store
}

func openNamed(t testing.TB, path, name string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Path: path, Hall: hall(), Origin: name, Now: now, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newPair(t testing.TB) *pair {
	p := &pair{t: t, dir: quick(t), clock: &clock{t: morning}}
	p.host = openNamed(t, filepath.Join(p.dir, "host.db"), "host", p.clock.now)
	p.kiosk = openNamed(t, filepath.Join(p.dir, "kiosk.db"), "kiosk", p.clock.now)
	return p
}

// meet says hello with what the kiosk has seen, and fills its reserve.
func (p *pair) meet(k *Store, seen kiosk.Standing) kiosk.Welcome {
	p.t.Helper()
	ctx := context.Background()
	at := must[kiosk.Standing](p.t)(k.Standing(ctx))
	w := must[kiosk.Welcome](p.t)(p.host.Meet(ctx, kiosk.Hello{Joined: kiosk.Joined{Box: k.Origin(), Seq: at.Seq}, Seen: seen, Ranges: k.Ranges()}))
	if len(w.Void) > 0 {
		if err := k.Hold(ctx, kiosk.Reserved{Void: w.Void}); err != nil {
			p.t.Fatal(err)
		}
	}
	wants := must[[]kiosk.Want](p.t)(k.Wants(ctx))
	if len(wants) > 0 {
		got := must[[]kiosk.Range](p.t)(p.host.Reserve(ctx, newID(time.Now()), k.Origin(), wants))
		if err := k.Hold(ctx, kiosk.Reserved{Ranges: got}); err != nil {
			p.t.Fatal(err)
		}
	}
	return w
}

func (p *pair) seen() kiosk.Standing {
	p.t.Helper()
	return must[kiosk.Standing](p.t)(p.host.Standing(context.Background()))
}

func want(request string) kiosk.Intent {
	return kiosk.Intent{Request: request, Kiosk: "touch", Channel: kiosk.ByTouch, Item: "x"}
}

func (p *pair) owe(k *Store, request string) kiosk.Issued {
	p.t.Helper()
	in := want(request)
	in.Printer = "p"
	return must[kiosk.Issued](p.t)(k.Owe(context.Background(), in, want(request), 3))
}

func (p *pair) handIn(k *Store) []kiosk.Taken {
	p.t.Helper()
	ctx := context.Background()
	list, _, err := k.Owed(ctx, handInMost)
	if err != nil {
		p.t.Fatal(err)
	}
	done := must[[]kiosk.Taken](p.t)(p.host.HandIn(ctx, kiosk.HandIn{Box: k.Origin(), Now: p.clock.now(), Tickets: list}))
	if err := k.Handed(ctx, done); err != nil {
		p.t.Fatal(err)
	}
	return done
}

func (p *pair) online(request string) kiosk.Issued {
	p.t.Helper()
	return must[kiosk.Issued](p.t)(p.host.Issue(context.Background(), want(request), nil))
}

// The order of the queue follows the time when a ticket was taken, not its number
// and not the time when the host heard of it.
func TestOwedTicketsWaitByTheTimeTheyWereTaken(t *testing.T) {
	p := newPair(t)
	ctx := context.Background()
	p.meet(p.kiosk, kiosk.Standing{})
	first := p.online("1")
	p.clock.add(time.Minute)
	second := p.owe(p.kiosk, "2")
	if got, n, ok, err := p.kiosk.NextJob(ctx, "p"); err != nil || !ok || got.Visit != second.Visit.ID || n.Ahead != 3 {
		t.Fatalf("the kiosk prints %v with %d ahead, %v", got, n.Ahead, err)
	}
	p.clock.add(time.Minute)
	third := p.online("3")
	p.clock.add(time.Minute)
	if again := p.owe(p.kiosk, "2"); again.Visit.Number != second.Visit.Number {
		t.Errorf("a repeated request got %s instead of %s", again.Visit.Number, second.Visit.Number)
	}
	p.handIn(p.kiosk)
	if done := p.handIn(p.kiosk); len(done) != 0 {
		t.Errorf("still owed: %v", done)
	}
	legs := must[[]kiosk.Leg](t)(p.host.Waiting(ctx, "a"))
	if len(legs) != 3 || legs[0].Number != first.Visit.Number || legs[1].Number != second.Visit.Number || legs[2].Number != third.Visit.Number {
		t.Fatalf("waiting: %v", legs)
	}
	if third.Visit.Number != "A002" {
		t.Errorf("the number after A001 is %s: a reserve moved it", third.Visit.Number)
	}
}

// The answer got lost: the host has given a number too. Nobody holds it, so it
// goes; and a copy of the first request that comes late gets the paper's number.
func TestANumberThatNoPaperBearsIsVoided(t *testing.T) {
	p := newPair(t)
	ctx := context.Background()
	p.meet(p.kiosk, kiosk.Standing{})
	lost := p.online("r")
	paper := p.owe(p.kiosk, "r")
	if done := p.handIn(p.kiosk); len(done) != 1 || done[0].Voids != lost.Visit.Number {
		t.Fatalf("handed in: %+v", done)
	}
	legs := must[[]kiosk.Leg](t)(p.host.Waiting(ctx, "a"))
	if len(legs) != 1 || legs[0].Number != paper.Visit.Number {
		t.Fatalf("waiting: %v", legs)
	}
	late := p.owe(p.kiosk, "s")
	p.handIn(p.kiosk)
	if again := p.online("s"); again.Visit.Number != late.Visit.Number || again.Visit.ID != late.Visit.ID {
		t.Errorf("a late copy of the request got %s, the paper says %s", again.Visit.Number, late.Visit.Number)
	}
}

// A box that is there when a number is given, and the day's journal of host and
// kiosks are enough to see that no number is given twice.
func checkNumbers(t testing.TB, given map[string]string, i kiosk.Issued) {
	t.Helper()
	key := string(i.Visit.Day) + " " + i.Visit.Number
	if other, twice := given[key]; twice && other != i.Visit.ID {
		t.Fatalf("%s was given twice", key)
	}
	given[key] = i.Visit.ID
}

// The host's file is replaced by a copy of an hour ago. The kiosk knows better.
func TestAHostThatWasSetBackGivesNoNumberAgain(t *testing.T) {
	p := newPair(t)
	given := map[string]string{}
	p.meet(p.kiosk, kiosk.Standing{})
	checkNumbers(t, given, p.online("1"))
	backup := filepath.Join(p.dir, "backup.db")
	if err := p.host.Close(); err != nil {
		t.Fatal(err)
	}
	copyTo(t, filepath.Join(p.dir, "host.db"), backup)
	p.host = openNamed(t, filepath.Join(p.dir, "host.db"), "host", p.clock.now)
	for _, r := range []string{"2", "3", "4"} {
		checkNumbers(t, given, p.online(r))
	}
	other := openNamed(t, filepath.Join(p.dir, "other.db"), "other", p.clock.now)
	p.meet(other, kiosk.Standing{}) // gets ranges that the backup knows nothing of
	seen := p.seen()
	if err := p.host.Close(); err != nil {
		t.Fatal(err)
	}

	p.host = openNamed(t, backup, "host", p.clock.now)
	if w := p.meet(p.kiosk, seen); w.Term != seen.Term+1 {
		t.Errorf("the host goes on in term %d, want %d", w.Term, seen.Term+1)
	}
	if w := p.meet(p.kiosk, seen); w.Term != seen.Term+1 {
		t.Errorf("the same news began term %d", w.Term)
	}
	third := openNamed(t, filepath.Join(p.dir, "third.db"), "third", p.clock.now)
	p.meet(third, kiosk.Standing{})
	for _, r := range []string{"5", "6"} {
		checkNumbers(t, given, p.online(r))
	}
	for i, k := range []*Store{p.kiosk, other, third} {
		for j := range 25 {
			in := want(string(rune('a'+i)) + string(rune('a'+j)))
			got, err := k.Owe(context.Background(), in, in, 0)
			if err == nil {
				checkNumbers(t, given, got)
			}
		}
	}
	p.meet(other, seen) // the host learns of its ranges
	for _, k := range []*Store{p.kiosk, other, third} {
		for _, d := range p.handIn(k) {
			if d.Fault != "" {
				t.Errorf("not taken over: %s", d.Fault)
			}
		}
	}
	reopen := p.seen()
	if err := p.host.Close(); err != nil {
		t.Fatal(err)
	}
	p.host = openNamed(t, backup, "host", p.clock.now)
	if now := p.seen(); now.Term != reopen.Term || now.Numbers["A"] != reopen.Numbers["A"] || now.Tops["A"] != reopen.Tops["A"] {
		t.Errorf("after a restart %+v, before %+v", now, reopen)
	}
	checkNumbers(t, given, p.online("7"))
}

func copyTo(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A kiosk with a new card has a new epoch and new ranges; one with an old copy of
// its card loses the ranges from which it may have given since.
func TestAKioskThatWasSetBackLosesItsRanges(t *testing.T) {
	p := newPair(t)
	given := map[string]string{}
	p.meet(p.kiosk, kiosk.Standing{})
	if err := p.kiosk.Close(); err != nil {
		t.Fatal(err)
	}
	copyTo(t, filepath.Join(p.dir, "kiosk.db"), filepath.Join(p.dir, "old.db"))
	p.kiosk = openNamed(t, filepath.Join(p.dir, "kiosk.db"), "kiosk", p.clock.now)
	for _, r := range []string{"1", "2", "3"} {
		checkNumbers(t, given, p.owe(p.kiosk, r))
	}
	p.clock.add(2 * time.Minute)
	p.meet(p.kiosk, kiosk.Standing{})

	old := openNamed(t, filepath.Join(p.dir, "old.db"), "kiosk", p.clock.now)
	if w := p.meet(old, kiosk.Standing{}); len(w.Void) == 0 {
		t.Error("the ranges of a kiosk that was set back are still good")
	}
	checkNumbers(t, given, p.owe(old, "4"))

	p.clock.add(time.Second) // a new epoch
	fresh := openNamed(t, filepath.Join(p.dir, "new.db"), "kiosk", p.clock.now)
	p.meet(fresh, kiosk.Standing{})
	checkNumbers(t, given, p.owe(fresh, "5"))
	_, err := p.host.Meet(context.Background(), kiosk.Hello{Joined: kiosk.Joined{Box: old.Origin()}})
	wantCode(t, err, "old_epoch")
}

// Kiosks whose clocks are a day apart give tickets on both sides of midnight; in
// the hall of either day every number is there once.
func TestClocksADayApartGiveNoNumberTwice(t *testing.T) {
	p := newPair(t)
	fast, slow := &clock{t: morning}, &clock{t: morning}
	a := openNamed(t, filepath.Join(p.dir, "a.db"), "a", fast.now)
	b := openNamed(t, filepath.Join(p.dir, "b.db"), "b", slow.now)
	p.meet(a, kiosk.Standing{})
	p.meet(b, kiosk.Standing{})
	numbers := map[string]bool{}
	take := func(k *Store, r string) {
		t.Helper()
		n := p.owe(k, r).Visit.Number
		if numbers[n] {
			t.Fatalf("%s was given twice", n)
		}
		numbers[n] = true
	}
	take(a, "1")
	take(b, "2")
	fast.add(24 * time.Hour)
	take(a, "3")
	fast.set(morning) // and back: the day stays
	take(a, "4")
	for _, k := range []*Store{a, b} {
		for _, d := range p.handInAt(k, map[*Store]*clock{a: fast, b: slow}[k]) {
			if d.Fault != "" {
				t.Errorf("not taken over: %s", d.Fault)
			}
		}
	}
	if legs := must[[]kiosk.Leg](t)(p.host.Waiting(context.Background(), "a")); len(legs) != 4 {
		t.Errorf("%d wait today, want 4", len(legs))
	}
	p.clock.add(24 * time.Hour)
	take(b, "5") // yesterday by its clock, and by its range
	p.handInAt(b, slow)
	p.meet(b, kiosk.Standing{})
	if legs := must[[]kiosk.Leg](t)(p.host.Waiting(context.Background(), "a")); len(legs) != 1 {
		t.Errorf("%d wait on the next day, want the one who came", len(legs))
	}
}

func (p *pair) handInAt(k *Store, c *clock) []kiosk.Taken {
	was := p.clock
	p.clock = c
	defer func() { p.clock = was }()
	return p.handIn(k)
}

// Everything follows from the journal, here too.
func TestSeveralStoresCanBeRebuilt(t *testing.T) {
	p := newPair(t)
	p.meet(p.kiosk, kiosk.Standing{})
	p.online("1")
	given := must[kiosk.Issued](t)(p.kiosk.Keep(context.Background(), kiosk.Intent{Request: "9", Item: "x", Printer: "p"}, want("9"), p.online("9"), nil))
	if given.Visit.Number != "A002" || given.Job == 0 {
		t.Fatalf("kept: %+v", given)
	}
	p.owe(p.kiosk, "1")
	p.handIn(p.kiosk)
	p.meet(p.kiosk, kiosk.Standing{Hall: "test", Term: 7, Seq: 900, Day: "2026-03-02", Numbers: map[string]int{"A": 40}, Tops: map[string]int{"A": 4000}})
	for _, s := range []*Store{p.host, p.kiosk} {
		same(t, s)
	}
}

// A box holds what it gives in its busiest hours, after a restart, too.
func TestAReserveFollowsThePace(t *testing.T) {
	p := newPair(t)
	p.meet(p.kiosk, kiosk.Standing{})
	left := func() int { return p.kiosk.Left("A", kiosk.Day(p.clock.now().Format(time.DateOnly))) }
	if left() != reserveSize {
		t.Fatalf("%d numbers at first, want %d", left(), reserveSize)
	}
	for n := range 90 {
		if n%8 == 0 {
			p.meet(p.kiosk, kiosk.Standing{})
		}
		p.owe(p.kiosk, fmt.Sprint(n))
		p.clock.add(time.Minute)
	}
	p.meet(p.kiosk, kiosk.Standing{})
	if left() < 45 || left() > 110 {
		t.Errorf("%d numbers after 90 tickets in 90 minutes", left())
	}
	if err := p.kiosk.Close(); err != nil {
		t.Fatal(err)
	}
	p.kiosk = openNamed(t, filepath.Join(p.dir, "kiosk.db"), "kiosk", p.clock.now)
	if got := p.kiosk.should("A"); got != 90 {
		t.Errorf("after a restart it should hold %d, want 90", got)
	}
	if got := must[[]kiosk.Range](t)(p.host.Reserve(t.Context(), "greedy", p.kiosk.Origin(), []kiosk.Want{{Prefix: "A", Day: kiosk.Day(p.clock.now().Format(time.DateOnly)), Size: 1 << 30}})); got[0].High-got[0].Low+1 != reserveLargest {
		t.Errorf("a greedy box was granted %+v", got)
	}
}

// The limits of one person hold across boxes: what a box gave too many while it
// was cut off is taken over, and staff hear of it.
func TestLimitsOfAPersonAcrossBoxes(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	p.meet(p.kiosk, kiosk.Standing{})
	in := want("1")
	in.Person = "somebody"
	must[kiosk.Issued](t)(p.host.Issue(ctx, in, nil))
	in.Request = "2"
	_, err := p.host.Issue(ctx, in, nil) // from whichever box
	wantCode(t, err, "already_waiting")
	in.Request = "3"
	must[kiosk.Issued](t)(p.kiosk.Owe(ctx, in, in, 0))
	if done := p.handIn(p.kiosk); done[0].Fault != "" {
		t.Fatalf("the paper is out, but: %s", done[0].Fault)
	}
	said := 0
	for _, e := range must[[]kiosk.Event](t)(p.host.Journal(ctx, 0, 100)) {
		if e.Kind == kiosk.KindAlarm && strings.Contains(string(e.Body), "you already have a ticket") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("staff were told %d times", said)
	}
	if legs := must[[]kiosk.Leg](t)(p.host.Waiting(ctx, "a")); len(legs) != 2 {
		t.Errorf("%d wait, want both papers", len(legs))
	}
}

// A ticket that was long under way was taken when its kiosk says, and not later.
func TestADelayIsNoWrongClock(t *testing.T) {
	p := newPair(t)
	p.meet(p.kiosk, kiosk.Standing{})
	taken := p.owe(p.kiosk, "1").Visit
	slow := &clock{t: p.clock.now()}
	p.clock.add(8 * time.Second)
	p.handInAt(p.kiosk, slow)
	if legs := must[[]kiosk.Leg](t)(p.host.Waiting(t.Context(), "a")); len(legs) != 1 || !legs[0].Arrival.Equal(taken.TakenAt) {
		t.Errorf("taken %s, waits since %+v", taken.TakenAt, legs)
	}
}
