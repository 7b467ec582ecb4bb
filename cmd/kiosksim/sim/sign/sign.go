// Package sign is what simulated signs have in common: what can be read on them and
// seen of them, since when, and whether they hear anything. It knows no protocol.
package sign

import (
	"image"
	"slices"
	"sync"
	"time"
)

const (
	historyLen = 10000
	half       = 500 * time.Millisecond // of a blink
)

// A Look is what a sign shows.
type Look struct {
	Text   string      // as it can be read
	Image  image.Image // its dots or segments; nil is dark
	Blinks bool        // by itself, once a second
}

// Shown is what could be read on a sign from At on.
type Shown struct {
	Text string
	At   time.Time
}

// A Face is the front of one sign. Its methods may be called from any goroutine.
type Face struct {
	Name string
	Dark image.Image // what it looks like without light

	mu           sync.Mutex
	look         Look
	history      []Shown
	off, unwired bool
}

// Show makes the sign look so, unless it has no power.
func (f *Face) Show(l Look) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return
	}
	f.look = l
	f.remember()
}

// remember notes a change of what can be read.
func (f *Face) remember() {
	n, last := len(f.history), ""
	if n > 0 {
		last = f.history[n-1].Text
	}
	if f.look.Text == last {
		return
	}
	if n == historyLen {
		f.history = slices.Delete(f.history, 0, 1)
	}
	f.history = append(f.history, Shown{f.look.Text, time.Now()})
}

// Text returns what can be read.
func (f *Face) Text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.look.Text
}

// Image returns what can be seen at this moment.
func (f *Face) Image() image.Image {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.look.Image == nil || f.look.Blinks && time.Now().UnixMilli()/half.Milliseconds()%2 == 1 {
		return f.Dark
	}
	return f.look.Image
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
func (f *Face) Unplug(off bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unwired = off
}

// PowerOff makes the sign dark: it forgets what it showed.
func (f *Face) PowerOff() { f.power(true) }

// PowerOn starts the sign again, with nothing to show.
func (f *Face) PowerOn() { f.power(false) }

func (f *Face) power(off bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off, f.look = off, Look{}
	f.remember()
}
