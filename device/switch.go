package device

import "time"

// A Switch turns the settled levels of one contact into a state that lasts: a door,
// a person in front of the screen. The zero value knows no state yet.
type Switch struct {
	Hold time.Duration // it goes off only when the contact has been open this long

	known, on bool
	seen      time.Time // when the contact was last closed
}

// Level takes the level at a moment and returns the state, and whether it is the
// first or another than before. With Hold it wants to be called again and again.
func (s *Switch) Level(now time.Time, closed bool) (on, changed bool) {
	if closed {
		s.seen = now
	}
	on = closed || s.known && s.on && now.Sub(s.seen) < s.Hold
	changed = !s.known || on != s.on
	s.known, s.on = true, on
	return on, changed
}

// Forget makes the next level a first one, as after a broken wire.
func (s *Switch) Forget() { s.known = false }
