package uid

import (
	"bytes"
	"testing"
)

// numbers runs bytes through a framer.
func numbers(t *testing.T, f Format, b []byte) (got []string, bad uint64) {
	t.Helper()
	fr, err := NewFramer(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b {
		if id, ok := fr.Feed(c); ok {
			got = append(got, id.Hex())
		}
	}
	return got, fr.Bad()
}

// A blanked frame is as good as the real one, or as bad, and has no number.
func TestBlank(t *testing.T) {
	good := []byte("\x02" + "0123456789" + "89" + "\x03") // 01^23^45^67^89 = 89
	wrong := bytes.Replace(good, []byte("89\x03"), []byte("8A\x03"), 1)
	if got, _ := numbers(t, EM4100(), Blank(EM4100())(good)); len(got) != 1 || got[0] != "0000000000" {
		t.Errorf("%q", got)
	}
	if out := Blank(EM4100())(wrong); len(out) != len(wrong) {
		t.Errorf("%q", out)
	} else if got, _ := numbers(t, EM4100(), out); len(got) != 0 {
		t.Errorf("a wrong frame became %q", got)
	}
	block := []byte{2, 9, 1, 0xDE, 0xAD, 0xBE, 0xEF, 0, 3}
	for _, c := range block[1:7] {
		block[7] ^= c
	}
	if before, _ := numbers(t, Block(), block); len(before) != 1 {
		t.Fatalf("%q", before)
	}
	if got, _ := numbers(t, Block(), Blank(Block())(block)); len(got) != 1 || got[0] != "00000000" {
		t.Errorf("%q", got)
	}
}

func FuzzBlank(f *testing.F) {
	f.Add([]byte("\x02012345678989\x03"), false)
	f.Add([]byte{2, 9, 1, 0xDE, 0xAD, 0xBE, 0xEF, 0, 3}, true)
	f.Fuzz(func(t *testing.T, b []byte, binary bool) {
		format := EM4100()
		if binary {
			format = Block()
		}
		if out := Blank(format)(b); len(out) != len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(out))
		}
	})
}
