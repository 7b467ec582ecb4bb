package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"sync"

	"longcheng/kiosk"
)

// A memory holds what can be counted from the state tables and is too dear to
// keep on the disk: every index is a page more to sync with each ticket. It is
// counted when the file is opened, changed by apply alone, and counted again
// after a rollback. The writer decides by it; readers use it for estimates and
// hints, which may be one commit ahead of what they read from the file.
type memory struct {
	mu          sync.RWMutex
	lines       map[string]*line          // who waits, by queue
	ready       map[lane]*line            // those of them who can be called
	waits       map[int64]*waits          // by leg
	legs        map[string][]int64        // waiting legs, by visit
	seated      map[string]int64          // leg at a window, by visit
	pending     map[string]*line          // jobs to print, by printer
	last        int64                     // call
	serves      map[string][]string       // queues of each open window
	open        map[string]int            // open windows, by queue
	runs        map[string]int            // priority calls in a row, by window
	numbers     map[string]int            // last number of the day, by prefix
	bands       map[string]int            // tickets of the day, by band
	undelivered map[string]map[int64]bool // calls of the day, by surface
	several                               // what a hall of several boxes needs
}

// A lane is one part of a queue from which a window takes the first.
type lane struct {
	queue    string
	window   string // that it is reserved for
	priority bool
}

type waits struct {
	visit string
	lane
	place
	ready bool
}

func newMemory() *memory {
	return &memory{
		lines: map[string]*line{}, ready: map[lane]*line{}, waits: map[int64]*waits{}, legs: map[string][]int64{}, seated: map[string]int64{},
		pending: map[string]*line{}, serves: map[string][]string{}, open: map[string]int{}, runs: map[string]int{},
		numbers: map[string]int{}, bands: map[string]int{}, undelivered: map[string]map[int64]bool{},
		several: several{ranges: map[string][]held{}, tops: map[string]int{}, pace: map[string]pace{}},
	}
}

// count returns the memory of what is in the file.
func count(ctx context.Context, q querier, h head) (*memory, error) {
	m := newMemory()
	m.last = h.calls
	for _, f := range []func(context.Context, querier, head) error{m.countLegs, m.countJobs, m.countDesks, m.countVisits, m.countCalls, m.countRanges, m.countTerm, m.countPace} {
		if err := f(ctx, q, h); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func each(ctx context.Context, q querier, scan func(*sql.Rows) error, query string, args ...any) error {
	_, err := collect(ctx, q, func(r *sql.Rows) (struct{}, error) { return struct{}{}, scan(r) }, query, args...)
	return err
}

func (m *memory) countLegs(ctx context.Context, q querier, h head) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var priority bool
		l, err := scanLeg(r, &priority)
		m.put(l, priority)
		return err
	}, "SELECT "+legColumns+", priority FROM leg WHERE id > ? AND state IN ('waiting','called','serving') AND visit NOT IN (SELECT kept.visit FROM kept)", h.before.legs)
}

func (m *memory) countJobs(ctx context.Context, q querier, h head) error {
	jobs, err := jobsWhere(ctx, q, "id > ? AND state = 'pending'", h.before.jobs)
	for _, j := range jobs {
		m.job(j)
	}
	return err
}

func (m *memory) countDesks(ctx context.Context, q querier, _ head) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var window, groups string
		var all [][]string
		if err := r.Scan(&window, &groups); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(groups), &all)
		m.serve(window, all)
		return err
	}, "SELECT window, groups FROM desk WHERE state = 'open'")
}

func (m *memory) countVisits(ctx context.Context, q querier, h head) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var prefix, band string
		var highest, tickets int
		err := r.Scan(&prefix, &band, &highest, &tickets)
		m.numbers[prefix] = max(m.numbers[prefix], highest)
		m.bands[band] += tickets
		return err
	}, `SELECT prefix, band, coalesce(max(n) FILTER (WHERE NOT EXISTS (
			SELECT 1 FROM reserve r WHERE r.prefix = visit.prefix AND visit.n BETWEEN r.low AND r.high)), 0), count(*)
		FROM visit WHERE day = ? GROUP BY prefix, band`, string(h.day))
}

func (m *memory) countCalls(ctx context.Context, q querier, h head) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var seq int64
		var window, delivery string
		var run int
		if err := r.Scan(&seq, &window, &run, &delivery); err != nil {
			return err
		}
		m.runs[window] = run
		list, err := parseDelivery(delivery)
		m.deliver(seq, list)
		return err
	}, "SELECT seq, window, run, delivery FROM call WHERE seq > ? ORDER BY seq", h.before.calls)
}

// put makes a leg stand where it is after an event, or nowhere.
func (m *memory) put(l kiosk.Leg, priority bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leave(l.ID)
	if m.seated[l.Visit] == l.ID {
		delete(m.seated, l.Visit)
	}
	switch {
	case l.State.AtWindow():
		m.seated[l.Visit] = l.ID
	case l.State == kiosk.Waiting:
		w := &waits{visit: l.Visit, lane: lane{l.Queue, l.Window, priority}, place: place{milli(l.Virtual), l.ID}}
		m.waits[l.ID] = w
		m.legs[l.Visit] = append(m.legs[l.Visit], l.ID)
		lineOf(m.lines, w.queue).add(w.place)
	}
	m.arrange(l.Visit)
}

