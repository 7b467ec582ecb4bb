package hall

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"longcheng/kiosk"
)

// How a stand-in keeps a copy of the host's journal. It asks for what follows its
// mark, again and again; each question says what it has on its disk. While it
// keeps up, whatever the host answers is on both.
const (
	pageRows = 500
	stepWait = 250 * time.Millisecond // for the stand-in to have an event, before the host goes on without it
	stepGone = 2 * beat               // a stand-in that has not asked for so long is away
)

// A copyAsk is a stand-in's question. Keys is the digest of the keys that it has.
type copyAsk struct {
	Mark kiosk.Mark `json:"mark"`
	Keys []byte     `json:"keys,omitempty"`
}

// A copyPage is the host's answer. Keys is what the stand-in needs beside the
// journal to let the boxes in: none when it has the latest.
type copyPage struct {
	kiosk.Page
	Keys []byte `json:"keys,omitempty"`
}

// A second is what the host knows of its stand-in.
type second struct {
	mu     sync.Mutex
	row    int64
	heard  time.Time
	inStep bool
	news   chan struct{} // closed with every word of the stand-in
}

func (s *second) hear(row, end int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.row, s.heard = row, time.Now()
	s.inStep = s.inStep || row >= end
	if s.news != nil {
		close(s.news)
	}
	s.news = make(chan struct{})
}

// has reports whether the stand-in has row, and whether to wait for it.
func (s *second) has(row int64) (has, wait bool, news <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inStep && time.Since(s.heard) > stepGone {
		s.inStep = false
	}
	return s.row >= row, s.inStep, s.news
}

func (s *second) late() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inStep = false
}

// InStep reports whether a stand-in keeps up, so that what the host answers is on
// both, and when it was last heard of: never is the zero time.
func (h *Host) InStep() (in bool, heard time.Time) {
	_, in, _ = h.second.has(0)
	h.second.mu.Lock()
	defer h.second.mu.Unlock()
	return in, h.second.heard
}

// Twice waits until the stand-in has everything that is on the host's disk now.
// It does not wait long, and not for one that is away or behind: then the host is
// alone, and says so.
func (h *Host) Twice(ctx context.Context) {
	row := h.o.Store.End()
	limit := time.NewTimer(stepWait)
	defer limit.Stop()
	for {
		has, wait, news := h.second.has(row)
		if has || !wait {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			return
		case <-limit.C:
			h.second.late()
			return
		}
	}
}

// Opened waits until the host may decide: after a start it waits for its boxes.
func (h *Host) Opened(ctx context.Context) error {
	select {
	case <-h.opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Host) copy(ctx context.Context, device string, ask copyAsk) (p copyPage, err error) {
	if h.o.Standin == nil || !h.o.Standin(device) {
		return p, &errHost{http.StatusForbidden, "this box was not enrolled as a stand-in"}
	}
	changed, stop := h.o.Store.Watch()
	defer stop()
	for waited := false; ; waited = true {
		if p.Page, err = h.o.Store.Copy(ctx, ask.Mark, pageRows); err != nil {
			return p, err
		}
		h.second.hear(ask.Mark.Row, p.End)
		if len(p.Rows) > 0 || waited {
			break
		}
		if p.Keys, err = h.o.Keys(ask.Keys); err != nil || len(p.Keys) > 0 {
			return p, err
		}
		if !h.pause(ctx, changed, time.After(beat)) {
			return p, errors.Join(ctx.Err(), errOver)
		}
	}
	p.Keys, err = h.o.Keys(ask.Keys)
	return p, err
}

// errOver answers who asks a host that stops.
var errOver = &errHost{http.StatusServiceUnavailable, "the host stops"}
