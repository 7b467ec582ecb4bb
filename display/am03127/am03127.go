// Package am03127 speaks to AM03127 sign boards (Amplus, MC Crypt), ASCII only.
//
// Sources: the published implementations python-am03127 and AM03127-Controller. A
// frame is <IDxx>, a payload, the exclusive or of the payload's bytes as two hex
// digits, and <E>; xx is the board's number, 01 to FF in hex, 00 for all. The board
// answers ACK or NACK as text. 9600 baud, 8N1. In a page the text < is written
// <UBC> and > is <UBE>.
//
// Worked frame, page A of line 1, static, with "A012":
//
//	<ID01><L1><PA><FA><MA><WA><FA><AA>A01206<E>
//
// The package does not know who is called or why, nor Chinese: what is not ASCII
// becomes a space. It has met no board.
package am03127

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"longcheng/display"
	"longcheng/display/line"
)

// A Colour is one of the three colours of a board.
type Colour byte

// The colours.
const (
	Red    Colour = 'B'
	Green  Colour = 'E'
	Orange Colour = 'H'
)

const maxText = 200

// Page returns the payload that writes a text into page A of line 1: at once, to
// stay. Blink makes the board blink it.
func Page(text string, c Colour, blink bool) string {
	mode := "<MA>"
	if blink {
		mode = "<MB>"
	}
	colour := ""
	if c != 0 {
		colour = "<C" + string(rune(c)) + ">"
	}
	return "<L1><PA><FA>" + mode + "<WA><FA>" + colour + "<AA>" + escape(text)
}

func escape(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case i >= maxText:
			return b.String()
		case r == '<':
			b.WriteString("<UBC>")
		case r == '>':
			b.WriteString("<UBE>")
		case r < ' ' || r > '~':
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Frame returns the bytes of a payload for one board, or for all with number 0.
func Frame(board int, payload string) ([]byte, error) {
	if board < 0 || board > 255 {
		return nil, fmt.Errorf("encode frame for board %d: numbers are 0 to 255", board)
	}
	return fmt.Appendf(nil, "<ID%02X>%s%02X<E>", board, payload, xor(payload)), nil
}

// SetNumber returns the frame that gives the only board on the line its number.
func SetNumber(board int) ([]byte, error) {
	if board < 1 || board > 255 {
		return nil, fmt.Errorf("set number of a board to %d: numbers are 1 to 255", board)
	}
	return fmt.Appendf(nil, "<ID><%02X><E>", board), nil
}

func xor(s string) (x byte) {
	for i := range len(s) {
		x ^= s[i]
	}
	return x
}

// Errors of a board and of its bytes.
var (
	ErrRefused = errors.New("board refused the frame: check its firmware and the text")
	ErrCorrupt = errors.New("not a sound frame")
)

// Decode reads one frame.
func Decode(b []byte) (board int, payload string, err error) {
	s, ok := strings.CutPrefix(string(b), "<ID")
	s, end := strings.CutSuffix(s, "<E>")
	if !ok || !end || len(s) < 5 || s[2] != '>' {
		return 0, "", fmt.Errorf("%w: its marks are missing", ErrCorrupt)
	}
	n, err := strconv.ParseUint(s[:2], 16, 8)
	if err != nil {
		return 0, "", fmt.Errorf("%w: its number is none", ErrCorrupt)
	}
	payload = s[3 : len(s)-2]
	if s[len(s)-2:] != fmt.Sprintf("%02X", xor(payload)) {
		return 0, "", fmt.Errorf("%w: its check sum is wrong", ErrCorrupt)
	}
	return int(n), payload, nil
}

// A reply finds ACK and NACK in what comes back.
type reply struct{ got string }

func (r *reply) feed(b byte) (bool, error) {
	r.got = (r.got + string(rune(b)))[max(0, len(r.got)-3):]
	switch {
	case strings.HasSuffix(r.got, "NACK"):
		return true, ErrRefused
	case strings.HasSuffix(r.got, "ACK"):
		return true, nil
	}
	return false, nil
}

// A Speaker shows a window on one board.
type Speaker struct {
	Board   int  // 1 to 255
	English bool // the English texts; without it the number alone where there is one
	Native  bool // the board's own blinking instead of the hall's: it blinks as long as the call lasts
}

// Say writes the page; ACK is the acknowledgement.
func (s Speaker) Say(ctx context.Context, c *line.Conn, st display.Strip) error {
	calling := st.Phase == display.PhaseCalling
	text, colour := st.Text.EN, Green
	if !s.English && st.Number != "" {
		text = st.Number
	}
	if calling {
		colour = Red
	}
	return s.send(ctx, c, Page(text, colour, s.Native && calling))
}

// Dark writes an empty page, unless the board blinks by itself.
func (s Speaker) Dark(ctx context.Context, c *line.Conn) error {
	if s.Native {
		return nil
	}
	return s.send(ctx, c, Page(" ", Green, false))
}

func (s Speaker) send(ctx context.Context, c *line.Conn, payload string) error {
	frame, err := Frame(s.Board, payload)
	if err != nil {
		return err
	}
	return c.Ask(ctx, frame, new(reply).feed)
}
