package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"longcheng/kiosk"
)

// HandIn takes over the tickets that a box gave without its host: each waits in
// its queue from the time when it was taken, whatever its number. A ticket that
// is already here stays as it is. When the host had given a number for the same
// request, that number is voided: the answer got lost, and no paper bears it.
func (s *Store) HandIn(ctx context.Context, h kiosk.HandIn) (done []kiosk.Taken, err error) {
	if len(h.Tickets) > handInMost {
		return nil, refuse("not_allowed", "一次提交过多", fmt.Sprintf("at most %d tickets are handed in at once", handInMost))
	}
	err = s.do(ctx, func(t *tx) error {
		done = nil
		if err := t.decides(); err != nil {
			return err
		}
		if err := t.today(); err != nil {
			return err
		}
		for _, o := range h.Tickets {
			taken, err := t.handIn(h, o)
			if err != nil {
				return err
			}
			done = append(done, taken)
		}
		return nil
	})
	return done, err
}

func (t *tx) handIn(h kiosk.HandIn, o kiosk.Owed) (kiosk.Taken, error) {
	taken := kiosk.Taken{Visit: o.Issued.Visit.ID}
	_, err := visit(context.Background(), t, "id = ?", taken.Visit)
	if err == nil || !errors.Is(err, &kiosk.Refusal{Code: "unknown_visit"}) {
		return taken, err
	}
	if taken.Fault, err = t.cannotTake(h, o); err != nil {
		return taken, err
	}
	if taken.Fault != "" {
		a := kiosk.Alarm{Source: h.Box.Device + " " + o.Issued.Visit.Number, State: "ticket cannot be taken over: " + taken.Fault}
		return taken, t.append(kiosk.KindAlarm, t.time(), a, "", nil)
	}
	b, err := t.takeOver(h, o)
	if err != nil {
		return taken, err
	}
	request, err := t.settleTwice(o.Intent, &b)
	if err != nil {
		return taken, err
	}
	if len(b.Voids) > 0 {
		taken.Voids = b.Voids[0].Leg.Number
	}
	var told []byte
	if request != "" { // a late arrival of the same request gets this ticket
		told = decision[kiosk.Issued]{bodyIsIt: true}.envelope(issueDemand(o.Intent))
	}
	over := ""
	if len(b.Voids) == 0 {
		if over, err = t.overLimits(o); err != nil {
			return taken, err
		}
	}
	err = t.append(kiosk.KindIssued, t.time(), b, request, told)
	if err == nil && over != "" {
		a := kiosk.Alarm{Source: h.Box.Device + " " + o.Issued.Visit.Number, State: "taken while the kiosk was cut off: " + over}
		err = t.append(kiosk.KindAlarm, t.time(), a, "", nil)
	}
	return taken, err
}

