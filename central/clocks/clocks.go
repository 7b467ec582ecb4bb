// Package clocks measures a hall by its events: how long people waited, walked
// and were served, and how long windows were idle.
//
//   - wait: from the arrival (or the time of the appointment) to the first call
//   - walk: from the first call to the start at the window
//   - serve: from the start at the window to whatever ended it
//   - idle: a window was open and nobody was called to it or served at it
//
// It knows events. It does not know where they are kept, or how figures are shown.
package clocks

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"longcheng/kiosk"
)

// Kinds are the kinds of events that matter here.
var Kinds = []kiosk.Kind{kiosk.KindIssued, kiosk.KindCalled, kiosk.KindMoved, kiosk.KindWindow, kiosk.KindDay}

// A Key says what a line is about: an hour of a day, and an item at a window.
// Idle time belongs to no item.
type Key struct {
	Day    string // as 2026-03-02
	Hour   int
	Window string
	Item   string
}

// A Line is what was measured.
type Line struct {
	Key
	Called, Started, Served, Skipped int
	Wait, Longest, Walk, Serve, Idle time.Duration // sums, and the longest wait
}

// Add adds what another line has measured.
func (l *Line) Add(o Line) {
	l.Called, l.Started, l.Served, l.Skipped = l.Called+o.Called, l.Started+o.Started, l.Served+o.Served, l.Skipped+o.Skipped
	l.Wait, l.Walk, l.Serve, l.Idle = l.Wait+o.Wait, l.Walk+o.Walk, l.Serve+o.Serve, l.Idle+o.Idle
	l.Longest = max(l.Longest, o.Longest)
}

// mean is a sum by a number; 0 of none.
func mean(sum time.Duration, n int) time.Duration { return sum / time.Duration(max(1, n)) }

// MeanWait is by the people who were called.
func (l Line) MeanWait() time.Duration { return mean(l.Wait, l.Called) }

// MeanWalk is by the people whose service was started.
func (l Line) MeanWalk() time.Duration { return mean(l.Walk, l.Started) }

// MeanServe is by the people who were served.
func (l Line) MeanServe() time.Duration { return mean(l.Serve, l.Served) }

// Clocks take the events of one journal, in order.
type Clocks struct {
	zone    *time.Location
	lines   map[Key]*Line
	legs    map[int64]*leg
	windows map[string]*window
}

type leg struct {
	item          string
	arrival       time.Time
	called, start time.Time // at the window where it is; zero: not
	key           Key       // hour and window of its call
	waited        bool      // its wait was measured
}

type window struct {
	open bool
	leg  int64     // who is called to it or served; 0: nobody
	free time.Time // since when it is open with nobody
}

// New begins clocks that read times in a zone.
func New(zone *time.Location) *Clocks {
	return &Clocks{zone: zone, lines: map[Key]*Line{}, legs: map[int64]*leg{}, windows: map[string]*window{}}
}

// Take takes the next event. One that cannot be read, or does not fit what was
// before it, says nothing.
func (c *Clocks) Take(e kiosk.Event) {
	switch e.Kind {
	case kiosk.KindIssued:
		read(e, func(i kiosk.Issued) { c.issued(i) })
	case kiosk.KindCalled:
		read(e, func(k kiosk.Call) { c.called(e.At, k) })
	case kiosk.KindMoved:
		read(e, func(m kiosk.Moved) { c.moved(e.At, m) })
	case kiosk.KindWindow:
		read(e, func(w kiosk.WindowRequest) { c.desk(e.At, w) })
	case kiosk.KindDay:
		c.Stop(e.At)
		c.legs = map[int64]*leg{}
	}
}

func read[T any](e kiosk.Event, f func(T)) {
	var v T
	if json.Unmarshal(e.Body, &v) == nil {
		f(v)
	}
}

func (c *Clocks) issued(i kiosk.Issued) {
	for _, l := range i.Visit.Legs {
		c.legs[l.ID] = &leg{item: l.Item, arrival: l.Arrival}
	}
}

