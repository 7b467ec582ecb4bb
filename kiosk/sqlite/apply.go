package sqlite

import (
	"encoding/json"
	"errors"

	"longcheng/kiosk"
)

// The bodies of events that say more than the domain's types do. They carry
// everything that apply needs, so that a journal does not depend on the hall
// document of its day.
type (
	issuedBody struct {
		kiosk.Issued
		Person   string `json:"person,omitempty"`
		Prefix   string `json:"prefix"`
		N        int    `json:"n"`
		Band     string `json:"band,omitempty"`
		Code     string `json:"code,omitempty"` // appointment used
		Priority bool   `json:"priority,omitempty"`

		Reserve bool          `json:"reserve,omitempty"` // the number is from a range of From
		From    *kiosk.Origin `json:"from,omitempty"`    // box that gave it and handed it in
		FromSeq int64         `json:"from_seq,omitempty"`
		Voids   []movedBody   `json:"voids,omitempty"` // legs that the same request had got here
	}
	keptBody struct {
		issuedBody
		Asked *kiosk.Intent `json:"asked,omitempty"` // as the host is asked: of an owed ticket
	}
	calledBody struct {
		kiosk.Call
		Run int `json:"run"` // priority calls in a row at the window, this one included
	}
	movedBody struct {
		kiosk.Moved
		Priority bool `json:"priority,omitempty"`
	}
	grantedBody struct {
		kiosk.GrantRequest
		Legs     []kiosk.Leg `json:"legs"`
		Priority bool        `json:"priority,omitempty"`
	}
)

// apply is the only function that changes state tables. It depends on nothing
// but the event and the state.
func apply(t *tx, e kiosk.Event, body any) error {
	switch e.Kind {
	case kiosk.KindBooted:
		return t.anchor()
	case kiosk.KindDay:
		return with(e, body, t.applyDay)
	case kiosk.KindIssued:
		return with(e, body, t.applyIssued)
	case kiosk.KindJob:
		return with(e, body, t.applyJob)
	case kiosk.KindCalled:
		return with(e, body, t.applyCalled)
	case kiosk.KindMoved:
		return with(e, body, func(b movedBody) error { return t.putLeg(b.Leg, b.Priority) })
	case kiosk.KindDelivered:
		return with(e, body, t.applyDelivered)
	case kiosk.KindWindow:
		return with(e, body, t.applyWindow)
	case kiosk.KindGranted:
		return with(e, body, t.applyGranted)
	case kiosk.KindBooked:
		return with(e, body, t.applyBooked)
	case kiosk.KindUnbooked:
		return with(e, body, t.applyUnbooked)
	}
	return applySeveral(t, e, body)
}

// applySeveral carries the events of a hall of several boxes into the state.
func applySeveral(t *tx, e kiosk.Event, body any) error {
	switch e.Kind {
	case kiosk.KindDoubted:
		return with(e, body, t.applyDoubted)
	case kiosk.KindTerm:
		return with(e, body, t.applyTerm)
	case kiosk.KindJoined:
		return with(e, body, func(b kiosk.Joined) error { return t.applyJoined(b, e.At) })
	case kiosk.KindReserved:
		return with(e, body, t.applyReserved)
	case kiosk.KindKept, kiosk.KindOwed:
		return with(e, body, func(b keptBody) error { return t.applyKept(b, e) })
	case kiosk.KindHanded:
		return with(e, body, t.applyHanded)
	}
	return nil // refused, signed, alarm, accepted: remembered, nothing else
}

// with hands the body of an event to f: as it was decided just now, or read from
// the journal.
func with[T any](e kiosk.Event, decided any, f func(T) error) error {
	if body, ok := decided.(T); ok {
		return f(body)
	}
	var body T
	if err := json.Unmarshal(e.Body, &body); err != nil {
		return err
	}
	return f(body)
}

func (t *tx) applyDay(b kiosk.DayOpened) error {
	old := t.head.day
	t.head.day, t.head.alarm = b.Day, b.Alarm
	if old == b.Day {
		return t.anchor()
	}
	at, h := milli(t.head.at), t.head
	for _, st := range []struct {
		query string
		args  []any
	}{
		{"UPDATE leg SET state = 'served', since = ? WHERE id > ? AND state = 'serving'", []any{at, h.before.legs}},
		{"UPDATE leg SET state = 'expired', since = ? WHERE id > ? AND state IN ('waiting','called','held','skipped')", []any{at, h.before.legs}},
		{"UPDATE job SET state = 'failed', reason = 'the business day ended', at = ? WHERE id > ? AND state = 'pending'", []any{at, h.before.jobs}},
		{"UPDATE job SET state = 'unknown', reason = 'the business day ended', at = ? WHERE id > ? AND state = 'printing'", []any{at, h.before.jobs}},
	} {
		if err := t.exec(st.query, st.args...); err != nil {
			return err
		}
	}
	h.before = h.counters
	t.mem.endDay()
	if err := t.forgetRanges(); err != nil {
		return err
	}
	return t.anchor()
}

func (t *tx) applyIssued(b issuedBody) error {
	for _, old := range b.Voids {
		if err := t.putLeg(old.Leg, old.Priority); err != nil {
			return err
		}
	}
	if err := t.insertVisit(b); err != nil {
		return err
	}
	t.mem.issued(b, t.head.day)
	for _, l := range b.Visit.Legs {
		t.mem.put(l, b.Priority)
	}
	if b.Code == "" {
		return nil
	}
	return t.exec("UPDATE appointment SET visit = ? WHERE code = ?", b.Visit.ID, b.Code)
}

