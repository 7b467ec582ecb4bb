package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// A selfCheck writes and reads the store and feels the pulse of every loop. Only
// when all is well does it pat the watchdog of systemd, and the first time it
// says READY. A store that fails twice, or says that it failed for good, ends the
// daemon, which systemd starts again: a failed commit is never retried in place.
// A disk that is full ends nothing: a new start would find it as full.
type selfCheck struct {
	store  func(context.Context) error
	broken <-chan struct{} // closed when the store fails for good: it is asked at once
	pulses []*pulse
	every  time.Duration     // the watchdog's patience: three checks fit into it
	notify func(word string) // tells systemd
	failed func(error)       // ends the daemon
	log    *slog.Logger

	mu    sync.Mutex
	ready bool
	wrong error     // what the store said last
	last  time.Time // when it said so
}

const (
	patience  = 30 * time.Second       // when systemd does not watch
	firstLook = 100 * time.Millisecond // between checks until one is good
)

// tellSystemd sends one word to systemd, which need not be there.
func tellSystemd(word string) { _, _ = daemon.SdNotify(false, word) }

// watchdogTime is within what time systemd wants to hear from the daemon.
func watchdogTime() time.Duration {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		return patience
	}
	return every
}

// run checks until ctx ends.
func (c *selfCheck) run(ctx context.Context) error {
	said := ""
	for bad := 0; ; {
		err := c.askStore(ctx)
		if ctx.Err() != nil {
			return nil
		}
		bad++
		if err == nil || noRoom(err) {
			bad = 0
		}
		if bad > 1 || final(err) {
			c.failed(fmt.Errorf("self-check: %w", err))
			<-ctx.Done()
			return nil
		}
		said = c.tell(said)
		if c.rest(ctx) != nil {
			return nil
		}
	}
}

// rest waits for the next check.
func (c *selfCheck) rest(ctx context.Context) error {
	t := time.NewTimer(c.pause())
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.broken:
	case <-t.C:
	}
	return nil
}

// final reports whether a store says of its error that only opening it again can
// help.
func final(err error) bool {
	var f interface{ Final() bool }
	return errors.As(err, &f) && f.Final()
}

// noRoom reports whether a store says that the disk is full.
func noRoom(err error) bool {
	var n interface{ NoRoom() bool }
	return errors.As(err, &n) && n.NoRoom()
}

// askStore has the store write and read, and remembers what came of it.
func (c *selfCheck) askStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.every/3)
	defer cancel()
	err := c.store(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong, c.last = err, time.Now()
	return err
}

func (c *selfCheck) pause() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ready {
		return min(firstLook, c.every/3)
	}
	return c.every / 3
}

// tell speaks to systemd when all is well, and to the log when the trouble is
// another than the one that was said before. It returns the trouble.
func (c *selfCheck) tell(said string) string {
	v := c.verdict()
	if v.well() {
		if said != "" {
			c.log.Info("self-check is good again")
		}
		c.praise()
		return ""
	}
	if v.starting() {
		return said
	}
	trouble := v.key()
	if trouble != said {
		c.log.Error("self-check failed", "cause", v.err())
		c.notify("STATUS=self-check failed:" + trouble)
	}
	if v.full() {
		c.notify(daemon.SdNotifyWatchdog)
	}
	return trouble
}

// praise tells systemd that all is well.
func (c *selfCheck) praise() {
	c.mu.Lock()
	first := !c.ready
	c.ready = true
	c.mu.Unlock()
	if first {
		c.notify(daemon.SdNotifyReady)
	}
	c.notify(daemon.SdNotifyWatchdog)
}

// verdict returns how the store and the loops stand now, without waiting.
func (c *selfCheck) verdict() verdict {
	c.mu.Lock()
	v := verdict{begun: c.ready, store: c.wrong}
	switch silent := time.Since(c.last); {
	case c.last.IsZero():
		v.store = errNotAsked
	case silent > c.every:
		v.store = fmt.Errorf("check store: no answer for %s: check the disk", silent.Round(time.Second))
	}
	c.mu.Unlock()
	for _, p := range c.pulses {
		v.signs = append(v.signs, p.sign())
	}
	return v
}

var errNotAsked = errors.New("check store: not asked yet: wait a moment")

// A verdict is how the daemon stands at one moment.
type verdict struct {
	begun bool  // all was well once
	store error // nil: it was written and read
	signs []sign
}

func (v verdict) well() bool { return v.store == nil && v.key() == "" }

// full reports whether nothing is wrong but that the disk is full, after a good
// start.
func (v verdict) full() bool {
	return v.begun && noRoom(v.store) && v.key() == " store"
}

// starting reports whether nothing is wrong but that it is early.
func (v verdict) starting() bool {
	if v.begun || v.store != nil && !errors.Is(v.store, errNotAsked) {
		return false
	}
	for _, s := range v.signs {
		if s.Hangs {
			return false
		}
	}
	return true
}

// key names what is not well, so that the same trouble is said once.
func (v verdict) key() string {
	key := ""
	if v.store != nil {
		key = " store"
	}
	for _, s := range v.signs {
		if s.Hangs || !s.Beaten {
			key += " " + s.Loop
		}
	}
	return key
}

func (v verdict) err() error {
	errs := []error{v.store}
	for _, s := range v.signs {
		errs = append(errs, s.Err())
	}
	return errors.Join(errs...)
}
