package scanner

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	var b strings.Builder
	s := New(&b)
	if err := s.Scan("https://q.example/码"); err != nil || b.String() != "https://q.example/码\r" {
		t.Fatalf("%q, %v", b.String(), err)
	}
}

// The module answers the frames that the maker prints, also when they come in
// pieces, and keeps silent about a damaged one.
func TestGM65(t *testing.T) {
	var b bytes.Buffer
	g := NewGM65(&b)
	g.Hold("A123")
	for _, c := range []struct{ say, want string }{
		{"7E00", ""},
		{"0701002A02D80F", "020000023901C14C"},
		{"7E000801000201ABCD", "02000001003331" + hex.EncodeToString([]byte("A123\r"))},
		{"7E00080100020102DB", ""},
		{"7E000801000056ABCD7E000901000000DEC8", "0200000100333102000001003331"},
	} {
		b.Reset()
		say, err := hex.DecodeString(c.say)
		if err != nil {
			t.Fatal(err)
		}
		g.Receive(t.Context(), say)
		if got := hex.EncodeToString(b.Bytes()); !strings.EqualFold(got, c.want) {
			t.Errorf("%s: %s, want %s", c.say, got, c.want)
		}
	}
	if kept, saves := g.Register(0); kept != 0x56 || saves != 1 {
		t.Errorf("register %02X, kept %d times", kept, saves)
	}
}
