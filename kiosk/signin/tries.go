package signin

import (
	"sync"
	"time"
)

const (
	triesPerPlace = 5  // wrong secrets for one user from one address
	triesPerUser  = 20 // and from all addresses together
	lockFor       = 10 * time.Minute
	maxTries      = 4096 // entries kept; the oldest go first
)

// Tries counts wrong secrets. Counting per address first means that a stranger
// cannot lock somebody out with five guesses from elsewhere. Make one with
// NewTries.
type Tries struct {
	mu sync.Mutex
	m  map[string]attempt
}

type attempt struct {
	n    int
	last time.Time
}

// NewTries makes an empty count.
func NewTries() *Tries { return &Tries{m: map[string]attempt{}} }

func keys(user, addr string) [2]string { return [2]string{"user " + user, "at " + addr + " " + user} }

// Locked reports whether no secret of user is looked at now from an address.
func (t *Tries) Locked(now time.Time, user, addr string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, k := range keys(user, addr) {
		a := t.m[k]
		if a.n >= [2]int{triesPerUser, triesPerPlace}[i] && now.Sub(a.last) < lockFor {
			return true
		}
	}
	return false
}

// Failed counts a wrong secret.
func (t *Tries) Failed(now time.Time, user, addr string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys(user, addr) {
		a := t.m[k]
		if now.Sub(a.last) >= lockFor {
			a.n = 0
		}
		t.m[k] = attempt{a.n + 1, now}
	}
	for len(t.m) > maxTries {
		t.evict()
	}
}

func (t *Tries) evict() {
	var oldest string
	var at time.Time
	for k, a := range t.m {
		if oldest == "" || a.last.Before(at) {
			oldest, at = k, a.last
		}
	}
	delete(t.m, oldest)
}

// Clear forgets the wrong secrets of who has come with the right one.
func (t *Tries) Clear(user, addr string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys(user, addr) {
		delete(t.m, k)
	}
}
