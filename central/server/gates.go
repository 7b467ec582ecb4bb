package server

import (
	"net/http"
	"sync"
	"time"

	"longcheng/central"
)

// gates bound what one certificate may ask: a bucket of requests or bytes, filled
// at a rate, and a few batches at once.
type gates struct {
	rate, burst float64 // a second, and at once
	mu          sync.Mutex
	m           map[string]*gate
}

type gate struct {
	left float64
	at   time.Time
	now  int // batches being taken
}

const batchesAtOnce = 4 // of one certificate; a host relays for many boxes

func newGates(rate, burst float64) *gates {
	return &gates{rate: rate, burst: burst, m: map[string]*gate{}}
}

func (g *gates) of(key string, now time.Time) *gate {
	x := g.m[key]
	if x == nil {
		x = &gate{left: g.burst, at: now}
		g.m[key] = x
	}
	return x
}

// take takes n from the bucket of key.
func (g *gates) take(key string, n float64, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.of(key, now)
	if d := now.Sub(x.at).Seconds(); d > 0 {
		x.left = min(g.burst, x.left+d*g.rate)
		x.at = now
	}
	if x.left < n {
		return busy("too many requests, or too much, from here")
	}
	x.left -= n
	return nil
}

// begin takes one of the places for batches of key; the function gives it back.
func (g *gates) begin(key string, now time.Time) (func(), error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.of(key, now)
	if x.now >= batchesAtOnce {
		return nil, busy("too many batches at once from here")
	}
	x.now++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		x.now--
	}, nil
}

func busy(why string) error {
	p := central.Refuse(http.StatusTooManyRequests, central.CodeBusy, "%s: try again later", why)
	p.Wait = 1
	return p
}

// sweep forgets who has not asked for a while.
func (g *gates) sweep(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, x := range g.m {
		if x.now == 0 && now.Sub(x.at).Seconds()*g.rate > g.burst {
			delete(g.m, k)
		}
	}
}
