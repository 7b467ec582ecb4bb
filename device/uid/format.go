package uid

import (
	"encoding/hex"
	"fmt"
)

// A Sum is how a frame proves itself.
type Sum string

// The check sums.
const (
	NoSum Sum = ""    // none: only the form of the frame speaks for it
	XOR   Sum = "xor" // of the summed bytes
	Add   Sum = "add" // their sum, low byte
)

// A Format describes the frames of one family of readers:
//
//	Start | body | End
//
// The body is Size bytes or, with Sized, as many as its byte LengthAt says, and
// LengthPlus more. With Hex its bytes travel as two hexadecimal digits each.
// Offsets count in the body, after the digits became bytes; negative ones count
// from its end.
type Format struct {
	Name       string
	Start, End string
	Loose      bool // CR, LF or both may stand before End
	Hex        bool
	Size       int
	Sized      bool
	LengthAt   int
	LengthPlus int
	Sum        Sum
	SumFrom    int // first byte that is summed
	SumAt      int // where the sum is, behind the last byte that is summed
	From, To   int // the number of the card; To 0 means up to the sum
	Reversed   bool
}

// The largest frame and the longest number of a card that there can be.
const (
	maxFrame = 128
	maxID    = 10
)

// EM4100 is that of 125 kHz readers RDM6300, EM-18, ID-12 and ID-20, 9600 baud:
// 02, ten hexadecimal digits, two digits that are the XOR of the five bytes, 03.
func EM4100() Format {
	return Format{Name: "em4100", Start: "\x02", End: "\x03", Loose: true, Hex: true, Size: 6, Sum: XOR, SumAt: -1}
}

// Line is a number of n bytes as a line of hexadecimal digits, as many 13.56 MHz
// readers send it; nothing checks it. n is 4, 7 or 10.
func Line(n int) Format {
	return Format{Name: fmt.Sprintf("line%d", n), End: "\r\n", Hex: true, Size: n, To: n}
}

// Block is the binary frame of many 13.56 MHz readers: 02, length of the whole
// frame, a byte for the kind of card, the number, XOR from length to number, 03.
// Makers vary it: change the copy.
func Block() Format {
	return Format{Name: "block", Start: "\x02", End: "\x03", Sized: true, LengthAt: 0, LengthPlus: -2, Sum: XOR, SumAt: -1, From: 2}
}

// Validate returns what is wrong with f, or nil.
func (f Format) Validate() error {
	wrong := func(s string) error { return fmt.Errorf("card reader's format %s: %s", f.Name, s) }
	switch {
	case !f.Sized && (f.Size < 1 || f.Size > maxFrame/2):
		return wrong("size is not between 1 and 64")
	case f.Sized && (f.Hex || f.LengthAt < 0 || f.LengthAt > 15):
		return wrong("length byte must be one of the first 16, not in hexadecimal digits")
	case len(f.Start)+len(f.End) == 0 || len(f.Start) > 8 || len(f.End) > 8:
		return wrong("start and end have 1 to 8 bytes, one of them at least")
	case f.Sum != NoSum && f.Sum != XOR && f.Sum != Add:
		return wrong("check sum is not xor or add")
	}
	return nil
}

// need returns how long the frame is that b begins with, as far as b tells; 0
// means that this is no beginning of a frame.
func (f Format) need(b []byte) int {
	for i := range min(len(b), len(f.Start)) {
		if b[i] != f.Start[i] {
			return 0
		}
	}
	body := f.Size
	if f.Sized {
		at := len(f.Start) + f.LengthAt
		if len(b) <= at {
			return at + 1
		}
		if body = int(b[at]) + f.LengthPlus; body <= f.LengthAt {
			return 0
		}
	}
	if f.Hex {
		body *= 2
	}
	n := len(f.Start) + body + len(f.End)
	for i := len(f.Start) + body; f.Loose && i < len(b) && i < len(f.Start)+body+2 && (b[i] == '\r' || b[i] == '\n'); i++ {
		n++
	}
	if n > maxFrame {
		return 0
	}
	return n
}

// id takes the number out of a frame of the right length.
func (f Format) id(frame []byte) ([]byte, bool) {
	body := frame[len(f.Start):]
	end := len(body) - len(f.End)
	if string(body[end:]) != f.End {
		return nil, false
	}
	body = body[:end]
	for f.Loose && len(body) > 0 && (body[len(body)-1] == '\r' || body[len(body)-1] == '\n') {
		body = body[:len(body)-1]
	}
	if f.Hex {
		b, err := hex.DecodeString(string(body))
		if err != nil {
			return nil, false
		}
		body = b
	}
	return f.checked(body)
}

func (f Format) checked(body []byte) ([]byte, bool) {
	at, to := place(f.SumAt, body), place(f.To, body)
	if f.To == 0 {
		to = at
	}
	from := place(f.From, body)
	if from < 0 || to > len(body) || to-from < 1 || to-from > maxID {
		return nil, false
	}
	if f.Sum != NoSum {
		if f.SumFrom < 0 || at < f.SumFrom || at >= len(body) || body[at] != f.Sum.of(body[f.SumFrom:at]) {
			return nil, false
		}
	}
	id := append([]byte(nil), body[from:to]...)
	for i, j := 0, len(id)-1; f.Reversed && i < j; i, j = i+1, j-1 {
		id[i], id[j] = id[j], id[i]
	}
	return id, true
}

func place(i int, b []byte) int {
	if i < 0 {
		return len(b) + i
	}
	return i
}

func (s Sum) of(b []byte) (x byte) {
	for _, c := range b {
		if s == Add {
			x += c
		} else {
			x ^= c
		}
	}
	return x
}
