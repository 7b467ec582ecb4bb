package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"longcheng/kiosk"
)

// Issue gives a ticket: number, visit, legs and print job in one transaction.
// When it returns nil, all of it would survive a power cut. may, which can be
// nil, is asked after a repeated request was answered: a Refusal from it is
// recorded like the store's own. It must not block.
func (s *Store) Issue(ctx context.Context, in kiosk.Intent, may func() error) (kiosk.Issued, error) {
	return settle(ctx, s, issueDemand(in), func(t *tx, at time.Time) (decision[kiosk.Issued], error) {
		if may != nil {
			if err := may(); err != nil {
				return decision[kiosk.Issued]{}, err
			}
		}
		b, err := t.issue(in, at)
		return decision[kiosk.Issued]{kiosk.KindIssued, b, b.Issued, true}, err
	})
}

// A wish is an intent that the catalogue and the appointments understand.
type wish struct {
	kiosk.Intent
	items   []kiosk.Item
	prefix  string
	arrival time.Time
	class   kiosk.Class
	granted string // by whom; empty when the class is only claimed
	band    string
}

func (t *tx) issue(in kiosk.Intent, at time.Time) (issuedBody, error) {
	w, err := t.understand(in, at)
	if err != nil {
		return issuedBody{}, err
	}
	return t.give(w, t.nextNumber(w.prefix), at), nil
}

// understand finds what is wished for, and why it cannot be.
func (t *tx) understand(in kiosk.Intent, at time.Time) (*wish, error) {
	w := &wish{Intent: in, arrival: at}
	for _, step := range []func(*wish, time.Time) error{t.findItems, t.findAppointment, t.findClass, t.checkPerson, t.checkHours} {
		if err := step(w, at); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (t *tx) findItems(w *wish, _ time.Time) error {
	ids := []string{w.Item}
	if w.Code != "" && w.Item == "" {
		a, err := t.appointment(w.Code)
		if err != nil {
			return err
		}
		ids[0] = a.Item
	} else if w.Flow != "" {
		var err error
		if ids, err = stageItems(t.s.hall, w.Flow, w.Stage); err != nil {
			return err
		}
	}
	for _, id := range ids {
		it, ok := findItem(t.s.hall, id)
		if !ok {
			return refuse("unknown_item", "没有此事项", "there is no such item")
		}
		w.items = append(w.items, it)
	}
	q, ok := findQueue(t.s.hall, w.items[0].Queue)
	if !ok {
		return refuse("unknown_item", "此事项暂不可取号", "this item has no queue")
	}
	w.prefix = q.Prefix
	if w.Flow == "" {
		w.Item = w.items[0].ID
	}
	return nil
}

func stageItems(h *kiosk.Hall, flow, stage string) ([]string, error) {
	for _, f := range h.Flows {
		for _, st := range f.Stages {
			if f.ID == flow && st.ID == stage && len(st.Items) > 0 {
				return st.Items, nil
			}
		}
	}
	return nil, refuse("unknown_item", "没有此阶段", "there is no such stage")
}

func (t *tx) findAppointment(w *wish, _ time.Time) error {
	if w.Code == "" {
		return nil
	}
	a, err := t.appointment(w.Code)
	if err != nil {
		return err
	}
	switch {
	case a.Visit != "":
		return refuse("appointment_used", "该预约已取号", "this appointment was already used")
	case kiosk.Day(a.At.In(t.s.loc).Format(time.DateOnly)) != t.head.day:
		return refuse("day_mismatch", "预约日期不是今天", "this appointment is for another day")
	case a.Item != w.Item:
		return refuse("appointment_unknown", "预约事项不符", "this appointment is for another item")
	}
	if q, _ := findQueue(t.s.hall, w.items[0].Queue); q.Appointment != "" {
		w.prefix = q.Appointment
	}
	if w.Name == "" {
		w.Name = a.Name
	}
	w.arrival = a.At
	return nil
}

func (t *tx) appointment(code string) (a kiosk.Appointment, err error) {
	var at int64
	err = t.QueryRowContext(context.Background(), "SELECT code, item, at, name, visit FROM appointment WHERE code = ?", code).
		Scan(&a.Code, &a.Item, &at, &a.Name, &a.Visit)
	if errors.Is(err, sql.ErrNoRows) {
		err = refuse("appointment_unknown", "未查到预约", "this appointment is not known")
	}
	a.At = fromMilli(at)
	return a, err
}

func (t *tx) findClass(w *wish, _ time.Time) error {
	if w.Class == "" {
		return nil
	}
	c, ok := findClass(t.s.hall, w.Class)
	if !ok {
		return refuse("unknown_class", "没有此优先类别", "there is no such class")
	}
	w.class = c
	switch {
	case w.Granter == "card" && c.MinAge > 0:
		w.granted = "card"
	case w.Channel == kiosk.ByDesk:
		w.granted = w.Kiosk
	case c.Claim == "self":
		w.granted = "self"
	}
	return nil
}

// checkPerson holds the limits of one person: a ticket in hand, tickets a day.
func (t *tx) checkPerson(w *wish, _ time.Time) error {
	for _, it := range w.items {
		if it.NeedsCard && w.Person == "" {
			return refuse("card_needed", "请刷身份证取号", "this item needs an identity card")
		}
		if err := t.checkLimits(w.Person, it.ID); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) checkLimits(person, item string) error {
	if person == "" {
		return nil
	}
	var all, open int
	err := t.QueryRowContext(context.Background(), `SELECT count(*), count(*) FILTER (WHERE l.state IN ('waiting','called','serving','held','skipped'))
		FROM visit v JOIN leg l ON l.id BETWEEN v.leg AND v.leg + v.legs - 1 WHERE v.person = ? AND v.person <> '' AND v.day = ? AND l.item = ?`,
		person, string(t.head.day), item).Scan(&all, &open)
	switch {
	case err != nil:
		return err
	case open >= t.s.rules.OpenPerItem:
		return refuse("already_waiting", "您已取号，请等候叫号", "you already have a ticket for this item")
	case all >= t.s.rules.PerItemDay:
		return refuse("too_many_today", "今日该事项取号次数已达上限", "no more tickets for this item today")
	}
	return nil
}

func (t *tx) checkHours(w *wish, at time.Time) error {
	hours, scope := t.s.hall.Hours, ""
	if own := w.items[0].Hours; len(own.Bands) > 0 {
		hours, scope = own, w.items[0].ID
	}
	b, open := hours.BandAt(at.In(t.s.loc))
	if !open {
		return refuse("closed_hours", "当前不在取号时间", "tickets are not given at this time")
	}
	if b.Quota == 0 {
		return nil
	}
	w.band = fmt.Sprintf("%s %s-%s", scope, b.From, b.To)
	if t.mem.bands[w.band] < b.Quota {
		return nil
	}
	if next, ok := hours.Next(at.In(t.s.loc).Truncate(time.Minute).Add(time.Duration(b.To-minuteOf(at.In(t.s.loc))) * time.Minute)); ok && next.Format(time.DateOnly) == string(t.head.day) {
		return refuse("quota_full", "当前时间段号源已取完，请稍后再来", "no tickets are left in this period; the next one begins at "+next.Format("15:04"))
	}
	return refuse("quota_full", "今日号源已取完", "no tickets are left today")
}

func minuteOf(at time.Time) kiosk.TimeOfDay { return kiosk.TimeOfDay(at.Hour()*60 + at.Minute()) }

func (t *tx) give(w *wish, n int, at time.Time) issuedBody {
	b := issuedBody{Person: w.Person, Prefix: w.prefix, N: n, Band: w.band, Code: w.Code}
	v := kiosk.Visit{
		ID: newID(at), Day: t.head.day, Number: kiosk.Number(w.prefix, b.N), Item: w.Item, Flow: w.Flow, Stage: w.Stage,
		Channel: w.Channel, Kiosk: w.Kiosk, Name: w.Name, TakenAt: at, Unsettled: t.head.alarm != "",
	}
	virtual := w.arrival
	if w.granted != "" {
		v.Class, v.Granter = w.class.ID, w.granted
		virtual, b.Priority = w.arrival.Add(-w.class.Credit.Std()), w.class.Credit > 0
	} else {
		v.Claimed = w.class.ID
	}
	for i, it := range w.items {
		v.Legs = append(v.Legs, kiosk.Leg{
			ID: t.head.legs + int64(i) + 1, Visit: v.ID, Number: v.Number, Item: it.ID, Queue: it.Queue, Class: v.Class,
			State: kiosk.Waiting, Arrival: w.arrival, Virtual: virtual, Since: at,
		})
	}
	if w.Printer != "" {
		b.Job = t.head.jobs + 1
		v.Jobs = []kiosk.Job{{ID: b.Job, Visit: v.ID, Printer: w.Printer, State: kiosk.JobPending, At: at}}
	}
	b.Visit = v
	b.Ahead, b.Estimate = t.s.ahead(v.Legs[0])
	return b
}

// newID returns the secret of a visit: 76 random bits in base32, behind the last 20
// bits of the time in milliseconds, by which the tickets of one moment are
// neighbours in the index: one page is synced for many, not one for each.
func newID(at time.Time) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	ms := uint32(at.UnixMilli()) << 12
	b[0], b[1], b[2] = byte(ms>>24), byte(ms>>16), byte(ms>>8)&0xf0|b[2]&0x0f
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])
}

