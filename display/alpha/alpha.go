// Package alpha speaks the Alpha Sign Communications Protocol of Adaptive and
// BetaBrite signs, ASCII only.
//
// Source: Alpha Sign Communications Protocol, 9708-8061F (2006). A frame is
//
//	00 x5 | 01 | type | address, two hex digits | 02 | command | data | 03 | sum | 04
//
// where the five NULs let the sign find its baud rate and the sum is the 16-bit sum
// of 02 to 03 inclusive as four upper-case hex digits. Type Z is any sign, address
// 00 is heard by all, ? stands for any digit. Signs do not answer: that a frame has
// left is all that can be known. Serial settings differ by model: 9600 8N1,
// 9600 7E1, 4800 7E2; Parity makes seven bits with even parity out of eight without.
//
// Worked frame, "A012" held in file A of every sign:
//
//	00 00 00 00 00 01 5A 30 30 02 41 41 1B 20 62 41 30 31 32 03 30 31 46 38 04
//
// The package does not know who is called or why, nor Chinese: what is not ASCII
// becomes a space. It has met no sign.
package alpha

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"longcheng/display"
	"longcheng/display/line"
)

const (
	soh = 0x01
	stx = 0x02
	etx = 0x03
	eot = 0x04
	esc = 0x1B

	maxData = 1024
)

// A Mode is how a text appears.
type Mode byte

// The modes that strips need.
const (
	Rotate Mode = 'a'
	Hold   Mode = 'b'
	Flash  Mode = 'c'
)

// Priority is the file that overrides every other; an empty text in it ends that.
const Priority = '0'

// A Packet is one frame with one command.
type Packet struct {
	Type    byte // 'Z' any sign
	Address int  // 0 all, 1 to 255
	Command byte // 'A' write text, 'G' write string, 'E' special
	Data    []byte
}

// Text returns the packet that writes a text into a file, 'A' to 'Z' or Priority.
func Text(address int, file byte, mode Mode, text string) Packet {
	data := []byte{file}
	if text != "" || file != Priority {
		data = append(data, esc, ' ', byte(mode)) // 20: the middle line
	}
	return Packet{Type: 'Z', Address: address, Command: 'A', Data: append(data, clean(text)...)}
}

// String returns the packet that writes a string file: texts that call it change
// without starting anew.
func String(address int, file byte, text string) Packet {
	return Packet{Type: 'Z', Address: address, Command: 'G', Data: append([]byte{file}, clean(text)...)}
}

// clean keeps what a sign can show.
func clean(text string) []byte {
	var out []byte
	for _, r := range text {
		if r < ' ' || r > '~' {
			r = ' '
		}
		out = append(out, byte(r))
	}
	return out
}

// Append writes the frame.
func (p Packet) Append(dst []byte) ([]byte, error) {
	if p.Address < 0 || p.Address > 255 || len(p.Data) > maxData {
		return dst, fmt.Errorf("encode frame for sign %d: address 0 to 255 and %d bytes of data are possible", p.Address, maxData)
	}
	body := append([]byte{stx, p.Command}, p.Data...)
	body = append(body, etx)
	var sum uint16
	for _, b := range body {
		sum += uint16(b)
	}
	dst = append(dst, 0, 0, 0, 0, 0, soh, p.Type)
	dst = fmt.Appendf(dst, "%02X", p.Address)
	dst = append(dst, body...)
	return append(fmt.Appendf(dst, "%04X", sum), eot), nil
}

// ErrCorrupt marks bytes that are no frame.
var ErrCorrupt = errors.New("not a sound frame")

// Decode reads one frame with a check sum.
func Decode(b []byte) (Packet, error) {
	bad := func(what string) (Packet, error) { return Packet{}, fmt.Errorf("%w: %s", ErrCorrupt, what) }
	b = bytes.TrimLeft(b, "\x00")
	if len(b) < 12 || len(b) > maxData+16 || b[0] != soh || b[4] != stx || b[len(b)-1] != eot {
		return bad("its marks are missing")
	}
	body, tail := b[4:len(b)-5], b[len(b)-5:len(b)-1]
	if body[len(body)-1] != etx {
		return bad("it has no end of text before its check sum")
	}
	address, err := strconv.ParseUint(string(b[2:4]), 16, 8)
	if err != nil {
		return bad("its address is no number")
	}
	var sum uint16
	for _, v := range body {
		sum += uint16(v)
	}
	if string(tail) != fmt.Sprintf("%04X", sum) {
		return bad("its check sum is wrong")
	}
	return Packet{Type: b[1], Address: int(address), Command: body[1], Data: bytes.Clone(body[2 : len(body)-1])}, nil
}

// Even sets bit 7 of every byte so that its parity is even: a line of eight bits
// without parity then carries seven bits with it.
func Even(b []byte) {
	for i, v := range b {
		v &= 0x7F
		ones := v ^ v>>4
		ones ^= ones >> 2
		ones ^= ones >> 1
		b[i] = v | ones<<7
	}
}

// A Speaker shows a window on one sign.
type Speaker struct {
	Address int  // 1 to 255; 0 all
	Parity  bool // the sign wants seven bits with even parity
	Native  bool // the sign's own flash instead of the hall's: it flashes as long as the call lasts
}

// Say writes file A. Nil means that every byte has left: these signs do not answer.
func (s Speaker) Say(ctx context.Context, c *line.Conn, st display.Strip) error {
	mode := Hold
	if s.Native && st.Phase == display.PhaseCalling {
		mode = Flash
	}
	text := st.Text.EN
	if text == "" {
		text = st.Number
	}
	return s.send(ctx, c, mode, text)
}

// Dark blanks the sign, unless it flashes by itself.
func (s Speaker) Dark(ctx context.Context, c *line.Conn) error {
	if s.Native {
		return nil
	}
	return s.send(ctx, c, Hold, " ")
}

func (s Speaker) send(ctx context.Context, c *line.Conn, mode Mode, text string) error {
	frame, err := Text(s.Address, 'A', mode, text).Append(nil)
	if err != nil {
		return err
	}
	if s.Parity {
		Even(frame)
	}
	return c.Tell(ctx, frame)
}
