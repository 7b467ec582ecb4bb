package device

import (
	"context"
	"time"
)

// Sleep waits for d, or for the end of ctx, whose error it then returns.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// beat is the time in which devices are asked and silence is counted.
const beat = 80 * time.Millisecond

// OnBeat returns d, or up to a beat less, such that it ends on a beat that all
// devices share: what is due there costs the machine one wake-up, however many
// devices wait for it. A d shorter than a beat stays as it is.
func OnBeat(d time.Duration) time.Duration { return onBeat(time.Now(), d) }

func onBeat(now time.Time, d time.Duration) time.Duration {
	if d < beat {
		return d
	}
	return now.Add(d).Truncate(beat).Sub(now)
}
