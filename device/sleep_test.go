package device

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Waits that begin at any time end together, and less than a beat early.
func TestWaitsEndOnOneBeat(t *testing.T) {
	start := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC).Truncate(beat)
	if d := onBeat(start.Add(time.Millisecond), 20*time.Millisecond); d != 20*time.Millisecond {
		t.Error("a short wait takes", d)
	}
	for _, d := range []time.Duration{beat, 100 * time.Millisecond, 400 * time.Millisecond, time.Second} {
		for after := time.Duration(0); after < 3*beat; after += 7 * time.Millisecond {
			w := onBeat(start.Add(after), d)
			if w <= d-beat || w > d || (after+w)%beat != 0 {
				t.Errorf("%s, begun %s after a beat, takes %s", d, after, w)
			}
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	if err := Sleep(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
