package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"longcheng/kiosk"
)

// follow brings a copy up to its host, in pages of n events.
func follow(t testing.TB, from *Store, to *Replica, n int) {
	t.Helper()
	for {
		p := must[kiosk.Page](t)(from.Copy(t.Context(), to.Mark(), n))
		if len(p.Rows) == 0 {
			return
		}
		if err := to.Append(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

func openReplica(t testing.TB, path string) *Replica {
	t.Helper()
	r, err := OpenReplica(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// promoted closes a copy and opens it as the store of a host.
func promoted(t testing.TB, r *Replica, name string, now func() time.Time) *Store {
	t.Helper()
	if err := errors.Join(r.Promote(name, now()), r.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), Options{Path: r.path, Hall: hall(), Origin: "host", Host: name, Now: now, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func one(t testing.TB, s *Store) kiosk.Issued {
	t.Helper()
	return must[kiosk.Issued](t)(s.Issue(context.Background(), want(newID(time.Now())), nil))
}

// A copy knows all that its host knew, and goes on under a new epoch: later
// numbers, the same queue. The old host hears of it from a box, and decides
// nothing any more; it can follow the new one, and take its place back.
func TestACopyTakesItsHostsPlace(t *testing.T) {
	p := newPair(t)
	ctx := context.Background()
	r := openReplica(t, filepath.Join(p.dir, "copy.db"))
	first := one(t, p.host)
	follow(t, p.host, r, 1)
	second := one(t, p.host)
	follow(t, p.host, r, 100)
	if err := r.Close(); err != nil { // and the copy goes on after a restart
		t.Fatal(err)
	}
	r = openReplica(t, r.path)
	follow(t, p.host, r, 100)
	lost := one(t, p.host) // the copy never hears of it

	s := promoted(t, r, "standin", p.clock.now)
	third := one(t, s)
	if third.Visit.Number <= lost.Visit.Number {
		t.Errorf("after %s comes %s", lost.Visit.Number, third.Visit.Number)
	}
	for _, want := range []kiosk.Issued{first, second, third} {
		if got, err := s.Visit(ctx, want.Visit.ID); err != nil || got.Number != want.Visit.Number {
			t.Errorf("%s is %v, %v", want.Visit.Number, got.Number, err)
		}
	}
	if o := s.Origin(); o.Device != "host" || o.Epoch <= p.host.Origin().Epoch {
		t.Errorf("it writes as %v", o)
	}
	whole(t, s.path)
	past := must[[]*Past](t)(s.Pasts(ctx))
	if len(past) != 1 || past[0].Origin() != p.host.Origin() {
		t.Fatalf("chapters before: %v", past)
	}
	mine, theirs := must[[]kiosk.Event](t)(past[0].Journal(ctx, 0, 1000)), must[[]kiosk.Event](t)(p.host.Journal(ctx, 0, 1000))
	if len(mine) == 0 || len(mine) >= len(theirs) || string(mine[len(mine)-1].Hash) != string(theirs[len(mine)-1].Hash) {
		t.Errorf("%d events of the host, of %d", len(mine), len(theirs))
	}
	chained(t, s)

	fenced(t, p, s)
}

// The host dies while its own printer prints. At the stand-in the number waits and can
// be called; that paper came is not claimed, and a marked copy stays to be printed. The
// old host, when it is back, prints the same number, marked, and gives no second one.
func TestPaperUnderWayWhenTheHostDied(t *testing.T) {
	p := newPair(t)
	ctx := context.Background()
	in := want("1")
	in.Printer = "p"
	paper := must[kiosk.Issued](t)(p.host.Issue(ctx, in, nil))
	job, _, _, err := p.host.NextJob(ctx, "p")
	if err = errors.Join(err, p.host.SetJob(ctx, job.ID, kiosk.JobPrinting, "")); err != nil {
		t.Fatal(err)
	}
	r := openReplica(t, filepath.Join(p.dir, "copy.db"))
	follow(t, p.host, r, 100)
	if err := p.host.Close(); err != nil {
		t.Fatal(err)
	}
	s := promoted(t, r, "standin", p.clock.now)
	p.host = openNamed(t, p.host.path, "host", p.clock.now)
	for _, store := range []*Store{s, p.host} {
		v := must[kiosk.Visit](t)(store.Visit(ctx, paper.Visit.ID))
		if len(v.Jobs) != 2 || v.Jobs[0].State != kiosk.JobUnknown || v.Jobs[1].State != kiosk.JobPending || v.Jobs[1].Copy != 1 {
			t.Errorf("the paper of %s at %v: %+v", v.Number, store.Origin(), v.Jobs)
		}
	}
	seen := must[kiosk.Standing](t)(s.Standing(ctx))
	if _, err := p.host.Meet(ctx, kiosk.Hello{Joined: kiosk.Joined{Box: p.kiosk.Origin(), Seq: 1}, Seen: seen}); !errors.Is(err, &kiosk.Refusal{Code: "replaced"}) {
		t.Errorf("the old host said %v", err)
	}
	if j, slip, ok, err := p.host.NextJob(ctx, "p"); err != nil || !ok || j.Copy != 1 || slip.Visit.Number != paper.Visit.Number {
		t.Errorf("the old host prints %+v of %s, %v %v", j, slip.Visit.Number, ok, err)
	}
	must[kiosk.WindowState](t)(s.SetWindow(ctx, kiosk.WindowRequest{Request: "w", Window: "1", Desk: kiosk.Open}))
	if c := must[kiosk.Call](t)(s.Call(ctx, kiosk.CallRequest{Request: "c", Window: "1"})); c.Number != paper.Visit.Number {
		t.Errorf("the stand-in calls %s, the paper says %s", c.Number, paper.Visit.Number)
	}
}

// chained wants the present chapter to begin at 1 and to follow from its genesis.
func chained(t *testing.T, s *Store) {
	t.Helper()
	hash := s.Origin().Genesis()
	for i, e := range must[[]kiosk.Event](t)(s.Journal(context.Background(), 0, 1000)) {
		if e.Seq != int64(i+1) || string(e.Chain(hash)) != string(e.Hash) {
			t.Fatalf("event %d of the new epoch has seq %d, or does not follow", i+1, e.Seq)
		}
		hash = e.Hash
	}
}

// fenced tells the old host of the new one, and wants it to do nothing any more.
func fenced(t *testing.T, p *pair, s *Store) {
	t.Helper()
	ctx := context.Background()
	seen := must[kiosk.Standing](t)(s.Standing(ctx))
	replaced := &kiosk.Refusal{Code: "replaced"}
	if _, err := p.host.Meet(ctx, kiosk.Hello{Joined: kiosk.Joined{Box: p.kiosk.Origin(), Seq: 1}, Seen: seen}); !errors.Is(err, replaced) {
		t.Errorf("the old host said %v", err)
	}
	for name, f := range map[string]func() error{
		"issue": func() error { _, err := p.host.Issue(ctx, want(newID(time.Now())), nil); return err },
		"call": func() error {
			_, err := p.host.Call(ctx, kiosk.CallRequest{Request: newID(time.Now()), Window: "1"})
			return err
		},
		"reserve": func() error { _, err := p.host.Reserve(ctx, newID(time.Now()), p.kiosk.Origin(), nil); return err },
		"hand in": func() error { _, err := p.host.HandIn(ctx, kiosk.HandIn{Box: p.kiosk.Origin()}); return err },
	} {
		if err := f(); !errors.Is(err, replaced) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if by := p.host.Replaced(); by != "standin" {
		t.Errorf("replaced by %q", by)
	}
	if _, err := p.host.Copy(ctx, kiosk.Mark{Row: 1, Hash: make([]byte, 32)}, 10); !errors.Is(err, &kiosk.Refusal{Code: "other_past"}) {
		t.Errorf("a copy of another past: %v", err)
	}
	back := openReplica(t, filepath.Join(p.dir, "back.db"))
	follow(t, s, back, 3)
	again := promoted(t, back, "host", p.clock.now)
	one(t, again)
	whole(t, again.path)
	if n := len(must[[]*Past](t)(again.Pasts(ctx))); n != 2 {
		t.Errorf("%d chapters before", n)
	}
	rebuilt := filepath.Join(p.dir, "rebuilt.db")
	if err := Rebuild(ctx, again.path, rebuilt); err != nil {
		t.Error(err)
	}
	whole(t, rebuilt)
}

func whole(t *testing.T, path string) {
	t.Helper()
	if r := must[Report](t)(Verify(context.Background(), path)); len(r.Faults) > 0 {
		t.Errorf("%s: %v", filepath.Base(path), r.Faults)
	}
}

// A copy takes nothing that does not follow.
func TestACopyTakesOnlyWhatFollows(t *testing.T) {
	p := newPair(t)
	r := openReplica(t, filepath.Join(p.dir, "copy.db"))
	t.Cleanup(func() { _ = r.Close() })
	one(t, p.host)
	page := must[kiosk.Page](t)(p.host.Copy(t.Context(), r.Mark(), 100))
	bent := page
	bent.Rows = append([]kiosk.Event(nil), page.Rows...)
	bent.Rows[len(bent.Rows)-1].Body = []byte(`{}`)
	for name, bad := range map[string]kiosk.Page{
		"a changed event": bent,
		"a gap":           {Chapters: page.Chapters, Rows: page.Rows[1:]},
		"another journal": {Chapters: []kiosk.Chapter{{Origin: p.kiosk.Origin()}}, Rows: page.Rows},
	} {
		if err := r.Append(t.Context(), bad); err == nil || r.Mark().Row != 0 {
			t.Errorf("%s: %v, copy at %d", name, err, r.Mark().Row)
		}
	}
	if err := r.Append(t.Context(), page); err != nil {
		t.Error(err)
	}
}

// What a host gave and its copy had not got yet, a kiosk hands in to the new host,
// which puts it where it belongs.
func TestWhatTheCopyMissedIsHandedIn(t *testing.T) {
	p := newPair(t)
	ctx := context.Background()
	p.meet(p.kiosk, kiosk.Standing{})
	r := openReplica(t, filepath.Join(p.dir, "copy.db"))
	keep := func(request string) kiosk.Issued {
		t.Helper()
		given := p.online(request)
		return must[kiosk.Issued](t)(p.kiosk.Keep(ctx, want(request), want(request), given, nil))
	}
	copied := keep("1")
	follow(t, p.host, r, 100)
	missed := keep("2")
	seen := p.seen()
	p.host = promoted(t, r, "standin", p.clock.now)
	if w := p.meet(p.kiosk, seen); w.Term <= seen.Term {
		t.Fatalf("term %d after %d", w.Term, seen.Term)
	}
	if err := p.kiosk.Doubt(ctx, "another host"); err != nil {
		t.Fatal(err)
	}
	done := p.handIn(p.kiosk)
	if len(done) != 2 || done[0].Fault != "" || done[1].Fault != "" {
		t.Fatalf("handed in: %+v", done)
	}
	for _, want := range []kiosk.Issued{copied, missed} {
		v, err := p.host.Visit(ctx, want.Visit.ID)
		if err != nil || v.Number != want.Visit.Number || v.Legs[0].State != kiosk.Waiting || !v.Legs[0].Arrival.Equal(want.Visit.TakenAt) {
			t.Errorf("%s: %+v, %v", want.Visit.Number, v, err)
		}
	}
	if next := one(t, p.host); next.Visit.Number <= missed.Visit.Number {
		t.Errorf("after %s comes %s", missed.Visit.Number, next.Visit.Number)
	}
	if _, all, err := p.kiosk.Owed(ctx, 10); err != nil || all != 0 {
		t.Errorf("still owed: %d, %v", all, err)
	}
	same(t, p.kiosk)
	same(t, p.host)
}
