package display

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"longcheng/kiosk"
)

// Shared is a Source whose snapshots serve many keepers at once: after one call
// three hundred surfaces wake together, and one or two reads answer them all. A
// snapshot was always begun after it was asked for. It is read-only.
type Shared struct {
	Source

	turn chan struct{}
	mu   sync.Mutex
	next *flight
}

// flight is one read that several wait for.
type flight struct {
	done chan struct{}
	snap kiosk.Snapshot
	err  error
}

// NewShared returns src with shared snapshots.
func NewShared(src Source) *Shared { return &Shared{Source: src, turn: make(chan struct{}, 1)} }

// Snapshot returns the state of the hall at a moment after the call.
func (s *Shared) Snapshot(ctx context.Context) (kiosk.Snapshot, error) {
	for {
		f := s.board()
		runtime.Gosched() // who was woken with us boards as well
		select {
		case s.turn <- struct{}{}:
			s.fly(ctx, f)
			<-s.turn
		case <-f.done:
		case <-ctx.Done():
			return kiosk.Snapshot{}, ctx.Err()
		}
		gaveUp := errors.Is(f.err, context.Canceled) || errors.Is(f.err, context.DeadlineExceeded)
		if !gaveUp || ctx.Err() != nil {
			return f.snap, f.err
		}
	}
}

// board returns the next read that has not begun.
func (s *Shared) board() *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = &flight{done: make(chan struct{})}
	}
	return s.next
}

// fly does the read f, unless somebody else has done it meanwhile.
func (s *Shared) fly(ctx context.Context, f *flight) {
	select {
	case <-f.done:
		return
	default:
	}
	s.mu.Lock()
	s.next = nil
	s.mu.Unlock()
	f.snap, f.err = s.Source.Snapshot(ctx)
	close(f.done)
}
