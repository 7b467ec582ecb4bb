package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central"
)

func testStatus(t *testing.T, s *Store) {
	d := Device{"h1", "k1"}
	left := 12
	is := central.Status{Version: "1.2", Config: "ab", Documents: map[string]int64{"hall": 4}, Parts: []central.Part{{Name: "printer p", State: strings.Repeat("长", 300) + "\x00", Left: &left}}}
	must(t, s.SaveStatus(t.Context(), d, is))
	is.Version = "1.3"
	must(t, s.SaveStatus(t.Context(), d, is))
	all, err := s.Statuses(t.Context(), "h1")
	must(t, err)
	got := all[d]
	if len(all) != 1 || got.Is.Version != "1.3" || got.Is.Documents["hall"] != 4 || *got.Is.Parts[0].Left != 12 || len([]rune(got.Is.Parts[0].State)) != 200 || got.At.IsZero() {
		t.Errorf("statuses %+v", all)
	}
	boxes, err := s.Boxes(t.Context(), "h1")
	must(t, err)
	if len(boxes) != 1 || boxes[0].Version != "1.3" || boxes[0].Seen.IsZero() {
		t.Errorf("boxes %+v", boxes)
	}
	if other, err := s.Statuses(t.Context(), "h2"); err != nil || len(other) != 0 {
		t.Errorf("of another hall: %v, %v", other, err)
	}
}

// Statuses that come at once are stored together, each before it is answered; the
// last one of a box stays, and one that the engine does not take spoils no other.
func testStatusesAtOnce(t *testing.T, s *Store) {
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			d := Device{"h1", fmt.Sprint("k", n)}
			for v := range 3 {
				is := central.Status{Version: fmt.Sprint(v)}
				if err := s.SaveStatus(t.Context(), d, is); err != nil {
					t.Error(err)
					return
				}
				if all, err := s.Statuses(t.Context(), "h1"); err != nil || all[d].Is.Version != is.Version {
					t.Errorf("%s says %s, stored is %q, %v", d.Device, is.Version, all[d].Is.Version, err)
				}
			}
		})
	}
	wg.Wait()
	all := make([]*newStatus, 3)
	for i, hall := range []string{"h2", "h\x00", "h2"} { // PostgreSQL takes no NUL
		all[i] = &newStatus{Device: Device{hall, fmt.Sprint("k", i)}, body: "{}", saved: make(chan error, 1)}
	}
	s.saveStatuses(t.Context(), all)
	refused := <-all[1].saved
	must(t, <-all[0].saved)
	must(t, <-all[2].saved)
	if (refused != nil) != (s.driver == "pgx") {
		t.Errorf("a name with NUL: %v", refused)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	s.statuses.turn <- struct{}{}
	if err := s.SaveStatus(gone, Device{"h1", "k1"}, central.Status{}); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up hears %v", err)
	}
	<-s.statuses.turn
}

// Of each name the newest document that has taken effect is wanted.
func testWanteds(t *testing.T, s *Store) {
	d := Device{"h1", "k1"}
	must(t, s.Meet(t.Context(), d, central.Position{}))
	for _, m := range []central.Message{{Name: "hall"}, {Name: "texts"}, {Name: "hall"}, {Name: "hall", Starts: time.Now().Add(time.Hour)}} {
		m.Stream, m.Body = central.Documents, json.RawMessage(`{}`)
		_, err := s.Send(t.Context(), d, m)
		must(t, err)
	}
	for n := range int64(3) {
		must(t, s.Acknowledge(t.Context(), d, central.Ack{Stream: central.Documents, Number: n + 1, OK: n != 2, Text: "line 3"}))
	}
	list, err := s.Wanteds(t.Context(), "h1")
	must(t, err)
	if len(list) != 2 || list[0].Name != "hall" || list[0].Number != 3 || list[0].OK || list[0].Text != "line 3" || list[1].Number != 2 || !list[1].OK || !list[1].Acked {
		t.Errorf("wanted %+v", list)
	}
}

