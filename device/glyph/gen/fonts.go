package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"image"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// unifont reads lines of "CODE:ROWS", 16 rows of one or two bytes in hex.
func unifont(name string) ([]glyph, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: apt install unifont", err)
	}
	defer f.Close()
	var gs []glyph
	for s := bufio.NewScanner(f); s.Scan(); {
		code, dots, _ := strings.Cut(s.Text(), ":")
		r, err := strconv.ParseUint(code, 16, 16)
		if err != nil {
			return nil, err
		}
		rows, err := hex.DecodeString(dots)
		if err != nil || len(rows) != 16 && len(rows) != 32 {
			return nil, fmt.Errorf("unifont %s: %d bytes, %v", code, len(rows), err)
		}
		gs = append(gs, glyph{rune(r), len(rows) / 16, rows})
	}
	return gs, nil
}

const (
	dots     = 24
	baseline = 20   // rows above the baseline
	ink      = 0x68 // of 255: how much of a dot must be covered to be set
)

// microhei draws Latin in cells of 12 dots from the collection's monospaced
// font, and everything else in cells of 24 from the first. A few symbols that
// it lacks are taken from spare, the 16-dot glyphs.
func microhei(name string, spare map[rune]glyph) ([]glyph, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: apt install fonts-wqy-microhei", err)
	}
	wide, err := face(b, 0, dots)
	if err != nil {
		return nil, err
	}
	narrow, err := face(b, 1, latin)
	if err != nil {
		return nil, err
	}
	var gs []glyph
	for r := range characters() {
		f, cell := wide, dots
		if r < 0x370 {
			f, cell = narrow, dots/2
		}
		if g, ok := draw(f, r, cell); ok {
			gs = append(gs, g)
		} else if small, ok := spare[r]; ok {
			gs = append(gs, centre(small, cell))
		}
	}
	return gs, nil
}

// centre puts the dots of the 16-dot face in the middle of a cell.
func centre(g glyph, cell int) glyph {
	out := glyph{r: g.r, stride: (cell + 7) / 8}
	out.rows = make([]byte, out.stride*dots)
	left, top := max(0, (cell-8*g.stride)/2), (dots-16)/2
	for y := range 16 {
		for x := range min(8*g.stride, cell) {
			if g.rows[y*g.stride+x/8]&(0x80>>(x%8)) != 0 {
				out.rows[(top+y)*out.stride+(left+x)/8] |= 0x80 >> ((left + x) % 8)
			}
		}
	}
	return out
}

const latin = 22 // size in dots at which the monospaced Latin fills 12

// A drawer draws one font at one size and knows which characters it has.
type drawer struct {
	font *opentype.Font
	face font.Face
}

// has reports whether the font has r; its face alone would draw a box.
func (d drawer) has(r rune) bool {
	var b sfnt.Buffer
	i, err := d.font.GlyphIndex(&b, r)
	return err == nil && i != 0
}

func face(collection []byte, i int, size float64) (drawer, error) {
	b, err := extract(collection, i)
	if err != nil {
		return drawer{}, err
	}
	f, err := opentype.Parse(b)
	if err != nil {
		return drawer{}, err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	return drawer{f, face}, err
}

// draw centres r in a cell, which cuts nothing from a glyph that fits.
// A character without ink that is no space counts as missing.
func draw(f drawer, r rune, cell int) (glyph, bool) {
	adv, ok := f.face.GlyphAdvance(r)
	if !ok || !f.has(r) {
		return glyph{}, false
	}
	img := image.NewAlpha(image.Rect(0, 0, cell, dots))
	x := (fixed.I(cell) - adv) / 2
	d := font.Drawer{Dst: img, Src: image.Opaque, Face: f.face, Dot: fixed.Point26_6{X: x, Y: fixed.I(baseline)}}
	d.DrawString(string(r))
	g := glyph{r: r, stride: (cell + 7) / 8}
	g.rows = make([]byte, g.stride*dots)
	seen := unicode.IsSpace(r)
	for y := range dots {
		for x := range cell {
			if img.AlphaAt(x, y).A >= ink {
				seen = true
				g.rows[y*g.stride+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return g, seen
}

// characters returns what the 24-dot face should have: Latin, all of GBK, and
// the symbols of notices.
func characters() map[rune]bool {
	set := map[rune]bool{}
	for _, span := range [][2]rune{
		{0x20, 0x7E}, {0xA0, 0x17F}, {0x2010, 0x2027}, {0x2030, 0x203E}, {0x20A0, 0x20BF}, {0x2100, 0x218F},
		{0x2190, 0x21FF}, {0x2200, 0x22FF}, {0x2460, 0x24FF}, {0x2500, 0x266F}, {0x2700, 0x27BF}, {0x3000, 0x30FF},
		{0x3100, 0x312F}, {0x3220, 0x33FF}, {0xFF00, 0xFFEF},
	} {
		for r := span[0]; r <= span[1]; r++ {
			set[r] = true
		}
	}
	dec := simplifiedchinese.GBK.NewDecoder()
	for hi := 0x81; hi <= 0xFE; hi++ {
		for lo := 0x40; lo <= 0xFE; lo++ {
			s, err := dec.String(string([]byte{byte(hi), byte(lo)}))
			if rs := []rune(s); err == nil && len(rs) == 1 && rs[0] != 0xFFFD && (rs[0] < 0xE000 || rs[0] >= 0xF900) && rs[0] <= 0xFFFF {
				set[rs[0]] = true
			}
		}
	}
	return set
}
