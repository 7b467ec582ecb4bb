package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"longcheng/kiosk"
)

// Recall returns the answer that a request for a ticket already has here.
func (s *Store) Recall(ctx context.Context, in kiosk.Intent) (i kiosk.Issued, found bool, err error) {
	err = s.do(ctx, func(t *tx) error {
		i, found = kiosk.Issued{}, false
		found, err = t.recalled(issueDemand(in), &i)
		return err
	})
	return i, found, err
}

// Keep remembers what the host answered to an intent: the ticket, with a slip to
// print here, or why there is none. The first answer to a request stays. asked is
// the intent as the host has been asked.
func (s *Store) Keep(ctx context.Context, in, asked kiosk.Intent, given kiosk.Issued, no *kiosk.Refusal) (kiosk.Issued, error) {
	return settle(ctx, s, issueDemand(in), func(t *tx, at time.Time) (decision[kiosk.Issued], error) {
		if no != nil {
			return decision[kiosk.Issued]{}, no
		}
		b := keptBody{issuedBody: issuedBody{Issued: given, Person: in.Person}, Asked: &asked}
		t.localize(&b.Issued, in.Printer, at)
		return decision[kiosk.Issued]{kiosk.KindKept, b, b.Issued, true}, nil
	})
}

// localize gives a visit of the host the ids of this store.
func (t *tx) localize(i *kiosk.Issued, printer string, at time.Time) {
	i.Visit.Legs = slices.Clone(i.Visit.Legs)
	for k := range i.Visit.Legs {
		i.Visit.Legs[k].ID = t.head.legs + int64(k) + 1
	}
	i.Job, i.Visit.Jobs = 0, nil
	if printer != "" {
		i.Job = t.head.jobs + 1
		i.Visit.Jobs = []kiosk.Job{{ID: i.Job, Visit: i.Visit.ID, Printer: printer, State: kiosk.JobPending, At: at}}
	}
}

// Owe gives a ticket from the reserve of this box, for a host that does not
// answer. asked is the intent as the host has been asked; ahead is how many
// waited when it was last heard of. That the reserve is empty is no answer for
// ever: the host may have given a number already, and the same request gets it
// when the host is back.
func (s *Store) Owe(ctx context.Context, in, asked kiosk.Intent, ahead int) (kiosk.Issued, error) {
	empty := false
	i, err := settle(ctx, s, issueDemand(in), func(t *tx, at time.Time) (decision[kiosk.Issued], error) {
		b, err := t.owe(in, asked, at)
		if empty = err == nil && b.N == 0; empty || err != nil {
			return decision[kiosk.Issued]{}, err
		}
		b.Ahead, b.Estimate = ahead, 0
		return decision[kiosk.Issued]{kiosk.KindOwed, b, b.Issued, true}, nil
	})
	if empty {
		err = refuse("no_reserve", "网络中断，请到咨询台取号", "no numbers are left in this kiosk while the hall cannot be reached: please ask at the desk")
	}
	return i, err
}

// owe decides which ticket it is; one without a number when none is left.
func (t *tx) owe(in, asked kiosk.Intent, at time.Time) (keptBody, error) {
	if in.Code != "" {
		return keptBody{}, refuse("host_away", "网络中断，预约取号请到咨询台", "appointments cannot be looked up at the moment: please ask at the desk")
	}
	w, err := t.understand(in, at)
	if err != nil {
		return keptBody{}, err
	}
	n := t.reserved(w.prefix)
	if n == 0 {
		return keptBody{}, nil
	}
	b := keptBody{issuedBody: t.give(w, n, at), Asked: &asked}
	b.Reserve = true
	return b, nil
}

// reserved returns the next number of the reserve, 0 when there is none.
func (t *tx) reserved(prefix string) int {
	for _, r := range t.mem.ranges[prefix] {
		if r.Day == t.head.day && r.Owner == t.s.origin && r.used < r.High {
			return r.used + 1
		}
	}
	return 0
}

// Doubt makes this box hand in again what its host gave it today: another host
// has replaced that one, and may not know of the last of it.
func (s *Store) Doubt(ctx context.Context, why string) error {
	return s.do(ctx, func(t *tx) error {
		if err := t.today(); err != nil {
			return err
		}
		return t.append(kiosk.KindDoubted, t.time(), kiosk.Doubted{Day: t.head.day, Why: why}, "", nil)
	})
}

