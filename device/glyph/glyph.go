// Package glyph holds the dots of characters for anything that is made of
// dots: LED strips, walls of lamps, thermal paper.
//
// Two faces are embedded. The 16-dot face is GNU Unifont 15.0.01 (SIL Open Font
// License 1.1, see OFL.txt): every visible character of Unicode's basic plane,
// 8 or 16 dots wide. The 24-dot face is rasterised from WenQuanYi Micro Hei
// (Apache License 2.0, see LICENSE-Apache-2.0.txt): Latin 12 dots wide, all of
// GBK and the usual symbols 24 dots wide; symbols that it lacks are Unifont's.
//
// It does not know layout, alignment, colours, printers or signs.
package glyph

import (
	_ "embed"
	"sort"
	"sync"
)

//go:generate go run ./gen -out .

//go:embed face16.gz
var dots16 []byte

//go:embed face24.gz
var dots24 []byte

// Missing is drawn for a character that a face does not have.
const Missing = '□'

// A Face maps characters to dots. All its glyphs are equally high. It is safe
// for several goroutines. Its data is unpacked at first use and stays with the
// Face, so a program keeps one Face of each size and hands it around.
type Face struct {
	height int
	table  func() table
}

// Face16 returns a new 16-dot face; unpacked it holds about 2.2 MB.
func Face16() *Face { return newFace(16, dots16) }

// Face24 returns a new 24-dot face; unpacked it holds about 1.8 MB.
func Face24() *Face { return newFace(24, dots24) }

func newFace(height int, packed []byte) *Face {
	return &Face{height: height, table: sync.OnceValue(func() table {
		t, err := unpack(packed, height)
		if err != nil {
			panic("glyph: embedded face is damaged: " + err.Error()) // a build that its own tests reject
		}
		return t
	})}
}

// Height returns the height of every glyph in dots.
func (f *Face) Height() int { return f.height }

// Glyph returns the dots of r. If the face has none, it returns the dots of
// Missing and false: nothing is ever dropped. The dots are shared: read only.
func (f *Face) Glyph(r rune) (Bitmap, bool) {
	t := f.table()
	if b, ok := t.find(r, f.height); ok {
		return b, true
	}
	b, _ := t.find(Missing, f.height)
	return b, false
}

// Width returns how many dots s is wide.
func (f *Face) Width(s string) int {
	w := 0
	for _, r := range s {
		b, _ := f.Glyph(r)
		w += b.W
	}
	return w
}

// Fit returns the longest beginning of s that is at most width dots wide.
func (f *Face) Fit(s string, width int) string {
	for i, r := range s {
		b, _ := f.Glyph(r)
		if width -= b.W; width < 0 {
			return s[:i]
		}
	}
	return s
}

// Draw sets the dots of s in dst with the upper left corner of the first glyph
// at x, y, and returns the x after the last. What lies outside dst is cut off.
func (f *Face) Draw(dst *Bitmap, x, y int, s string) int {
	for _, r := range s {
		b, _ := f.Glyph(r)
		dst.Blit(b, x, y)
		x += b.W
	}
	return x
}

// table is a face in memory: ascending runes, and where the dots of each begin.
type table struct {
	runes []uint16
	start []uint32 // one more than runes
	dots  []byte
}

func (t table) find(r rune, height int) (Bitmap, bool) {
	i := sort.Search(len(t.runes), func(i int) bool { return rune(t.runes[i]) >= r })
	if i == len(t.runes) || rune(t.runes[i]) != r {
		return Bitmap{}, false
	}
	dots := t.dots[t.start[i]:t.start[i+1]:t.start[i+1]]
	return Bitmap{W: len(dots) / height * 8, H: height, Rows: dots}.trim(height), true
}
