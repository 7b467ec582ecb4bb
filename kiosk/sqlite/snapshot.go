package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"sync"

	"longcheng/kiosk"
)

const snapshotCalls = 32

// Snapshot returns the public state of the hall at one moment.
func (s *Store) Snapshot(ctx context.Context) (kiosk.Snapshot, error) {
	var snap kiosk.Snapshot
	err := s.read(ctx, func(q querier) error {
		h, err := readPlace(ctx, q, s.origin)
		if err != nil {
			return err
		}
		snap.Seq, snap.Day, snap.At, snap.Alarm = h.seq, h.day, h.at, h.alarm
		if snap.Windows, err = s.windowStates(ctx, q); err != nil {
			return err
		}
		snap.Queues = s.queues()
		snap.Calls, err = s.latestCalls(ctx, q, h.before.calls)
		return err
	})
	return snap, err
}

// windowStates reads all windows in the order of the hall document: what windowState
// says of each, in three queries for a hall of any size.
func (s *Store) windowStates(ctx context.Context, q querier) ([]kiosk.WindowState, error) {
	const here = "state IN ('called','serving')"
	desks, err := collect(ctx, q, scanDesk, "SELECT window, state, clerk, notice, groups FROM desk")
	if err != nil {
		return nil, err
	}
	legs, err := legsWhere(ctx, q, here)
	if err != nil {
		return nil, err
	}
	calls, err := callsBy(ctx, q, s.parsed.call, "seq IN (SELECT call FROM leg WHERE "+here+")")
	if err != nil {
		return nil, err
	}
	desk, leg, call := map[string]kiosk.WindowState{}, map[string]*kiosk.Leg{}, map[int64]*kiosk.Call{}
	for _, d := range desks {
		desk[d.Window] = d
	}
	for i := range legs {
		leg[legs[i].Window] = &legs[i]
	}
	for i := range calls {
		call[calls[i].Seq] = &calls[i]
	}
	var list []kiosk.WindowState
	for _, w := range s.hall.Windows {
		st, opened := desk[w.ID]
		if !opened {
			list = append(list, kiosk.WindowState{Window: w.ID, Desk: kiosk.Closed, Groups: w.Groups})
			continue
		}
		st.Run = s.mem.Load().run(w.ID)
		if st.Current = leg[w.ID]; st.Current != nil {
			st.Call = call[st.Current.Call]
		}
		list = append(list, st)
	}
	return list, nil
}

func scanDesk(r *sql.Rows) (w kiosk.WindowState, err error) {
	var groups string
	if err := r.Scan(&w.Window, &w.Desk, &w.Clerk, &w.Notice, &groups); err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(groups), &w.Groups)
}

func (s *Store) queues() []kiosk.QueueState {
	list := make([]kiosk.QueueState, 0, len(s.hall.Queues))
	for _, k := range s.hall.Queues {
		st := kiosk.QueueState{Queue: k.ID}
		st.Waiting, st.Windows = s.mem.Load().waiting(k.ID)
		st.Estimate = s.estimate(k.ID, st.Waiting)
		list = append(list, st)
	}
	return list
}

// latestCalls merges recalls into their call: each leg appears once.
func (s *Store) latestCalls(ctx context.Context, q querier, before int64) ([]kiosk.Call, error) {
	seqs, err := collect(ctx, q, func(r *sql.Rows) (p [2]int64, err error) { err = r.Scan(&p[0], &p[1]); return p, err },
		"SELECT seq, leg FROM call WHERE seq > ? ORDER BY seq DESC LIMIT 256", before)
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	var wanted []any
	for _, p := range seqs {
		if !seen[p[1]] && len(wanted) < snapshotCalls {
			seen[p[1]] = true
			wanted = append(wanted, p[0])
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	return callsBy(ctx, q, s.parsed.call, "seq IN (?"+strings.Repeat(",?", len(wanted)-1)+") ORDER BY seq DESC", wanted...)
}

// parsed remembers the calls of the latest snapshots: from one to the next nearly all
// are the same, and reading their documents again is most of the work.
type parsed struct {
	mu    sync.Mutex
	calls map[int64]parsedCall // by Call.Seq
}

type parsedCall struct {
	why, delivery string
	call          kiosk.Call
}

// parsedMost is many times what a snapshot of a big hall holds.
const parsedMost = 2048

// call is parseCall, unless the documents are those that were read before. Snapshots
// share what it returns; nobody changes them.
func (p *parsed) call(c *kiosk.Call, why, delivery string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if was, ok := p.calls[c.Seq]; ok && was.why == why && was.delivery == delivery {
		c.Why, c.Delivery = was.call.Why, was.call.Delivery
		return nil
	}
	if err := parseCall(c, why, delivery); err != nil {
		return err
	}
	if p.calls == nil || len(p.calls) >= parsedMost {
		p.calls = map[int64]parsedCall{}
	}
	p.calls[c.Seq] = parsedCall{why, delivery, *c}
	return nil
}