func (c *Clocks) called(at time.Time, k kiosk.Call) {
	w := c.window(k.Window)
	l := c.legs[k.Leg]
	if k.Recall > 0 || l == nil {
		return
	}
	c.idle(at, k.Window, w)
	w.leg = k.Leg
	l.called, l.start, l.key = at, time.Time{}, c.key(at, k.Window, k.Item)
	line := c.line(l.key)
	if l.waited {
		return // called back after a skip or a hold: its wait is known
	}
	l.waited = true
	wait := max(0, at.Sub(l.arrival))
	line.Called++
	line.Wait += wait
	line.Longest = max(line.Longest, wait)
}

func (c *Clocks) moved(at time.Time, m kiosk.Moved) {
	l := c.legs[m.Leg.ID]
	if l == nil {
		return
	}
	if m.Action == kiosk.DoStart && !l.called.IsZero() {
		l.start = at
		line := c.line(l.key)
		line.Started++
		line.Walk += max(0, at.Sub(l.called))
		return
	}
	if l.called.IsZero() {
		c.moveOn(l, m)
		return
	}
	line := c.line(l.key)
	if m.Action == kiosk.DoSkip {
		line.Skipped++
	}
	if !l.start.IsZero() {
		line.Served++
		line.Serve += max(0, at.Sub(l.start))
	}
	c.leave(at, l.key.Window, m.Leg.ID)
	l.called, l.start = time.Time{}, time.Time{}
	c.moveOn(l, m)
}

// moveOn lets a leg that goes on to another queue wait anew.
func (c *Clocks) moveOn(l *leg, m kiosk.Moved) {
	if m.Action == kiosk.DoTransfer {
		l.item, l.arrival, l.waited = m.Leg.Item, m.Leg.Arrival, false
		if l.arrival.Before(m.Leg.Since) {
			l.arrival = m.Leg.Since // it may keep its place; what it waits now begins now
		}
	}
}

// leave makes a window free of a leg.
func (c *Clocks) leave(at time.Time, name string, leg int64) {
	w := c.window(name)
	if w.leg != leg {
		return
	}
	w.leg = 0
	if w.open {
		w.free = at
	}
}

func (c *Clocks) desk(at time.Time, r kiosk.WindowRequest) {
	w := c.window(r.Window)
	c.idle(at, r.Window, w)
	w.open = r.Desk == kiosk.Open
	if w.open && w.leg == 0 {
		w.free = at
	}
}

// Stop ends what is being measured of idle windows at a moment: the end of the
// day, or of what is known.
func (c *Clocks) Stop(at time.Time) {
	for name, w := range c.windows {
		c.idle(at, name, w)
	}
	c.windows = map[string]*window{}
}

// idle counts the time since a window became free, in each hour of it.
func (c *Clocks) idle(to time.Time, name string, w *window) {
	from := w.free
	w.free = time.Time{}
	for n := 0; !from.IsZero() && from.Before(to) && n < 24; n++ {
		t := from.In(c.zone)
		next := time.Date(t.Year(), t.Month(), t.Day(), t.Hour()+1, 0, 0, 0, c.zone)
		if next.After(to) {
			next = to
		}
		c.line(c.key(from, name, "")).Idle += next.Sub(from)
		from = next
	}
}

func (c *Clocks) window(name string) *window {
	w := c.windows[name]
	if w == nil {
		w = &window{}
		c.windows[name] = w
	}
	return w
}

func (c *Clocks) key(at time.Time, window, item string) Key {
	t := at.In(c.zone)
	return Key{t.Format(time.DateOnly), t.Hour(), window, item}
}

func (c *Clocks) line(k Key) *Line {
	l := c.lines[k]
	if l == nil {
		l = &Line{Key: k}
		c.lines[k] = l
	}
	return l
}

// Lines returns what was measured, in the order of the keys.
func (c *Clocks) Lines() (list []Line) {
	for _, l := range c.lines {
		if *l != (Line{Key: l.Key}) {
			list = append(list, *l)
		}
	}
	slices.SortFunc(list, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Hour, b.Hour), cmp.Compare(a.Window, b.Window), cmp.Compare(a.Item, b.Item))
	})
	return list
}
