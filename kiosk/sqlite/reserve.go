package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"longcheng/kiosk"
)

// Ranges of numbers. Online numbers begin at 1 and pass over every range that is
// remembered; ranges begin at reserveFrom, and each is granted behind all others
// of the days around, whosever they are.
const (
	reserveSize    = 20               // numbers of one range, at least
	reserveLargest = 200              // at most
	reserveHours   = 2                // a box holds what it gave in its busiest so many hours
	reserveFrom    = 501              // the first number of the first range
	reserveAhead   = 3                // days beyond this one for which a box holds ranges
	reserveKept    = 3                // days after which a range is forgotten
	reserveWrap    = 9000             // behind this, free stretches are used again
	reserveGap     = 100              // numbers that online ones have left before a new range
	reserveMost    = 64               // ranges of one box, prefix and day
	setBackGap     = 5 * reserveSize  // numbers that a host skips after it was set back
	handInMost     = 100              // tickets in one HandIn
	sameClock      = 2 * time.Second  // clocks that differ by less are the same
	underWay       = 10 * time.Second // a HandIn is, at most
)

// several is the part of memory that a hall of several boxes needs.
type several struct {
	ranges map[string][]held // by prefix
	tops   map[string]int    // floors for new ranges, by prefix
	pace   map[string]pace   // tickets that this box gave, by prefix
	term   int64
	host   string
}

// A pace is how many tickets were given in each hour since 1970 that had any.
type pace map[int64]int

func hourOf(at time.Time) int64 { return at.Unix() / 3600 }

// busiest is how many were given in the busiest hours, so many in a row.
func (p pace) busiest(hours int64) (most int) {
	for h := range p {
		n := 0
		for i := range hours {
			n += p[h+i]
		}
		most = max(most, n)
	}
	return most
}

// paceDays is for how many days before this one a box knows its pace.
const paceDays = 7

func (m *memory) countPace(ctx context.Context, q querier, h head) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var prefix string
		var hour int64
		var n int
		err := r.Scan(&prefix, &hour, &n)
		m.gave(prefix, hour, n)
		return err
	}, "SELECT rtrim(v.number, '0123456789'), v.taken / 3600000, count(*) FROM kept k JOIN visit v ON v.id = k.visit WHERE v.day >= ? GROUP BY 1, 2", string(plusDays(h.day, -paceDays)))
}

func (m *memory) gave(prefix string, hour int64, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pace[prefix] == nil {
		m.pace[prefix] = pace{}
	}
	m.pace[prefix][hour] += n
}

// forgetPace drops the hours before one.
func (m *memory) forgetPace(before int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.pace {
		for h := range p {
			if h < before {
				delete(p, h)
			}
		}
	}
}

// held is a range and the last number that was given from it here.
type held struct {
	kiosk.Range
	used int
}

func (m *memory) countRanges(ctx context.Context, q querier, _ head) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var h held
		err := r.Scan(&h.Prefix, &h.Day, &h.Low, &h.High, &h.Owner.Device, &h.Owner.Epoch, &h.Term, &h.used)
		m.ranges[h.Prefix] = append(m.ranges[h.Prefix], h)
		return err
	}, "SELECT prefix, day, low, high, device, epoch, term, used FROM reserve ORDER BY prefix, low, day")
}

func (m *memory) countTerm(ctx context.Context, q querier, h head) error {
	err := q.QueryRowContext(ctx, "SELECT term, host FROM term").Scan(&m.term, &m.host)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return each(ctx, q, func(r *sql.Rows) error {
		var what, prefix string
		var day kiosk.Day
		var n int
		err := r.Scan(&what, &prefix, &day, &n)
		m.floor(what, prefix, day, n, h.day)
		return err
	}, "SELECT what, prefix, day, n FROM floor")
}

// floor makes numbers or ranges go on behind n.
func (m *memory) floor(what, prefix string, day kiosk.Day, n int, today kiosk.Day) {
	switch {
	case what == "range":
		m.tops[prefix] = max(m.tops[prefix], n)
	case day == today:
		m.numbers[prefix] = max(m.numbers[prefix], n)
	}
}

// nextNumber is the next one to be given online.
func (t *tx) nextNumber(prefix string) int {
	return past(t.mem.ranges[prefix], t.mem.numbers[prefix]+1)
}

