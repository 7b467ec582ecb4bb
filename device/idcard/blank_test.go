package idcard

import (
	"bytes"
	"slices"
	"testing"
)

// aDocument is a reply to "read": head, text and photo.
func aDocument(kind byte, number, name string) []byte {
	text := make([]byte, textLen)
	for i := 0; i < textLen; i += 2 {
		text[i] = ' '
	}
	write(text, span{122, 36}, number)
	write(text, span{36, 16}, number[6:14])
	write(text, span{188, 16}, "20150607")
	write(text, span{204, 16}, "20350607")
	write(text, span{30, 2}, "1")
	write(text, span{32, 4}, "01")
	for i, u := range []rune(name) {
		text[2*i], text[2*i+1] = byte(u), byte(u>>8)
	}
	text[248] = kind
	data := slices.Concat([]byte{1, 0, 4, 0}, text, bytes.Repeat([]byte{0x57}, 1024))
	f := append([]byte{byte((len(data) + 4) >> 8), byte(len(data) + 4), 0, 0, byte(OK)}, data...)
	return append(append([]byte{0xAA, 0xAA, 0xAA, 0x96, 0x69}, f...), xor(f))
}

// decoded runs bytes through the hunter and the decoder.
func decoded(t *testing.T, b []byte) (Card, error) {
	t.Helper()
	var h hunter
	for _, c := range b {
		if got, what := h.feed(c); what == whole {
			text, _, err := document(got.data, 4)
			if err != nil {
				return Card{}, err
			}
			return Decode(text)
		}
	}
	return Card{}, ErrGarbled
}

// A blanked card is read as the original was, and nothing of the person is left.
func TestBlankKeepsTheFormAndNothingElse(t *testing.T) {
	const number, name = "11010119000101009X", "欧阳震华"
	in := aDocument(' ', number, name)
	out := Blank(in)
	c, err := decoded(t, out)
	if err != nil || len(out) != len(in) || c.Kind != Resident {
		t.Fatalf("%v, kind %q", err, c.Kind)
	}
	if got := c.Number.Reveal(); got != "110101190001010014" {
		t.Errorf("number %s", got)
	}
	if got := c.Name.Reveal(); got != "某某某某" {
		t.Errorf("name %s", got)
	}
	for i := 0; i+1 < len(out); i++ { // the photo
		if out[i] == 0x57 && out[i+1] == 0x57 {
			t.Fatal("the photo is on the tape")
		}
	}
}

// What was damaged is damaged in the same way afterwards.
func TestBlankKeepsTheDamage(t *testing.T) {
	wrong := aDocument(' ', "11010119000101009X", "某")
	wrong[len(wrong)-1] ^= 0x21
	out := Blank(wrong)
	if x := xor(out[preamble:]); x != 0x21 {
		t.Errorf("the XOR is wrong by %02X, want 21", x)
	}
	short := aDocument(' ', "11010119000101009X", "李四")
	short = slices.Delete(short, 30, 33) // three bytes lost on the wire
	out = Blank(short)
	if len(out) != len(short) || bytes.Contains(out, []byte("1\x001\x000\x001\x00")) {
		t.Error("a damaged document is not blanked")
	}
	bad := aDocument(' ', "110101190001010015", "某") // the check character is wrong
	if _, err := decoded(t, Blank(bad)); err != ErrDamaged {
		t.Errorf("a wrong number became %v", err)
	}
	noStart := aDocument(' ', "11010119000101009X", "李四")[2:]
	if out := Blank(noStart); slices.ContainsFunc(out, func(b byte) bool { return b != 0 }) {
		t.Error("a document without its beginning is not cleared")
	}
}

// Answers that tell of no card stay as they are.
func TestBlankKeepsShortAnswers(t *testing.T) {
	id := []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 0x14, 0, 0, 0x90, 5, 0, 1, 0, 9, 9, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7, 0}
	if out := Blank(id); !bytes.Equal(out, id) {
		t.Errorf("% X", out)
	}
}

func FuzzBlank(f *testing.F) {
	f.Add(aDocument(' ', "11010119000101009X", "某"))
	f.Add([]byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 0x24, 0, 0, 0x90})
	f.Fuzz(func(t *testing.T, b []byte) {
		if out := Blank(b); len(out) != len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(out))
		}
	})
}
