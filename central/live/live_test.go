package live

import (
	"encoding/json"
	"testing"
	"time"

	"longcheng/kiosk"
)

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func take(t *testing.T, h *Hall, kind kiosk.Kind, body any) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	h.Take(kiosk.Event{At: nine, Kind: kind, Body: b})
}

func waiting(id int64, minute int) kiosk.Leg {
	at := nine.Add(time.Duration(minute) * time.Minute)
	return kiosk.Leg{ID: id, Queue: "q", Item: "a", State: kiosk.Waiting, Arrival: at, Virtual: at}
}

// aMorning is a hall where five wait; V3 was granted a priority, V1 is called.
func aMorning(t *testing.T) *Hall {
	h := New()
	for i := range int64(5) {
		take(t, h, kiosk.KindIssued, kiosk.Issued{Visit: kiosk.Visit{ID: "V" + string(rune('0'+i)), Number: "A00" + string(rune('0'+i)), Legs: []kiosk.Leg{waiting(i+1, int(i))}}})
	}
	early := waiting(4, -10)
	take(t, h, kiosk.KindGranted, map[string]any{"legs": []kiosk.Leg{early}})
	take(t, h, kiosk.KindWindow, kiosk.WindowRequest{Window: "1", Desk: kiosk.Open})
	take(t, h, kiosk.KindWindow, kiosk.WindowRequest{Window: "2", Desk: kiosk.Open, Groups: [][]string{{"other"}, {"q"}}})
	take(t, h, kiosk.KindCalled, kiosk.Call{Leg: 2, Window: "1"})
	return h
}

func TestPlace(t *testing.T) {
	h := aMorning(t)
	p, ok := h.Place("V4", nil)
	if !ok || p.Number != "A004" || p.Steps[0].Ahead != 3 || p.Steps[0].Estimate != 3*typical/2 || p.Steps[0].Window != "" {
		t.Errorf("the last: %+v", p)
	}
	if p, _ := h.Place("V3", nil); p.Steps[0].Ahead != 0 {
		t.Errorf("with priority: %+v", p)
	}
	if p, _ := h.Place("V1", nil); p.Steps[0].State != kiosk.Called || p.Steps[0].Window != "1" || p.Steps[0].Called.IsZero() {
		t.Errorf("called: %+v", p)
	}
	done := waiting(2, 0)
	done.State = kiosk.Served
	take(t, h, kiosk.KindMoved, kiosk.Moved{Action: kiosk.DoDone, Leg: done})
	if p, _ := h.Place("V1", nil); p.Steps[0].State != kiosk.Served || p.Steps[0].Window != "" || !p.Steps[0].Called.IsZero() {
		t.Errorf("done: %+v", p)
	}
	take(t, h, kiosk.KindDay, kiosk.DayOpened{Day: "2026-03-03"})
	if _, ok := h.Place("V4", nil); ok {
		t.Error("a ticket of yesterday has a place")
	}
}

// The hall's own document says how long things take and which windows serve.
func TestPlaceByDocument(t *testing.T) {
	doc := &kiosk.Hall{Queues: []kiosk.Queue{{ID: "q", Service: kiosk.Duration(3 * time.Minute)}}, Windows: []kiosk.Window{{ID: "3", Groups: [][]string{{"q"}}}}}
	h := aMorning(t)
	take(t, h, kiosk.KindWindow, kiosk.WindowRequest{Window: "3", Desk: kiosk.Open})
	if p, _ := h.Place("V4", doc); p.Steps[0].Estimate != 3*time.Minute {
		t.Errorf("three people, three windows, three minutes: %s", p.Steps[0].Estimate)
	}
}

// Whatever the bodies hold, no place is negative and nothing breaks.
func FuzzTake(f *testing.F) {
	f.Add("issued", `{"visit":{"id":"V","legs":[{"id":1,"queue":"q","state":"waiting"}]}}`, "moved", `{"leg":{"id":1,"state":"waiting","queue":"r"}}`)
	f.Fuzz(func(t *testing.T, k1, b1, k2, b2 string) {
		h := New()
		for _, e := range [][2]string{{k1, b1}, {k2, b2}, {"called", `{"leg":1,"window":"1"}`}, {k1, b1}} {
			h.Take(kiosk.Event{At: nine, Kind: kiosk.Kind(e[0]), Body: []byte(e[1])})
		}
		for id := range h.visits {
			if p, ok := h.Place(id, nil); !ok || len(p.Steps) > 0 && p.Steps[0].Ahead < 0 {
				t.Errorf("%+v", p)
			}
		}
	})
}
