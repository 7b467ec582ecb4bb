package onbon

import (
	"encoding/binary"
	"image"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// A Colour is what dots are lit with: bit 0 red, bit 1 green.
type Colour byte

// The colours of a two-colour strip, numbered as in the escapes \C1 to \C3.
const (
	Dark Colour = iota
	Red
	Green
	Yellow
)

// String returns the colour's English name.
func (c Colour) String() string {
	return [...]string{"dark", "red", "green", "yellow"}[c&3]
}

type char struct {
	r      rune
	colour Colour
}

// An area is one dynamic area as last sent.
type area struct {
	id             byte
	box            image.Rectangle
	spacing        int
	halign, valign byte // 0 start, 1 end, 2 centre
	multi, wrap    bool
	text           []char
	until          time.Time // dark from then on; zero: never
}

// String returns the characters of the area.
func (a area) String() string {
	var b strings.Builder
	for _, c := range a.text {
		b.WriteRune(c.r)
	}
	return b.String()
}

// parseArea reads one area. Run mode 2 blanks it after the timeout in seconds;
// in all others a text that stands still stays.
func parseArea(p []byte) (area, fault) {
	in := reader{b: p}
	if in.byte() != 0 {
		return area{}, badType
	}
	x, y, w, h := dots(in.word()), in.word(), dots(in.word()), in.word()
	a := area{box: image.Rect(x, y, x+w, y+h), id: in.byte(), spacing: int(in.byte())}
	run, timeout := in.byte(), in.word()
	skipSound(&in)
	in.take(int(in.byte())) // extra parameters
	align := in.byte()
	a.halign, a.valign = align&3, align>>2&3
	a.multi, a.wrap = in.byte() == 2, in.byte() == 2
	in.take(4) // entry mode, exit mode, speed, hold
	a.text = decode(in.take(in.long()))
	if in.short || len(in.b) != 0 || run > 5 {
		return area{}, badDownload
	}
	if run == 2 && timeout > 0 {
		a.until = time.Now().Add(time.Duration(timeout) * time.Second)
	}
	return a, 0
}

// skipSound steps over the sound fields: 0 has none, 1 speaks the text shown,
// 2 brings a text of its own.
func skipSound(in *reader) {
	kind := in.byte()
	if kind == 1 || kind == 2 {
		in.take(3) // speaker and repeats, volume, speed
	}
	if kind == 2 {
		in.take(in.long())
	}
	in.short = in.short || kind > 2
}

// dots reads a horizontal measure: bytes of 8 dots, dots if bit 15 is set.
func dots(v int) int {
	if v&0x8000 != 0 {
		return v & 0x7FFF
	}
	return v * 8
}

// decode turns GBK with escapes into characters. The escapes are looked for
// after decoding: the second byte of a GBK character may be a backslash.
// Without an escape text is red; \FOnnn and \FKnnn choose fonts and are
// stepped over.
func decode(gbk []byte) []char {
	utf, err := simplifiedchinese.GBK.NewDecoder().Bytes(gbk)
	if err != nil {
		return nil
	}
	rs, colour := []rune(string(utf)), Red
	var out []char
	for i := 0; i < len(rs); i++ {
		switch esc := rs[i:min(i+6, len(rs))]; {
		case len(esc) >= 3 && esc[0] == '\\' && esc[1] == 'C' && esc[2] >= '1' && esc[2] <= '3':
			colour = Colour(esc[2] - '0')
			i += 2
		case len(esc) == 6 && fontEscape(esc):
			i += 5
		case rs[i] != '\r':
			out = append(out, char{rs[i], colour})
		}
	}
	return out
}

func fontEscape(e []rune) bool {
	for _, d := range e[3:6] {
		if d < '0' || d > '9' {
			return false
		}
	}
	return e[0] == '\\' && e[1] == 'F' && (e[2] == 'O' || e[2] == 'K')
}

// A reader takes little-endian fields; short is set when they run out.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.short = nil, true
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) byte() byte {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) word() int {
	if p := r.take(2); p != nil {
		return int(binary.LittleEndian.Uint16(p))
	}
	return 0
}

// long returns -1, which no take accepts, for what fits in no frame.
func (r *reader) long() int {
	p := r.take(4)
	if p == nil {
		return 0
	}
	if n := binary.LittleEndian.Uint32(p); n <= maxFrame {
		return int(n)
	}
	return -1
}
