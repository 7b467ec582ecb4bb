package display

import (
	"cmp"
	"slices"
	"time"

	"longcheng/kiosk"
)

// A Wall is the content of a wall page.
type Wall struct {
	Title    kiosk.Text     `json:"title"`
	Calls    []WallCall     `json:"calls"`   // the latest first
	Windows  []WallWindow   `json:"windows"` // in the order of the hall document
	Queues   []WallQueue    `json:"queues"`
	Floors   int            `json:"floors,omitempty"` // storeys that the wall speaks of; more than one are named
	Closed   bool           `json:"closed,omitempty"` // outside the hall's hours
	Lost     bool           `json:"lost,omitempty"`   // the hall cannot be read: this is its last known state
	Alarm    string         `json:"alarm,omitempty"`
	Announce []Announcement `json:"announce,omitempty"`
}

// A WallCall is one row of the latest calls.
type WallCall struct {
	Seq    int64      `json:"seq"`
	Number string     `json:"number"`
	Window int        `json:"window"`
	Zone   kiosk.Text `json:"zone,omitzero"`
	Floor  int        `json:"floor,omitempty"`
	At     time.Time  `json:"at"`
	Recall int        `json:"recall,omitempty"`
	Live   bool       `json:"live"` // the citizen has not come yet
}

// A WallWindow is one window as the wall lists it.
type WallWindow struct {
	Window int    `json:"window"`
	Floor  int    `json:"floor,omitempty"`
	Phase  Phase  `json:"phase"`
	Number string `json:"number,omitempty"`
	Notice string `json:"notice,omitempty"`
}

// A WallQueue is the number of people waiting in one queue.
type WallQueue struct {
	Name    kiosk.Text `json:"name"`
	Prefix  string     `json:"prefix"`
	Waiting int        `json:"waiting"`
	Minutes int        `json:"minutes,omitempty"` // expected wait of one who comes now; 0 when unknown
	Windows int        `json:"windows"`           // open windows that serve it
}

// WallRows is how many calls a wall lists: the current one and those before it.
const WallRows = 6

// WallOptions say what one wall shows.
type WallOptions struct {
	Title  kiosk.Text // default: the name of the hall
	Zones  []string   // Zone.IDs; with none and no floors, the whole hall
	Floors []int      // storeys, beside the zones
	Board  *Billboard // announcements; nil shows none
	Now    func() time.Time
}

// BuildWall returns the view of a wall that serves the named zones; none means the
// whole hall.
func BuildWall(h *kiosk.Hall, title kiosk.Text, zones ...string) Build {
	return WallOptions{Title: title, Zones: zones}.Build(h)
}

// ZonesOn returns the zones named and those of the floors, for surfaces that serve a
// storey.
func ZonesOn(h *kiosk.Hall, zones []string, floors []int) []string {
	out := slices.Clone(zones)
	for _, z := range h.Zones {
		if slices.Contains(floors, z.Floor) && !slices.Contains(out, z.ID) {
			out = append(out, z.ID)
		}
	}
	return out
}

// Build returns the view of a wall.
func (o WallOptions) Build(h *kiosk.Hall) Build {
	if o.Title.ZH == "" {
		o.Title = h.Name
	}
	zones := ZonesOn(h, o.Zones, o.Floors)
	area, home := areaOf(h, zones), h.Location()
	return func(s kiosk.Snapshot, undelivered []kiosk.Call) View {
		w := Wall{Title: o.Title, Calls: []WallCall{}, Windows: []WallWindow{}, Floors: area.floors, Alarm: s.Alarm}
		now := s.At
		if o.Now != nil {
			now = o.Now()
		}
		_, open := h.Hours.BandAt(now.In(home))
		w.Closed = !open
		latest, live, state := latestCalls(s, undelivered)
		waiting := area.waiting(undelivered, live)
		shown := area.rows(&w, area.choose(s.Calls, undelivered, waiting, latest), latest, live)
		for _, hw := range h.Windows {
			if p, ok := area.windows[hw.ID]; ok {
				w.Windows = append(w.Windows, wallWindow(p, state[hw.ID]))
			}
		}
		w.Queues = wallQueues(h, s, zones)
		if o.Board != nil {
			w.Announce = o.Board.Current(now, zones)
		}
		v := View{Seq: s.Seq, Wall: &w}
		for _, c := range undelivered {
			switch p := (place{c.Leg, c.Window}); {
			case shown[p]:
				v.Calls = append(v.Calls, c.Seq)
			case waiting[p]:
				v.More++
			default:
				v.Stale = append(v.Stale, c.Seq)
			}
		}
		return v
	}
}

// waiting returns the places of this area that were called, are still awaited, and
// have never been on the wall.
func (a area) waiting(undelivered []kiosk.Call, live map[int64]bool) map[place]bool {
	out := map[place]bool{}
	for _, c := range undelivered {
		if _, mine := a.windows[c.Window]; mine && live[c.Leg] {
			out[place{c.Leg, c.Window}] = true
		}
	}
	return out
}

