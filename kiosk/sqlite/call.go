package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"longcheng/kiosk"
)

// Call asks the next visit to a window: the head of the window's best group of
// queues in which somebody waits.
func (s *Store) Call(ctx context.Context, r kiosk.CallRequest) (kiosk.Call, error) {
	plain := r
	plain.Surfaces = nil // what must show a call may change between two attempts
	return settle(ctx, s, demand{what: "call", request: r.Request, who: r.Window, content: plain}, func(t *tx, at time.Time) (decision[kiosk.Call], error) {
		b, err := t.next(r, at)
		return decision[kiosk.Call]{kiosk.KindCalled, b, b.Call, true}, err
	})
}

func (t *tx) next(r kiosk.CallRequest, at time.Time) (calledBody, error) {
	w, err := t.freeWindow(r.Window)
	if err != nil {
		return calledBody{}, err
	}
	for _, group := range w.Groups {
		c, why, err := t.best(group, w)
		if err != nil {
			return calledBody{}, err
		}
		if c == nil {
			continue
		}
		l, priority, err := t.leg(c.Leg)
		if err != nil {
			return calledBody{}, err
		}
		run := 0
		if priority {
			run = w.Run + 1
		}
		return calledBody{t.newCall(l, r, at, why), run}, nil
	}
	return calledBody{}, refuse("nobody_waiting", "当前无人等候", "nobody is waiting")
}

func (t *tx) newCall(l kiosk.Leg, r kiosk.CallRequest, at time.Time, why kiosk.Why) kiosk.Call {
	c := kiosk.Call{
		Seq: t.head.calls + 1, Visit: l.Visit, Leg: l.ID, Number: l.Number, Item: l.Item, Class: l.Class,
		Window: r.Window, At: at, By: r.By, Reason: why.Sentence(t.s.loc), Why: why,
	}
	for _, name := range r.Surfaces {
		c.Delivery = append(c.Delivery, kiosk.Delivery{Surface: name})
	}
	return c
}

// freeWindow returns an open window with nobody at it.
func (t *tx) freeWindow(id string) (kiosk.WindowState, error) {
	if _, ok := findWindow(t.s.hall, id); !ok {
		return kiosk.WindowState{}, refuse("unknown_window", "没有此窗口", "there is no such window")
	}
	w, err := t.s.windowState(context.Background(), t, id)
	switch {
	case err != nil:
		return w, err
	case w.Desk != kiosk.Open:
		return w, refuse("closed_window", "窗口未开放", "the window is not open")
	case w.Current != nil:
		return w, refuse("window_busy", "请先办结当前号", "the window still has a visit: finish it first")
	}
	return w, nil
}

// best chooses among the heads of a group of queues. Each head is looked up in
// memory; at most two legs are read from the file.
func (t *tx) best(group []string, w kiosk.WindowState) (*kiosk.Candidate, kiosk.Why, error) {
	var heads [2]*kiosk.Candidate
	for i := range heads {
		var err error
		if heads[i], err = t.first(group, w.Window, i == 1); err != nil {
			return nil, kiosk.Why{}, err
		}
	}
	c, why := kiosk.Choose(heads[0], heads[1], w.Run, t.s.rules.PriorityRun)
	return c, why, nil
}

// first returns who comes first in any of some queues, whether for any window or
// reserved for this one.
func (t *tx) first(group []string, window string, priority bool) (*kiosk.Candidate, error) {
	var best place
	for _, queue := range group {
		for _, reserved := range [2]string{"", window} {
			p, ok := t.mem.first(lane{queue, reserved, priority})
			if ok && (best.leg == 0 || p.compare(best) < 0) {
				best = p
			}
		}
	}
	if best.leg == 0 {
		return nil, nil
	}
	l, _, err := t.leg(best.leg)
	c := &kiosk.Candidate{Leg: l.ID, Number: l.Number, Class: l.Class, Arrival: l.Arrival, Virtual: l.Virtual, Priority: priority}
	if k, ok := findClass(t.s.hall, c.Class); ok {
		c.Credit = k.Credit.Std()
	}
	return c, err
}

// leg reads a leg and whether it is a priority leg.
func (t *tx) leg(id int64) (kiosk.Leg, bool, error) {
	var priority bool
	l, err := scanLeg(t.QueryRowContext(context.Background(), "SELECT "+legColumns+", priority FROM leg WHERE id = ?", id), &priority)
	if errors.Is(err, sql.ErrNoRows) {
		err = refuse("unknown_visit", "未找到该号", fmt.Sprintf("there is no leg %d", id))
	}
	return l, priority, err
}
