package device

import "time"

// A Press is what a button did.
type Press string

// What a button can do.
const (
	Pressed  Press = "pressed"
	Released Press = "released"
	Long     Press = "long"  // held for Button.LongAfter
	Stuck    Press = "stuck" // held for Button.StuckAfter: jammed, or a broken wire
)

// A Button turns the debounced levels of one push button into presses. The
// first level is where it starts from, never a press.
type Button struct {
	LongAfter  time.Duration // 0 means never
	StuckAfter time.Duration // 0 means 30s

	known, down, long, stuck bool
	since, pressed           time.Time
}

// again is how soon after a press the next one is none: a worn contact closes twice
// for one finger.
const again = 150 * time.Millisecond

// Level takes the level at a moment and returns what the button did, if
// anything. It wants to be called again and again while the button is held.
func (b *Button) Level(now time.Time, down bool) (Press, bool) {
	if !b.known || b.down != down {
		was, twice := b.known, down && now.Sub(b.pressed) < again
		*b = Button{LongAfter: b.LongAfter, StuckAfter: b.StuckAfter, known: true, down: down, since: now, long: !was, pressed: b.pressed}
		switch {
		case twice:
			return "", false
		case down:
			b.pressed = now
			return Pressed, was
		}
		return Released, was
	}
	if !down {
		return "", false
	}
	held, limit := now.Sub(b.since), b.StuckAfter
	if limit == 0 {
		limit = 30 * time.Second
	}
	switch {
	case !b.stuck && held >= limit:
		b.stuck, b.long = true, true
		return Stuck, true
	case !b.long && b.LongAfter > 0 && held >= b.LongAfter:
		b.long = true
		return Long, true
	}
	return "", false
}

// Forget makes the next level a start again, as after a broken wire.
func (b *Button) Forget() { b.known = false }