func (t *tx) applyDoubted(b kiosk.Doubted) error {
	return t.exec("UPDATE kept SET owed = 1 WHERE visit IN (SELECT id FROM visit WHERE day = ?)", string(b.Day))
}

func (t *tx) applyKept(b keptBody, e kiosk.Event) error {
	if err := t.insertVisit(b.issuedBody); err != nil {
		return err
	}
	owed := e.Kind == kiosk.KindOwed
	prefix, _ := kiosk.SplitNumber(b.Visit.Number)
	t.mem.gave(prefix, hourOf(b.Visit.TakenAt), 1)
	err := t.exec("INSERT INTO kept (visit, seq, owed, ahead, estimate) VALUES (?, ?, ?, ?, ?)",
		b.Visit.ID, e.Seq, owed, b.Ahead, int64(b.Estimate))
	if err != nil || !owed {
		return err
	}
	t.mem.usedUp(b.issuedBody)
	return t.exec("UPDATE reserve SET used = ? WHERE prefix = ? AND low <= ? AND high >= ?", b.N, b.Prefix, b.N, b.N)
}

func (m *memory) usedUp(b issuedBody) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bands[b.Band]++
	for i, r := range m.ranges[b.Prefix] {
		if r.Low <= b.N && b.N <= r.High {
			m.ranges[b.Prefix][i].used = b.N
		}
	}
}

// toSay is what a slip says of the wait: what was true when the host gave the
// ticket, at a box that has joined; what is true now, elsewhere.
func (t *tx) toSay(v kiosk.Visit) (ahead int, estimate time.Duration, err error) {
	err = t.QueryRowContext(context.Background(), "SELECT ahead, estimate FROM kept WHERE visit = ?", v.ID).Scan(&ahead, (*int64)(&estimate))
	if errors.Is(err, sql.ErrNoRows) {
		ahead, estimate = t.s.ahead(v.Legs[0])
		err = nil
	}
	return ahead, estimate, err
}

// Owed returns tickets that the host has not taken over, oldest first, and how
// many there are.
func (s *Store) Owed(ctx context.Context, limit int) (list []kiosk.Owed, all int, err error) {
	err = s.read(ctx, func(q querier) error {
		list, err = collect(ctx, q, func(r *sql.Rows) (o kiosk.Owed, err error) {
			var body string
			var b keptBody
			var kind kiosk.Kind
			if err := r.Scan(&o.Seq, &kind, &body); err != nil {
				return o, err
			}
			o.Given = kind == kiosk.KindKept
			if err := json.Unmarshal([]byte(body), &b); err != nil || b.Asked == nil && !o.Given {
				return o, errors.Join(err, errors.New("an owed ticket cannot be read: check the store with kioskctl verify"))
			}
			o.Issued, o.Prefix, o.N, o.Intent = b.Issued, b.Prefix, b.N, kiosk.Intent{}
			if b.Asked != nil {
				o.Intent = *b.Asked
			}
			if o.Given {
				o.Prefix, o.N = kiosk.SplitNumber(b.Visit.Number)
			}
			return o, nil
		}, "SELECT j.seq, j.kind, j.body FROM kept k JOIN journal j ON j.seq = k.seq WHERE k.owed = 1 ORDER BY k.seq LIMIT ?", limit)
		if err != nil {
			return err
		}
		return q.QueryRowContext(ctx, "SELECT count(*) FROM kept WHERE owed = 1").Scan(&all)
	})
	return list, all, err
}

// Handed notes that the host has taken over tickets, or never can.
func (s *Store) Handed(ctx context.Context, tickets []kiosk.Taken) error {
	if len(tickets) == 0 {
		return nil
	}
	return s.do(ctx, func(t *tx) error {
		if err := t.today(); err != nil {
			return err
		}
		return t.append(kiosk.KindHanded, t.time(), kiosk.Handed{Tickets: tickets}, "", nil)
	})
}

func (t *tx) applyHanded(b kiosk.Handed) error {
	for _, k := range b.Tickets {
		if err := t.exec("UPDATE kept SET owed = 0 WHERE visit = ?", k.Visit); err != nil {
			return err
		}
	}
	return nil
}
