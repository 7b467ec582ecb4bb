package main

import (
	"fmt"
	"sync"
)

// A tally counts what the day's people have done.
type tally struct {
	mu       sync.Mutex
	promised []string // numbers that the kiosk acknowledged to a citizen
	arrivals int
	done     int
	expected int // citizens of the day; 0 while they still come
}

// promise notes a number that a citizen was told.
func (t *tally) promise(number string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.promised = append(t.promised, number)
}

// arrival returns how many came before this one.
func (t *tally) arrival() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.arrivals++
	return t.arrivals - 1
}

func (t *tally) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
}

// over reports whether everybody has come and been served.
func (t *tally) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.expected > 0 && t.done >= t.expected
}

func (t *tally) closeDoors(total int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expected = total
}

// String says how far the day is.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d came, %d of %d were served", t.arrivals, t.done, t.expected)
}
