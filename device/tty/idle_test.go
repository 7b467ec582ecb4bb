package tty

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"longcheng/device"
)

// Eight serial readers in which nothing happens, the costliest of all devices
// to wait for, must leave the processor alone: one part in a hundred of a core,
// as a share of the time that passes.
func TestEightIdleDevicesTakeLessThanAHundredthOfACore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range 8 {
		master, slave, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer master.Close()
		defer slave.Close()
		link := device.NewLink(Opener(Config{Name: slave.Name()}))
		wg.Go(func() { wait(ctx, link) })
	}
	const most = 0.01 * slower
	least := 1.0
	// On a machine that is busy otherwise each wake-up costs more, and the
	// garbage collector's turn is not a device's: a quiet second counts.
	for try := 0; try < 20 && least > most; try++ {
		least = min(least, share(t, func() { <-time.After(time.Second) }))
	}
	t.Logf("%.2f%% of a core", least*100)
	if least > most {
		t.Errorf("eight idle devices take %.2f%% of a core", least*100)
	}
}

// wait is what a daemon does with a reader: it waits for bytes.
func wait(ctx context.Context, link *device.Link) {
	b := make([]byte, 64)
	for ctx.Err() == nil {
		link.Do(ctx, func(p device.Port) error {
			for ctx.Err() == nil {
				if _, err := p.Read(b); err != nil && !errors.Is(err, device.ErrTimeout) {
					return err
				}
			}
			return nil
		})
	}
	link.Close(context.Background())
}

// share returns how much of a core this program took while f ran.
func share(t *testing.T, f func()) float64 {
	t.Helper()
	used := func() time.Duration {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	begun, was := time.Now(), used()
	f()
	return float64(used()-was) / float64(time.Since(begun))
}

// Ticks are about 100 ms long, whenever they begin, and end on common moments.
func TestTicksEndTogether(t *testing.T) {
	for _, now := range []time.Duration{0, time.Millisecond, 24 * time.Millisecond, 26 * time.Millisecond, 99 * time.Millisecond, time.Hour + 7*time.Microsecond} {
		d := untilTick(now)
		if d < 75*time.Millisecond || d > 125*time.Millisecond || (now+d)%(50*time.Millisecond) != 0 {
			t.Errorf("at %s a tick takes %s", now, d)
		}
	}
}
