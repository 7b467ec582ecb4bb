package huidu

import (
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"longcheng/device"
	"longcheng/display"
	"longcheng/display/line"
)

// A Config describes one screen.
type Config struct {
	W, H    int    // dots
	Font    string // a font on the controller; default SimSun
	Size    int    // of the font in dots; default the height less an eighth
	English bool   // the English texts
}

// A Speaker shows a window on one controller. It greets each new connection.
type Speaker struct {
	c       Config
	session any
	guid    string
}

// NewSpeaker returns the speaker of a screen.
func NewSpeaker(c Config) (*Speaker, error) {
	if c.W < 8 || c.H < 8 || c.W > 8192 || c.H > 8192 {
		return nil, fmt.Errorf("huidu screen: %dx%d: 8 to 8192 dots are possible", c.W, c.H)
	}
	if c.Font == "" {
		c.Font = "SimSun"
	}
	if c.Size <= 0 {
		c.Size = max(c.H-c.H/8, 8)
	}
	return &Speaker{c: c}, nil
}

// Say replaces the screen's programme by one text. The controller's kSuccess is the
// acknowledgement.
func (s *Speaker) Say(ctx context.Context, c *line.Conn, st display.Strip) error {
	colour := "#00ff00"
	if st.Phase == display.PhaseCalling {
		colour = "#ff0000"
	}
	lang := "zh"
	if s.c.English {
		lang = "en"
	}
	return s.show(ctx, c, st.Text.In(lang), colour)
}

// Dark shows nothing.
func (s *Speaker) Dark(ctx context.Context, c *line.Conn) error {
	return s.show(ctx, c, " ", "#000000")
}

func (s *Speaker) show(ctx context.Context, c *line.Conn, text, colour string) error {
	if s.session != c.Session() {
		if err := s.greet(ctx, c); err != nil {
			return broken(err)
		}
		s.session = c.Session()
	}
	_, err := s.ask(ctx, c, s.programme(text, colour))
	if err != nil {
		s.session = nil // whatever it was, begin anew
	}
	return broken(err)
}

// broken makes a stream that lost its packets an error of the wire, so that the
// connection is opened anew.
func broken(err error) error {
	if errors.Is(err, ErrCorrupt) {
		return &device.Wire{Op: "read", Port: "huidu screen", Err: err}
	}
	return err
}

// greet asks for the version and for the guid of the session.
func (s *Speaker) greet(ctx context.Context, c *line.Conn) error {
	if _, err := s.await(ctx, c, Hello(), VersionAnswer); err != nil {
		return err
	}
	answer, err := s.ask(ctx, c, `<?xml version="1.0" encoding="utf-8"?><sdk guid="##GUID"><in method="GetIFVersion"><version value="1000000"/></in></sdk>`)
	if err != nil {
		return err
	}
	s.guid = answer.GUID
	return nil
}

// programme is one text over the whole screen.
func (s *Speaker) programme(text, colour string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?><sdk guid="%s"><in method="AddProgram"><screen timeStamps="0">`, escape(s.guid))
	b.WriteString(`<program type="normal" id="0" guid="longcheng-program"><area alpha="255" guid="longcheng-area">`)
	fmt.Fprintf(&b, `<rectangle x="0" y="0" width="%d" height="%d"/>`, s.c.W, s.c.H)
	b.WriteString(`<resources><text guid="longcheng-text" singleLine="true"><style align="center" valign="middle"/>`)
	fmt.Fprintf(&b, `<string>%s</string><font name="%s" size="%d" color="%s"/>`, escape(text), escape(s.c.Font), s.c.Size, colour)
	b.WriteString(`<effect in="0" out="0" inSpeed="0" outSpeed="0" duration="50"/></text></resources></area></program></screen></in></sdk>`)
	return b.String()
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// An Answer is what the controller says in XML.
type Answer struct {
	GUID string `xml:"guid,attr"`
	Out  struct {
		Method string `xml:"method,attr"`
		Result string `xml:"result,attr"`
	} `xml:"out"`
}

// ParseAnswer reads the controller's XML. Anything but kSuccess is an error.
func ParseAnswer(text string) (Answer, error) {
	var a Answer
	if err := xml.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if a.Out.Result != "kSuccess" {
		return a, fmt.Errorf("screen refused %s: %.60q: compare its size and fonts with the configuration", a.Out.Method, a.Out.Result)
	}
	return a, nil
}

func (s *Speaker) ask(ctx context.Context, c *line.Conn, text string) (Answer, error) {
	request, err := SDK(text)
	if err != nil {
		return Answer{}, err
	}
	answer, err := s.await(ctx, c, request, SDKAnswer)
	if err != nil {
		return Answer{}, err
	}
	return ParseAnswer(answer)
}

// await sends a request and waits for the whole answer of one kind; others pass by.
func (s *Speaker) await(ctx context.Context, c *line.Conn, request []byte, kind uint16) (text string, err error) {
	var d Decoder
	var g Gatherer
	err = c.Ask(ctx, request, func(b byte) (bool, error) {
		p, err := d.Feed(b)
		switch {
		case err != nil || p == nil:
			return false, err
		case p.Command == ErrorAnswer:
			return true, refusal(p.Body)
		case p.Command != kind:
			return false, nil
		case kind != SDKAnswer:
			return true, nil
		}
		text, err = g.Add(p.Body)
		return text != "", err
	})
	return text, err
}

func refusal(body []byte) error {
	code := uint16(0)
	if len(body) >= 2 {
		code = binary.LittleEndian.Uint16(body)
	}
	return fmt.Errorf("screen refused the packet with error %d", code)
}
