package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/device"
)

// words keeps what systemd was told, and when.
type words struct {
	mu   sync.Mutex
	said []string
	last time.Time // of the last WATCHDOG=1
}

func (w *words) hear(word string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, word)
	if word == "WATCHDOG=1" {
		w.last = time.Now()
	}
}

func (w *words) heard(word string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.said, word)
}

func (w *words) patted() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// fakeStore answers the self-check as it is told to.
type fakeStore struct {
	mu  sync.Mutex
	err error
}

func (f *fakeStore) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeStore) ask(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// supervised runs a self-check over the given loops inside a bubble.
func supervised(t *testing.T, loops []part, play func(c *selfCheck, w *words, s *fakeStore, failed <-chan error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, store, failed := &words{}, &fakeStore{}, make(chan error, 1)
		c := &selfCheck{store: store.ask, every: 30 * time.Second, notify: w.hear, failed: func(err error) { failed <- err }, log: quiet}
		for _, l := range loops {
			c.pulses = append(c.pulses, l.pulse)
		}
		devices := start("devices", quiet, loops)
		watching := start("self-check", quiet, []part{{name: "self-check", run: c.run}})
		play(c, w, store, failed)
		if err := errors.Join(watching.stop(time.Minute), devices.stop(time.Minute)); err != nil {
			t.Error(err)
		}
	})
}

// looping beats every second in its first rounds; then it hangs until ctx ends.
func looping(name string, rounds int) part {
	p := &pulse{name: name, within: deviceSilence}
	return part{name, func(ctx context.Context) error {
		for range rounds {
			p.beat()
			if device.Sleep(ctx, time.Second) != nil {
				return nil
			}
		}
		<-ctx.Done()
		return nil
	}, p}
}

const always = 1 << 30 // rounds

// READY waits for the first self-check: for the store, and for one round of
// every loop.
func TestReadyAfterTheFirstSelfCheck(t *testing.T) {
	slow := &pulse{name: "printer p", within: deviceSilence}
	loops := []part{looping("reader r", always), {"printer p", func(ctx context.Context) error {
		_ = device.Sleep(ctx, 6*time.Second)
		slow.beat()
		<-ctx.Done()
		return nil
	}, slow}}
	supervised(t, loops, func(c *selfCheck, w *words, _ *fakeStore, _ <-chan error) {
		time.Sleep(5 * time.Second)
		if w.heard("READY=1") || w.heard("WATCHDOG=1") {
			t.Error("ready before the printer's loop had begun its first round")
		}
		if v := c.verdict(); v.well() || !v.starting() {
			t.Errorf("verdict while starting: %v", v.err())
		}
		time.Sleep(2 * time.Second)
		if !w.heard("READY=1") || !w.heard("WATCHDOG=1") {
			t.Errorf("systemd heard only %q", w.said)
		}
	})
}

// A loop that hangs stops the watchdog within its time, and is named.
func TestAHangingLoopStopsTheWatchdog(t *testing.T) {
	supervised(t, []part{looping("reader r", always), looping("printer p", 60)}, func(c *selfCheck, w *words, _ *fakeStore, _ <-chan error) {
		time.Sleep(time.Minute)
		if age := time.Since(w.patted()); age > 10*time.Second {
			t.Errorf("the watchdog of a healthy hall was last patted %s ago", age)
		}
		hung := time.Now()
		time.Sleep(2 * time.Minute)
		if late := w.patted().Sub(hung); late > deviceSilence+10*time.Second {
			t.Errorf("the watchdog was still patted %s after the loop hung", late)
		}
		v := c.verdict()
		if v.well() || !strings.Contains(v.err().Error(), "loop printer p: no sign of life for") || strings.Contains(v.err().Error(), "reader r") {
			t.Errorf("verdict: %v", v.err())
		}
		if !w.heard("STATUS=self-check failed: printer p") {
			t.Errorf("systemd was told %q", w.said)
		}
	})
}

