package tty

import (
	"context"
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
		link.Do(ctx, func(p device.Port) (err error) {
			for idle := false; ctx.Err() == nil && err == nil; {
				n := 0
				n, err = device.Listen(ctx, p, b, idle)
				idle = n == 0
			}
			return err
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
