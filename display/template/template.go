package template

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Limits of a template and of its frame.
const (
	maxTemplate = 256
	maxFields   = 64
	maxText     = 64
)

// A Template is a frame with places for the address, the text and check sums.
type Template struct{ fields []field }

// field is one part of a frame: literal bytes, or something computed.
type field struct {
	kind, form string
	literal    []byte
	width      int
}

// A Content is what one frame carries.
type Content struct {
	Address int
	Text    []byte
	Number  int // digits of the ticket
}

// forms lists the forms of each field; the first is the default.
var forms = map[string][]string{
	"address": {"byte", "dec2", "dec3", "hex2"},
	"number":  {"be16", "le16", "byte", "dec3", "dec4"},
	"length":  {"byte", "dec2", "hex2"},
	"sum8":    {"byte", "hex"}, "xor8": {"byte", "hex"}, "lrc": {"byte", "hex"}, "nsum8": {"byte", "hex"},
	"crc16-modbus": {"le", "be", "hex"}, "crc16-arc": {"le", "be", "hex"},
	"from": {""},
}

// Parse reads a template and says what it does not understand.
func Parse(s string) (Template, error) {
	var t Template
	if len(s) > maxTemplate {
		return t, fmt.Errorf("template: %d bytes: at most %d", len(s), maxTemplate)
	}
	for rest := s; rest != ""; {
		open := strings.IndexAny(rest, "{}")
		switch {
		case open < 0:
			t.literal(rest)
			rest = ""
			continue
		case strings.HasPrefix(rest[open:], "{{"), strings.HasPrefix(rest[open:], "}}"):
			t.literal(rest[:open+1])
			rest = rest[open+2:]
			continue
		case rest[open] == '}':
			return t, fmt.Errorf("template %q: a lone }: write }} for a brace", s)
		}
		t.literal(rest[:open])
		inside, after, ok := strings.Cut(rest[open+1:], "}")
		if !ok {
			return t, fmt.Errorf("template %q: { without }", s)
		}
		f, err := parseField(inside)
		if err != nil {
			return t, fmt.Errorf("template %q: %w", s, err)
		}
		t.fields = append(t.fields, f)
		rest = after
	}
	if len(t.fields) == 0 || len(t.fields) > maxFields {
		return t, fmt.Errorf("template %q: %d parts: 1 to %d", s, len(t.fields), maxFields)
	}
	return t, nil
}

func (t *Template) literal(s string) {
	if s != "" {
		t.fields = append(t.fields, field{kind: "literal", literal: []byte(s)})
	}
}

func parseField(s string) (field, error) {
	if b, err := hex.DecodeString(s); err == nil && len(b) == 1 {
		return field{kind: "literal", literal: b}, nil
	}
	kind, form, _ := strings.Cut(s, ":")
	if kind == "text" {
		n := 0
		if form != "" {
			var err error
			if n, err = strconv.Atoi(form); err != nil || n == 0 || n > maxText || n < -maxText {
				return field{}, fmt.Errorf("{%s}: the width is 1 to %d, or -1 to -%d for the right", s, maxText, maxText)
			}
		}
		return field{kind: kind, width: n}, nil
	}
	known, ok := forms[kind]
	if !ok {
		return field{}, fmt.Errorf("{%s}: unknown field: see the integrator's page of the template driver", s)
	}
	if form == "" {
		form = known[0]
	}
	for _, k := range known {
		if k == form {
			return field{kind: kind, form: form}, nil
		}
	}
	return field{}, fmt.Errorf("{%s}: %s is written as %s", s, kind, strings.Join(known, ", "))
}

