package web

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"longcheng/kiosk"
)

// shared lets many streams that wake at once use one reading of the store. A
// reader never gets a snapshot whose reading began before it asked.
type shared struct {
	asked  atomic.Uint64
	mu     sync.Mutex
	covers uint64 // askers up to this one asked before the last reading began
	last   kiosk.Snapshot
	err    error
}

func (s *shared) read(ctx context.Context, h Hall) (kiosk.Snapshot, error) {
	me := s.asked.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.covers >= me {
		return s.last, s.err
	}
	covers := s.asked.Load()
	// The reading serves others too: it must not end with this one's request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	s.last, s.err = h.Snapshot(ctx)
	s.covers = covers
	return s.last, s.err
}

// public removes what only staff may see: a visit's id opens its page, and a
// clerk's name is nobody's business.
func public(s kiosk.Snapshot) kiosk.Snapshot {
	ws := make([]kiosk.WindowState, len(s.Windows))
	for i, w := range s.Windows {
		w.Clerk = ""
		if w.Current != nil {
			l := *w.Current
			l.Visit, l.Class = "", ""
			w.Current = &l
		}
		if w.Call != nil {
			c := publicCall(*w.Call)
			w.Call = &c
		}
		ws[i] = w
	}
	cs := make([]kiosk.Call, len(s.Calls))
	for i, c := range s.Calls {
		cs[i] = publicCall(c)
	}
	s.Windows, s.Calls, s.Queues = ws, cs, list(s.Queues)
	return s
}

func publicCall(c kiosk.Call) kiosk.Call {
	c.Visit, c.By, c.Reason, c.Class = "", "", "", ""
	return c
}

func (w *Web) view(ctx context.Context) (kiosk.Snapshot, error) {
	s, err := w.snapshot.read(ctx, w.o.State)
	if err != nil {
		return s, err
	}
	if _, err := need(ctx, RoleClerk, RoleSupervisor); err != nil {
		return public(s), nil
	}
	s.Windows, s.Queues, s.Calls = list(s.Windows), list(s.Queues), list(s.Calls)
	return s, nil
}
