package web

import (
	"context"
	"sync"
	"time"
)

// revoked remembers sessions that were signed out before their time.
type revoked struct {
	mu     sync.Mutex
	loaded bool
	m      map[string]time.Time // session id -> when it would have ended anyway
}

func newRevoked() *revoked { return &revoked{m: map[string]time.Time{}} }

// load reads once which sessions were signed out before this program was started.
func (r *revoked) load(now time.Time, idle time.Duration, h Hall) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loaded {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ids, err := h.SignedOut(ctx, now.Add(-idle))
	if err != nil {
		return err
	}
	for _, id := range ids {
		r.m[id] = now.Add(idle)
	}
	r.loaded = true
	return nil
}

func (r *revoked) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.m[id]
	return ok
}

// add is bounded by itself: only a valid session can be signed out, and those
// that ended are swept.
func (r *revoked) add(id string, ends, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, end := range r.m {
		if now.After(end) {
			delete(r.m, k)
		}
	}
	r.m[id] = ends
}

const (
	paceBurst  = 20
	pacePerSec = 2
)

// pace limits how fast one touch page may ask for tickets: faster than fingers,
// slower than a script. Keys are names of existing pages, so it is bounded.
type pace struct {
	mu sync.Mutex
	m  map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

func newPace() *pace { return &pace{m: map[string]bucket{}} }

func (p *pace) allow(name string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, ok := p.m[name]
	if !ok {
		b = bucket{paceBurst, now}
	}
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.left = min(paceBurst, b.left+d*pacePerSec)
	}
	b.at = now
	ok = b.left >= 1
	if ok {
		b.left--
	}
	p.m[name] = b
	return ok
}
