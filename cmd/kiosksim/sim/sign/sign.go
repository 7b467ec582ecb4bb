// Package sign is what simulated signs have in common: what can be read on them, since
// when, and whether they hear anything. It knows no protocol.
package sign

import (
	"slices"
	"sync"
	"time"
)

const historyLen = 10000

// Shown is what a sign showed from At on.
type Shown struct {
	Text string
	At   time.Time
}

// A Face is what can be read on one sign. Its methods may be called from any
// goroutine.
type Face struct {
	Name string

	mu           sync.Mutex
	text         string
	history      []Shown
	off, unwired bool
}

// Show makes text stand there, unless the sign has no power.
func (f *Face) Show(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off || text == f.text {
		return
	}
	f.text = text
	if len(f.history) == historyLen {
		f.history = slices.Delete(f.history, 0, 1)
	}
	f.history = append(f.history, Shown{text, time.Now()})
}

// Text returns what can be read.
func (f *Face) Text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text
}

// History returns the latest 10000 changes, oldest first.
func (f *Face) History() []Shown {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.history)
}

// Hears reports whether frames reach the sign.
func (f *Face) Hears() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.off && !f.unwired
}

// Unplug takes the sign off its line or puts it back: it goes on showing.
func (f *Face) Unplug(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unwired = on
}

// Power switches the sign on or off: off, it is dark and forgets.
func (f *Face) Power(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = !on
	f.text = ""
}
