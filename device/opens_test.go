package device

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestADriverHangs: in opening, which nothing can end.
func TestADriverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		back := make(chan error)
		open := Opens(func() (*fake, error) {
			calls.Add(1)
			return &fake{}, <-back
		})
		within := func(d time.Duration) (Port, error) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			return open(ctx)
		}

		if p, err := within(time.Second); p != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller with little time: %v, %v", p, err)
		}
		began := time.Now()
		if p, err := within(time.Minute); p != nil || !errors.Is(err, ErrHangs) {
			t.Errorf("a caller with time: %v, %v", p, err)
		}
		if p, err := within(time.Second); p != nil || !errors.Is(err, ErrHangs) {
			t.Errorf("the next caller: %v, %v", p, err)
		}
		if took := time.Since(began); took != openWithin-time.Second || calls.Load() != 1 {
			t.Errorf("the callers waited %s for %d calls of the driver", took, calls.Load())
		}

		back <- nil
		synctest.Wait()
		if p, err := within(time.Second); p == nil || err != nil {
			t.Errorf("the driver came back: %v, %v", p, err)
		}
		go func() { back <- ErrGone }()
		if p, err := within(time.Second); p != nil || !errors.Is(err, ErrGone) || calls.Load() != 2 {
			t.Errorf("the next opening: %v, %v, %d calls", p, err, calls.Load())
		}
	})
}

// TestALinkTellsOfADriverThatHangs: also when nobody has the time to wait for it.
func TestALinkTellsOfADriverThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := make(chan struct{})
		defer close(back)
		l := NewLink(Opens(func() (*fake, error) {
			<-back
			return nil, ErrGone
		}))
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := l.Do(ctx, func(Port) error { return nil }); err == nil {
				t.Error("the link has a port")
			}
			cancel()
		}
		if h := l.Health(); h.State != Broken || !errors.Is(h.Err, ErrHangs) {
			t.Errorf("the link says %s, %v", h.State, h.Err)
		}
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
