package clocks

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"longcheng/kiosk"
)

// day is a day of events, told by the minute.
type day struct {
	*Clocks
	t *testing.T
}

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func (d day) at(minute int, kind kiosk.Kind, body any) {
	d.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	d.Take(kiosk.Event{At: nine.Add(time.Duration(minute) * time.Minute), Kind: kind, Body: b})
}

func (d day) ticket(minute int, leg int64) {
	at := nine.Add(time.Duration(minute) * time.Minute)
	d.at(minute, kiosk.KindIssued, kiosk.Issued{Visit: kiosk.Visit{Legs: []kiosk.Leg{{ID: leg, Item: "a", Arrival: at}}}})
}

func (d day) call(minute int, leg int64, window string) {
	d.at(minute, kiosk.KindCalled, kiosk.Call{Leg: leg, Window: window, Item: "a"})
}

func (d day) move(minute int, leg int64, a kiosk.Action) {
	at := nine.Add(time.Duration(minute) * time.Minute)
	d.at(minute, kiosk.KindMoved, kiosk.Moved{Action: a, Leg: kiosk.Leg{ID: leg, Item: "a", Arrival: nine, Since: at}})
}

func (d day) desk(minute int, window string, to kiosk.Desk) {
	d.at(minute, kiosk.KindWindow, kiosk.WindowRequest{Window: window, Desk: to})
}

func expect(t *testing.T, d day, want ...Line) {
	t.Helper()
	if got := d.Lines(); !slices.Equal(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

const m = time.Minute

func key(hour int, item string) Key { return Key{"2026-03-02", hour, "1", item} }

// One window serves one, loses one, and is idle in between and across an hour.
func TestFourClocks(t *testing.T) {
	d := day{New(time.UTC), t}
	d.desk(0, "1", kiosk.Open)
	d.ticket(2, 7)
	d.call(10, 7, "1") // idle 10, waited 8
	d.at(11, kiosk.KindCalled, kiosk.Call{Leg: 7, Window: "1", Item: "a", Recall: 1})
	d.move(12, 7, kiosk.DoStart) // walked 2
	d.move(20, 7, kiosk.DoDone)  // served 8
	d.ticket(21, 8)
	d.call(25, 8, "1") // idle 5, waited 4
	d.move(30, 8, kiosk.DoSkip)
	d.desk(70, "1", kiosk.Closed) // idle 30 in this hour, 10 in the next
	d.Stop(nine.Add(200 * m))
	expect(t, d,
		Line{Key: key(9, ""), Idle: 45 * m},
		Line{Key: key(9, "a"), Called: 2, Started: 1, Served: 1, Skipped: 1, Wait: 12 * m, Longest: 8 * m, Walk: 2 * m, Serve: 8 * m},
		Line{Key: key(10, ""), Idle: 10 * m},
	)
}

// Called back after a hold, one has waited once and was served twice; transferred,
// one waits anew.
func TestHeldAndTransferred(t *testing.T) {
	d := day{New(time.UTC), t}
	d.ticket(0, 7)
	d.call(5, 7, "1")
	d.move(5, 7, kiosk.DoStart)
	d.move(10, 7, kiosk.DoHold)
	d.call(20, 7, "1")
	d.move(21, 7, kiosk.DoStart)
	d.move(25, 7, kiosk.DoTransfer)
	d.call(35, 7, "1")
	expect(t, d, Line{Key: key(9, "a"), Called: 2, Started: 2, Served: 2, Wait: 15 * m, Longest: 10 * m, Walk: 1 * m, Serve: 9 * m})
}

// An open window at the end of what is known is idle until then; a new day begins
// with closed windows.
func TestEnds(t *testing.T) {
	d := day{New(time.UTC), t}
	d.desk(0, "1", kiosk.Open)
	d.at(30, kiosk.KindDay, kiosk.DayOpened{Day: "2026-03-03"})
	d.Stop(nine.Add(50 * m))
	expect(t, d, Line{Key: key(9, ""), Idle: 30 * m})
}

// Whatever the bodies hold, no clock runs backwards.
func FuzzTake(f *testing.F) {
	f.Add("issued", `{"visit":{"legs":[{"id":1,"arrival":"2026-03-02T09:00:00Z"}]}}`, "called", `{"leg":1,"window":"1"}`, int64(-5))
	f.Fuzz(func(t *testing.T, k1, b1, k2, b2 string, gap int64) {
		c := New(time.UTC)
		at := nine
		for range 2 {
			for _, e := range [][2]string{{k1, b1}, {"window", `{"window":"1","desk":"open"}`}, {k2, b2}, {"moved", `{"action":"start","leg":{"id":1}}`}, {"moved", `{"action":"done","leg":{"id":1}}`}} {
				c.Take(kiosk.Event{At: at, Kind: kiosk.Kind(e[0]), Body: []byte(e[1])})
				at = at.Add(time.Duration(gap%1e12) * time.Nanosecond)
			}
		}
		c.Stop(at)
		for _, l := range c.Lines() {
			if l.Wait < 0 || l.Walk < 0 || l.Serve < 0 || l.Idle < 0 {
				t.Errorf("%+v", l)
			}
		}
	})
}