// insertVisit writes a visit with its legs and slips into the tables.
func (t *tx) insertVisit(b issuedBody) error {
	v := b.Visit
	if len(v.Legs) == 0 {
		return errors.New("the visit has no leg")
	}
	var job int64
	if len(v.Jobs) > 0 {
		job = v.Jobs[0].ID
	}
	err := t.exec(`INSERT INTO visit (day, number, id, prefix, n, band, leg, legs, job,
		item, flow, stage, class, claimed, granter, channel, kiosk, name, person, taken, unsettled)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(v.Day), v.Number, v.ID, b.Prefix, b.N, b.Band, v.Legs[0].ID, len(v.Legs), job, v.Item, v.Flow, v.Stage, v.Class,
		v.Claimed, v.Granter, string(v.Channel), v.Kiosk, v.Name, b.Person, milli(v.TakenAt), v.Unsettled)
	if err != nil {
		return err
	}
	for _, l := range v.Legs {
		if err := t.insertLeg(l, b.Priority); err != nil {
			return err
		}
	}
	for _, j := range v.Jobs {
		if err := t.applyJob(j); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertLeg(l kiosk.Leg, priority bool) error {
	t.head.legs = max(t.head.legs, l.ID)
	return t.exec(`INSERT INTO leg (id, visit, number, item, queue, class, state, arrival, virtual, window, call, recalls, returned, since, priority)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, l.ID, l.Visit, l.Number, l.Item, l.Queue, l.Class, string(l.State),
		milli(l.Arrival), milli(l.Virtual), l.Window, l.Call, l.Recalls, l.Returned, milli(l.Since), priority)
}

// putLeg changes a leg to what it is after the event.
func (t *tx) putLeg(l kiosk.Leg, priority bool) error {
	t.mem.put(l, priority)
	return t.exec(`UPDATE leg SET queue = ?, class = ?, state = ?, arrival = ?, virtual = ?, window = ?, call = ?, recalls = ?,
		returned = ?, since = ?, priority = ? WHERE id = ?`, l.Queue, l.Class, string(l.State), milli(l.Arrival), milli(l.Virtual),
		l.Window, l.Call, l.Recalls, l.Returned, milli(l.Since), priority, l.ID)
}

func (t *tx) applyJob(j kiosk.Job) error {
	t.mem.job(j)
	if j.ID <= t.head.jobs {
		return t.exec("UPDATE job SET printer = ?, state = ?, reason = ?, at = ? WHERE id = ?", j.Printer, string(j.State), j.Reason, milli(j.At), j.ID)
	}
	t.head.jobs = j.ID
	return t.exec("INSERT INTO job (id, visit, printer, copy, state, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		j.ID, j.Visit, j.Printer, j.Copy, string(j.State), j.Reason, milli(j.At))
}

func (t *tx) applyCalled(b calledBody) error {
	t.head.calls = b.Seq
	delivery, err := formatDelivery(b.Delivery)
	if err != nil {
		return err
	}
	why, err := json.Marshal(b.Why)
	if err != nil {
		return err
	}
	l, priority, err := t.leg(b.Leg)
	if err != nil {
		return err
	}
	err = t.exec(`INSERT INTO call (seq, prev, visit, leg, number, item, class, window, recall, at, by, reason, why, run, delivery)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, b.Seq, l.Call, b.Visit, b.Leg, b.Number, b.Item, b.Class,
		b.Window, b.Recall, milli(b.At), b.By, b.Reason, string(why), b.Run, delivery)
	if err != nil {
		return err
	}
	t.mem.called(b)
	return t.putLeg(calledLeg(l, b.Call), priority)
}

// calledLeg is a leg after a call.
func calledLeg(l kiosk.Leg, c kiosk.Call) kiosk.Leg {
	if c.Recall == 0 {
		l.Since = c.At
	}
	l.State, l.Window, l.Call, l.Recalls = kiosk.Called, c.Window, c.Seq, c.Recall
	return l
}

func (t *tx) applyWindow(b kiosk.WindowRequest) error {
	groups, err := json.Marshal(b.Groups)
	if err != nil {
		return err
	}
	clerk := b.By
	if b.Desk == kiosk.Closed {
		clerk = ""
	}
	err = t.exec(`INSERT INTO desk (window, state, clerk, notice, groups) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET state = excluded.state, clerk = excluded.clerk, notice = excluded.notice, groups = excluded.groups`,
		b.Window, string(b.Desk), clerk, b.Notice, string(groups))
	if err != nil {
		return err
	}
	t.mem.window(b)
	return nil
}

func (t *tx) applyGranted(b grantedBody) error {
	err := t.exec("UPDATE visit SET class = ?, claimed = '', granter = ? WHERE id = ?", b.Class, b.By, b.Visit)
	if err != nil {
		return err
	}
	for _, l := range b.Legs {
		if err := t.putLeg(l, b.Priority); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) applyBooked(a kiosk.Appointment) error {
	return t.exec("INSERT INTO appointment (code, item, at, name, visit) VALUES (?, ?, ?, ?, '')", a.Code, a.Item, milli(a.At), a.Name)
}
