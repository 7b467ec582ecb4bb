package glyph

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func faces() map[string]*Face { return map[string]*Face{"16": Face16(), "24": Face24()} }

// A name or a matter that a citizen reads must never lose a character.
func TestEveryGBKHanziIsThere(t *testing.T) {
	dec := simplifiedchinese.GBK.NewDecoder()
	for name, f := range faces() {
		n := 0
		for hi := 0x81; hi <= 0xFE; hi++ {
			for lo := 0x40; lo <= 0xFE; lo++ {
				s, err := dec.String(string([]byte{byte(hi), byte(lo)}))
				r := []rune(s)
				if err != nil || len(r) != 1 || r[0] < 0x4E00 || r[0] > 0x9FA5 {
					continue
				}
				n++
				if b, ok := f.Glyph(r[0]); !ok || b.W != f.Height() || empty(b) {
					t.Errorf("face %s: %c (%U): there %v, %d wide", name, r[0], r[0], ok, b.W)
				}
			}
		}
		if n != 20902 {
			t.Fatalf("%d hanzi, want 20902", n)
		}
	}
}

func TestLatinAndSymbols(t *testing.T) {
	for name, f := range faces() {
		for _, r := range "!0123456789AZaz~éāü→←①■○、。「（，：％￥℃√" {
			b, ok := f.Glyph(r)
			if !ok || empty(b) {
				t.Errorf("face %s lacks %c", name, r)
			}
			if r < 0x370 && b.W != f.Height()/2 {
				t.Errorf("face %s: %c is %d wide", name, r, b.W)
			}
		}
		if b, ok := f.Glyph(' '); !ok || !empty(b) {
			t.Errorf("face %s: space", name)
		}
	}
}

func TestUnifontDotsAreTheirs(t *testing.T) {
	b, _ := Face16().Glyph('请')
	if got := hex.EncodeToString(b.Rows); got != "0040404027fc204003f80040e7fe200023f8220823f822082bf8320822280210" {
		t.Fatal(got)
	}
}

func TestAMissingCharacterIsABoxNeverNothing(t *testing.T) {
	for name, f := range faces() {
		box, ok := f.Glyph(Missing)
		if !ok {
			t.Fatalf("face %s has no box", name)
		}
		for _, r := range []rune{0x20BB7, 0x10FFFF, -1, 0xE000} {
			if b, ok := f.Glyph(r); ok || !bytes.Equal(b.Rows, box.Rows) {
				t.Errorf("face %s: %U drawn as something else", name, r)
			}
		}
		if w := f.Width("a\U00020BB7"); w != f.Height()/2+box.W {
			t.Errorf("face %s: width %d", name, w)
		}
	}
}

func TestDrawCutsAtTheEdgesAndReturnsTheEnd(t *testing.T) {
	f := Face16()
	const s = "A012请"
	if f.Width(s) != 48 || f.Fit(s, 47) != "A012" || f.Fit(s, 48) != s || f.Fit(s, 0) != "" {
		t.Fatal("columns")
	}
	full := NewBitmap(48, 16)
	if x := f.Draw(full, 0, 0, s); x != 48 {
		t.Fatal(x)
	}
	part := NewBitmap(20, 10)
	f.Draw(part, -10, -3, s)
	for y := range part.H {
		for x := range part.W {
			if part.At(x, y) != full.At(x+10, y+3) {
				t.Fatalf("dot %d,%d", x, y)
			}
		}
	}
	big := full.Scale(3)
	if big.W != 144 || big.H != 48 {
		t.Fatal(big.W, big.H)
	}
	for y := range big.H {
		for x := range big.W {
			if big.At(x, y) != full.At(x/3, y/3) {
				t.Fatalf("scaled dot %d,%d", x, y)
			}
		}
	}
}

func TestEmbeddedDataStaysSmall(t *testing.T) {
	if n := len(dots16) + len(dots24); n > 2500000 {
		t.Fatalf("%d bytes embedded", n)
	}
}

func TestDamagedDataIsFound(t *testing.T) {
	for _, b := range [][]byte{nil, {1, 2, 3}, dots16[:1000], dots24} {
		if _, err := unpack(b, 16); err == nil {
			t.Errorf("%d bytes accepted", len(b))
		}
	}
}

func FuzzDraw(f *testing.F) {
	face := Face24()
	f.Add("A012 请到3号窗口", 3, -4)
	f.Add(strings.Repeat("\xff", 9), -30, 40)
	f.Fuzz(func(t *testing.T, s string, x, y int) {
		if len(s) > 200 || x < -1e6 || x > 1e6 || y < -1e6 || y > 1e6 {
			return
		}
		b := NewBitmap(37, 19)
		if end := face.Draw(b, x, y, s); end-x != face.Width(s) {
			t.Fatal("width")
		}
		for row := range b.H {
			if r := b.Row(row); r[len(r)-1]&0x07 != 0 {
				t.Fatal("a dot outside the bitmap")
			}
		}
	})
}

func BenchmarkUnpack24(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Face24().Glyph('请')
	}
}

func empty(b Bitmap) bool { return bytes.Count(b.Rows, []byte{0}) == len(b.Rows) }