// Frame returns the bytes of a frame. What does not fit is an error, except text,
// of which the end stays: that is where numbers differ.
func (t Template) Frame(c Content) ([]byte, error) {
	var b []byte
	from := 0
	for _, f := range t.fields {
		switch f.kind {
		case "literal":
			b = append(b, f.literal...)
		case "from":
			from = len(b)
		case "text":
			b = append(b, fit(c.Text, f.width)...)
		case "address", "number", "length":
			v := map[string]int{"address": c.Address, "number": c.Number, "length": len(fit(c.Text, t.textWidth()))}[f.kind]
			n, err := f.number(v)
			if err != nil {
				return nil, err
			}
			b = append(b, n...)
		default:
			b = f.sum(b, b[from:])
		}
	}
	return b, nil
}

func (t Template) textWidth() int {
	for _, f := range t.fields {
		if f.kind == "text" {
			return f.width
		}
	}
	return 0
}

// fit pads or cuts a text; it never cuts a two-byte character in half.
func fit(text []byte, width int) []byte {
	n := max(width, -width)
	if width == 0 {
		n = min(len(text), maxText)
	}
	for len(text) > n {
		if text[0] >= 0x81 && len(text) > 1 {
			text = text[1:]
		}
		text = text[1:]
	}
	pad := []byte(strings.Repeat(" ", n-len(text)))
	if width == 0 {
		return text
	}
	if width < 0 {
		return append(pad, text...)
	}
	return append(append([]byte(nil), text...), pad...)
}

func (f field) number(v int) ([]byte, error) {
	most := map[string]int{"byte": 255, "hex2": 255, "dec2": 99, "dec3": 999, "dec4": 9999, "be16": 65535, "le16": 65535}[f.form]
	if v < 0 || v > most {
		return nil, fmt.Errorf("encode %s %d: at most %d fits: choose another form", f.kind, v, most)
	}
	switch f.form {
	case "byte":
		return []byte{byte(v)}, nil
	case "be16":
		return []byte{byte(v >> 8), byte(v)}, nil
	case "le16":
		return []byte{byte(v), byte(v >> 8)}, nil
	case "hex2":
		return fmt.Appendf(nil, "%02X", v), nil
	}
	return fmt.Appendf(nil, "%0*d", int(f.form[3]-'0'), v), nil
}

// sum appends a check sum over data.
func (f field) sum(b, data []byte) []byte {
	if crc, ok := strings.CutPrefix(f.kind, "crc16-"); ok {
		start := uint16(0)
		if crc == "modbus" {
			start = 0xFFFF
		}
		c := crc16(start, data)
		switch f.form {
		case "be":
			return append(b, byte(c>>8), byte(c))
		case "hex":
			return fmt.Appendf(b, "%04X", c)
		}
		return append(b, byte(c), byte(c>>8))
	}
	var sum, xor byte
	for _, v := range data {
		sum += v
		xor ^= v
	}
	v := map[string]byte{"sum8": sum, "xor8": xor, "lrc": -sum, "nsum8": ^sum}[f.kind]
	if f.form == "hex" {
		return fmt.Appendf(b, "%02X", v)
	}
	return append(b, v)
}

// crc16 is the reflected CRC with polynomial A001: from FFFF it is Modbus's, from
// 0 ARC's.
func crc16(c uint16, b []byte) uint16 {
	for _, v := range b {
		c ^= uint16(v)
		for range 8 {
			low := c & 1
			c >>= 1
			if low != 0 {
				c ^= 0xA001
			}
		}
	}
	return c
}

// encode writes a text in a character set; what the set lacks becomes a space
// (ascii) or 〓 (gbk).
func encode(charset, text string) []byte {
	if charset == "utf8" {
		return []byte(text)
	}
	var out []byte
	enc := simplifiedchinese.GBK.NewEncoder()
	for _, r := range text {
		switch {
		case r >= ' ' && r <= '~':
			out = append(out, byte(r))
		case charset == "gbk":
			b, err := enc.String(string(r))
			if err != nil || len(b) != 2 {
				b = "\xA1\xFE" // 〓
			}
			out = append(out, b...)
		default:
			out = append(out, ' ')
		}
	}
	return out
}
