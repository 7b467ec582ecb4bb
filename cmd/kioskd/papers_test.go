package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"longcheng/kiosk"
)

// A paper is a ticket that somebody holds.
type paper struct {
	id, number, box string
	day             kiosk.Day
	taken           time.Time
}

// An audit compares papers with the host's journal.
type audit struct {
	mu     sync.Mutex
	papers []paper
}

func (a *audit) hold(box string, i kiosk.Issued) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.papers = append(a.papers, paper{i.Visit.ID, i.Visit.Number, box, i.Visit.Day, i.Visit.TakenAt})
}

func (a *audit) count(box string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.papers {
		if p.box == box {
			n++
		}
	}
	return n
}

// check wants every paper in the journal once, with its number and time, no
// number on two papers, and nobody waiting whose number is on no paper.
func (a *audit) check(t *testing.T, events []kiosk.Event) {
	t.Helper()
	for _, v := range a.compare(t, events) {
		t.Errorf("%s is in the journal and on no paper", v.Number)
	}
}

// compare checks the papers, and returns the visits that are on none.
func (a *audit) compare(t *testing.T, events []kiosk.Event) (ghosts []kiosk.Visit) {
	t.Helper()
	type entry struct {
		Visit kiosk.Visit `json:"visit"`
		Voids []struct{ Leg kiosk.Leg }
	}
	known, voided, byNumber := map[string]kiosk.Visit{}, map[string]bool{}, map[string]string{}
	for _, e := range events {
		if e.Kind != kiosk.KindIssued {
			continue
		}
		var b entry
		if err := json.Unmarshal(e.Body, &b); err != nil {
			t.Fatal(err)
		}
		known[b.Visit.ID] = b.Visit
		for _, v := range b.Voids {
			voided[v.Leg.Visit] = true
		}
	}
	for _, p := range a.papers {
		v, ok := known[p.id]
		switch {
		case !ok:
			t.Errorf("paper %s of %s is not in the journal", p.number, p.box)
		case voided[p.id]:
			t.Errorf("paper %s of %s was voided", p.number, p.box)
		case v.Number != p.number || v.TakenAt.Sub(p.taken).Abs() > time.Millisecond || !v.Legs[0].Arrival.Equal(v.TakenAt):
			t.Errorf("paper %s of %s, taken %s, is %s, taken %s, arrived %s in the journal", p.number, p.box, p.taken, v.Number, v.TakenAt, v.Legs[0].Arrival)
		}
		if other, twice := byNumber[p.number]; twice && other != p.id {
			t.Errorf("number %s is on two papers", p.number)
		}
		byNumber[p.number] = p.id
		delete(known, p.id)
	}
	for id, v := range known {
		if !voided[id] {
			ghosts = append(ghosts, v)
		}
	}
	return ghosts
}

// rush lets citizens come to a kiosk until the context ends, faster than anybody
// can read a screen, but not so fast that a reserve is gone before it is noticed.
func (a *audit) rush(ctx context.Context, wg *sync.WaitGroup, m *member) {
	for c := range 2 {
		wg.Go(func() {
			next := time.NewTicker(100 * time.Millisecond)
			defer next.Stop()
			for i := 0; ctx.Err() == nil; i++ {
				a.hold(m.device, m.take(fmt.Sprintf("%s-%d-%d", m.device, c, i)))
				<-next.C
			}
		})
	}
}

// days wants every paper in the journal once, no number twice on a business day, and
// nobody sent to the desk. It returns how many tickets are in the journal.
func (a *audit) days(t *testing.T, events []kiosk.Event) int {
	t.Helper()
	type entry struct {
		Visit kiosk.Visit `json:"visit"`
	}
	known, numbers := map[string]string{}, map[string]string{}
	for _, e := range events {
		var b entry
		if e.Kind == kiosk.KindIssued && json.Unmarshal(e.Body, &b) == nil {
			if known[b.Visit.ID] != "" {
				t.Errorf("%s is in the journal twice", b.Visit.Number)
			}
			known[b.Visit.ID] = b.Visit.Number
			key := string(b.Visit.Day) + " " + b.Visit.Number
			if numbers[key] != "" {
				t.Errorf("%s was given twice", key)
			}
			numbers[key] = b.Visit.ID
		}
		if bytes.Contains(e.Body, []byte("cannot be taken over")) {
			t.Errorf("somebody was sent to the desk: %s", e.Body)
		}
	}
	for _, p := range a.papers {
		if known[p.id] != p.number {
			t.Errorf("paper %s of %s is %q in the journal", p.number, p.box, known[p.id])
		}
	}
	return len(known)
}
