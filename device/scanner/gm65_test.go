package scanner

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// The frames that the maker prints.
func TestGM65(t *testing.T) {
	for want, got := range map[string][]byte{
		"7E 00 08 01 00 02 01 02 DA": TriggerGM65(),
		"7E 00 07 01 00 2A 02 D8 0F": AskGM65(),
		"7E 00 09 01 00 00 00 DE C8": SaveGM65(),
	} {
		if b, _ := hex.DecodeString(strings.ReplaceAll(want, " ", "")); !bytes.Equal(b, got) {
			t.Errorf("% X, want %s", got, want)
		}
	}
	if code, err := Decode(append(bytes.Clone(ackGM65), "]Q1A123"...)); code != "A123" || err != nil {
		t.Errorf("%q, %v", code, err)
	}
	if !IsGM65([]byte{2, 0, 0, 2, 0x39, 1, 0xC1, 0x4C}) || IsGM65([]byte("hello, this is none")) {
		t.Error("answers are not recognised")
	}
}
