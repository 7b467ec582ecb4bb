package glyph

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
)

const (
	maxUnpacked = 8 << 20
	maxStride   = 3
)

var errDamaged = errors.New("damaged data")

// unpack reads what gen writes: gzip of the count (4 bytes, big-endian), the
// runes (2 bytes each, big-endian, ascending), the bytes per row of each glyph
// (1 byte, 1 to 3), and the rows of all glyphs.
func unpack(packed []byte, height int) (table, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return table{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxUnpacked))
	if err != nil {
		return table{}, err
	}
	if len(raw) < 4 {
		return table{}, errDamaged
	}
	n, raw := int(binary.BigEndian.Uint32(raw)), raw[4:]
	if n > 1<<16 || len(raw) < 3*n {
		return table{}, errDamaged
	}
	t := table{runes: make([]uint16, n), start: make([]uint32, n+1), dots: raw[3*n:]}
	end := 0
	for i := range n {
		t.runes[i] = binary.BigEndian.Uint16(raw[2*i:])
		stride := int(raw[2*n+i])
		if stride < 1 || stride > maxStride || i > 0 && t.runes[i] <= t.runes[i-1] {
			return table{}, errDamaged
		}
		end += stride * height
		t.start[i+1] = uint32(end)
	}
	if end != len(t.dots) {
		return table{}, errDamaged
	}
	return t, nil
}
