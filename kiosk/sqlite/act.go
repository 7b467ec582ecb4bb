package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"longcheng/kiosk"
)

// Act does something to a leg and returns it as it is afterwards.
func (s *Store) Act(ctx context.Context, r kiosk.ActRequest) (kiosk.Leg, error) {
	plain := r
	plain.Surfaces = nil
	return settle(ctx, s, demand{what: "act", request: r.Request, who: r.Window, content: plain}, func(t *tx, at time.Time) (decision[kiosk.Leg], error) {
		a, err := t.action(r, at)
		if err != nil {
			return decision[kiosk.Leg]{}, err
		}
		if r.Action == kiosk.DoCall || r.Action == kiosk.DoRecall {
			return t.callAgain(a)
		}
		return t.move(a)
	})
}

// An action is a request together with the leg it is about.
type action struct {
	kiosk.ActRequest
	at       time.Time
	leg      kiosk.Leg
	priority bool
	to       kiosk.State
}

func (t *tx) action(r kiosk.ActRequest, at time.Time) (*action, error) {
	if r.Action == kiosk.DoExpire {
		return nil, refuse("not_allowed", "不能手工执行此操作", "tickets expire by themselves")
	}
	id, err := t.findLeg(r)
	if err != nil {
		return nil, err
	}
	a := &action{ActRequest: r, at: at}
	if a.leg, a.priority, err = t.leg(id); err != nil {
		return nil, err
	}
	if r.Visit != "" && a.leg.Visit != r.Visit {
		return nil, refuse("unknown_visit", "未找到该号", "the leg belongs to another visit")
	}
	if a.to, err = a.leg.State.Move(r.Action); err != nil {
		return nil, err
	}
	bound := a.leg.State.AtWindow() || a.leg.State == kiosk.Held
	if bound && r.Window != "" && r.Window != a.leg.Window {
		return nil, refuse("not_allowed", "该号属于其他窗口", "the visit belongs to another window")
	}
	return a, nil
}

// findLeg returns the leg named, else the visit's leg that the action fits, else
// the one at the window.
func (t *tx) findLeg(r kiosk.ActRequest) (id int64, err error) {
	if r.Leg != 0 {
		return r.Leg, nil
	}
	if r.Visit == "" {
		err = t.QueryRowContext(context.Background(),
			"SELECT id FROM leg WHERE window = ? AND state IN ('called','serving')", r.Window).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			err = refuse("nobody_here", "窗口当前无办理人", "nobody is at the window")
		}
		return id, err
	}
	legs, err := legsWhere(context.Background(), t, ofVisit+" ORDER BY id", r.Visit)
	if err != nil {
		return 0, err
	}
	if len(legs) == 0 {
		return 0, refuse("unknown_visit", "未找到该号", "there is no such ticket")
	}
	fit := legs[0].ID
	for i := len(legs) - 1; i >= 0; i-- {
		l := legs[i]
		if _, err := l.State.Move(r.Action); err == nil {
			fit = l.ID
			if r.Window != "" && l.Window == r.Window {
				break
			}
		}
	}
	return fit, nil
}

func (t *tx) callAgain(a *action) (d decision[kiosk.Leg], err error) {
	w, err := t.windowFor(a)
	if err != nil {
		return d, err
	}
	r := kiosk.CallRequest{Window: w.Window, By: a.By, Surfaces: a.Surfaces}
	c := t.newCall(a.leg, r, a.at, kiosk.Why{Rule: kiosk.WhyNamed, Chosen: kiosk.Contender{Number: a.leg.Number}, Was: a.leg.State, By: a.By})
	if a.Action == kiosk.DoRecall {
		c.Recall = a.leg.Recalls + 1
	}
	if a.Reason != "" {
		c.Reason = a.Reason
	}
	return decision[kiosk.Leg]{kind: kiosk.KindCalled, body: calledBody{c, w.Run}, value: calledLeg(a.leg, c)}, nil
}

// windowFor checks that the leg may be called again, and where.
func (t *tx) windowFor(a *action) (kiosk.WindowState, error) {
	if a.Action == kiosk.DoRecall {
		if a.leg.Recalls >= t.s.rules.RecallLimit {
			return kiosk.WindowState{}, refuse("recall_limit", "重呼次数已达上限", "this visit was recalled often enough")
		}
		return t.s.windowState(context.Background(), t, a.leg.Window)
	}
	if a.leg.State == kiosk.Skipped && t.s.rules.Skipped == "void" {
		return kiosk.WindowState{}, refuse("not_allowed", "过号作废，请重新取号", "a skipped ticket is void: take a new one")
	}
	if a.leg.State == kiosk.Waiting && a.leg.Window != "" && a.leg.Window != a.Window {
		return kiosk.WindowState{}, refuse("not_allowed", "该号属于其他窗口", "the visit is reserved for another window")
	}
	var elsewhere bool
	err := t.QueryRowContext(context.Background(),
		"SELECT EXISTS (SELECT 1 FROM leg WHERE visit = ? AND state IN ('called','serving'))", a.leg.Visit).Scan(&elsewhere)
	if err != nil {
		return kiosk.WindowState{}, err
	}
	if elsewhere {
		return kiosk.WindowState{}, refuse("not_allowed", "该办事人正在其他窗口", "the visit is at another window")
	}
	return t.freeWindow(a.Window)
}

