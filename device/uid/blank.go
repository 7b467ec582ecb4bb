package uid

import (
	"bytes"
	"encoding/hex"
	"fmt"
)

// Blank returns what takes the numbers of cards out of what a reader said, for a
// tape: every number becomes 0, and a check sum is as right or as wrong as it was.
func Blank(f Format) func(said []byte) []byte {
	return func(said []byte) []byte {
		out := bytes.Clone(said)
		for at := 0; at < len(out); {
			n := f.need(out[at:])
			if n == 0 || at+n > len(out) {
				f.blankStray(out[at : at+1])
				at++
				continue
			}
			f.blankFrame(out[at+len(f.Start) : at+n-len(f.End)])
			at += n
		}
		return out
	}
}

// blankStray clears what is in no frame, if it can be a part of a number.
func (f Format) blankStray(b []byte) {
	switch {
	case !f.Hex && bytes.IndexByte([]byte(f.Start+f.End), b[0]) < 0:
		b[0] = 0
	case f.Hex && isHex(b[0]):
		b[0] = '0'
	}
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// blankFrame blanks what stands between start and end.
func (f Format) blankFrame(b []byte) {
	if !f.Hex {
		f.blankBody(b)
		return
	}
	body := make([]byte, len(b)/2)
	if n, err := hex.Decode(body, bytes.TrimRight(b, "\r\n")); err == nil {
		f.blankBody(body[:n])
		copy(b, fmt.Appendf(nil, "%X", body[:n]))
		return
	}
	for i := range b {
		f.blankStray(b[i : i+1])
	}
}

// blankBody clears everything from the number on; the sum keeps its error.
func (f Format) blankBody(body []byte) {
	from, at := place(f.From, body), place(f.SumAt, body)
	if f.Sum == NoSum {
		at = len(body)
	}
	if from < 0 || at > len(body) || from >= at {
		clear(body)
		return
	}
	wrong := byte(0)
	if f.Sum != NoSum && f.SumFrom >= 0 && f.SumFrom <= at && at < len(body) {
		wrong = body[at] - f.Sum.of(body[f.SumFrom:at])
	}
	clear(body[from:at])
	if f.Sum != NoSum && at < len(body) {
		body[at] = f.Sum.of(body[f.SumFrom:at]) + wrong
	}
}
