package scanner

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"longcheng/device"
)

// The GM65 family (GM65, GM805, GM861) takes commands:
//
//	host → module   7E 00 | type | count | address, 2 bytes | data | CRC
//	module → host   02 00 | 00 | count | data | CRC
//
// type is 07 read, 08 write, 09 save; the CRC is CRC-16/XMODEM from type to data.
// Register 0 says how it reads:
//
//	bits 0-1  mode: 0 key, 1 command, 2 continuous, 3 sense
//	bits 2-3  light: 0 never, 1 while reading, 2 always
//	bits 4-5  aiming light, likewise
//	bit 6     beeps
//	bit 7     shows a success by its lamp
//
// Source: "GM65 Bar Code Reader Module User Manual", Hangzhou Grow.

// gm65 returns the frame of a command.
func gm65(kind byte, addr uint16, data ...byte) []byte {
	n := byte(len(data))
	if kind == 7 || kind == 9 {
		n = 1
	}
	f := append([]byte{kind, n, byte(addr >> 8), byte(addr)}, data...)
	return append([]byte{0x7E, 0x00}, binary.BigEndian.AppendUint16(f, xmodem(f))...)
}

// AskGM65 reads the two bytes of a module's speed: it changes nothing.
func AskGM65() []byte { return gm65(7, 0x002A, 2) }

// TriggerGM65 makes a module scan once, as its key would.
func TriggerGM65() []byte { return gm65(8, 0x0002, 1) }

// A Mode is when a module of the GM65 family reads.
type Mode string

// The modes.
const (
	Key        Mode = "key"        // while its key is held
	Continuous Mode = "continuous" // always
	Sense      Mode = "sense"      // when something comes before it
)

var modes = map[Mode]byte{Key: 0, Continuous: 2, Sense: 3}

// A GM65 is how a module of that family shall read.
type GM65 struct {
	Mode  Mode
	Light bool // its white light shines while it reads
	Beep  bool // it beeps when it has read
}

// ErrNoGM65 says that no module of this family answers.
var ErrNoGM65 = errors.New("no scanner of the GM65 family answers: check power, wires and speed, and cover its window while it is set up")

// register returns register 0 with these settings and all else as it was.
func (g GM65) register(was byte) (byte, error) {
	mode, ok := modes[g.Mode]
	if !ok {
		return 0, fmt.Errorf("there is no mode %q: write key, continuous or sense", g.Mode)
	}
	r := was&^0x4F | mode
	if g.Light {
		r |= 1 << 2
	}
	if g.Beep {
		r |= 1 << 6
	}
	return r, nil
}

// SetUp gives the module at an open port its settings, reads them back and has
// it keep them. It reports whether anything was to be changed: what is right
// already is not written again, for the module's memory wears.
func (g GM65) SetUp(ctx context.Context, p device.Port) (changed bool, err error) {
	was, err := askRegister(ctx, p)
	if err != nil {
		return false, err
	}
	want, err := g.register(was)
	if err != nil || want == was {
		return false, err
	}
	if _, err := tellGM65(ctx, p, gm65(8, 0x0000, want)); err != nil {
		return false, err
	}
	if got, err := askRegister(ctx, p); err != nil || got != want {
		return false, errors.Join(fmt.Errorf("the scanner did not take its settings: register 0 is %02X instead of %02X", got, want), err)
	}
	_, err = tellGM65(ctx, p, gm65(9, 0x0000, 0))
	return true, err
}

// askRegister reads register 0.
func askRegister(ctx context.Context, p device.Port) (byte, error) {
	data, err := tellGM65(ctx, p, gm65(7, 0x0000, 1))
	if err != nil {
		return 0, err
	}
	return data[0], nil
}

// gm65Within is how long a module may take to answer; it writes its memory.
const gm65Within = 2 * time.Second

// tellGM65 sends a command and returns the data of its answer, at least one byte.
func tellGM65(ctx context.Context, p device.Port, command []byte) ([]byte, error) {
	if err := device.Flush(p); err != nil {
		return nil, err
	}
	if _, err := p.Write(command); err != nil {
		return nil, err
	}
	head := make([]byte, 4)
	if _, err := device.ReadFull(ctx, p, head, gm65Within); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNoGM65, err)
	}
	rest := make([]byte, min(int(head[3]), 15)+2)
	if _, err := device.ReadFull(ctx, p, rest, gm65Within); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNoGM65, err)
	}
	if !IsGM65(append(head, rest...)) {
		return nil, ErrNoGM65
	}
	return rest[:len(rest)-2], nil
}

// ackGM65 is what a module says to a trigger, in front of the code. Its last two
// bytes are the digits 31 and could be taken for a part of that.
var ackGM65 = []byte{0x02, 0x00, 0x00, 0x01, 0x00, 0x33, 0x31}

// IsGM65 reports whether b begins with an answer of such a module.
func IsGM65(b []byte) bool {
	if len(b) < 7 || !bytes.HasPrefix(b, []byte{0x02, 0x00, 0x00}) || b[3] == 0 || b[3] > 15 {
		return false
	}
	end := 4 + int(b[3])
	return len(b) >= end+2 && binary.BigEndian.Uint16(b[end:]) == xmodem(b[2:end])
}

func xmodem(b []byte) (crc uint16) {
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
