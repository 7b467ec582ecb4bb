package line

import (
	"context"
	"fmt"
	"slices"

	"longcheng/display"
)

// A Speaker says what one window does in the protocol of one sign. Nil means that
// the sign acknowledged, or, where its protocol has no answer, that every byte
// has left. One goroutine calls it at a time.
type Speaker interface {
	Say(ctx context.Context, c *Conn, s display.Strip) error
}

// A Darkener is a Speaker that can blank its sign for the dark half of a blink.
type Darkener interface {
	Dark(ctx context.Context, c *Conn) error
}

// A Sign is one sign on a line, as a surface of the hall.
type Sign struct {
	name, addr string
	line       *Line
	speaker    Speaker
}

// NewSign returns the sign of the named surface, such as "strip:12". Addr names it
// among the signs of its line.
func NewSign(name, addr string, l *Line, s Speaker) *Sign {
	l.Know(addr)
	return &Sign{name: name, addr: addr, line: l, speaker: s}
}

// Name returns the surface's name.
func (s *Sign) Name() string { return s.name }

// Show says the strip of the view.
func (s *Sign) Show(ctx context.Context, v display.View) ([]int64, error) {
	if v.Strip == nil {
		return nil, fmt.Errorf("show on %s: the view is not a strip's: build it with display.BuildStrip", s.name)
	}
	err := s.line.Do(ctx, s.addr, func(ctx context.Context, c *Conn) error { return s.speaker.Say(ctx, c, *v.Strip) })
	if err != nil {
		return nil, fmt.Errorf("show on %s: %w", s.name, err)
	}
	return slices.Clone(v.Calls), nil
}

// Blink lights or darkens the call. A sign that cannot be darkened stays lit.
func (s *Sign) Blink(ctx context.Context, v display.View, lit bool) error {
	d, ok := s.speaker.(Darkener)
	switch {
	case !ok:
		return nil
	case lit:
		_, err := s.Show(ctx, v)
		return err
	}
	if err := s.line.Do(ctx, s.addr, d.Dark); err != nil {
		return fmt.Errorf("blink %s: %w", s.name, err)
	}
	return nil
}
