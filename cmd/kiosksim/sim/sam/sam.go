// Package sam is a simulated reader of Chinese resident identity cards that
// speaks SAM frames (GA 450, 115200 8N1, strictly half-duplex). Its persons are
// invented. It does not know the program that reads from it.
package sam

import (
	"bytes"
	"context"
	"io"
	"sync"
	"unicode/utf16"
)

// A Person is what an invented card says. Dates are YYYYMMDD.
type Person struct {
	Name, Sex, Nation, Birth, Address, Number, Issuer, From, Until string
}

// A Condition is what is wrong with a card.
type Condition int

// The conditions of a card on the reader.
const (
	Good          Condition = iota
	MovedTooEarly           // read answers 41
	Forged                  // read answers 33, information verification failed
	BadChecksum             // the read reply arrives damaged
)

// A Reader is one simulated reader.
type Reader struct {
	host io.Writer

	mu     sync.Mutex
	card   *Person
	state  Condition
	read   bool
	chosen bool
	buf    []byte
}

var preamble = []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69}

// New returns a reader without a card that answers into host.
func New(host io.Writer) *Reader { return &Reader{host: host} }

// Place puts a card on the reader.
func (r *Reader) Place(p Person, c Condition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.card, r.state, r.read, r.chosen = &p, c, false, false
}

// Lift takes the card away.
func (r *Reader) Lift() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.card, r.read, r.chosen = nil, false, false
}

// Receive takes the host's bytes and answers each whole frame.
func (r *Reader) Receive(_ context.Context, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buf = append(r.buf, b...)
	for {
		i := bytes.Index(r.buf, preamble)
		if i < 0 {
			r.buf = r.buf[max(0, len(r.buf)-len(preamble)+1):]
			return
		}
		r.buf = r.buf[i:]
		if len(r.buf) < 7 {
			return
		}
		n := int(r.buf[5])<<8 | int(r.buf[6])
		if n < 3 || n > 64 { // the longest request has four bytes
			r.reply(0x11, nil)
			r.buf = r.buf[5:]
			continue
		}
		if len(r.buf) < 7+n {
			return
		}
		frame := r.buf[5 : 7+n]
		r.buf = r.buf[7+n:]
		if xor(frame) != 0 {
			r.reply(0x10, nil)
			continue
		}
		r.execute(frame[2], frame[3], frame[4:len(frame)-1])
	}
}

// execute answers one request; those that SAM modules of the first generation
// do not know are refused like any other unknown one, by answer 21.
func (r *Reader) execute(cmd, para byte, data []byte) {
	switch code := uint16(cmd)<<8 | uint16(para); {
	case code == 0x10FF:
		r.chosen = false
		r.reply(0x90, nil)
	case code == 0x11FF:
		r.reply(0x90, nil)
	case code == 0x12FF:
		r.reply(0x90, []byte{5, 0, 3, 0, 0x41, 0xD9, 0x34, 1, 1, 0, 0, 0, 1, 0, 0, 0})
	case code == 0x2001:
		r.find()
	case code == 0x2002:
		r.choose()
	case code == 0x3001 || code == 0x3010:
		r.readCard(para == 0x10)
	case code == 0x3003:
		r.address()
	case code == 0x3005:
		r.number()
	case cmd == 0x60 && para <= 4: // line speed: answered at the old one
		r.reply(0x90, nil)
	case code == 0x61FF && len(data) == 1: // longest radio frame
		r.reply(0x90, nil)
	default:
		r.reply(0x21, nil)
	}
}

// address answers 30 03: no invented person has moved.
func (r *Reader) address() {
	if r.card == nil || !r.chosen {
		r.reply(0x41, nil)
		return
	}
	r.reply(0x91, nil)
}

// number answers 30 05: the number of the card itself, 28 bytes.
func (r *Reader) number() {
	if r.card == nil || !r.chosen {
		r.reply(0x41, nil)
		return
	}
	r.reply(0x90, make([]byte, 28))
}

// find does not see a card that has been read until it is lifted.
func (r *Reader) find() {
	if r.chosen = false; r.card == nil || r.read {
		r.reply(0x80, nil)
		return
	}
	r.reply(0x9F, make([]byte, 4))
}

func (r *Reader) choose() {
	if r.card == nil || r.read {
		r.reply(0x81, nil)
		return
	}
	r.chosen = true
	r.reply(0x90, make([]byte, 8))
}

// readCard answers 30 01, and 30 10, which has the length of the fingerprints
// too: nobody here has any.
func (r *Reader) readCard(fingers bool) {
	switch {
	case r.card == nil || !r.chosen || r.state == MovedTooEarly:
		r.reply(0x41, nil)
	case r.state == Forged:
		r.reply(0x33, nil)
	default:
		r.read = r.state == Good
		data := []byte{1, 0, 4, 0}
		if fingers {
			data = append(data, 0, 0)
		}
		data = append(data, r.card.Text()...)
		photo := make([]byte, 1024)
		copy(photo, "WLf\x00~\x00")
		f := frame(0x90, append(data, photo...))
		if r.state == BadChecksum {
			f[len(f)-1] ^= 0x55
		}
		r.host.Write(f)
	}
}

func (r *Reader) reply(sw3 byte, data []byte) { r.host.Write(frame(sw3, data)) }

// frame builds a reply: preamble, length (big-endian, with checksum), SW1-3,
// data, XOR of everything after the preamble.
func frame(sw3 byte, data []byte) []byte {
	n := 3 + len(data) + 1
	f := append([]byte(nil), preamble...)
	f = append(f, byte(n>>8), byte(n), 0, 0, sw3)
	f = append(f, data...)
	return append(f, xor(f[5:]))
}

func xor(b []byte) (x byte) {
	for _, c := range b {
		x ^= c
	}
	return x
}

// Text returns the 256-byte text block: UTF-16LE, padded with spaces.
func (p Person) Text() []byte {
	var b []byte
	for _, f := range []struct {
		s string
		n int // 16-bit units
	}{{p.Name, 15}, {p.Sex, 1}, {p.Nation, 2}, {p.Birth, 8}, {p.Address, 35},
		{p.Number, 18}, {p.Issuer, 15}, {p.From, 8}, {p.Until, 8}, {"", 18}} {
		u := utf16.Encode([]rune(f.s))
		for i := range f.n {
			c := uint16(' ')
			if i < len(u) {
				c = u[i]
			}
			b = append(b, byte(c), byte(c>>8))
		}
	}
	return b
}
