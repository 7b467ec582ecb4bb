package scanner

import (
	"bytes"
	"encoding/binary"
)

// The GM65 family (GM65, GM805, GM861) takes commands:
//
//	host → module   7E 00 | type | count | address, 2 bytes | data | CRC
//	module → host   02 00 | 00 | count | data | CRC
//
// type is 07 read, 08 write, 09 save; the CRC is CRC-16/XMODEM from type to data.
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

// SetGM65 writes one register until the power goes; SaveGM65 keeps them all.
func SetGM65(register uint16, value byte) []byte { return gm65(8, register, value) }

// SaveGM65 makes a module keep its registers.
func SaveGM65() []byte { return gm65(9, 0x0000, 0) }

// ackGM65 is what a module says to a trigger, in front of the code. Its last two
// bytes are the digits 31 and could be taken for a part of that.
var ackGM65 = []byte{0x02, 0x00, 0x00, 0x01, 0x00, 0x33, 0x31}

// IsGM65 reports whether b begins with an answer of such a module.
func IsGM65(b []byte) bool {
	return len(b) >= 7 && bytes.HasPrefix(b, []byte{0x02, 0x00, 0x00}) && len(b) >= 4+int(b[3])+2 && b[3] > 0 && b[3] < 16
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
