package onbon

import (
	"context"
	"fmt"
	"unicode/utf8"

	"longcheng/display"
	"longcheng/display/line"
)

// A Config describes one strip above a window.
type Config struct {
	Card     uint16 // screen number on its line; factory value 1
	Device   byte   // device type; 0 means AnyDevice
	W, H     int    // pixels, such as 64x16
	Bytes    bool   // send X and W in units of 8 pixels (see Area.ByteUnits)
	English  bool   // English texts where there are any
	TwoLines bool   // the panel is high enough for automatic line breaks
	Calling  Colour // colour of a number being called; default Red
	Serving  Colour // colour otherwise; default Green
	Effect   Motion // how a called number enters; default Static
	// OnReplaced hears of characters that the card cannot show, once per text.
	OnReplaced func(text string, replaced []rune)
}

// A Speaker shows a window on one card.
type Speaker struct {
	c    Config
	last string // text whose replacements were reported
}

// NewSpeaker returns the speaker of a card, or says what is wrong with its
// configuration.
func NewSpeaker(c Config) (*Speaker, error) {
	if c.Device == 0 {
		c.Device = AnyDevice
	}
	if c.Calling == NoColour {
		c.Calling = Red
	}
	if c.Serving == NoColour {
		c.Serving = Green
	}
	if c.Effect == 0 {
		c.Effect = Static
	}
	s := &Speaker{c: c}
	if _, err := s.area(nil).Update(); err != nil {
		return nil, fmt.Errorf("strip at card %d: %w", c.Card, err)
	}
	return s, nil
}

// Say writes the strip's text into dynamic area 0. Nil means that the card
// acknowledged the frame.
func (s *Speaker) Say(ctx context.Context, c *line.Conn, st display.Strip) error {
	spans := s.Spans(st)
	text, replaced := EncodeText(spans)
	s.report(spans, replaced)
	a := s.area(text)
	if st.Phase == display.PhaseCalling {
		a.Motion = s.c.Effect
	} else if !s.c.TwoLines && columns(spans)*8 > s.c.W {
		a.Motion, a.Speed = MoveLeft, 4 // a notice that does not fit moves through
	}
	return s.update(ctx, c, a)
}

// Dark writes a blank in the text's place: a text card has no blink of its own.
func (s *Speaker) Dark(ctx context.Context, c *line.Conn) error {
	return s.update(ctx, c, s.area([]byte(" ")))
}

func (s *Speaker) update(ctx context.Context, c *line.Conn, a Area) error {
	data, err := a.Update()
	if err != nil {
		return err
	}
	_, err = Ask(ctx, c, s.c.Card, s.c.Device, data)
	return err
}

// Spans returns what the strip says, before it becomes bytes: a called number
// differs from a served one in its words, not in its colour alone. Where the
// words do not fit beside the number, it stands alone.
func (s *Speaker) Spans(st display.Strip) []Span {
	lang, colour := "zh", s.c.Serving
	if s.c.English {
		lang = "en"
	}
	if st.Phase == display.PhaseCalling {
		colour = s.c.Calling
	}
	spans := []Span{{colour, st.Text.In(lang)}}
	if st.Number != "" && !s.c.TwoLines && columns(spans)*8 > s.c.W {
		spans[0].Text = st.Number
	}
	return spans
}

// columns counts half-width cells: 8 pixels for ASCII, 16 for the rest.
func columns(spans []Span) int {
	n := 0
	for _, s := range spans {
		for _, r := range s.Text {
			if r < utf8.RuneSelf {
				n++
			} else {
				n += 2
			}
		}
	}
	return n
}

func (s *Speaker) area(text []byte) Area {
	return Area{W: s.c.W, H: s.c.H, ByteUnits: s.c.Bytes, Align: InArea, MultiLine: s.c.TwoLines, Motion: Static, Text: text}
}

func (s *Speaker) report(spans []Span, replaced []rune) {
	var text string
	for _, sp := range spans {
		text += sp.Text
	}
	if len(replaced) > 0 && text != s.last && s.c.OnReplaced != nil {
		s.c.OnReplaced(text, replaced)
	}
	s.last = text
}
