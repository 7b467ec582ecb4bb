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
	"longcheng/central/store/storetest"
	"longcheng/kiosk"
)

// conformance is what both engines must do alike.
var conformance = map[string]func(*testing.T, *Store){
	"contiguous and repeatable": testPush,
	"gap":                       testGap,
	"conflicts":                 testConflicts,
	"many senders":              testManySenders,
	"odd bodies":                testOddBodies,
	"health":                    testHealth,
	"epochs":                    testEpochs,
	"messages":                  testMessages,
	"restored numbers":          testRestoredNumbers,
	"enrol":                     testEnrol,
	"backups":                   testBackups,
	"audit":                     testAudit,
	"status":                    testStatus,
	"statuses at once":          testStatusesAtOnce,
	"wanted documents":          testWanteds,
	"wanted publication":        testWantedPublication,
	"alarms":                    testAlarms,
	"deliveries":                testDeliveries,
	"versions":                  testVersions,
	"versions at once":          testVersionsAtOnce,
	"publish":                   testPublish,
	"withdraw":                  testWithdraw,
	"new box":                   testNewBox,
	"document in use":           testUsing,
	"book":                      testBook,
	"book at once":              testBookAtOnce,
	"no overbooking":            testNoOverbooking,
	"lists of days":             testDayLists,
	"used":                      testUsed,
	"portals":                   testPortals,
}

func TestConformance(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			for name, test := range conformance {
				t.Run(name, func(t *testing.T) { test(t, open(t, e.New(t))) })
			}
		})
	}
}

func open(t testing.TB, dsn string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func originOf(j *centraltest.Journal) Origin { return Origin{"h1", j.Origin()} }

func push(t *testing.T, s *Store, j *centraltest.Journal, first, last int) central.Answer {
	t.Helper()
	a, err := s.Push(t.Context(), originOf(j), j.Origin().Device, central.Batch{Sent: time.Now(), Events: j.Slice(first, last)})
	if err != nil {
		t.Fatalf("push %d to %d: %v", first, last, err)
	}
	return a
}

func refused(t *testing.T, s *Store, j *centraltest.Journal, events []kiosk.Event, code string) *central.Problem {
	t.Helper()
	_, err := s.Push(t.Context(), originOf(j), "k1", central.Batch{Sent: time.Now(), Events: events})
	var p *central.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Fatalf("push: %v, want refusal %s", err, code)
	}
	return p
}

// whole checks that the store holds exactly the first n events of j.
func whole(t *testing.T, s *Store, j *centraltest.Journal, n int) {
	t.Helper()
	got, err := s.Events(t.Context(), originOf(j), 0, n+10)
	if err != nil || len(got) != n {
		t.Fatalf("%d events, %v, want %d", len(got), err, n)
	}
	prev := j.Origin().Genesis()
	for i, e := range got {
		if e.Seq != int64(i+1) || string(e.Chain(prev)) != string(e.Hash) {
			t.Fatalf("event %d does not follow: %+v", i+1, e)
		}
		prev = e.Hash
	}
}

func testPush(t *testing.T, s *Store) {
	j := centraltest.NewJournal("k1", 7, 1200)
	if a, err := s.Stand(t.Context(), originOf(j)); err != nil || a.Through != 0 || string(a.Hash) != string(j.Origin().Genesis()) {
		t.Fatalf("unknown origin stands at %v, %v", a, err)
	}
	for _, r := range []struct{ first, last, through int }{
		{1, 500, 500}, {1, 500, 500}, {400, 900, 900}, {900, 900, 900}, {3, 10, 900}, {1, 1, 900}, {899, 1200, 1200}, {1200, 1200, 1200},
	} {
		a := push(t, s, j, r.first, r.last)
		if a.Through != int64(r.through) || string(a.Hash) != string(j.Slice(r.through, r.through)[0].Hash) {
			t.Errorf("after %d to %d: through %d, want %d", r.first, r.last, a.Through, r.through)
		}
	}
	whole(t, s, j, 1200)
}

func testGap(t *testing.T, s *Store) {
	j := centraltest.NewJournal("k1", 7, 30)
	push(t, s, j, 1, 10)
	if p := refused(t, s, j, j.Slice(12, 30), central.CodeGap); p.Through != 10 || p.Seq != 12 {
		t.Errorf("gap: %+v", p)
	}
	whole(t, s, j, 10)
}