// Of hall documents the one in force is wanted, in whatever order they were given.
func testWantedPublication(t *testing.T, s *Store) {
	saved(t, s, "h1", 0, "one")
	d := box(t, s, "h1", "hub")
	now := time.Now().UTC().Truncate(time.Millisecond)
	wanted := func(message int64) {
		t.Helper()
		list, err := s.Wanteds(t.Context(), "h1")
		if must(t, err); len(list) != 1 || list[0].Device != d || list[0].Name != central.NameHall || list[0].Number != message {
			t.Errorf("wanted %+v, want message %d", list, message)
		}
	}
	for _, starts := range []time.Duration{-time.Hour, time.Hour, -2 * time.Hour} {
		must(t, s.Publish(t.Context(), Publication{Name: "h1", Version: 1, Starts: now.Add(starts), Author: "li"}, []string{"h1"}))
		wanted(1)
	}
	must(t, s.Withdraw(t.Context(), "h1", 2, "li")) // a message, too
	wanted(1)
	must(t, s.Publish(t.Context(), Publication{Name: "h1", Version: 1, Starts: now, Author: "li"}, []string{"h1"}))
	wanted(5)
}

func testAlarms(t *testing.T, s *Store) {
	d, hooks := Device{"h1", "k1"}, []string{"duty", "city"}
	paper, door := Alarm{Device: d, Source: "paper", State: "low"}, Alarm{Device: d, Source: "door", State: "open"}
	now := func(list ...Alarm) { t.Helper(); must(t, s.SetAlarms(t.Context(), list, hooks)) }
	waits := func(want int) {
		t.Helper()
		if n, err := s.Deliveries(t.Context()); err != nil || n != want {
			t.Errorf("%d deliveries wait, %v, want %d", n, err, want)
		}
	}
	now(paper, door)
	now(paper, door) // the same again is no change
	waits(4)
	must(t, s.AckAlarm(t.Context(), d, "paper", "li", hooks))
	must(t, s.AckAlarm(t.Context(), d, "paper", "wang", hooks)) // the first word stands
	waits(6)
	if err := s.AckAlarm(t.Context(), d, "nothing", "li", hooks); code(err) != "no_alarm" {
		t.Errorf("acknowledged what is not: %v", err)
	}
	paper.State = "out"
	now(paper) // the door is closed; the paper is worse, which nobody has acknowledged
	waits(12)
	open, ended, err := s.Alarms(t.Context(), "h1", 10)
	must(t, err)
	if len(open) != 1 || open[0].State != "out" || open[0].Who != "" || len(ended) != 2 {
		t.Errorf("open %+v, ended %+v", open, ended)
	}
	if open, _, err := s.Alarms(t.Context(), "h2", 10); err != nil || len(open) != 0 {
		t.Errorf("of another hall: %v, %v", open, err)
	}
}

// A delivery is held back from others while one tries, comes again after a fault,
// and is given up after a day.
func testDeliveries(t *testing.T, s *Store) {
	clock := time.Now()
	s.now = func() time.Time { return clock }
	must(t, s.SetAlarms(t.Context(), []Alarm{{Device: Device{"h1", "k1"}, Source: "door", State: "open"}}, []string{"duty"}))
	next := func(want bool) Delivery {
		t.Helper()
		d, ok, err := s.NextDelivery(t.Context(), time.Minute)
		must(t, err)
		if ok != want {
			t.Fatalf("a delivery is due: %v, want %v", ok, want)
		}
		return d
	}
	d := next(true)
	var body struct{ ID, Event, Hall, Device, Source, State string }
	must(t, json.Unmarshal(d.Body, &body))
	if body.Event != "alarm.raised" || body.Hall != "h1" || body.Device != "k1" || body.ID != d.ID || d.Hook != "duty" || body.State != "open" {
		t.Errorf("delivery %s to %s", d.Body, d.Hook)
	}
	next(false)
	clock = clock.Add(2 * time.Minute) // who held it has died
	d = next(true)
	gaveUp, err := s.Undelivered(t.Context(), d, "no answer", time.Hour)
	if gaveUp || err != nil {
		t.Errorf("gave up %v, %v", gaveUp, err)
	}
	next(false)
	clock = clock.Add(25 * time.Hour)
	if d = next(true); d.Fault != "no answer" || d.Tries != 2 {
		t.Errorf("delivery %+v", d)
	}
	if gaveUp, err := s.Undelivered(t.Context(), d, "no answer", time.Hour); !gaveUp || err != nil {
		t.Errorf("gave up %v, %v after a day", gaveUp, err)
	}
	clock = clock.Add(48 * time.Hour)
	next(false)
}