// past returns n, or the first number after it that is in no range.
func past(ranges []held, n int) int {
	for moved := true; moved; {
		moved = false
		for _, r := range ranges {
			if r.Low <= n && n <= r.High {
				n, moved = r.High+1, true
			}
		}
	}
	return n
}

// newRange finds numbers that nobody has been given, now or in the days around.
func (t *tx) newRange(prefix string, size int, more []kiosk.Range) (low int) {
	low = max(reserveFrom, t.mem.numbers[prefix]+reserveGap, t.mem.tops[prefix]+1)
	taken := slices.Clone(t.mem.ranges[prefix])
	for _, r := range more {
		if r.Prefix == prefix {
			taken = append(taken, held{Range: r})
		}
	}
	behind := low
	for _, r := range taken {
		behind = max(behind, r.High+1)
	}
	if behind <= reserveWrap {
		return behind
	}
	for {
		free := true
		for _, r := range taken {
			if low <= r.High && r.Low <= low+size-1 {
				low, free = r.High+1, false
			}
		}
		if free {
			return low
		}
	}
}

// Reserve grants ranges to a box. A range is never granted twice; one whose
// answer got lost stays unused.
func (s *Store) Reserve(ctx context.Context, request string, box kiosk.Origin, wants []kiosk.Want) ([]kiosk.Range, error) {
	content := struct {
		Box   kiosk.Origin
		Wants []kiosk.Want
	}{box, wants}
	d := demand{what: "reserve", request: request, who: box.Device, content: content}
	got, err := settle(ctx, s, d, func(t *tx, _ time.Time) (d decision[kiosk.Reserved], err error) {
		var b kiosk.Reserved
		for _, w := range wants {
			if err := t.mayReserveFor(box, w); err != nil {
				return d, err
			}
			size := sized(w.Size)
			low := t.newRange(w.Prefix, size, b.Ranges)
			b.Ranges = append(b.Ranges, kiosk.Range{Prefix: w.Prefix, Day: w.Day, Low: low, High: low + size - 1, Owner: box, Term: max(1, t.mem.term)})
		}
		return decision[kiosk.Reserved]{kiosk.KindReserved, b, b, true}, nil
	})
	return got.Ranges, err
}

// sized bounds the numbers of one range.
func sized(n int) int { return min(max(n, reserveSize), reserveLargest) }

func (t *tx) mayReserveFor(box kiosk.Origin, w kiosk.Want) error {
	_, known := find(t.s.hall.Queues, func(q kiosk.Queue) bool { return q.Prefix == w.Prefix })
	if !known {
		return refuse("unknown_queue", "没有此队列", "no queue has this prefix")
	}
	if w.Day < t.head.day || w.Day > plusDays(t.head.day, reserveAhead+1) {
		return refuse("not_allowed", "日期超出范围", "ranges are granted for today and the next days only: set the clock of the box")
	}
	n := 0
	for _, r := range t.mem.ranges[w.Prefix] {
		if r.Owner == box && r.Day == w.Day {
			n++
		}
	}
	if n >= reserveMost {
		return refuse("not_allowed", "预留号段过多", "this box has been granted too many ranges for one day")
	}
	return nil
}

// plusDays moves a business day; one that is no date stays.
func plusDays(d kiosk.Day, n int) kiosk.Day {
	at, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return d
	}
	return kiosk.Day(at.AddDate(0, 0, n).Format(time.DateOnly))
}

