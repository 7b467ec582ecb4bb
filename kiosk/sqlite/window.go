package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"longcheng/kiosk"
)

// SetWindow opens, pauses or closes a window. A window with a visit at it cannot
// be closed.
func (s *Store) SetWindow(ctx context.Context, r kiosk.WindowRequest) (kiosk.WindowState, error) {
	return settle(ctx, s, demand{what: "window", request: r.Request, who: r.Window, content: r}, func(t *tx, _ time.Time) (d decision[kiosk.WindowState], err error) {
		w, ok := findWindow(s.hall, r.Window)
		if !ok {
			return d, refuse("unknown_window", "没有此窗口", "there is no such window")
		}
		if r.Desk != kiosk.Open && r.Desk != kiosk.Paused && r.Desk != kiosk.Closed {
			return d, refuse("not_allowed", "窗口状态无效", "a window is open, paused or closed")
		}
		b := r
		if len(b.Groups) == 0 {
			b.Groups = w.Groups
		}
		for _, q := range flat(b.Groups) {
			if _, ok := findQueue(s.hall, q); !ok {
				return d, refuse("unknown_queue", "没有此队列", "there is no such queue")
			}
		}
		st, err := s.windowState(ctx, t, r.Window)
		if err != nil {
			return d, err
		}
		if st.Current != nil && r.Desk == kiosk.Closed {
			return d, refuse("window_busy", "请先办结当前号", "the window still has a visit: finish it first")
		}
		st.Desk, st.Clerk, st.Notice, st.Groups = b.Desk, b.By, b.Notice, b.Groups
		if b.Desk == kiosk.Closed {
			st.Clerk = ""
		}
		return decision[kiosk.WindowState]{kind: kiosk.KindWindow, body: b, value: st}, nil
	})
}

func flat(groups [][]string) (all []string) {
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

// windowState reads a window; one that was never opened is closed.
func (s *Store) windowState(ctx context.Context, q querier, id string) (kiosk.WindowState, error) {
	w := kiosk.WindowState{Window: id, Desk: kiosk.Closed}
	var groups string
	err := q.QueryRowContext(ctx, "SELECT state, clerk, notice, groups FROM desk WHERE window = ?", id).
		Scan(&w.Desk, &w.Clerk, &w.Notice, &groups)
	if errors.Is(err, sql.ErrNoRows) {
		found, _ := findWindow(s.hall, id)
		w.Groups = found.Groups
		return w, nil
	}
	if err != nil {
		return w, err
	}
	w.Run = s.mem.Load().run(id)
	if err := json.Unmarshal([]byte(groups), &w.Groups); err != nil {
		return w, err
	}
	l, err := scanLeg(q.QueryRowContext(ctx, "SELECT "+legColumns+" FROM leg WHERE window = ? AND state IN ('called','serving')", id))
	if errors.Is(err, sql.ErrNoRows) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	w.Current = &l
	calls, err := callsWhere(ctx, q, "seq = ?", l.Call)
	if len(calls) > 0 {
		w.Call = &calls[0]
	}
	return w, err
}

// Grant gives a visit a class, or takes it away with an empty one. Legs that
// wait are placed anew.
func (s *Store) Grant(ctx context.Context, r kiosk.GrantRequest) (kiosk.Visit, error) {
	return settle(ctx, s, demand{what: "grant", request: r.Request, who: r.By, content: r}, func(t *tx, _ time.Time) (d decision[kiosk.Visit], err error) {
		c, ok := findClass(s.hall, r.Class)
		if !ok && r.Class != "" {
			return d, refuse("unknown_class", "没有此优先类别", "there is no such class")
		}
		v, err := visit(ctx, t, "id = ?", r.Visit)
		if err != nil {
			return d, err
		}
		b := grantedBody{GrantRequest: r, Priority: c.Credit > 0}
		for i := range v.Legs {
			l := &v.Legs[i]
			if l.State.Open() {
				l.Class, l.Virtual = c.ID, l.Arrival.Add(-c.Credit.Std())
				b.Legs = append(b.Legs, *l)
			}
		}
		if len(b.Legs) == 0 {
			return d, refuse("not_allowed", "该号已结束", "the visit is over")
		}
		v.Class, v.Claimed, v.Granter = r.Class, "", r.By
		return decision[kiosk.Visit]{kind: kiosk.KindGranted, body: b, value: v}, nil
	})
}
