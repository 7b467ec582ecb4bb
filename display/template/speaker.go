package template

import (
	"bytes"
	"context"
	"fmt"

	"longcheng/display"
	"longcheng/display/line"
)

// A Config describes the displays of one family.
type Config struct {
	Frame   string                   // template of the frame
	Reply   string                   // template of the answer; empty means that the display never answers
	Charset string                   // ascii (default), gbk or utf8
	Phases  map[display.Phase]string // what stands there without a number; a missing phase is blank
	Words   bool                     // say the hall's texts around the number and without one, not the number alone
	English bool                     // the English texts, with Words
}

// A Speaker shows a window on one such display.
type Speaker struct {
	address      int
	c            Config
	frame, reply Template
	answered     bool
}

// NewSpeaker returns the speaker of one address, or says what is wrong with the
// configuration.
func NewSpeaker(address int, c Config) (*Speaker, error) {
	s := &Speaker{address: address, c: c, answered: c.Reply != ""}
	switch c.Charset {
	case "", "ascii", "gbk", "utf8":
	default:
		return nil, fmt.Errorf("template display: character set %q: choose ascii, gbk or utf8", c.Charset)
	}
	var err error
	if s.frame, err = Parse(c.Frame); err != nil {
		return nil, err
	}
	if s.answered {
		if s.reply, err = Parse(c.Reply); err != nil {
			return nil, fmt.Errorf("answer: %w", err)
		}
	}
	if _, err := s.frame.Frame(Content{Address: address}); err != nil {
		return nil, fmt.Errorf("template display: %w", err)
	}
	return s, nil
}

// Say sends the frame. Where the display answers, its answer is the
// acknowledgement; where it does not, nil means that the bytes have left.
func (s *Speaker) Say(ctx context.Context, c *line.Conn, st display.Strip) error {
	return s.send(ctx, c, Content{Address: s.address, Text: encode(s.c.Charset, s.text(st)), Number: digits(st.Number)})
}

// Dark sends a frame without text.
func (s *Speaker) Dark(ctx context.Context, c *line.Conn) error {
	return s.send(ctx, c, Content{Address: s.address})
}

func (s *Speaker) text(st display.Strip) string {
	text, ok := s.c.Phases[st.Phase]
	switch {
	case s.c.Words && s.c.English:
		return st.Text.In("en")
	case s.c.Words:
		return st.Text.In("zh")
	case st.Number != "":
		return st.Number
	case !ok && st.Phase == display.PhasePaused:
		return "----"
	}
	return text
}

func (s *Speaker) send(ctx context.Context, c *line.Conn, content Content) error {
	frame, err := s.frame.Frame(content)
	if err != nil {
		return err
	}
	if !s.answered {
		return c.Tell(ctx, frame)
	}
	want, err := s.reply.Frame(content)
	if err != nil {
		return err
	}
	var got []byte
	return c.Ask(ctx, frame, func(b byte) (bool, error) {
		got = append(got, b)
		got = got[max(0, len(got)-len(want)):]
		return bytes.Equal(got, want), nil
	})
}

// digits returns the digits of a ticket as a number of at most four digits.
func digits(number string) int {
	n := 0
	for _, r := range number {
		if r >= '0' && r <= '9' {
			n = (n*10 + int(r-'0')) % 10000
		}
	}
	return n
}
