package sign

import (
	"image"
	"image/color"
	"strings"
)

// shapes are the segments of each character: a at the top, b and c at the right, d at
// the bottom, e and f at the left, g in the middle. What is not here is blank.
var shapes = map[rune]string{
	'0': "abcdef", '1': "bc", '2': "abdeg", '3': "abcdg", '4': "bcfg", '5': "acdfg", '6': "acdefg", '7': "abc", '8': "abcdefg", '9': "abcdfg",
	'A': "abcefg", 'B': "cdefg", 'C': "adef", 'D': "bcdeg", 'E': "adefg", 'F': "aefg", 'G': "acdef", 'H': "bcefg", 'I': "ef", 'J': "bcde",
	'L': "def", 'N': "ceg", 'O': "cdeg", 'P': "abefg", 'Q': "abcfg", 'R': "eg", 'S': "acdfg", 'T': "defg", 'U': "bcdef", 'Y': "bcdfg", 'Z': "abdeg",
	'-': "g", '_': "d",
}

// The size of a cell in pixels, and where its segments meet.
const (
	cellW, cellH             = 66, 100
	left, right              = 13, 49
	top, middle, bottom      = 14, 50, 86
	thick                    = 5 // to each side of the middle of a segment
	pointLeft, pointTop, dot = 56, 81, 9
)

var (
	lit   = color.RGBA{0xFF, 0x2A, 0x18, 0xFF}
	unlit = color.RGBA{0x30, 0x0E, 0x0E, 0xFF}
	panel = color.RGBA{0x14, 0x08, 0x08, 0xFF}
)

// segments are the places of the segments: from where to where.
var segments = map[rune][2]image.Point{
	'a': {{left, top}, {right, top}}, 'b': {{right, top}, {right, middle}}, 'c': {{right, middle}, {right, bottom}},
	'd': {{left, bottom}, {right, bottom}}, 'e': {{left, middle}, {left, bottom}}, 'f': {{left, top}, {left, middle}}, 'g': {{left, middle}, {right, middle}},
}

// Segments draws a text on a panel of so many seven-segment cells, from the left. A
// point lights in the cell before it.
func Segments(text string, cells int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, cells*cellW, cellH))
	for i := range m.Pix {
		m.Pix[i] = [4]byte{panel.R, panel.G, panel.B, panel.A}[i%4]
	}
	rest := []rune(strings.ToUpper(text))
	for i := range cells {
		c, point := ' ', false
		if len(rest) > 0 && rest[0] != '.' {
			c, rest = rest[0], rest[1:]
		}
		if len(rest) > 0 && rest[0] == '.' {
			point, rest = true, rest[1:]
		}
		cell(m, i*cellW, shapes[c], point)
	}
	return m
}

func cell(m *image.RGBA, x int, on string, point bool) {
	for name, s := range segments {
		bar(m, s[0].Add(image.Pt(x, 0)), s[1].Add(image.Pt(x, 0)), glow(strings.ContainsRune(on, name)))
	}
	for py := range dot {
		for px := range dot {
			m.SetRGBA(x+pointLeft+px, pointTop+py, glow(point))
		}
	}
}

func glow(on bool) color.RGBA {
	if on {
		return lit
	}
	return unlit
}

// bar fills a segment with pointed ends.
func bar(m *image.RGBA, from, to image.Point, c color.RGBA) {
	step := image.Pt(1, 0)
	if from.X == to.X {
		step = image.Pt(0, 1)
	}
	for off := -thick; off <= thick; off++ {
		short := max(off, -off) + 2
		aside := image.Pt(step.Y, step.X).Mul(off)
		last := to.Sub(step.Mul(short))
		for p := from.Add(step.Mul(short)); p.X <= last.X && p.Y <= last.Y; p = p.Add(step) {
			m.SetRGBA(p.X+aside.X, p.Y+aside.Y, c)
		}
	}
}