// choose returns the calls of the rows, each place once, the latest call or recall
// first. Whoever waits to be shown for the first time has a row before the others,
// the oldest first when they are too many.
func (a area) choose(calls, undelivered []kiosk.Call, waiting map[place]bool, latest map[int64]int64) []kiosk.Call {
	when := func(c kiosk.Call) int64 { return max(c.Seq, latest[c.Leg]) }
	var owed, rest []kiosk.Call
	seen := map[place]bool{}
	take := func(from []kiosk.Call, into *[]kiosk.Call, wanted bool) {
		for _, c := range from {
			p := place{c.Leg, c.Window}
			if _, mine := a.windows[c.Window]; mine && !seen[p] && waiting[p] == wanted {
				seen[p] = true
				*into = append(*into, c)
			}
		}
	}
	take(undelivered, &owed, true)
	take(calls, &rest, false)
	slices.SortStableFunc(owed, func(x, y kiosk.Call) int { return cmp.Compare(when(x), when(y)) })
	slices.SortStableFunc(rest, func(x, y kiosk.Call) int { return cmp.Compare(when(y), when(x)) })
	rows := append(owed, rest...)
	rows = rows[:min(len(rows), WallRows)]
	slices.SortStableFunc(rows, func(x, y kiosk.Call) int { return cmp.Compare(when(y), when(x)) })
	return rows
}

// LostWall returns what a wall shows whose hall cannot be read: its last state,
// marked so, for Options.Fault.
func LostWall(last View) View {
	w := Wall{Calls: []WallCall{}, Windows: []WallWindow{}, Queues: []WallQueue{}}
	if last.Wall != nil {
		w = *last.Wall
	}
	w.Lost = true
	return View{Wall: &w}
}

// place is a leg at a window: what a row of the wall tells.
type place struct {
	leg    int64
	window string
}

// latestCalls returns the latest call of each leg, the legs that are awaited, and
// the windows by ID.
func latestCalls(s kiosk.Snapshot, undelivered []kiosk.Call) (latest map[int64]int64, live map[int64]bool, state map[string]kiosk.WindowState) {
	latest, live, state = map[int64]int64{}, map[int64]bool{}, map[string]kiosk.WindowState{}
	for _, c := range undelivered {
		latest[c.Leg] = max(latest[c.Leg], c.Seq)
	}
	for _, ws := range s.Windows {
		state[ws.Window] = ws
		if ws.Current != nil {
			live[ws.Current.ID] = ws.Current.State == kiosk.Called
			latest[ws.Current.ID] = max(latest[ws.Current.ID], ws.Current.Call)
		}
	}
	return latest, live, state
}

// area is the part of a hall that a wall serves.
type area struct {
	windows map[string]spot // by Window.ID
	floors  int
}

// spot is where a window is.
type spot struct {
	number, floor int
	zone          kiosk.Text
}

func areaOf(h *kiosk.Hall, zones []string) area {
	a := area{windows: map[string]spot{}}
	floors := map[int]bool{}
	for _, w := range h.Windows {
		if len(zones) > 0 && !slices.Contains(zones, w.Zone) {
			continue
		}
		p := spot{number: w.Number}
		for _, z := range h.Zones {
			if z.ID == w.Zone {
				p.floor, p.zone = z.Floor, z.Name
			}
		}
		floors[p.floor] = true
		a.windows[w.ID] = p
	}
	a.floors = len(floors)
	return a
}

// rows fills in the rows and returns what they tell.
func (a area) rows(w *Wall, calls []kiosk.Call, latest map[int64]int64, live map[int64]bool) map[place]bool {
	shown := map[place]bool{}
	for _, c := range calls {
		at := a.windows[c.Window]
		shown[place{c.Leg, c.Window}] = true
		w.Calls = append(w.Calls, WallCall{
			Seq: max(c.Seq, latest[c.Leg]), Number: c.Number, Window: at.number, Zone: at.zone, Floor: at.floor,
			At: c.At, Recall: c.Recall, Live: live[c.Leg],
		})
	}
	return shown
}

func wallWindow(at spot, ws kiosk.WindowState) WallWindow {
	st := StripOptions{}.strip(ws, at.number)
	w := WallWindow{Window: at.number, Floor: at.floor, Phase: st.Phase, Number: st.Number}
	if st.Phase == PhasePaused {
		w.Notice = ws.Notice
	}
	return w
}

func wallQueues(h *kiosk.Hall, s kiosk.Snapshot, zones []string) []WallQueue {
	state := map[string]kiosk.QueueState{}
	for _, q := range s.Queues {
		state[q.Queue] = q
	}
	out := []WallQueue{}
	for _, q := range h.Queues {
		if len(zones) > 0 && !slices.Contains(zones, q.Zone) {
			continue
		}
		now := state[q.ID]
		minutes := int((now.Estimate + time.Minute - 1) / time.Minute)
		out = append(out, WallQueue{Name: q.Name, Prefix: q.Prefix, Waiting: now.Waiting, Minutes: minutes, Windows: now.Windows})
	}
	return out
}
