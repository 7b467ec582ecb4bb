// Package live follows a hall by its events: who waits where, and who is called.
// It answers one citizen's questions: what is my place, how long will it take,
// where am I called?
//
// It knows events. It does not know where they are kept, or who may ask.
package live

import (
	"encoding/json"
	"time"

	"longcheng/kiosk"
)

// Kinds are the kinds of events that matter here.
var Kinds = []kiosk.Kind{kiosk.KindIssued, kiosk.KindCalled, kiosk.KindMoved, kiosk.KindGranted, kiosk.KindWindow, kiosk.KindDay}

const typical = 8 * time.Minute // at a window, when the hall does not say

// A Hall is the present state of one business day. Its methods are for one
// goroutine at a time.
type Hall struct {
	visits  map[string]*visit
	legs    map[int64]*kiosk.Leg
	queues  map[string]map[int64]*kiosk.Leg // who waits
	called  map[int64]time.Time
	windows map[string]*window
}

type visit struct {
	number string
	taken  time.Time
	legs   []int64
}

type window struct {
	open   bool
	groups [][]string
	served map[string]bool // queues that it has called from
}

// New begins a day.
func New() *Hall {
	h := &Hall{}
	h.reset()
	return h
}

func (h *Hall) reset() {
	h.visits, h.legs, h.queues = map[string]*visit{}, map[int64]*kiosk.Leg{}, map[string]map[int64]*kiosk.Leg{}
	h.called, h.windows = map[int64]time.Time{}, map[string]*window{}
}

// Take takes the next event of the hall's journal. One that cannot be read says
// nothing.
func (h *Hall) Take(e kiosk.Event) {
	switch e.Kind {
	case kiosk.KindIssued:
		read(e, h.issued)
	case kiosk.KindCalled:
		read(e, func(c kiosk.Call) { h.call(e.At, c) })
	case kiosk.KindMoved:
		read(e, func(m kiosk.Moved) { h.put(m.Leg) })
	case kiosk.KindGranted:
		read(e, func(g struct {
			Legs []kiosk.Leg `json:"legs"`
		}) {
			for _, l := range g.Legs {
				h.put(l)
			}
		})
	case kiosk.KindWindow:
		read(e, h.desk)
	case kiosk.KindDay:
		h.reset()
	}
}

func read[T any](e kiosk.Event, f func(T)) {
	var v T
	if json.Unmarshal(e.Body, &v) == nil {
		f(v)
	}
}

func (h *Hall) issued(i kiosk.Issued) {
	v := &visit{number: i.Visit.Number, taken: i.Visit.TakenAt}
	for _, l := range i.Visit.Legs {
		h.put(l)
		v.legs = append(v.legs, l.ID)
	}
	h.visits[i.Visit.ID] = v
}

// put is a leg as it is now.
func (h *Hall) put(l kiosk.Leg) {
	if had := h.legs[l.ID]; had != nil {
		delete(h.queues[had.Queue], l.ID)
	}
	h.legs[l.ID] = &l
	if l.State != kiosk.Called {
		delete(h.called, l.ID)
	}
	if l.State != kiosk.Waiting {
		return
	}
	if h.queues[l.Queue] == nil {
		h.queues[l.Queue] = map[int64]*kiosk.Leg{}
	}
	h.queues[l.Queue][l.ID] = &l
}

func (h *Hall) call(at time.Time, c kiosk.Call) {
	had := h.legs[c.Leg]
	if had == nil {
		return
	}
	l := *had
	l.State, l.Window = kiosk.Called, c.Window
	h.put(l)
	h.called[l.ID] = at
	h.window(c.Window).served[l.Queue] = true
}

func (h *Hall) desk(r kiosk.WindowRequest) {
	w := h.window(r.Window)
	w.open, w.groups = r.Desk == kiosk.Open, r.Groups
}

func (h *Hall) window(name string) *window {
	w := h.windows[name]
	if w == nil {
		w = &window{served: map[string]bool{}}
		h.windows[name] = w
	}
	return w
}

// A Step is one queue that a visit has to pass, as its citizen sees it.
type Step struct {
	Item, Queue string
	State       kiosk.State
	Ahead       int           // people before, while waiting
	Estimate    time.Duration // while waiting
	Window      string        // where it is called or served
	Called      time.Time     // the latest call; zero: not called now
}

// A Place is a visit as its citizen sees it.
type Place struct {
	Number string
	Taken  time.Time
	Steps  []Step
}

// Place returns the place of a visit of today. The document of the hall may be
// nil: then typical times are taken.
func (h *Hall) Place(id string, doc *kiosk.Hall) (Place, bool) {
	v := h.visits[id]
	if v == nil {
		return Place{}, false
	}
	p := Place{Number: v.number, Taken: v.taken}
	for _, n := range v.legs {
		l := h.legs[n]
		s := Step{Item: l.Item, Queue: l.Queue, State: l.State, Called: h.called[n]}
		if l.State.AtWindow() {
			s.Window = l.Window
		}
		if l.State == kiosk.Waiting {
			s.Ahead = h.ahead(l)
			s.Estimate = time.Duration(s.Ahead) * service(doc, l.Queue) / time.Duration(max(1, h.serving(l.Queue, doc)))
		}
		p.Steps = append(p.Steps, s)
	}
	return p, true
}

func (h *Hall) ahead(l *kiosk.Leg) (n int) {
	for id, o := range h.queues[l.Queue] {
		if o.Virtual.Before(l.Virtual) || o.Virtual.Equal(l.Virtual) && id < l.ID {
			n++
		}
	}
	return n
}

// serving counts the open windows that serve a queue.
func (h *Hall) serving(queue string, doc *kiosk.Hall) (n int) {
	for id, w := range h.windows {
		groups := w.groups
		if len(groups) == 0 {
			groups = groupsOf(doc, id)
		}
		if w.open && (w.served[queue] || within(groups, queue)) {
			n++
		}
	}
	return n
}

func groupsOf(doc *kiosk.Hall, window string) [][]string {
	if doc != nil {
		for _, w := range doc.Windows {
			if w.ID == window {
				return w.Groups
			}
		}
	}
	return nil
}

func within(groups [][]string, queue string) bool {
	for _, g := range groups {
		for _, q := range g {
			if q == queue {
				return true
			}
		}
	}
	return false
}

func service(doc *kiosk.Hall, queue string) time.Duration {
	if doc != nil {
		for _, q := range doc.Queues {
			if q.ID == queue && q.Service > 0 {
				return q.Service.Std()
			}
		}
	}
	return typical
}
