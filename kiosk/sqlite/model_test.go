package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"longcheng/kiosk"
)

// A model is the hall in memory: which leg is in which state and where.
type model struct {
	s     *Store
	c     *clock
	taken map[string]int // tickets by prefix
	state map[int64]kiosk.State
	at    map[string]int64 // window to leg
	calls int64
}

var windows = []string{"1", "2"}

// The store follows the table of states and keeps three promises: I1 a number is
// given once; I2 a window has one visit and a visit one window; I3 calls are
// numbered without gaps.
func TestModel(t *testing.T) {
	dir, n := quick(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := newModel(rt, filepath.Join(dir, fmt.Sprint(n, ".db")))
		defer m.s.Close()
		rt.Repeat(map[string]func(*rapid.T){
			"issue":  m.issue,
			"call":   m.call,
			"act":    m.act,
			"wait":   func(rt *rapid.T) { m.c.add(time.Duration(rapid.IntRange(1, 30).Draw(rt, "seconds")) * time.Second) },
			"reopen": m.reopen,
			"":       m.check,
		})
		if n%8 == 1 {
			same(t, m.s)
		}
	})
}

func newModel(rt *rapid.T, path string) *model {
	m := &model{c: &clock{t: morning}, taken: map[string]int{}, state: map[int64]kiosk.State{}, at: map[string]int64{}}
	m.open(rt, path)
	for _, w := range windows {
		if _, err := m.s.SetWindow(context.Background(), kiosk.WindowRequest{Window: w, Desk: kiosk.Open}); err != nil {
			rt.Fatal(err)
		}
	}
	return m
}

func (m *model) open(rt *rapid.T, path string) {
	var err error
	if m.s, err = Open(context.Background(), Options{Path: path, Hall: hall(), Origin: "k1", Now: m.c.now}); err != nil {
		rt.Fatal(err)
	}
}

func (m *model) reopen(rt *rapid.T) {
	if rapid.IntRange(0, 9).Draw(rt, "rarely") > 0 {
		return
	}
	if err := m.s.Close(); err != nil {
		rt.Fatal(err)
	}
	m.open(rt, m.s.path)
}

func (m *model) issue(rt *rapid.T) {
	item := rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "item")
	prefix := map[string]string{"x": "A", "y": "B"}[item]
	i, err := m.s.Issue(context.Background(), kiosk.Intent{Item: item, Class: rapid.SampledFrom([]string{"", "old"}).Draw(rt, "class")}, nil)
	if err != nil {
		rt.Fatal(err)
	}
	m.taken[prefix]++
	if want := kiosk.Number(prefix, m.taken[prefix]); i.Visit.Number != want {
		rt.Fatalf("I1: number %s, want %s", i.Visit.Number, want)
	}
	m.state[i.Visit.Legs[0].ID] = kiosk.Waiting
}

func (m *model) call(rt *rapid.T) {
	w := rapid.SampledFrom(windows).Draw(rt, "window")
	c, err := m.s.Call(context.Background(), kiosk.CallRequest{Window: w})
	switch {
	case m.at[w] != 0:
		wantModel(rt, err, "window_busy")
	case m.waiting() == 0:
		wantModel(rt, err, "nobody_waiting")
	case err != nil:
		rt.Fatal(err)
	default:
		m.calls++
		if m.state[c.Leg] != kiosk.Waiting || c.Seq != m.calls {
			rt.Fatalf("I2, I3: call %d of a %s leg, want call %d", c.Seq, m.state[c.Leg], m.calls)
		}
		m.state[c.Leg], m.at[w] = kiosk.Called, c.Leg
	}
}

func (m *model) waiting() (n int) {
	for _, st := range m.state {
		if st == kiosk.Waiting {
			n++
		}
	}
	return n
}

func wantModel(rt *rapid.T, err error, code string) {
	if !errors.Is(err, &kiosk.Refusal{Code: code}) {
		rt.Fatalf("got %v, want %s", err, code)
	}
}

// act tries any action on any leg; what the table forbids must be refused, and
// what it allows may be refused only by a rule that is named.
func (m *model) act(rt *rapid.T) {
	if len(m.state) == 0 {
		return
	}
	leg := int64(rapid.IntRange(1, len(m.state)).Draw(rt, "leg"))
	a := rapid.SampledFrom(kiosk.Actions).Draw(rt, "action")
	w := rapid.SampledFrom(windows).Draw(rt, "window")
	to, table := m.state[leg].Move(a)
	l, err := m.s.Act(context.Background(), kiosk.ActRequest{Leg: leg, Window: w, Action: a})
	var r *kiosk.Refusal
	switch {
	case err == nil && (table != nil || l.State != to):
		rt.Fatalf("%s of a %s leg led to %s", a, m.state[leg], l.State)
	case err == nil:
		m.moved(leg, l, a)
	case !errors.As(err, &r):
		rt.Fatal(err)
	case table == nil && r.Code == "not_allowed" && m.at[w] == leg && a != kiosk.DoExpire:
		rt.Fatalf("%s of the %s leg at window %s was refused: %v", a, m.state[leg], w, err)
	}
}

func (m *model) moved(leg int64, l kiosk.Leg, a kiosk.Action) {
	for w, at := range m.at {
		if at == leg {
			delete(m.at, w)
		}
	}
	if m.state[leg] = l.State; l.State.AtWindow() {
		m.at[l.Window] = leg
	}
	if a == kiosk.DoCall || a == kiosk.DoRecall {
		m.calls++
	}
}

func (m *model) check(rt *rapid.T) {
	snap, err := m.s.Snapshot(context.Background())
	if err != nil {
		rt.Fatal(err)
	}
	for _, w := range snap.Windows {
		err := m.s.read(context.Background(), func(q querier) error {
			one, err := m.s.windowState(context.Background(), q, w.Window)
			if err == nil && !reflect.DeepEqual(one, w) {
				rt.Fatalf("window %s in the snapshot is %+v, by itself %+v", w.Window, w, one)
			}
			return err
		})
		if err != nil {
			rt.Fatal(err)
		}
		switch {
		case w.Current == nil && m.at[w.Window] != 0, w.Current != nil && m.at[w.Window] != w.Current.ID:
			rt.Fatalf("I2: window %s has %+v, want leg %d", w.Window, w.Current, m.at[w.Window])
		case w.Current != nil && m.state[w.Current.ID] != w.Current.State:
			rt.Fatalf("window %s has a %s leg, want %s", w.Window, w.Current.State, m.state[w.Current.ID])
		}
	}
	n := 0
	for _, q := range snap.Queues {
		n += q.Waiting
	}
	if n != m.waiting() {
		rt.Fatalf("%d wait, want %d", n, m.waiting())
	}
}
