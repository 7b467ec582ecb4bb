package display

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"longcheng/kiosk"
)

// bigHall has twenty windows on two floors.
func bigHall() *kiosk.Hall {
	h := &kiosk.Hall{
		Name:   kiosk.Text{ZH: "龙城"},
		Hours:  kiosk.Hours{Bands: []kiosk.Band{{Days: "mon-fri", From: 9 * 60, To: 17 * 60}}},
		Zones:  []kiosk.Zone{{ID: "a", Name: kiosk.Text{ZH: "社保区"}, Floor: 1}, {ID: "b", Name: kiosk.Text{ZH: "户政区"}, Floor: 2}},
		Queues: []kiosk.Queue{{ID: "q", Prefix: "A", Zone: "a"}, {ID: "r", Prefix: "B", Zone: "b"}},
	}
	for i := range 20 {
		h.Windows = append(h.Windows, kiosk.Window{ID: fmt.Sprint(i), Number: i, Zone: []string{"a", "b"}[i%2]})
	}
	return h
}

// A wall that comes back finds ten people called: six are shown, the four others as
// soon as the six have been on the glass, and nobody is left out.
func TestNobodyIsLeftOutOfAFullWall(t *testing.T) {
	build := BuildWall(bigHall(), kiosk.Text{})
	s := kiosk.Snapshot{At: noon}
	var owed []kiosk.Call
	for i := range int64(10) {
		c := call(i+1, i+10, fmt.Sprint(i), fmt.Sprintf("A%03d", i))
		owed = append(owed, c)
		s.Windows = append(s.Windows, at(c, kiosk.Called))
	}
	old := call(11, 99, "15", "B099")
	s.Calls = []kiosk.Call{old} // somebody whose call was shown before is called again: a later row
	v := build(s, owed)
	if !slices.Equal(v.Calls, []int64{1, 2, 3, 4, 5, 6}) || v.More != 4 || len(v.Stale) != 0 || v.Wall.Calls[0].Number != "A005" {
		t.Fatalf("proves %v, more %d, stale %v, first %s", v.Calls, v.More, v.Stale, v.Wall.Calls[0].Number)
	}
	v = build(s, owed[6:])
	if !slices.Equal(v.Calls, []int64{7, 8, 9, 10}) || v.More > 0 || len(v.Wall.Calls) != 5 || v.Wall.Calls[0].Number != "B099" {
		t.Fatalf("proves %v, more %d: %+v", v.Calls, v.More, v.Wall.Calls)
	}
	s.Windows[9].Current.State = kiosk.Serving // came before the wall could call
	if v = build(s, owed[9:]); !slices.Equal(v.Stale, []int64{10}) {
		t.Fatalf("stale %v", v.Stale)
	}
}

func TestWallsOfFloorsAndHours(t *testing.T) {
	h := bigHall()
	c := call(1, 10, "1", "B001")
	s := kiosk.Snapshot{At: noon, Windows: []kiosk.WindowState{at(c, kiosk.Called)}, Calls: []kiosk.Call{c},
		Queues: []kiosk.QueueState{{Queue: "r", Waiting: 3, Windows: 2, Estimate: 601 * time.Second}}}
	v := WallOptions{Floors: []int{2}, Now: func() time.Time { return noon.Add(8 * time.Hour) }}.Build(h)(s, nil)
	w := v.Wall
	if len(w.Windows) != 10 || len(w.Queues) != 1 || w.Queues[0].Minutes != 11 || w.Queues[0].Windows != 2 || w.Floors != 1 || !w.Closed {
		t.Fatalf("%+v", w)
	}
	w = WallOptions{Now: func() time.Time { return noon }}.Build(h)(s, nil).Wall
	if w.Floors != 2 || w.Calls[0].Floor != 2 || w.Calls[0].Zone.ZH != "户政区" || w.Closed {
		t.Fatalf("%+v", w)
	}
	lost := LostWall(View{Wall: w})
	if !lost.Wall.Lost || len(lost.Wall.Calls) != 1 || w.Lost {
		t.Fatalf("%+v", lost.Wall)
	}
	if LostWall(View{}).Wall.Calls == nil {
		t.Error("null in JSON")
	}
}

func TestAnnouncementsReachTheirZones(t *testing.T) {
	b, told := &Billboard{}, 0
	b.OnChange(func() { told++ })
	b.Post(Announcement{Text: kiosk.Text{ZH: "失物招领"}, Zones: []string{"a"}, Until: noon.Add(time.Minute)})
	id := b.Post(Announcement{Text: kiosk.Text{ZH: "请立即撤离"}, Urgent: true})
	h, s := bigHall(), kiosk.Snapshot{At: noon}
	if got := (WallOptions{Zones: []string{"a"}, Board: b}).Build(h)(s, nil).Wall.Announce; len(got) != 2 || !got[0].Urgent {
		t.Fatalf("%+v", got)
	}
	if got := (VoiceOptions{Zones: []string{"b"}, Board: b}).Build(h)(s, nil).Announce; len(got) != 1 || got[0].Times != 3 {
		t.Fatalf("%+v", got)
	}
	b.Withdraw(id)
	if got := b.Current(noon.Add(2*time.Minute), nil); len(got) != 0 || told != 3 {
		t.Fatalf("%+v, told %d times", got, told)
	}
	for range 20 {
		b.Post(Announcement{Urgent: true})
	}
	if got := b.Current(noon, nil); len(got) != maxAnnouncements {
		t.Fatalf("%d announcements", len(got))
	}
}
