package sqlite

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"longcheng/kiosk"
)

// A deed is one operation of the linearizability check: a take (window empty)
// or a call with its answer.
type deed struct {
	window string
	leg    int64 // 0: nobody waits
}

// oneQueue is the specification: takes append legs 1, 2, 3 ...; a call removes
// the first one.
func oneQueue() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return [2]int64{0, 0} }, // legs taken, legs called
		Step: func(state, in, _ any) (bool, any) {
			s, d := state.([2]int64), in.(deed)
			switch {
			case d.window == "":
				return d.leg == s[0]+1, [2]int64{s[0] + 1, s[1]}
			case d.leg == 0:
				return s[0] == s[1], s
			}
			return s[0] > s[1] && d.leg == s[1]+1, [2]int64{s[0], s[1] + 1}
		},
	}
}

type history struct {
	mu  sync.Mutex
	ops []porcupine.Operation
}

func (h *history) add(client int, d deed, from time.Time, start time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: d, Call: from.Sub(start).Nanoseconds(), Return: time.Since(start).Nanoseconds()})
}

// Fifty people take tickets while fifty windows call: some order of all of it is
// one in which numbers follow each other and nobody is called twice.
func TestFiftyAndFifty(t *testing.T) {
	const people, each = 50, 4
	c := &clock{t: morning}
	h := hall()
	h.Windows = nil
	for i := range people {
		h.Windows = append(h.Windows, kiosk.Window{ID: fmt.Sprint(i), Number: i, Groups: [][]string{{"a"}}})
	}
	s, err := Open(t.Context(), Options{Path: quick(t) + "/hall.db", Hall: h, Origin: "k1", Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var wg sync.WaitGroup
	var hist history
	start := time.Now()
	for i := range people {
		wg.Go(func() {
			for range each {
				from := time.Now()
				is, err := s.Issue(t.Context(), kiosk.Intent{Item: "x"}, nil)
				if err != nil {
					t.Error(err)
					return
				}
				hist.add(i, deed{"", is.Visit.Legs[0].ID}, from, start)
			}
		})
		wg.Go(func() {
			callMany(t, s, fmt.Sprint(i), each, func(d deed, from time.Time) { hist.add(people+i, d, from, start) })
		})
	}
	wg.Wait()
	if r := porcupine.CheckOperationsTimeout(oneQueue(), hist.ops, 5*time.Minute); r != porcupine.Ok {
		t.Fatalf("%d operations: %s", len(hist.ops), r)
	}
	same(t, s)
}

func callMany(t *testing.T, s *Store, window string, n int, done func(deed, time.Time)) {
	if _, err := s.SetWindow(t.Context(), kiosk.WindowRequest{Window: window, Desk: kiosk.Open}); err != nil {
		t.Error(err)
		return
	}
	for range n {
		from := time.Now()
		c, err := s.Call(t.Context(), kiosk.CallRequest{Window: window})
		if err != nil && !errors.Is(err, &kiosk.Refusal{Code: "nobody_waiting"}) {
			t.Error(err)
			return
		}
		done(deed{window, c.Leg}, from)
		if c.Leg == 0 {
			continue
		}
		if _, err := s.Act(t.Context(), kiosk.ActRequest{Window: window, Action: kiosk.DoDone}); err != nil {
			t.Error(err)
		}
	}
}
