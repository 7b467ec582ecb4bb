package device

import (
	"testing"
	"time"
)

func TestPatternsRepeat(t *testing.T) {
	for _, c := range []struct {
		p    Pattern
		at   time.Duration
		on   bool
		left time.Duration
	}{
		{Dark, time.Hour, false, 0},
		{Steady, time.Hour, true, 0},
		{Blink, 0, true, time.Second},
		{Blink, 1500 * time.Millisecond, false, 500 * time.Millisecond},
		{Blink, 2 * time.Hour, true, time.Second},
		{Pattern{{true, 100 * time.Millisecond}, {false, time.Second}}, 99 * time.Millisecond, true, time.Millisecond},
		{Pattern{{true, -time.Second}, {false, time.Second}}, 0, false, time.Second},
		{Blink, -time.Second, true, time.Second},
	} {
		if on, left := c.p.At(c.at); on != c.on || left != c.left {
			t.Errorf("%v at %s: %v for %s, want %v for %s", c.p, c.at, on, left, c.on, c.left)
		}
	}
}