// ahead counts who waits before leg in its queue, and what that means in time.
func (s *Store) ahead(l kiosk.Leg) (n int, wait time.Duration) {
	n = s.mem.Load().before(l.Queue, place{milli(l.Virtual), l.ID})
	return n, s.estimate(l.Queue, n)
}

func (s *Store) estimate(queue string, n int) time.Duration {
	service := 8 * time.Minute
	if found, ok := findQueue(s.hall, queue); ok && found.Service > 0 {
		service = found.Service.Std()
	}
	_, windows := s.mem.Load().waiting(queue)
	return time.Duration(n) * service / time.Duration(max(1, windows))
}

// Book remembers an appointment that was made elsewhere.
func (s *Store) Book(ctx context.Context, a kiosk.Appointment) (kiosk.Appointment, error) {
	a.At = a.At.UTC().Truncate(time.Millisecond)
	a.Visit = ""
	return settle(ctx, s, demand{what: "book", request: a.Request, who: "", content: a}, func(t *tx, _ time.Time) (decision[kiosk.Appointment], error) {
		d := decision[kiosk.Appointment]{kiosk.KindBooked, a, a, true}
		it, ok := findItem(s.hall, a.Item)
		if !ok || a.Code == "" {
			return d, refuse("unknown_item", "没有此事项", "there is no such item, or the code is empty")
		}
		if q, _ := findQueue(s.hall, it.Queue); q.Appointment == "" {
			return d, refuse("not_allowed", "此事项不接受预约", "this item takes no appointments")
		}
		if _, err := t.appointment(a.Code); err == nil {
			return d, refuse("appointment_exists", "预约码已存在", "this appointment code exists")
		} else if !errors.Is(err, &kiosk.Refusal{Code: "appointment_unknown"}) {
			return d, err
		}
		return d, nil
	})
}
