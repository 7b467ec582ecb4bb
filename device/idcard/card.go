package idcard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf16"
	"unicode/utf8"

	"longcheng/device/secret"
)

// A Kind is the kind of a document.
type Kind string

// The kinds of documents that are decoded.
const (
	Resident      Kind = "resident"       // resident identity card
	Permit        Kind = "permit"         // residence permit for Hong Kong, Macao and Taiwan residents
	Foreigner2017 Kind = "foreigner-2017" // foreigner's permanent residence card, first chip edition
	Foreigner2023 Kind = "foreigner-2023" // foreigner's permanent residence card, five-star edition
)

// Errors of decoding. They never contain what was on the card.
var (
	ErrUnsupported = errors.New("document is not supported: use another document")
	ErrDamaged     = errors.New("card data is damaged: present the card again")
)

// A Card is what one document says. However it is printed, it prints as "card".
// Fields that a kind of document does not have are zero.
type Card struct {
	Kind   Kind
	Number Secret
	Name   Secret // in hanzi; of foreigners in Latin letters
	Birth  Day
	From   Day
	Until  Day // zero: for ever

	// What Lean takes away.
	Sex         Secret // 0 unknown, 1 male, 2 female, 9 not stated
	Nation      Secret // two digits: see NationName
	Address     Secret
	Authority   Secret // of foreigners a code
	Chinese     Secret // Chinese name of a foreigner
	Nationality Secret // of a foreigner, three letters
	Permit      Secret // number of the travel permit
	Issue       Secret // how many times the permit was issued or the card renewed
	Link        Secret // leads to the number of the earlier card; the rule is not published
}

// Lean wipes what a queue does not need and keeps kind, number, name, birth and
// validity.
func (c *Card) Lean() {
	for _, s := range c.extra() {
		s.Wipe()
		*s = Secret{}
	}
}

func (c *Card) extra() []*Secret {
	return []*Secret{&c.Sex, &c.Nation, &c.Address, &c.Authority, &c.Chinese, &c.Nationality, &c.Permit, &c.Issue, &c.Link}
}

// Wipe overwrites what is secret on the card, in every copy of it.
func (c Card) Wipe() {
	for _, s := range append(c.extra(), &c.Number, &c.Name) {
		s.Wipe()
	}
	for _, d := range []Day{c.Birth, c.From, c.Until} {
		d.Wipe()
	}
}

// Format prints "card", whatever is asked for.
func (c Card) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// String returns "card".
func (c Card) String() string { return masked }

// LogValue returns "card".
func (c Card) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON returns "card".
func (c Card) MarshalJSON() ([]byte, error) { return json.Marshal(masked) }

const textLen = 256

// Decode reads the 256 bytes of text of a document. The kind is looked at before
// any other field: the same bytes read by the wrong layout look plausible.
func Decode(text []byte) (Card, error) {
	if len(text) != textLen {
		return Card{}, ErrDamaged
	}
	l, ok := layouts[text[248]]
	if !ok || text[249] != 0 {
		return Card{}, ErrUnsupported
	}
	c := Card{Kind: l.kind}
	if !l.check(text) || !c.days(l, text) {
		c.Wipe()
		return Card{}, ErrDamaged
	}
	for to, from := range l.fields(&c) {
		*to = characters(text, from)
	}
	number := ascii(text, l.number)
	c.Number = NewSecret(number)
	clear(number)
	return c, nil
}

func (c *Card) days(l layout, text []byte) bool {
	for _, d := range []struct {
		to   *Day
		from span
	}{{&c.Birth, l.birth}, {&c.From, l.from}, {&c.Until, l.until}} {
		if d.to == &c.Until && forEver(text[d.from.off:d.from.off+d.from.n]) {
			continue
		}
		b := ascii(text, d.from)
		t, ok := date(b)
		clear(b)
		if !ok {
			return false
		}
		*d.to = secret.NewDay(t)
	}
	return true
}

// forEver recognises 长期 and its padding.
func forEver(b []byte) bool {
	return string(b) == "\x7F\x95\x1F\x67 \x00 \x00 \x00 \x00 \x00 \x00"
}

// ascii returns a field without its padding; what is not ASCII becomes 0xFF.
func ascii(text []byte, s span) []byte {
	out := make([]byte, 0, s.n/2)
	for i := s.off; i < s.off+s.n; i += 2 {
		c := text[i]
		if text[i+1] != 0 || c >= 0x80 {
			c = 0xFF
		}
		out = append(out, c)
	}
	for len(out) > 0 && (out[len(out)-1] == ' ' || out[len(out)-1] == 0) {
		out = out[:len(out)-1]
	}
	for i, c := range out {
		if c == 'x' {
			out[i] = 'X'
		}
	}
	return out
}

// characters keeps inner spaces and middle dots, characters beyond the first
// 65536 and those of the private use area, with which rare names are written:
// only the padding goes. Half a pair becomes U+FFFD. A field may be in parts.
func characters(text []byte, parts []span) Secret {
	units := make([]uint16, 0, 64)
	for _, s := range parts {
		for i := s.off; i < s.off+s.n; i += 2 {
			units = append(units, uint16(text[i])|uint16(text[i+1])<<8)
		}
	}
	defer clear(units)
	end := len(units)
	for end > 0 && (units[end-1] == ' ' || units[end-1] == 0) {
		end--
	}
	runes := utf16.Decode(units[:end])
	defer clear(runes)
	b := make([]byte, 0, 3*len(units))
	for _, r := range runes {
		b = utf8.AppendRune(b, r)
	}
	return secret.Own(b)
}