// A full disk is said and ends nothing: a new start would find it as full.
func TestAFullDiskIsWaitedOut(t *testing.T) {
	supervised(t, nil, func(c *selfCheck, w *words, s *fakeStore, failed <-chan error) {
		time.Sleep(time.Second)
		s.set(fmt.Errorf("check: %w", fullDisk{}))
		time.Sleep(3 * time.Minute)
		if v := c.verdict(); v.well() || !w.heard("STATUS=self-check failed: store") {
			t.Errorf("a full disk is not told: %v, %q", v.err(), w.said)
		}
		if age := time.Since(w.patted()); age > 11*time.Second {
			t.Errorf("the watchdog was last patted %s ago: systemd would start what cannot start", age)
		}
		select {
		case err := <-failed:
			t.Errorf("ended: %v", err)
		default:
		}
		s.set(nil)
		time.Sleep(15 * time.Second)
		if v := c.verdict(); !v.well() {
			t.Errorf("with room again: %v", v.err())
		}
	})
}

type fullDisk struct{}

func (fullDisk) Error() string { return "disk full" }
func (fullDisk) NoRoom() bool  { return true }

// A store that fails once is asked again; failing twice it ends the daemon, and
// the watchdog is not patted in between.
func TestAFailingStoreEndsTheDaemon(t *testing.T) {
	supervised(t, nil, func(c *selfCheck, w *words, s *fakeStore, failed <-chan error) {
		time.Sleep(time.Second)
		s.set(errors.New("disk I/O error"))
		time.Sleep(12 * time.Second)
		if v := c.verdict(); v.well() || v.starting() {
			t.Error("a failing store is well")
		}
		s.set(nil)
		time.Sleep(30 * time.Second)
		if v := c.verdict(); !v.well() {
			t.Errorf("after recovery: %v", v.err())
		}
		s.set(errors.New("disk I/O error"))
		begun := time.Now()
		if err := <-failed; err == nil || !strings.Contains(err.Error(), "disk I/O error") {
			t.Errorf("failed with %v", err)
		}
		if w.patted().After(begun) {
			t.Error("the watchdog was patted while the store failed")
		}
	})
}

// A store that hangs is not well either, though it never says so.
func TestAHangingStoreIsNotWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, gate := &words{}, make(chan struct{})
		c := &selfCheck{every: 30 * time.Second, notify: w.hear, failed: func(error) {}, log: quiet}
		c.store = func(context.Context) error { <-gate; return nil } // as a sync that never returns
		c.last = time.Now()
		s := start("self-check", quiet, []part{{name: "self-check", run: c.run}})
		time.Sleep(time.Minute)
		if v := c.verdict(); v.well() || !strings.Contains(v.err().Error(), "check the disk") || w.heard("WATCHDOG=1") {
			t.Errorf("verdict %v, systemd heard %q", v.err(), w.said)
		}
		close(gate)
		if err := s.stop(time.Minute); err != nil {
			t.Error(err)
		}
	})
}

// A store that breaks between two checks is asked at once.
func TestABrokenStoreIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken, failed, store := make(chan struct{}), make(chan error, 1), &fakeStore{}
		c := &selfCheck{store: store.ask, broken: broken, every: 30 * time.Second, notify: func(string) {}, failed: func(err error) { failed <- err }, log: quiet}
		s := start("self-check", quiet, []part{{name: "self-check", run: c.run}})
		time.Sleep(time.Minute + time.Second)
		begun := time.Now()
		store.set(closedForGood{errors.New("read-only file system")})
		close(broken)
		<-failed
		if took := time.Since(begun); took > 0 {
			t.Errorf("the daemon went on for %s", took)
		}
		if err := s.stop(time.Minute); err != nil {
			t.Error(err)
		}
	})
}

type closedForGood struct{ error }

func (closedForGood) Final() bool { return true }

// A store that says that it will never write again is not asked twice: every
// second counts for the citizens in front of the box.
func TestAFinalFailureEndsTheDaemonAtOnce(t *testing.T) {
	supervised(t, nil, func(c *selfCheck, w *words, s *fakeStore, failed <-chan error) {
		time.Sleep(time.Minute)
		s.mu.Lock()
		s.err = fmt.Errorf("write the store: %w", closedForGood{errors.New("disk full")})
		s.mu.Unlock()
		time.Sleep(c.every / 3)
		synctest.Wait()
		select {
		case err := <-failed:
			if !strings.Contains(err.Error(), "disk full") {
				t.Error(err)
			}
		default:
			t.Error("the daemon goes on with a store that is closed for good")
		}
	})
}
