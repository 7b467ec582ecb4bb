package onbon

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"longcheng/cmd/kiosksim/sim/sign"
	"longcheng/device/glyph"
)

const historyLen = 10000

// A fault is the vendor's error number in an answer; 0 is none.
type fault byte

// Vendor's error numbers (Led5kSDK.h).
const (
	badGroup    fault = 1
	badCommand  fault = 2
	badDownload fault = 8
	badType     fault = 10
	badDate     fault = 14
)

// A Card is one controller with its dots. Its methods may be called from any
// goroutine.
type Card struct {
	name    string
	address uint16
	w, h    int
	font    *glyph.Face

	mu                     sync.Mutex
	areas                  map[byte]area
	dark                   bool // screen off by command
	dead, unplugged, noisy bool
	clock                  time.Time
	frames                 int
	history                []sign.Shown
}

func newCard(c Config, font *glyph.Face) *Card {
	return &Card{
		name: c.Name, address: uint16(c.Address), w: max(c.Width, 0), h: max(c.Height, 0),
		font: font, areas: map[byte]area{},
	}
}

// Text returns what can be read on the card: its areas in order of their
// numbers, one line each, without colour escapes.
func (c *Card) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text()
}

// Colour returns the colour of the first character shown, Dark if none is.
func (c *Card) Colour() Colour {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.visible() {
		if len(a.text) > 0 {
			return a.text[0].colour
		}
	}
	return Dark
}

// History returns the latest 10000 changes of Text by the host or the power,
// oldest first.
func (c *Card) History() []sign.Shown {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.history)
}

// Frames returns how many good frames for this card it has executed.
func (c *Card) Frames() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames
}

// Clock returns the date and time last set by the host, zero if none.
func (c *Card) Clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock
}

// Unplug takes the card off the line or puts it back: it hears and answers
// nothing, but goes on showing what it shows.
func (c *Card) Unplug(off bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unplugged = off
}

// Readdress turns the card's address switches.
func (c *Card) Readdress(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.address = uint16(n)
}

func (c *Card) at() uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.address
}

// Garble makes the card's answers arrive damaged, or whole again.
func (c *Card) Garble(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noisy = on
}

// PowerOff makes the card dark and silent; its areas, in RAM, are lost.
func (c *Card) PowerOff() { c.power(true) }

// PowerOn starts the card again, with nothing to show.
func (c *Card) PowerOn() { c.power(false) }

func (c *Card) power(off bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = off
	c.restart()
	c.remember()
}

func (c *Card) restart() {
	clear(c.areas)
	c.dark = false
}

func (c *Card) hears(to uint16) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.dead && !c.unplugged && (to == c.address || to == anyCard)
}

// visible returns the lit areas in order of their numbers.
func (c *Card) visible() []area {
	var out []area
	if c.dead || c.dark {
		return nil
	}
	now := time.Now()
	for _, id := range slices.Sorted(maps.Keys(c.areas)) {
		if a := c.areas[id]; a.until.IsZero() || now.Before(a.until) {
			out = append(out, a)
		}
	}
	return out
}

func (c *Card) text() string {
	var lines []string
	for _, a := range c.visible() {
		lines = append(lines, a.String())
	}
	return strings.Join(lines, "\n")
}

func (c *Card) remember() {
	t, last := c.text(), ""
	if n := len(c.history); n > 0 {
		last = c.history[n-1].Text
	}
	if t == last {
		return
	}
	if len(c.history) == historyLen {
		c.history = slices.Delete(c.history, 0, 1)
	}
	c.history = append(c.history, sign.Shown{Text: t, At: time.Now()})
}
