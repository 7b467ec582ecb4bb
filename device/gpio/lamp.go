package gpio

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// A Step is one part of a pattern.
type Step struct {
	On  bool
	For time.Duration
}

// A Pattern is what a lamp does over and over again. Steps without a time are
// left out; a pattern without any other is its first step for ever, and the
// empty pattern is off.
type Pattern []Step

// On is light, Blink is one second in two, Hurry four times a second, and Wink
// a short light every two seconds, as a sign of life.
var (
	Off   = Pattern(nil)
	On    = Pattern{{On: true}}
	Blink = Pattern{{true, time.Second}, {false, time.Second}}
	Hurry = Pattern{{true, 125 * time.Millisecond}, {false, 125 * time.Millisecond}}
	Wink  = Pattern{{true, 100 * time.Millisecond}, {false, 1900 * time.Millisecond}}
)

// At returns whether the lamp shines this long after the start, and for how
// long yet; 0 means for ever.
func (p Pattern) At(since time.Duration) (on bool, left time.Duration) {
	var whole time.Duration
	for _, s := range p {
		whole += max(s.For, 0)
	}
	if whole <= 0 {
		return len(p) > 0 && p[0].On, 0
	}
	at := max(since, 0) % whole
	for _, s := range p {
		d := max(s.For, 0)
		if at < d {
			return s.On, d - at
		}
		at -= d
	}
	return false, whole // not reached: the steps add up to whole
}

// A Lamp drives one pin. It is safe for several goroutines.
type Lamp struct {
	pin       gpio.PinOut
	activeLow bool

	mu      sync.Mutex
	pattern Pattern
	begun   time.Time
	changed chan struct{} // tells Run of a new pattern
}

// NewLamp makes pin an output and switches the lamp off. With activeLow a low
// pin is light.
func NewLamp(pin gpio.PinOut, activeLow bool) (*Lamp, error) {
	l := &Lamp{pin: pin, activeLow: activeLow, changed: make(chan struct{}, 1)}
	return l, l.Set(false)
}

// Set switches the lamp for good and ends its pattern.
func (l *Lamp) Set(on bool) error {
	if on {
		l.Show(On)
	} else {
		l.Show(Off)
	}
	return l.drive(on)
}

// Show gives the lamp a pattern, which Run then plays from its start.
func (l *Lamp) Show(p Pattern) {
	l.mu.Lock()
	l.pattern, l.begun = p, time.Now()
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Run plays the patterns until ctx ends or the pin fails. However it ends, by a
// panic as well, the lamp is off. If the whole program is killed, the kernel
// takes the pin back: what the pin then does is up to the board, so lamps want
// a resistor that keeps them off.
func (l *Lamp) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, l.Halt()) }()
	for {
		l.mu.Lock()
		on, left := l.pattern.At(time.Since(l.begun))
		l.mu.Unlock()
		if err := l.drive(on); err != nil {
			return err
		}
		if err := l.sleep(ctx, left); err != nil {
			return err
		}
	}
}

func (l *Lamp) sleep(ctx context.Context, d time.Duration) error {
	var end <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		end = t.C
	}
	select {
	case <-end:
	case <-l.changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Halt switches the lamp off.
func (l *Lamp) Halt() error { return l.Set(false) }

func (l *Lamp) drive(on bool) error {
	if err := l.pin.Out(gpio.Level(on != l.activeLow)); err != nil {
		return fmt.Errorf("switch lamp %s: %w", l.pin.Name(), err)
	}
	return nil
}