// A different past is never taken for a repetition, wherever it begins to differ.
func testConflicts(t *testing.T, s *Store) {
	j := centraltest.NewJournal("k1", 7, 30)
	push(t, s, j, 1, 20)
	other := centraltest.NewJournal("k1", 7, 10) // the same past up to 10
	other.Append(kiosk.KindAlarm, kiosk.Alarm{Source: "printer:1", State: "no paper"})
	other.Fill(20)
	cases := map[string]struct {
		events []kiosk.Event
		code   string
		seq    int64
	}{
		"from the beginning":   {other.Slice(1, 15), central.CodeConflict, 11},
		"inside":               {other.Slice(12, 15), central.CodeConflict, 12},
		"over the end":         {other.Slice(15, 25), central.CodeConflict, 15},
		"after the end":        {other.Slice(21, 25), central.CodeConflict, 21},
		"another genesis":      {centraltest.NewJournal("k1", 8, 3).Slice(1, 3), central.CodeConflict, 1},
		"forged body":          {forge(j.Slice(21, 25), 2), central.CodeBroken, 23},
		"forged body of known": {forge(j.Slice(15, 19), 2), central.CodeBroken, 17},
		"forged first":         {forge(j.Slice(21, 25), 0), central.CodeConflict, 21},
	}
	for name, c := range cases {
		if p := refused(t, s, j, c.events, c.code); p.Seq != c.seq || p.Through != 20 {
			t.Errorf("%s: %+v", name, p)
		}
		refused(t, s, j, c.events, c.code) // and again: kept once
	}
	kept, err := s.Conflicts(t.Context())
	if err != nil || len(kept) != len(cases) || kept[0].Device != "k1" || kept[0].Hall != "h1" || kept[0].Event.Seq != kept[0].Seq {
		t.Errorf("%d conflicts kept, %v, want %d: %+v", len(kept), err, len(cases), kept)
	}
	for i := range 2 * maxConflicts {
		events := j.Slice(5, 5)
		events[0].Request = fmt.Sprint(i)
		events[0].Hash = events[0].Chain(j.Slice(4, 4)[0].Hash)
		refused(t, s, j, events, central.CodeConflict)
	}
	if kept, err := s.Conflicts(t.Context()); err != nil || len(kept) != maxConflicts {
		t.Errorf("%d conflicts kept, %v", len(kept), err)
	}
	boxes, err := s.Boxes(t.Context(), "")
	if err != nil || len(boxes) != 1 || len(boxes[0].Alarms) != 1 || boxes[0].Alarms[0].Source != "journal" {
		t.Errorf("the conflict is no alarm: %+v %v", boxes, err)
	}
	whole(t, s, j, 20)
	push(t, s, j, 21, 30)
}

// forge changes the body of one event and leaves its hash.
func forge(events []kiosk.Event, i int) []kiosk.Event {
	events[i].Body = []byte(`{"forged":true}`)
	return events
}

// Senders of one origin race, as after a time-out; others are not disturbed.
func testManySenders(t *testing.T, s *Store) {
	const n = 600
	var wg sync.WaitGroup
	for d := range 4 {
		j := centraltest.NewJournal(fmt.Sprint("k", d), 7, n)
		for range 3 {
			wg.Go(func() {
				for at := 0; at < n; {
					a, err := s.Push(t.Context(), originOf(j), j.Origin().Device, central.Batch{Sent: time.Now(), Events: j.Slice(at+1, min(n, at+60))})
					var p *central.Problem
					if err != nil && !errors.As(err, &p) {
						t.Errorf("push: %v", err)
						return
					}
					at = int(a.Through)
				}
			})
		}
	}
	wg.Wait()
	for d := range 4 {
		whole(t, s, centraltest.NewJournal(fmt.Sprint("k", d), 7, n), n)
	}
}

// Hashes cover bytes, so bytes come back as they were.
func testOddBodies(t *testing.T, s *Store) {
	j := centraltest.NewJournal("k1", 7, 0)
	for _, body := range []string{`{"a" : 1 ,"b":"<&>"}`, "\"\u2028\U0001F3EE\\u0000\"", `null`, `{"a":1e400}`, "[\n1]"} {
		j.AppendRaw("odd", body)
	}
	push(t, s, j, 1, 5)
	whole(t, s, j, 5)
}

func testHealth(t *testing.T, s *Store) {
	j := centraltest.NewJournal("k1", 7, 0)
	j.Append(kiosk.KindBooted, kiosk.Booted{Version: "v1.2", Hall: "h1"})
	j.Append(kiosk.KindAlarm, kiosk.Alarm{Source: "printer:1", State: "no paper", Fault: "paper-out"})
	j.Append(kiosk.KindAlarm, kiosk.Alarm{Source: "reader", State: "unplugged"})
	j.Append(kiosk.KindAlarm, kiosk.Alarm{Source: "reader", State: "ready"})
	push(t, s, j, 1, 4)
	boxes, err := s.Boxes(t.Context(), "h1")
	if err != nil || len(boxes) != 1 {
		t.Fatalf("boxes %+v, %v", boxes, err)
	}
	b := boxes[0]
	if b.Version != "v1.2" || len(b.Alarms) != 1 || b.Alarms[0].State != "no paper" || b.Alarms[0].Fault != "paper-out" || b.Through != 4 || b.Heard.IsZero() {
		t.Errorf("box %+v", b)
	}
	for i := range 2 * maxSources { // a box that makes up parts
		j.Append(kiosk.KindAlarm, kiosk.Alarm{Source: fmt.Sprint("part ", i), State: "odd"})
	}
	push(t, s, j, 5, j.Len())
	if boxes, err := s.Boxes(t.Context(), "h1"); err != nil || len(boxes[0].Alarms) > maxSources {
		t.Errorf("%d alarms, %v", len(boxes[0].Alarms), err)
	}
	if other, err := s.Boxes(t.Context(), "h2"); err != nil || len(other) != 0 {
		t.Errorf("another hall sees %+v, %v", other, err)
	}
}

func testEpochs(t *testing.T, s *Store) {
	for epoch := range maxEpochs {
		j := centraltest.NewJournal("k1", int64(epoch+1), 1)
		push(t, s, j, 1, 1)
	}
	j := centraltest.NewJournal("k1", maxEpochs+1, 1)
	refused(t, s, j, j.Slice(1, 1), "epochs")
}
