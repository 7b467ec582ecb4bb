package pixel

import (
	"context"
	"fmt"

	"longcheng/device/glyph"
	"longcheng/display"
	"longcheng/display/line"
)

// A Config describes one panel.
type Config struct {
	Card      uint16 // its number on the line
	Model     Model
	W, H      int  // dots
	TwoColour bool // red and green; calls are red, the rest green
	English   bool // the English texts
	Face      *glyph.Face
}

// A Speaker shows a window on one panel.
type Speaker struct{ c Config }

// NewSpeaker returns the speaker of a panel, or says what is wrong with it.
func NewSpeaker(c Config) (*Speaker, error) {
	if c.Face == nil {
		return nil, fmt.Errorf("pixel panel %d: no face to draw with", c.Card)
	}
	s := &Speaker{c}
	if _, err := c.Model.Update(s.area(display.Strip{})); err != nil {
		return nil, fmt.Errorf("pixel panel %d: %w", c.Card, err)
	}
	return s, nil
}

// Say draws the strip and sends its dots; the card's answer is the acknowledgement.
func (s *Speaker) Say(ctx context.Context, c *line.Conn, st display.Strip) error {
	return s.send(ctx, c, s.area(st))
}

// Dark sends dark dots.
func (s *Speaker) Dark(ctx context.Context, c *line.Conn) error {
	return s.send(ctx, c, s.area(display.Strip{}))
}

func (s *Speaker) send(ctx context.Context, c *line.Conn, a Area) error {
	data, err := s.c.Model.Update(a)
	if err != nil {
		return err
	}
	return c.Ask(ctx, Frame(s.c.Card, s.c.Model.Type, data), (&reply{card: s.c.Card}).feed)
}

// area draws a strip. Where its words do not fit, the number stands alone.
func (s *Speaker) area(st display.Strip) Area {
	lang := "zh"
	if s.c.English {
		lang = "en"
	}
	text := st.Text.In(lang)
	if st.Number != "" && s.c.Face.Width(text) > s.c.W {
		text = st.Number
	}
	red, green := glyph.NewBitmap(s.c.W, s.c.H), (*glyph.Bitmap)(nil)
	ink := red
	if s.c.TwoColour {
		green = glyph.NewBitmap(s.c.W, s.c.H)
		if st.Phase != display.PhaseCalling {
			ink = green
		}
	}
	text = s.c.Face.Fit(text, s.c.W)
	small := glyph.NewBitmap(s.c.Face.Width(text), s.c.Face.Height())
	s.c.Face.Draw(small, 0, 0, text)
	n := 1
	for small.W > 0 && (n+1)*small.W <= s.c.W && (n+1)*small.H <= s.c.H {
		n++
	}
	big := small.Scale(n)
	ink.Blit(*big, (s.c.W-big.W)/2, (s.c.H-big.H)/2)
	return Area{Red: red, Green: green}
}
