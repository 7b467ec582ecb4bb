package device

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A cable that is plugged in again is tried within a glance, however long the
// backoff has grown, and a long pause before one that never left stays.
func TestAFreshCableIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		var plug atomic.Value
		plug.Store("cable 1")
		l := NewLink(func(context.Context) (Port, error) {
			if plug.Load() == "" {
				return nil, ErrGone
			}
			return f, nil
		})
		l.Stamp = func() string { return plug.Load().(string) }
		ok := func(Port) error { return nil }
		l.Do(t.Context(), func(Port) error { return ErrGone })
		plug.Store("")
		for l.fails < 12 {
			l.Do(t.Context(), ok)
		}
		l.retry = time.Now().Add(9 * time.Second)
		begun := time.Now()
		time.AfterFunc(time.Second, func() { plug.Store("cable 2") })
		if err := l.Do(t.Context(), ok); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < time.Second || took > time.Second+glance {
			t.Fatalf("used %s after the start, plugged in after 1s", took)
		}
		if l.fails != 0 {
			t.Fatalf("%d failures remembered", l.fails)
		}
	})
}

func TestTheSameCableIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, opens := &fake{}, 0
		l := NewLink(opener(f, &opens))
		l.Stamp = func() string { return "cable" }
		l.Do(t.Context(), func(Port) error { return ErrGone })
		l.retry = time.Now().Add(3 * time.Second)
		begun := time.Now()
		if err := l.Do(t.Context(), func(Port) error { return nil }); err != nil || time.Since(begun) != 3*time.Second {
			t.Fatalf("waited %s, %v", time.Since(begun), err)
		}
		l.Do(t.Context(), func(Port) error { return ErrGone })
		l.retry = time.Now().Add(3 * time.Second)
		hurry, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun = time.Now()
		if err := l.Do(hurry, func(Port) error { return nil }); !errors.Is(err, ErrGone) || time.Since(begun) != 0 {
			t.Fatalf("in a hurry: %v after %s", err, time.Since(begun))
		}
	})
}
