// Package rehearsal plays a day of a journal again under other rules of a hall, and
// says how long people would have waited.
//
// Who came when, and when a window was free to call, stay as they were: a window
// that called somebody at 10:02 calls somebody at 10:02. Whom it calls follows from
// the rules. A window for which nobody waits then calls as soon as somebody does.
// What a clerk did by name (recalled, held, transferred) stays as it was.
//
// It does not know how long other people would have taken at the window, nor what
// clerks would have done otherwise.
package rehearsal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"longcheng/kiosk"
)

// A Day is what happened on a business day, as far as the queues are concerned.
type Day struct {
	Day    kiosk.Day
	steps  []step
	people map[int64]*person
}

// A step is one thing at one time: a leg waits from now on, or goes by itself, or is
// named by a clerk; without a leg, a window is free to call.
type step struct {
	at     time.Time
	leg    *kiosk.Leg
	named  bool
	window string
}

// A person is who waits with a leg, until the leg is first called.
type person struct {
	queue, class   string // at first
	since          time.Time
	waits          bool // stands in a queue, as far as was read
	waited, called time.Duration
	did, would     bool // was called: then, and in the rehearsal
}

// Read makes the days of a journal's events; hand it every event, in order.
type Read struct{ days []*Day }

// Days returns what was read, the oldest day first.
func (r *Read) Days() []*Day { return r.days }

// Event takes one event.
func (r *Read) Event(e kiosk.Event) error {
	if e.Kind == kiosk.KindDay {
		var b kiosk.DayOpened
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		if n := len(r.days); n == 0 || r.days[n-1].Day != b.Day {
			r.days = append(r.days, &Day{Day: b.Day, people: map[int64]*person{}})
		}
		return nil
	}
	if len(r.days) == 0 {
		return nil
	}
	if err := r.days[len(r.days)-1].event(e); err != nil {
		return fmt.Errorf("event %d: %w", e.Seq, err)
	}
	return nil
}

func (d *Day) event(e kiosk.Event) error {
	var b struct { // the parts of the bodies of three kinds that matter here
		Visit  json.RawMessage `json:"visit"` // a visit of issued, an id of called
		Leg    json.RawMessage `json:"leg"`   // a leg of moved, an id of called
		Legs   []kiosk.Leg     `json:"legs"`  // of granted
		Window string          `json:"window"`
		Recall int             `json:"recall"`
		Why    kiosk.Why       `json:"why"`
	}
	switch e.Kind {
	case kiosk.KindIssued, kiosk.KindMoved, kiosk.KindGranted, kiosk.KindCalled:
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
	default:
		return nil
	}
	switch e.Kind {
	case kiosk.KindIssued:
		var v kiosk.Visit
		if err := json.Unmarshal(b.Visit, &v); err != nil {
			return err
		}
		d.stand(e.At, v.Legs...)
	case kiosk.KindGranted:
		d.stand(e.At, b.Legs...)
	case kiosk.KindMoved:
		var l kiosk.Leg
		if err := json.Unmarshal(b.Leg, &l); err != nil {
			return err
		}
		d.stand(e.At, l)
	case kiosk.KindCalled:
		var id int64
		if err := json.Unmarshal(b.Leg, &id); err != nil {
			return err
		}
		d.call(e.At, id, b.Window, b.Recall, b.Why)
	}
	return nil
}

// stand notes how legs stand after an event. What becomes of a leg that was called
// is no step: in the rehearsal it may be called at another time.
func (d *Day) stand(at time.Time, legs ...kiosk.Leg) {
	for _, l := range legs {
		x, known := d.people[l.ID]
		if !known {
			x = &person{queue: l.Queue, class: l.Class, since: latest(at, l.Arrival)}
			d.people[l.ID] = x
		}
		if waits := l.State == kiosk.Waiting; waits || x.waits {
			d.steps = append(d.steps, step{at: at, leg: &l})
			x.waits = waits
		}
	}
}

