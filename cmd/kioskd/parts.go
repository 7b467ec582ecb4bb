package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"longcheng/device"
)

// A part is one loop of the daemon. Its run returns when ctx is done; a return
// before that, or a panic, is logged and run is called again after a pause.
type part struct {
	name  string
	run   func(context.Context) error
	pulse *pulse // nil: the self-check does not look at it
}

// A stage is a set of parts that start together and stop together.
type stage struct {
	name   string
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// start runs parts until the stage is stopped.
func start(name string, log *slog.Logger, parts []part) *stage {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stage{name: name, cancel: cancel}
	for _, p := range parts {
		s.wg.Go(func() { supervise(ctx, log, p) })
	}
	return s
}

// stop ends the stage's parts and waits for them, but not for ever. A stage that
// was never started has stopped.
func (s *stage) stop(within time.Duration) error {
	if s == nil {
		return nil
	}
	s.cancel()
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(within):
		return fmt.Errorf("stop %s: still running after %s: left behind; report the log", s.name, within)
	}
}

// supervise keeps one part running. One driver's panic stays one driver's.
func supervise(ctx context.Context, log *slog.Logger, p part) {
	said := ""
	for n := 0; ; n++ {
		begun := time.Now()
		if p.pulse != nil {
			p.pulse.begin()
		}
		err := contain(ctx, p)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > time.Minute {
			n, said = 0, ""
		}
		wait := device.Backoff(n, 100*time.Millisecond, 10*time.Second)
		if err.Error() != said { // the same cause again is no news
			said = err.Error()
			log.Error("part ended: it is started again", "part", p.name, "cause", err, "wait", wait)
		}
		if device.Sleep(ctx, wait) != nil {
			return
		}
	}
}

var errReturned = errors.New("it returned without being asked to")

func contain(ctx context.Context, p part) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	if err = p.run(ctx); err == nil {
		err = errReturned
	}
	return err
}
