package rehearsal

import (
	"encoding/json"
	"testing"
	"time"

	"longcheng/kiosk"
)

// A story writes the journal of a day, minute by minute.
type story struct {
	t    *testing.T
	read Read
	seq  int64
}

func at(minute int) time.Time { return time.Date(2026, 11, 29, 9, minute, 0, 0, time.UTC) }

func (s *story) happens(minute int, kind kiosk.Kind, body any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.seq++
	if err := s.read.Event(kiosk.Event{Seq: s.seq, At: at(minute), Kind: kind, Body: text}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) arrives(minute int, id int64, class string) {
	s.happens(minute, kiosk.KindIssued, kiosk.Issued{Visit: kiosk.Visit{Legs: []kiosk.Leg{{ID: id, Queue: "a", Class: class, State: kiosk.Waiting, Arrival: at(minute), Virtual: at(minute)}}}})
}

func (s *story) calls(minute int, id int64) {
	s.happens(minute, kiosk.KindCalled, kiosk.Call{Leg: id, Window: "1", Why: kiosk.Why{Rule: kiosk.WhyOnly}})
	s.happens(minute, kiosk.KindMoved, kiosk.Moved{Leg: kiosk.Leg{ID: id, Queue: "a", State: kiosk.Served}})
}

func hall(credit time.Duration) *kiosk.Hall {
	return &kiosk.Hall{
		Queues: []kiosk.Queue{{ID: "a"}}, Windows: []kiosk.Window{{ID: "1", Groups: [][]string{{"a"}}}},
		Classes: []kiosk.Class{{ID: "elderly", Credit: kiosk.Duration(credit)}},
	}
}

func minutes(d time.Duration) int { return int(d / time.Minute) }

// aDay is one window: two come, then an old man; they were called as they came. One
// more gives up.
func aDay(t *testing.T) *Day {
	s := &story{t: t}
	s.happens(0, kiosk.KindDay, kiosk.DayOpened{Day: "2026-11-29"})
	s.arrives(1, 1, "")
	s.arrives(2, 2, "")
	s.arrives(4, 3, "elderly")
	s.arrives(5, 4, "")
	s.happens(6, kiosk.KindMoved, kiosk.Moved{Leg: kiosk.Leg{ID: 4, Queue: "a", State: kiosk.Cancelled}})
	s.calls(10, 1)
	s.calls(20, 2)
	s.calls(30, 3)
	days := s.read.Days()
	if len(days) != 1 || days[0].Day != "2026-11-29" {
		t.Fatalf("%+v", days)
	}
	return days[0]
}

// Under the rules of the day everybody waits as it was; with a credit the old man is
// called first, and the others wait longer.
func TestACreditMovesTheOldManForward(t *testing.T) {
	d := aDay(t)
	for credit, want := range map[time.Duration][3]int{0: {18, 26, 26}, 15 * time.Minute: {18, 28, 6}} {
		lines := d.Play(hall(credit))
		all, elderly := lines[0], lines[len(lines)-1]
		got := [3]int{minutes(all.Would.Mean.Round(time.Minute)), minutes(all.Would.Longest), minutes(elderly.Would.Longest)}
		if got != want || elderly.Class != "elderly" || all.Would.Called != 3 || all.Was.Called != 3 || minutes(elderly.Was.Longest) != 26 {
			t.Errorf("credit %s: %v, want %v: %+v", credit, got, want, lines)
		}
	}
}

// A window that had somebody to call, and has nobody under other rules, calls as soon
// as somebody comes; it never calls more often than it did.
func TestAFreeWindowCallsWhoComes(t *testing.T) {
	s := &story{t: t}
	s.happens(0, kiosk.KindDay, kiosk.DayOpened{Day: "2026-11-29"})
	s.arrives(1, 1, "")
	s.calls(2, 1)
	s.arrives(3, 2, "")
	s.calls(9, 2)
	d := s.read.Days()[0]
	h := hall(0)
	h.Windows[0].Groups = [][]string{{"b"}}
	if lines := d.Play(h); lines[0].Would.Called != 0 || lines[0].Was.Called != 2 {
		t.Errorf("a window called from a queue that it does not serve: %+v", lines[0])
	}
	if again := d.Play(hall(0)); again[0].Would != again[0].Was {
		t.Errorf("the same rules give %+v, it was %+v", again[0].Would, again[0].Was)
	}
}
