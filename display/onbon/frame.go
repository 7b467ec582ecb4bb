package onbon

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Addresses and device types that a frame can carry.
const (
	AnyAddress  uint16 = 0xFFFE // every card on the line obeys; use it only with one card
	HostAddress uint16 = 0x8000 // the address of whoever asks
	AnyDevice   byte   = 0xFE
	Device5K1   byte   = 0x51
	Device5K2   byte   = 0x58
	Device6K1   byte   = 0x61
	Device6K2   byte   = 0x62
)

// Limits of a frame. A card's dynamic text is far smaller.
const (
	headerLen = 14
	maxData   = 4096
	maxBody   = 16 << 10
)

const (
	preamble    = 0xA5
	terminator  = 0x5A
	preambleLen = 8
)

// A Frame is one message of the card protocol, in either direction.
type Frame struct {
	To     uint16
	From   uint16
	Device byte // device type; AnyDevice fits every card
	Mode   byte // 0: areas and programmes side by side; 1: dynamic areas first
	Data   []byte
}

// Append writes the frame as it goes over the wire: eight A5, then header, data
// and CRC-16/ARC (low byte first) with A5, A6, 5A and 5B escaped, then 5A.
func (f Frame) Append(dst []byte) ([]byte, error) {
	if len(f.Data) > maxData {
		return dst, fmt.Errorf("encode frame for card %d: %d bytes of data: at most %d fit", f.To, len(f.Data), maxData)
	}
	body := make([]byte, headerLen, headerLen+len(f.Data)+2)
	binary.LittleEndian.PutUint16(body[0:], f.To)
	binary.LittleEndian.PutUint16(body[2:], f.From)
	body[9] = f.Mode
	body[10] = f.Device
	body[11] = 0x02 // protocol version
	binary.LittleEndian.PutUint16(body[12:], uint16(len(f.Data)))
	return Wrap(dst, append(body, f.Data...)), nil
}

// Wrap puts a header and its data between eight A5 and 5A, with their CRC-16/ARC,
// low byte first, and with A5, A6, 5A and 5B escaped: the outer form of every
// series of the maker.
func Wrap(dst, body []byte) []byte {
	sum := crc16(body)
	for range preambleLen {
		dst = append(dst, preamble)
	}
	dst = appendEscaped(dst, body)
	dst = appendEscaped(dst, []byte{byte(sum), byte(sum >> 8)})
	return append(dst, terminator)
}

func appendEscaped(dst, body []byte) []byte {
	for _, b := range body {
		switch b {
		case 0xA5:
			dst = append(dst, 0xA6, 0x02)
		case 0xA6:
			dst = append(dst, 0xA6, 0x01)
		case 0x5A:
			dst = append(dst, 0x5B, 0x02)
		case 0x5B:
			dst = append(dst, 0x5B, 0x01)
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

// crc16 is CRC-16/ARC: polynomial 0x8005 reflected, start 0, no final xor.
// "123456789" gives 0xBB3D. It is not the Modbus CRC, which starts at 0xFFFF.
func crc16(p []byte) uint16 {
	var crc uint16
	for _, b := range p {
		crc ^= uint16(b)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

// ErrCorrupt marks bytes that are not a sound frame: noise, a collision or a
// wrong baud rate.
var ErrCorrupt = errors.New("not a sound frame")

// A Decoder finds frames in a stream of bytes, one byte at a time. The zero value
// is ready.
type Decoder struct{ Unwrapper }

// Feed takes one byte. It returns a frame when the byte completed one; an error
// wrapping ErrCorrupt when it spoiled one. After an error the decoder is ready
// for the next frame.
func (d *Decoder) Feed(b byte) (*Frame, error) {
	body, err := d.Unwrapper.Feed(b)
	if body == nil || err != nil {
		return nil, err
	}
	return parse(body)
}

// An Unwrapper finds what Wrap made in a stream of bytes. It forgets whatever lies
// before a preamble, and needs only one A5 of it. The zero value is ready. Memory
// is bounded by the longest legal frame.
type Unwrapper struct {
	inside bool
	esc    byte // pending A6 or 5B
	body   []byte
}

// Feed takes one byte. It returns a header with its data when the byte completed a
// sound frame; they are good until the next call.
func (d *Unwrapper) Feed(b byte) ([]byte, error) {
	switch {
	case b == preamble:
		broken := d.inside && len(d.body) > 0
		d.inside, d.esc, d.body = true, 0, d.body[:0]
		if broken {
			return nil, fmt.Errorf("%w: a new one began inside it", ErrCorrupt)
		}
	case !d.inside:
	case b == terminator:
		d.inside = false
		return d.finish()
	default:
		return nil, d.take(b)
	}
	return nil, nil
}

func (d *Unwrapper) finish() ([]byte, error) {
	if d.esc != 0 {
		return nil, fmt.Errorf("%w: it ends inside an escape", ErrCorrupt)
	}
	n := len(d.body) - 2
	if n < headerLen {
		return nil, fmt.Errorf("%w: only %d bytes", ErrCorrupt, len(d.body))
	}
	if sum, got := binary.LittleEndian.Uint16(d.body[n:]), crc16(d.body[:n]); got != sum {
		return nil, fmt.Errorf("%w: check sum %04X, counted %04X", ErrCorrupt, sum, got)
	}
	return d.body[:n], nil
}

func (d *Unwrapper) take(b byte) error {
	if d.esc == 0 && (b == 0xA6 || b == 0x5B) {
		d.esc = b
		return nil
	}
	if d.esc != 0 {
		esc := d.esc
		d.esc = 0
		switch {
		case esc == 0xA6 && b == 0x02:
			b = 0xA5
		case esc == 0x5B && b == 0x02:
			b = 0x5A
		case b == 0x01:
			b = esc
		default:
			d.inside = false
			return fmt.Errorf("%w: unknown escape %02X %02X", ErrCorrupt, esc, b)
		}
	}
	if len(d.body) == maxBody {
		d.inside = false
		return fmt.Errorf("%w: longer than %d bytes", ErrCorrupt, maxBody)
	}
	d.body = append(d.body, b)
	return nil
}

// parse reads a header and its data.
func parse(body []byte) (*Frame, error) {
	data := body[headerLen:]
	if body[7] == 1 { // a barcode follows the header
		if len(data) < 16 {
			return nil, fmt.Errorf("%w: barcode cut short", ErrCorrupt)
		}
		data = data[16:]
	}
	if n := int(binary.LittleEndian.Uint16(body[12:])); n != len(data) {
		return nil, fmt.Errorf("%w: %d bytes of data announced, %d came", ErrCorrupt, n, len(data))
	}
	return &Frame{
		To:     binary.LittleEndian.Uint16(body[0:]),
		From:   binary.LittleEndian.Uint16(body[2:]),
		Mode:   body[9],
		Device: body[10],
		Data:   append([]byte(nil), data...),
	}, nil
}
