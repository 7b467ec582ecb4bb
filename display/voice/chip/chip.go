// Package chip speaks through SYN6288 and XFS5152 speech chips on a serial line.
//
// Sources: the SYN6288 datasheet (Beijing Yutone) and the XFS5152CE guide (iFlytek).
// A frame is
//
//	FD | length (2, high byte first) | command | parameter | text | XOR
//
// where the length counts from the command, and the XOR of all bytes before it ends
// a frame of the SYN6288 only. 9600 baud, 8N1. Command 01 speaks, its parameter 01
// says that the text is GBK; 02 stops, 21 asks for the state. The chip answers 41
// accepted, 45 rejected, 4E speaking, 4F idle; 4F also comes by itself when the last
// syllable is over. A new text interrupts the one being spoken, so we wait for 4F.
// A text has at most 200 bytes. [v8] in it sets the volume, 0 to 16 (0 to 10 on the
// XFS5152), and soundk plays the chip's chime.
//
// Worked frame, SYN6288, 宇音天下: FD 00 0B 01 00 D3 EE D2 F4 CC EC CF C2 C1.
//
// The package does not know who is called or why. It has met no chip.
package chip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"longcheng/display/line"
	"longcheng/display/voice"
)

// A Model is a kind of chip.
type Model struct {
	Name   string
	XOR    bool // its frames end with a check sum
	Loud   int  // the greatest volume
	Melody string
}

// SYN6288 returns the model of that name.
func SYN6288() Model { return Model{"syn6288", true, 16, "soundk"} }

// XFS5152 returns the model of that name.
func XFS5152() Model { return Model{"xfs5152", false, 10, "sound301"} }

const (
	maxText   = 200
	gbk       = 1
	speak     = 0x01
	stop      = 0x02
	accepted  = 0x41
	rejected  = 0x45
	idle      = 0x4F
	perText   = 40 * time.Second // the longest 200 bytes can take
	perAnswer = 2 * time.Second  // until a chip says that it has taken the text
)

// Frame returns the bytes of a command. Only command 01 has a parameter and text.
func (m Model) Frame(command byte, text []byte) ([]byte, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("encode for %s: %d bytes of text: at most %d", m.Name, len(text), maxText)
	}
	body := []byte{command}
	if command == speak {
		body = append(append(body, gbk), text...)
	}
	n := len(body)
	if m.XOR {
		n++
	}
	b := append([]byte{0xFD, byte(n >> 8), byte(n)}, body...)
	if !m.XOR {
		return b, nil
	}
	var x byte
	for _, v := range b {
		x ^= v
	}
	return append(b, x), nil
}

// Errors of a chip.
var (
	ErrRejected = errors.New("speech chip rejected the text: check its model in the configuration")
	ErrCorrupt  = errors.New("not a sound frame")
)

// Decode reads one frame.
func (m Model) Decode(b []byte) (command byte, text []byte, err error) {
	if len(b) < 4 || b[0] != 0xFD || int(b[1])<<8|int(b[2]) != len(b)-3 {
		return 0, nil, fmt.Errorf("%w: its length is wrong", ErrCorrupt)
	}
	body := b[3:]
	if m.XOR {
		var x byte
		for _, v := range b {
			x ^= v
		}
		if x != 0 || len(body) < 2 {
			return 0, nil, fmt.Errorf("%w: its check sum is wrong", ErrCorrupt)
		}
		body = body[:len(body)-1]
	}
	if body[0] != speak {
		return body[0], nil, nil
	}
	if len(body) < 2 {
		return 0, nil, fmt.Errorf("%w: it has no parameter", ErrCorrupt)
	}
	return speak, body[2:], nil
}

// An Engine is one chip on a line of its own.
type Engine struct {
	line  *line.Line
	model Model
}

// NewEngine returns the engine of a chip.
func NewEngine(l *line.Line, m Model) *Engine { return &Engine{l, m} }

// Say speaks the Chinese sentences, one after the other, and returns when the last
// syllable is over. The chip reads no other language.
func (e *Engine) Say(ctx context.Context, u voice.Utterance) error {
	head := fmt.Sprintf("[v%d]", (u.Loudness()*e.model.Loud+50)/100)
	if u.Chime {
		if err := e.speak(ctx, []byte(head+e.model.Melody)); err != nil {
			return err
		}
	}
	for _, s := range u.Sentences {
		if s.Lang != "zh" {
			continue
		}
		for _, part := range parts(s.Text, maxText-len(head)) {
			if err := e.speak(ctx, append([]byte(head), part...)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) speak(ctx context.Context, text []byte) error {
	frame, err := e.model.Frame(speak, text)
	if err != nil {
		return err
	}
	err = e.line.Do(ctx, e.model.Name, func(ctx context.Context, c *line.Conn) error {
		taken := false
		heard, silent := context.WithCancelCause(ctx)
		patience := time.AfterFunc(perAnswer, func() { silent(line.ErrSilent) })
		defer patience.Stop()
		defer silent(nil)
		err := c.AskWithin(heard, perText, frame, func(b byte) (bool, error) {
			switch b {
			case rejected:
				return true, ErrRejected
			case accepted:
				taken = true
				patience.Stop()
			case idle: // before it was accepted: of an earlier text
				return taken, nil
			}
			return false, nil
		})
		if errors.Is(context.Cause(heard), line.ErrSilent) {
			return line.ErrSilent
		}
		return err
	})
	if ctx.Err() != nil {
		e.hush()
	}
	if err != nil {
		return fmt.Errorf("speak with %s: %w", e.model.Name, err)
	}
	return nil
}

// hush stops a text whose speaker has given up: something more urgent comes.
func (e *Engine) hush() {
	frame, err := e.model.Frame(stop, nil)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = e.line.Do(ctx, e.model.Name, func(ctx context.Context, c *line.Conn) error { return c.Tell(ctx, frame) }) // the next text interrupts as well
}

// parts encodes a text as GBK in pieces of at most n bytes. What GBK lacks and
// square brackets, which the chip reads as marks, are left out.
func parts(text string, n int) (out [][]byte) {
	enc := simplifiedchinese.GBK.NewEncoder()
	var now []byte
	for _, r := range text {
		b, err := enc.String(string(r))
		if err != nil || r == '[' || r == ']' || r < ' ' {
			continue
		}
		if len(now)+len(b) > n {
			out, now = append(out, now), nil
		}
		now = append(now, b...)
	}
	if len(now) > 0 {
		out = append(out, now)
	}
	return out
}
