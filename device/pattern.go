package device

import "time"

// A Step is one part of a pattern.
type Step struct {
	On  bool
	For time.Duration
}

// A Pattern is what a lamp does over and over again. Steps without a time are
// left out; a pattern without any other is its first step for ever, and the
// empty pattern is off.
type Pattern []Step

// Steady is light, Blink is one second of light in two.
var (
	Dark   = Pattern(nil)
	Steady = Pattern{{On: true}}
	Blink  = Pattern{{true, time.Second}, {false, time.Second}}
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
