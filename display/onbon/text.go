package onbon

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// A Colour is one of the three colours of a two-colour strip. NoColour leaves
// the card's own.
type Colour byte

// The colours a card knows in its text.
const (
	NoColour Colour = iota
	Red
	Green
	Yellow
)

// A Span is a stretch of text in one colour.
type Span struct {
	Colour Colour
	Text   string
}

// missing stands on the strip for a character that GBK does not have. It is
// the Chinese replacement sign 〓, so nobody takes it for a question mark.
const missing = '〓'

// EncodeText returns the GBK bytes of the spans with their colour escapes, and
// the runes it had to replace. The card reads a backslash as the start of an
// escape: it is shown as the full-width ＼, and counts as replaced. Control
// characters become spaces. It works on runes: the second byte of a GBK
// character may itself be 5C.
func EncodeText(spans []Span) (text []byte, replaced []rune) {
	var colour Colour
	for _, s := range spans {
		if s.Text == "" {
			continue
		}
		if s.Colour != colour && s.Colour >= Red && s.Colour <= Yellow {
			text = append(text, '\\', 'C', '0'+byte(s.Colour))
			colour = s.Colour
		}
		for _, r := range s.Text {
			b, ok := encodeRune(r)
			text = append(text, b...)
			if !ok {
				replaced = append(replaced, r)
			}
		}
	}
	return text, replaced
}

func encodeRune(r rune) (gbk []byte, faithful bool) {
	switch {
	case r == '\\':
		b, _ := encodeRune('＼')
		return b, false
	case r < ' ' || r == 0x7F:
		return []byte{' '}, true
	case r < 0x80:
		return []byte{byte(r)}, true
	}
	// x/text writes the euro sign as the single byte 80, which no card expects.
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes(utf8.AppendRune(nil, r))
	if err != nil || len(b) != 2 || r == utf8.RuneError {
		b, _ = encodeRune(missing)
		return b, false
	}
	return b, true
}