func (m *memory) leave(leg int64) {
	w, ok := m.waits[leg]
	if !ok {
		return
	}
	m.show(w, false)
	m.lines[w.queue].remove(w.place)
	delete(m.waits, leg)
	m.legs[w.visit] = slices.DeleteFunc(m.legs[w.visit], func(id int64) bool { return id == leg })
	if len(m.legs[w.visit]) == 0 {
		delete(m.legs, w.visit)
	}
}

// arrange lets the waiting legs of a visit be called while none of its legs is
// at a window.
func (m *memory) arrange(visit string) {
	for _, leg := range m.legs[visit] {
		m.show(m.waits[leg], m.seated[visit] == 0)
	}
}

func (m *memory) show(w *waits, ready bool) {
	switch {
	case ready == w.ready:
	case ready:
		lineOf(m.ready, w.lane).add(w.place)
	default:
		m.ready[w.lane].remove(w.place)
	}
	w.ready = ready
}

func lineOf[K comparable](lines map[K]*line, k K) *line {
	if lines[k] == nil {
		lines[k] = &line{}
	}
	return lines[k]
}

// job makes a print job stand in the line of its printer, or not. It may come from
// another printer's.
func (m *memory) job(j kiosk.Job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := place{leg: j.ID}
	for _, l := range m.pending {
		l.remove(p)
	}
	if j.State == kiosk.JobPending {
		lineOf(m.pending, j.Printer).add(p)
	}
}

// issued counts a number and a place in a band. A number from a reserve does not
// move those that are given one by one.
func (m *memory) issued(b issuedBody, day kiosk.Day) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b.Visit.Day != day {
		return // handed in after its day
	}
	if !b.Reserve {
		m.numbers[b.Prefix] = max(m.numbers[b.Prefix], b.N)
	}
	m.bands[b.Band]++
}

// endDay forgets who waited and what was counted by day.
func (m *memory) endDay() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.lines)
	clear(m.ready)
	clear(m.waits)
	clear(m.legs)
	clear(m.seated)
	clear(m.pending)
	clear(m.runs)
	clear(m.numbers)
	clear(m.bands)
	clear(m.undelivered)
}

func (m *memory) window(b kiosk.WindowRequest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b.Desk != kiosk.Open {
		b.Groups = nil
	}
	m.serve(b.Window, b.Groups)
}

func (m *memory) serve(window string, groups [][]string) {
	for _, q := range m.serves[window] {
		m.open[q]--
	}
	queues := flat(groups)
	slices.Sort(queues)
	m.serves[window] = slices.Compact(queues)
	for _, q := range m.serves[window] {
		m.open[q]++
	}
}

func (m *memory) called(b calledBody) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = b.Seq
	m.runs[b.Window] = b.Run
	m.deliver(b.Seq, b.Delivery)
}

func (m *memory) delivered(seq int64, list []kiosk.Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deliver(seq, list)
}

func (m *memory) deliver(seq int64, list []kiosk.Delivery) {
	for _, d := range list {
		if !d.At.IsZero() {
			delete(m.undelivered[d.Surface], seq)
			continue
		}
		if m.undelivered[d.Surface] == nil {
			m.undelivered[d.Surface] = map[int64]bool{}
		}
		m.undelivered[d.Surface][seq] = true
	}
}

// before counts who waits in a queue before a place.
func (m *memory) before(queue string, p place) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if l := m.lines[queue]; l != nil {
		return l.before(p)
	}
	return 0
}

// at returns the i-th place of a queue.
func (m *memory) at(queue string, i int) (place, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if l := m.lines[queue]; l != nil {
		return l.at(i)
	}
	return place{}, false
}

// first returns who comes first in a lane.
func (m *memory) first(k lane) (place, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if l := m.ready[k]; l != nil {
		return l.at(0)
	}
	return place{}, false
}

// toPrint returns the oldest pending job of a printer.
func (m *memory) toPrint(printer string) (id int64, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if l := m.pending[printer]; l != nil {
		p, ok := l.at(0)
		return p.leg, ok
	}
	return 0, false
}

// list returns the first places of a queue.
func (m *memory) list(queue string, limit int) (list []place) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if l := m.lines[queue]; l != nil {
		list = l.first(limit)
	}
	return list
}

func (m *memory) lastCall() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.last
}

// waiting returns how many wait in a queue, and how many open windows serve it.
func (m *memory) waiting(queue string) (people, windows int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if l := m.lines[queue]; l != nil {
		people = l.n
	}
	return people, m.open[queue]
}

func (m *memory) run(window string) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.runs[window]
}

// calls returns the calls of the day that a surface has not acknowledged.
func (m *memory) calls(surface string) (list []int64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for seq := range m.undelivered[surface] {
		list = append(list, seq)
	}
	return list
}
