package pixel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"longcheng/display/onbon"
)

// A Model is one series of cards.
type Model struct {
	Name   string
	Type   uint16 // device type in the header
	Words  bool   // generation 6: 32-bit words, planes
	Places int    // dynamic areas it holds
}

// Models lists the cards that take areas of one or two colours.
func Models() []Model {
	return []Model{
		{"bx-5e1", 0x0154, false, 4}, {"bx-5e2", 0x0254, false, 4}, {"bx-5e3", 0x0354, false, 4},
		{"bx-6e1", 0x0174, true, 32}, {"bx-6e2", 0x0274, true, 32}, {"bx-6e3", 0x0374, true, 32},
		{"bx-6e1x", 0x0474, true, 32}, {"bx-6e2x", 0x0574, true, 32},
		{"bx-5e", 0xFFFE, false, 4}, {"bx-6e", 0xFFFE, true, 32},
	}
}

// ModelNamed returns the model of that name, such as "bx-5e1".
func ModelNamed(name string) (Model, error) {
	for _, m := range Models() {
		if m.Name == name {
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("onbon pixel card: unknown model %q: choose bx-5e or bx-6e, or one of its variants", name)
}

const (
	headerLen = 16
	protocol  = 0xF0
	maxArea   = 8 << 10 // bytes of pixels
)

// Frame returns the bytes of one request to a card.
func Frame(card, deviceType uint16, data []byte) []byte {
	h := make([]byte, headerLen, headerLen+len(data))
	binary.LittleEndian.PutUint16(h[0:], card)
	binary.LittleEndian.PutUint16(h[2:], onbon.HostAddress)
	h[4] = protocol
	binary.LittleEndian.PutUint16(h[6:], deviceType)
	binary.LittleEndian.PutUint32(h[12:], uint32(len(data)))
	return onbon.Wrap(nil, append(h, data...))
}

// Ping returns the data that asks a card whether it is there.
func Ping() []byte { return []byte{1, 0xA2, 0, 0, 0} }

// Brightness returns the data that sets the brightness, 0 to 15, by hand.
func Brightness(level int) []byte {
	b := []byte{1, 0xA2, 7, 0, 0, 0}
	for range 48 {
		b = append(b, byte(min(max(level, 0), 15)))
	}
	return b
}

// A Refused is a card that understood the frame and said no.
type Refused struct {
	Card uint16
	Code uint16
}

// Error names the vendor's error number.
func (r *Refused) Error() string {
	return fmt.Sprintf("card %d refused with error %d: compare its size and model with the configuration", r.Card, r.Code)
}

// ParseReply reads header and data of a card's answer; from is the card.
func ParseReply(body []byte) (from uint16, err error) {
	if len(body) < headerLen+9 || body[4] != protocol {
		return 0, fmt.Errorf("%w: a reply of %d bytes", onbon.ErrCorrupt, len(body))
	}
	from = binary.LittleEndian.Uint16(body[2:])
	data := body[headerLen:]
	if n := binary.LittleEndian.Uint32(body[12:]); int64(n) != int64(len(data)) {
		return 0, fmt.Errorf("%w: %d bytes of data announced, %d came", onbon.ErrCorrupt, n, len(data))
	}
	if data[0] != 0 || data[1] != 0xA0 {
		return 0, fmt.Errorf("%w: not an answer", onbon.ErrCorrupt)
	}
	if code := binary.LittleEndian.Uint16(data[5:]); data[2] != 0 || code != 0 {
		return from, &Refused{Card: from, Code: code}
	}
	return from, nil
}

// reply feeds an Unwrapper until the card's answer is complete.
type reply struct {
	onbon.Unwrapper
	card uint16
}

func (r *reply) feed(b byte) (bool, error) {
	body, err := r.Feed(b)
	if body == nil || err != nil {
		return false, nil // noise is waited out: the answer may still come
	}
	from, err := ParseReply(body)
	if errors.Is(err, onbon.ErrCorrupt) || from != r.card && r.card != onbon.AnyAddress {
		return false, nil
	}
	return true, err
}