func (t *tx) move(a *action) (d decision[kiosk.Leg], err error) {
	l, from := a.leg, a.leg.Window
	if a.leg.State == kiosk.Waiting {
		from = ""
	}
	l.State, l.Since = a.to, a.at
	switch a.Action {
	case kiosk.DoSkip:
		err = t.maySkip(a)
	case kiosk.DoRequeue:
		err = t.requeue(a, &l)
	case kiosk.DoTransfer:
		err = t.transfer(a, &l)
	}
	if err != nil {
		return d, err
	}
	b := movedBody{kiosk.Moved{Action: a.Action, Leg: l, By: a.By, From: from, Reason: a.Reason}, a.priority}
	return decision[kiosk.Leg]{kind: kiosk.KindMoved, body: b, value: l}, nil
}

// maySkip starts the clock at the first delivery of this call or of one of its
// recalls; at the call itself when nothing could be delivered.
func (t *tx) maySkip(a *action) error {
	calls, err := callsWhere(context.Background(), t, "seq IN ("+callsOf("leg.id = ?1")+") ORDER BY seq DESC LIMIT 64", a.leg.ID)
	if err != nil {
		return err
	}
	var start, shown time.Time
	for _, c := range calls {
		if at, _ := c.Delivered(); !at.IsZero() && (shown.IsZero() || at.Before(shown)) {
			shown = at
		}
		if start = c.At; c.Recall == 0 {
			break
		}
	}
	if !shown.IsZero() {
		start = shown
	}
	if a.at.Before(start.Add(t.s.rules.SkipAfter.Std())) {
		return refuse("too_early_to_skip", "叫号显示时间不足，请稍候再过号", "the call has not been shown long enough to skip")
	}
	return nil
}

func (t *tx) requeue(a *action, l *kiosk.Leg) error {
	switch {
	case t.s.rules.Skipped == "void":
		return refuse("not_allowed", "过号作废，请重新取号", "a skipped ticket is void: take a new one")
	case l.Returned >= t.s.rules.SkippedReturn:
		return refuse("return_limit", "过号重排次数已达上限", "this ticket came back often enough")
	}
	l.Returned++
	l.Window, l.Recalls = "", 0
	if t.s.rules.Skipped == "back" {
		t.placeBack(a, l)
		return nil
	}
	t.placeEnd(a, l)
	return nil
}

// placeEnd counts as an arrival now, with the credit of the class.
func (t *tx) placeEnd(a *action, l *kiosk.Leg) {
	l.Arrival, l.Virtual = a.at, a.at
	if c, ok := findClass(t.s.hall, l.Class); ok {
		l.Virtual = a.at.Add(-c.Credit.Std())
	}
}

// placeBack puts the leg behind the next few who wait.
func (t *tx) placeBack(a *action, l *kiosk.Leg) {
	p, ok := t.mem.at(l.Queue, t.s.rules.SkippedBack-1)
	if !ok {
		t.placeEnd(a, l)
		return
	}
	l.Virtual = fromMilli(p.virtual + 1)
}

func (t *tx) transfer(a *action, l *kiosk.Leg) error {
	if a.Queue != "" {
		if _, ok := findQueue(t.s.hall, a.Queue); !ok {
			return refuse("unknown_queue", "没有此队列", "there is no such queue")
		}
		l.Queue = a.Queue
	}
	if err := t.mayReserve(a.To, l.Queue); err != nil {
		return err
	}
	l.Window, l.Recalls = a.To, 0
	switch a.Position {
	case "", "keep":
		return nil
	case "end":
		t.placeEnd(a, l)
		return nil
	case "front":
		t.placeFront(l)
		return nil
	}
	return refuse("not_allowed", "转移位置无效", "position is keep, front or end")
}

func (t *tx) mayReserve(window, queue string) error {
	if window == "" {
		return nil
	}
	if _, ok := findWindow(t.s.hall, window); !ok {
		return refuse("unknown_window", "没有此窗口", "there is no such window")
	}
	w, err := t.s.windowState(context.Background(), t, window)
	if err != nil {
		return err
	}
	for _, g := range w.Groups {
		for _, q := range g {
			if q == queue {
				return nil
			}
		}
	}
	return refuse("not_allowed", "该窗口不办理此队列", "the window does not serve this queue")
}

func (t *tx) placeFront(l *kiosk.Leg) {
	if first, ok := t.mem.at(l.Queue, 0); ok && first.virtual <= milli(l.Virtual) {
		l.Virtual = fromMilli(first.virtual - 1)
	}
}
