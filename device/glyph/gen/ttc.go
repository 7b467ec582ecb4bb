package main

import (
	"encoding/binary"
	"errors"
)

var errCollection = errors.New("not a font collection")

// extract returns font i of a TrueType collection as a font of its own, its
// tables on multiples of four bytes: those of Micro Hei are not, and x/image
// insists. Layout: "ttcf", version, count, offsets (4 bytes each, big-endian);
// at an offset, a 12-byte header with the number of tables at 4 and 16-byte
// records tag, checksum, offset, length.
func extract(b []byte, i int) ([]byte, error) {
	u32 := binary.BigEndian.Uint32
	if len(b) < 12 || string(b[:4]) != "ttcf" || i >= int(u32(b[8:])) {
		return nil, errCollection
	}
	head := b[u32(b[12+4*i:]):]
	n := int(binary.BigEndian.Uint16(head[4:]))
	out := append([]byte(nil), head[:12+16*n]...)
	for k := range n {
		rec := out[12+16*k : 28+16*k]
		from, size := u32(rec[8:]), u32(rec[12:])
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
		binary.BigEndian.PutUint32(out[12+16*k+8:], uint32(len(out)))
		out = append(out, b[from:from+size]...)
	}
	return out, nil
}