func (t *tx) applyReserved(b kiosk.Reserved) error {
	for _, r := range b.Ranges {
		err := t.exec("INSERT INTO reserve (prefix, day, low, high, device, epoch, term, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			r.Prefix, string(r.Day), r.Low, r.High, r.Owner.Device, r.Owner.Epoch, r.Term, r.Low-1)
		if err != nil {
			return err
		}
	}
	for _, r := range b.Void {
		if err := t.exec("UPDATE reserve SET used = high WHERE prefix = ? AND low = ? AND day = ?", r.Prefix, r.Low, string(r.Day)); err != nil {
			return err
		}
	}
	t.mem.reserved(b)
	return nil
}

func (m *memory) reserved(b kiosk.Reserved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range b.Ranges {
		m.ranges[r.Prefix] = append(m.ranges[r.Prefix], held{r, r.Low - 1})
	}
	for _, v := range b.Void {
		for i, r := range m.ranges[v.Prefix] {
			if r.Low == v.Low && r.Day == v.Day {
				m.ranges[v.Prefix][i].used = r.High
			}
		}
	}
}

// forgetRanges drops the ranges of days that no clock of the hall still shows.
func (t *tx) forgetRanges() error {
	before := plusDays(t.head.day, -reserveKept)
	t.mem.forgetRanges(before)
	t.mem.forgetPace(hourOf(t.head.at.AddDate(0, 0, -paceDays)))
	err := each(context.Background(), t, func(r *sql.Rows) error {
		var prefix string
		var n int
		err := r.Scan(&prefix, &n)
		t.mem.newTermNumber(prefix, n)
		return err
	}, "SELECT prefix, n FROM floor WHERE what = 'number' AND day = ?", string(t.head.day))
	if err != nil {
		return err
	}
	if err := t.exec("DELETE FROM floor WHERE day < ?", string(before)); err != nil {
		return err
	}
	return t.exec("DELETE FROM reserve WHERE day < ?", string(before))
}

// newTermNumber makes the numbers of the day that begins go on behind n.
func (m *memory) newTermNumber(prefix string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.numbers[prefix] = max(m.numbers[prefix], n)
}

func (m *memory) forgetRanges(before kiosk.Day) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for p := range m.ranges {
		m.ranges[p] = slices.DeleteFunc(m.ranges[p], func(r held) bool { return r.Day < before })
	}
}

// Ranges returns every range that is remembered: all of the hall at its host,
// those of the box itself elsewhere.
func (s *Store) Ranges() (all []kiosk.Range) {
	m := s.mem.Load()
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, list := range m.ranges {
		for _, r := range list {
			all = append(all, r.Range)
		}
	}
	slices.SortFunc(all, func(a, b kiosk.Range) int {
		if a.Prefix != b.Prefix {
			return slices.Compare([]string{a.Prefix}, []string{b.Prefix})
		}
		return a.Low - b.Low
	})
	return all
}

// Left returns how many numbers of a prefix and day are left in the reserve of
// this box.
func (s *Store) Left(prefix string, day kiosk.Day) (n int) {
	m := s.mem.Load()
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.ranges[prefix] {
		if r.Day == day {
			n += r.High - r.used
		}
	}
	return n
}

// should is how many numbers of a prefix this box should have in reserve.
func (s *Store) should(prefix string) int {
	m := s.mem.Load()
	m.mu.RLock()
	defer m.mu.RUnlock()
	return sized(m.pace[prefix].busiest(reserveHours))
}

// Wants returns the ranges that this box should ask its host for: for every
// prefix, today and the next days, what it would give in its busiest hours; more
// when half of that is used up.
func (s *Store) Wants(ctx context.Context) (wants []kiosk.Want, err error) {
	var h head
	if err := s.read(ctx, func(q querier) error { h, err = readPlace(ctx, q, s.origin); return err }); err != nil {
		return nil, err
	}
	for i := range reserveAhead + 1 {
		for _, q := range s.hall.Queues {
			w := kiosk.Want{Prefix: q.Prefix, Day: plusDays(h.day, i)}
			left, should := s.Left(w.Prefix, w.Day), s.should(w.Prefix)
			if left <= should/2 {
				w.Size = sized(should - left)
				wants = append(wants, w)
			}
		}
	}
	return wants, nil
}

// Hold remembers ranges that the host granted to this box, or took back.
func (s *Store) Hold(ctx context.Context, r kiosk.Reserved) error {
	return s.do(ctx, func(t *tx) error {
		if err := t.today(); err != nil {
			return err
		}
		for _, n := range r.Ranges {
			if n.Owner != s.origin || n.Low < 1 || n.High < n.Low {
				return fmt.Errorf("hold range %s %d-%d: it is not for this box: look at the host's log", n.Prefix, n.Low, n.High)
			}
			if slices.ContainsFunc(t.mem.ranges[n.Prefix], func(o held) bool { return o.Overlaps(n) }) {
				return fmt.Errorf("hold range %s %d-%d: it overlaps one that this box has: look at the host's log", n.Prefix, n.Low, n.High)
			}
		}
		return t.append(kiosk.KindReserved, t.time(), r, "", nil)
	})
}