// call notes that a window called. Whom a clerk named is called as it was.
func (d *Day) call(at time.Time, id int64, window string, recall int, why kiosk.Why) {
	x, known := d.people[id]
	if recall > 0 || !known {
		return
	}
	x.waits = false
	if !x.did {
		x.did, x.waited = true, max(0, at.Sub(x.since))
	}
	if why.Rule == kiosk.WhyNamed {
		d.steps = append(d.steps, step{at: at, leg: &kiosk.Leg{ID: id}, named: true})
		return
	}
	d.steps = append(d.steps, step{at: at, window: window})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Waits are how long some people waited until they were called.
type Waits struct {
	Called  int           `json:"called"`
	Mean    time.Duration `json:"mean_ns"`
	P90     time.Duration `json:"p90_ns"`
	Longest time.Duration `json:"longest_ns"`
}

func waits(all []time.Duration) Waits {
	w := Waits{Called: len(all)}
	if w.Called == 0 {
		return w
	}
	slices.Sort(all)
	sum := time.Duration(0)
	for _, x := range all {
		sum += x
	}
	w.Mean, w.P90, w.Longest = sum/time.Duration(w.Called), all[(len(all)*9-1)/10], all[len(all)-1]
	return w
}

// A Line compares some people: those of a queue, those of a class, or all.
type Line struct {
	Queue string `json:"queue,omitempty"`
	Class string `json:"class,omitempty"`
	Was   Waits  `json:"was"`
	Would Waits  `json:"would"`
}

// Play plays the day under the rules of a hall. The first line is of everybody; then
// come queues, then classes.
func (d *Day) Play(h *kiosk.Hall) []Line {
	p := &play{Day: d, hall: h, limit: h.Rules.WithDefaults().PriorityRun, waiting: map[int64]kiosk.Leg{}, idle: map[string]int{}, run: map[string]int{}}
	for _, x := range d.people {
		x.called, x.would = 0, false
	}
	for _, s := range d.steps {
		p.step(s)
	}
	return d.compare()
}

func (d *Day) compare() []Line {
	lines := []Line{d.line(Line{}, func(*person) bool { return true })}
	queues, classes := map[string]bool{}, map[string]bool{}
	for _, x := range d.people {
		queues[x.queue], classes[x.class] = true, true
	}
	for _, q := range sorted(queues) {
		lines = append(lines, d.line(Line{Queue: q}, func(x *person) bool { return x.queue == q }))
	}
	for _, c := range sorted(classes) {
		if c != "" {
			lines = append(lines, d.line(Line{Class: c}, func(x *person) bool { return x.class == c }))
		}
	}
	return lines
}

func sorted(m map[string]bool) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func (d *Day) line(l Line, of func(*person) bool) Line {
	var was, would []time.Duration
	for _, x := range d.people {
		if !of(x) {
			continue
		}
		if x.did {
			was = append(was, x.waited)
		}
		if x.would {
			would = append(would, x.called)
		}
	}
	l.Was, l.Would = waits(was), waits(would)
	return l
}

// A play is a day in the making.
type play struct {
	*Day
	hall    *kiosk.Hall
	limit   int
	waiting map[int64]kiosk.Leg
	idle    map[string]int // times a window was free and had nobody to call
	run     map[string]int // priority calls in a row, by window
}

func (p *play) step(s step) {
	switch {
	case s.leg == nil:
		if !p.call(s.window, s.at) {
			p.idle[s.window]++
		}
	case s.named:
		p.called(s.leg.ID, s.at)
	case s.leg.State != kiosk.Waiting:
		delete(p.waiting, s.leg.ID)
	default:
		p.waiting[s.leg.ID] = *s.leg
		p.wake(s.at)
	}
}

// called takes a leg out of its queue, if it waits there.
func (p *play) called(id int64, at time.Time) {
	if _, ok := p.waiting[id]; !ok {
		return
	}
	delete(p.waiting, id)
	if x := p.people[id]; !x.would {
		x.would, x.called = true, max(0, at.Sub(x.since))
	}
}

// wake lets windows call that wait for somebody.
func (p *play) wake(at time.Time) {
	for _, w := range p.hall.Windows {
		if p.idle[w.ID] > 0 && p.call(w.ID, at) {
			p.idle[w.ID]--
		}
	}
}

// call calls the next for a window, by the rules of the hall.
func (p *play) call(window string, at time.Time) bool {
	i := slices.IndexFunc(p.hall.Windows, func(w kiosk.Window) bool { return w.ID == window })
	if i < 0 {
		return false
	}
	for _, group := range p.hall.Windows[i].Groups {
		c, _ := kiosk.Choose(p.head(group, window, false), p.head(group, window, true), p.run[window], p.limit)
		if c == nil {
			continue
		}
		if p.run[window]++; !c.Priority {
			p.run[window] = 0
		}
		p.called(c.Leg, at)
		return true
	}
	return false
}

// head is who comes first in some queues, with priority or without.
func (p *play) head(queues []string, window string, priority bool) (best *kiosk.Candidate) {
	for _, l := range p.waiting {
		if !slices.Contains(queues, l.Queue) || l.Window != "" && l.Window != window {
			continue
		}
		c := p.candidate(l)
		if c.Priority == priority && (best == nil || cmp.Or(c.Virtual.Compare(best.Virtual), cmp.Compare(c.Leg, best.Leg)) < 0) {
			best = c
		}
	}
	return best
}

// candidate is a leg under the rules of the hall. One that came back after a skip
// keeps the place that it was given.
func (p *play) candidate(l kiosk.Leg) *kiosk.Candidate {
	c := &kiosk.Candidate{Leg: l.ID, Number: l.Number, Class: l.Class, Arrival: l.Arrival, Virtual: l.Virtual}
	for _, k := range p.hall.Classes {
		if k.ID == l.Class && k.Credit > 0 {
			c.Credit, c.Priority = k.Credit.Std(), true
		}
	}
	if l.Returned == 0 {
		c.Virtual = l.Arrival.Add(-c.Credit)
	}
	return c
}
