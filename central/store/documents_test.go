package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/centraltest"
	"longcheng/kiosk"
)

func problem(t *testing.T, err error, code string) {
	t.Helper()
	var p *central.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Fatalf("%v, want refusal %s", err, code)
	}
}

func saved(t *testing.T, s *Store, name string, base int64, text string) int64 {
	t.Helper()
	n, err := s.SaveVersion(t.Context(), Version{Name: name, Text: text, Note: "note", Author: "wang"}, base)
	if err != nil {
		t.Fatalf("save version after %d: %v", base, err)
	}
	return n
}

// box makes a box known, as its first connection does.
func box(t *testing.T, s *Store, hall, device string) Device {
	t.Helper()
	d := Device{hall, device}
	if err := s.Meet(t.Context(), d, central.Position{}); err != nil {
		t.Fatal(err)
	}
	return d
}

// givenTo returns the hall documents that a box was given.
func givenTo(t *testing.T, s *Store, d Device) []central.HallDocument {
	t.Helper()
	return given[central.HallDocument](t, s, d, central.NameHall)
}

// Versions are numbered; who saves over a version that he has not seen is told.
func testVersions(t *testing.T, s *Store) {
	saved(t, s, "h1", 0, "one")
	saved(t, s, "h1", 1, "two")
	_, err := s.SaveVersion(t.Context(), Version{Name: "h1", Text: "lost"}, 1)
	problem(t, err, "newer")
	if n := saved(t, s, "h1", 2, "<three>"); n != 3 {
		t.Errorf("after a refusal: version %d, want 3", n)
	}
	saved(t, s, "h2", 0, "other")
	v, err := s.Version(t.Context(), "h1", 3)
	if err != nil || v.Text != "<three>" || v.Author != "wang" || v.At.IsZero() {
		t.Errorf("version 3: %+v, %v", v, err)
	}
	_, err = s.Version(t.Context(), "h1", 4)
	problem(t, err, "no_version")
	all, err := s.Versions(t.Context(), "")
	if err != nil || len(all) != 2 || all[0].Number != 3 || all[1].Name != "h2" {
		t.Errorf("documents: %+v, %v", all, err)
	}
	if one, err := s.Versions(t.Context(), "h1"); err != nil || len(one) != 3 || one[0].Number != 3 || one[2].Number != 1 {
		t.Errorf("versions: %+v, %v", one, err)
	}
}

// Of many who save at once after the same version, one does.
func testVersionsAtOnce(t *testing.T, s *Store) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	good := 0
	for i := range 8 {
		wg.Go(func() {
			_, err := s.SaveVersion(t.Context(), Version{Name: "h1", Text: fmt.Sprint(i)}, 0)
			mu.Lock()
			defer mu.Unlock()
			var p *central.Problem
			switch {
			case err == nil:
				good++
			case !errors.As(err, &p):
				t.Errorf("save: %v", err)
			}
		})
	}
	wg.Wait()
	if good != 1 {
		t.Errorf("%d saved version 1, want 1", good)
	}
}

// A publication reaches every box of its halls, and its answers come back.
func testPublish(t *testing.T, s *Store) {
	saved(t, s, "h1", 0, "id = \"<a>\"")
	hub, k2 := box(t, s, "h1", "hub"), box(t, s, "h1", "k2")
	box(t, s, "h2", "hub")
	ctx := t.Context()
	problem(t, s.Publish(ctx, Publication{Name: "h1", Version: 2}, []string{"h1"}), "no_version")
	problem(t, s.Publish(ctx, Publication{Name: "h1", Version: 1}, []string{"h1", "empty"}), "no_boxes")
	if got := givenTo(t, s, hub); len(got) != 0 {
		t.Fatalf("after a refusal for one of two halls: %+v was given to the other", got)
	}
	starts := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	if err := s.Publish(ctx, Publication{Name: "h1", Version: 1, Starts: starts, Author: "wang"}, []string{"h1", "h2"}); err != nil {
		t.Fatal(err)
	}
	if got := givenTo(t, s, k2); len(got) != 1 || got[0] != (central.HallDocument{Publication: 1, Version: 1, Text: "id = \"<a>\""}) {
		t.Errorf("given: %+v", got)
	}
	if err := s.Acknowledge(ctx, hub, central.Ack{Stream: central.Documents, Number: 1, Text: "line 3: no"}); err != nil {
		t.Fatal(err)
	}
	list, err := s.Publications(ctx, "h1", 10)
	if err != nil || len(list) != 1 || len(list[0].Receipts) != 2 {
		t.Fatalf("publications: %+v, %v", list, err)
	}
	if r := list[0].Receipts[0]; r.Device != "hub" || r.OK || r.Acked.IsZero() || r.Text != "line 3: no" || !list[0].Starts.Equal(starts) {
		t.Errorf("answer of the hub: %+v", r)
	}
	if r := list[0].Receipts[1]; r.Device != "k2" || !r.Acked.IsZero() {
		t.Errorf("answer of k2: %+v", r)
	}
}