// overLimits says which limit of one person a ticket exceeds that was taken
// without the host. Its paper is out: it is taken over all the same, and staff
// hear of it.
func (t *tx) overLimits(o kiosk.Owed) (string, error) {
	if o.Given || o.Issued.Visit.Day != t.head.day {
		return "", nil
	}
	for _, l := range o.Issued.Visit.Legs {
		err := t.checkLimits(o.Intent.Person, l.Item)
		var no *kiosk.Refusal
		if errors.As(err, &no) {
			return no.Text.EN, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// cannotTake says what is wrong with an owed ticket.
func (t *tx) cannotTake(h kiosk.HandIn, o kiosk.Owed) (string, error) {
	v := o.Issued.Visit
	if v.ID == "" || len(v.Legs) == 0 || v.Number != kiosk.Number(o.Prefix, o.N) || v.TakenAt.IsZero() || o.Intent.Request == "" {
		return "it is not complete", nil
	}
	for _, l := range v.Legs {
		if _, ok := findQueue(t.s.hall, l.Queue); !ok {
			return "the host's hall has no queue " + l.Queue + ": give all boxes the same hall document", nil
		}
	}
	mine := o.Given // by a host that this one has replaced
	for _, r := range t.mem.ranges[o.Prefix] {
		if !o.Given && r.Low <= o.N && o.N <= r.High {
			if mine = r.Owner == h.Box; !mine {
				return "the number was reserved for another box", nil
			}
		}
	}
	if !mine && t.mem.numbers[o.Prefix] >= o.N {
		return "the number was not reserved for this box", nil
	}
	var one int
	err := t.QueryRowContext(context.Background(), "SELECT 1 FROM visit WHERE day = ? AND number = ?", string(t.dayOf(h, o)), v.Number).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return "somebody else has the same number", err
}

// arrivalOf is when a ticket was taken, by the host's clock.
func (t *tx) arrivalOf(h kiosk.HandIn, o kiosk.Owed) time.Time {
	at, taken := t.time(), o.Issued.Visit.TakenAt
	if off := at.Sub(h.Now); off < -sameClock || off > sameClock+underWay {
		taken = taken.Add(off)
	}
	if taken.After(at) {
		taken = at
	}
	return taken.UTC().Truncate(time.Millisecond)
}

// dayOf is the business day to which an owed ticket belongs: the present one
// unless it was taken before that began.
func (t *tx) dayOf(h kiosk.HandIn, o kiosk.Owed) kiosk.Day {
	if taken := kiosk.Day(t.arrivalOf(h, o).In(t.s.loc).Format(time.DateOnly)); taken < t.head.day {
		return taken
	}
	return t.head.day
}

// takeOver makes the host's own visit of an owed ticket.
func (t *tx) takeOver(h kiosk.HandIn, o kiosk.Owed) (issuedBody, error) {
	v, at := o.Issued.Visit, t.time()
	b := issuedBody{Person: o.Intent.Person, Prefix: o.Prefix, N: o.N, Reserve: !o.Given, From: &h.Box, FromSeq: o.Seq}
	arrival := t.arrivalOf(h, o)
	v.Day, v.TakenAt, v.Jobs, v.Kiosk = t.dayOf(h, o), arrival, nil, o.Intent.Kiosk
	c, _ := findClass(t.s.hall, v.Class)
	b.Priority = c.Credit > 0
	legs := make([]kiosk.Leg, 0, len(v.Legs))
	for i, l := range v.Legs {
		l = kiosk.Leg{
			ID: t.head.legs + int64(i) + 1, Visit: v.ID, Number: v.Number, Item: l.Item, Queue: l.Queue, Class: v.Class,
			State: kiosk.Waiting, Arrival: arrival, Virtual: arrival.Add(-c.Credit.Std()), Since: at,
		}
		if v.Day < t.head.day {
			l.State = kiosk.Expired
		}
		legs = append(legs, l)
	}
	v.Legs = legs
	b.Visit = v
	if v.Day == t.head.day {
		b.Ahead, b.Estimate = t.s.ahead(legs[0])
	}
	return b, nil
}

// settleTwice finds what the same request got from the host itself. It returns
// the request under which the hand-in is to be remembered: none when the first
// answer has that place.
func (t *tx) settleTwice(in kiosk.Intent, b *issuedBody) (string, error) {
	var kind kiosk.Kind
	var body string
	err := t.QueryRowContext(context.Background(), "SELECT kind, body FROM journal WHERE request = ?", in.Request).Scan(&kind, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return in.Request, nil
	}
	if err != nil || kind != kiosk.KindIssued {
		return "", err
	}
	var had issuedBody
	if err := json.Unmarshal([]byte(body), &had); err != nil {
		return "", err
	}
	for _, l := range had.Visit.Legs {
		l, priority, err := t.leg(l.ID)
		if err != nil {
			return "", err
		}
		if to, err := l.State.Move(kiosk.DoCancel); err == nil {
			l.State, l.Since, l.Window = to, t.time(), ""
			m := kiosk.Moved{Action: kiosk.DoCancel, Leg: l, By: "host", Reason: "the box never heard of this number and gave " + b.Visit.Number}
			b.Voids = append(b.Voids, movedBody{m, priority})
		}
	}
	return "", nil
}

// issueDemand is what every way of giving a ticket for an intent has in common.
func issueDemand(in kiosk.Intent) demand {
	d := demand{what: "issue", request: in.Request, who: in.Kiosk, content: in}
	d.sum = d.digest()
	return d
}