// A publication that has not begun can be withdrawn, once.
func testWithdraw(t *testing.T, s *Store) {
	saved(t, s, "h1", 0, "x")
	hub := box(t, s, "h1", "hub")
	ctx := t.Context()
	now := time.Now()
	for _, starts := range []time.Time{now.Add(-time.Hour), now.Add(time.Hour)} {
		if err := s.Publish(ctx, Publication{Name: "h1", Version: 1, Starts: starts}, []string{"h1"}); err != nil {
			t.Fatal(err)
		}
	}
	problem(t, s.Withdraw(ctx, "h1", 1, "wang"), "begun")
	if err := s.Withdraw(ctx, "h1", 2, "wang"); err != nil {
		t.Fatal(err)
	}
	problem(t, s.Withdraw(ctx, "h1", 2, "wang"), "begun")
	if got := givenTo(t, s, hub); len(got) != 3 || got[2] != (central.HallDocument{Publication: 2, Withdrawn: true}) {
		t.Errorf("given: %+v", got)
	}
	list, _ := s.Publications(ctx, "h1", 10)
	if n := InForce(list, now.Add(2*time.Hour)); n != 1 {
		t.Errorf("publication %d is in force, want 1", n)
	}
}

// A box that comes later gets what its hall uses and what is planned, once.
func testNewBox(t *testing.T, s *Store) {
	saved(t, s, "h1", 0, "old")
	saved(t, s, "h1", 1, "new")
	box(t, s, "h1", "hub")
	now := time.Now()
	for _, p := range []Publication{{Version: 1, Starts: now.Add(-2 * time.Hour)}, {Version: 2, Starts: now.Add(-time.Hour)}, {Version: 1, Starts: now.Add(time.Hour)}} {
		p.Name = "h1"
		if err := s.Publish(t.Context(), p, []string{"h1"}); err != nil {
			t.Fatal(err)
		}
	}
	k2 := box(t, s, "h1", "k2")
	box(t, s, "h1", "k2")
	got := givenTo(t, s, k2)
	if len(got) != 2 || got[0].Publication != 2 || got[1].Publication != 3 {
		t.Errorf("given: %+v", got)
	}
}

// What a box uses comes from its journal.
func testUsing(t *testing.T, s *Store) {
	j := centraltest.NewJournal("hub", 7, 0)
	j.Append(kiosk.KindBooted, kiosk.Booted{Version: "v1", Hall: "h1", Document: 5})
	push(t, s, j, 1, 1)
	if got, err := s.Using(context.Background(), "h1"); err != nil || got[Device{"h1", "hub"}] != 5 {
		t.Errorf("in use: %v, %v", got, err)
	}
}

func TestInForce(t *testing.T) {
	now := time.Now()
	at := func(h int) time.Time { return now.Add(time.Duration(h) * time.Hour) }
	for _, c := range []struct {
		name string
		list []Publication
		want int64
	}{
		{"none", nil, 0},
		{"none has begun", []Publication{{Number: 1, Starts: at(1)}}, 0},
		{"the later start", []Publication{{Number: 1, Starts: at(-1)}, {Number: 2, Starts: at(-2)}}, 1},
		{"the same start: the later number", []Publication{{Number: 2, Starts: at(-1)}, {Number: 1, Starts: at(-1)}}, 2},
		{"a repair does not undo a plan, nor begin it", []Publication{{Number: 1, Starts: at(3)}, {Number: 2, Starts: at(-1)}}, 2},
		{"withdrawn", []Publication{{Number: 1, Starts: at(-2)}, {Number: 2, Starts: at(-1), Withdrawn: at(-3)}}, 1},
		{"no start at all", []Publication{{Number: 1}}, 1},
	} {
		if got := InForce(c.list, now); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
