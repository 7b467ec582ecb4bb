package printer

import (
	"strings"

	"longcheng/device/glyph"
)

// A Page is one slip of paper, from the top.
type Page []Element

// An Element is one of Text, Columns, Rule, QR, Barcode, Image, Feed and Cut.
type Element interface{ element() }

// Align says where a line stands.
type Align byte

// The alignments, with the values of ESC a.
const (
	Left   Align = 0
	Center Align = 1
	Right  Align = 2
)

// A Text is one line. Width and Height are multiples 1-8 of the basic cell;
// zero means 1. Draw sends it as dots also where the printer has the font.
type Text struct {
	S             string
	Width, Height int
	Align         Align
	Bold          bool
	Draw          bool
}

// Columns is one line of cells beside each other. Without Cells it is Left and
// Right at the edges, in two lines where the paper is too narrow.
type Columns struct {
	Left, Right string
	Cells       []Cell
}

// A Cell is a part of a line, Width columns wide. What does not fit is cut off.
type Cell struct {
	S     string
	Width int
	Align Align
}

// A Rule is a line across the paper.
type Rule struct{}

// A QR is a QR code of level M, centred. Module is the side of a module in dots;
// 0 is as large as fits, at most 6.
type QR struct {
	S      string
	Module int
}

// A Barcode is a CODE128 of printable ASCII, centred, Height dots tall; 0 is 80.
type Barcode struct {
	S      string
	Height int
}

// An Image is dots. A Logo may be left to the printer, where it was stored at
// commissioning, and on a slow wire it is left out rather than waited for.
type Image struct {
	Dots  *glyph.Bitmap
	Align Align
	Logo  bool
}

// A Feed is Lines empty lines, 1-255.
type Feed struct{ Lines int }

// A Cut separates the slip from the roll. It is the last element of a slip.
type Cut struct{}

func (Text) element()    {}
func (Columns) element() {}
func (Rule) element()    {}
func (QR) element()      {}
func (Barcode) element() {}
func (Image) element()   {}
func (Feed) element()    {}
func (Cut) element()     {}

// Lines returns c as lines of so many columns.
func (c Columns) Lines(columns int) []Text {
	if len(c.Cells) == 0 {
		gap := columns - Width(c.Left) - Width(c.Right)
		if gap >= 1 {
			return []Text{{S: c.Left + strings.Repeat(" ", gap) + c.Right}}
		}
		return []Text{{S: c.Left}, {S: c.Right, Align: Right}}
	}
	var b strings.Builder
	for _, x := range c.Cells {
		b.WriteString(pad(CleanLine(x.S), x.Width, x.Align))
	}
	return []Text{{S: strings.TrimRight(cutTo(b.String(), columns), " ")}}
}

// pad brings s to exactly width columns.
func pad(s string, width int, a Align) string {
	s = cutTo(s, width)
	room := max(0, width-Width(s))
	switch a {
	case Right:
		return strings.Repeat(" ", room) + s
	case Center:
		return strings.Repeat(" ", room/2) + s + strings.Repeat(" ", room-room/2)
	}
	return s + strings.Repeat(" ", room)
}

// cutTo returns the beginning of s that is at most width columns wide.
func cutTo(s string, width int) string {
	used := 0
	for i, r := range s {
		if used += runeWidth(r); used > width {
			return s[:i]
		}
	}
	return s
}

// Width returns the columns that s takes: 1 for ASCII, 2 for everything else,
// which is how the resident Chinese fonts of 24x24 dots count.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if r < 0x80 {
		return 1
	}
	return 2
}

// Wrap breaks s into lines of at most columns, at a space where the line has one
// in its second half, else between any two characters, never within one. Control
// characters and bytes that are not UTF-8 are dropped: they could be commands.
func Wrap(s string, columns int) []string {
	columns = max(columns, 2)
	var lines []string
	for rest := []rune(Clean(s)); len(rest) > 0; {
		n := fit(rest, columns)
		lines = append(lines, strings.TrimRight(string(rest[:n]), " "))
		for rest = rest[n:]; len(rest) > 0 && rest[0] == ' '; {
			rest = rest[1:]
		}
	}
	return lines
}

// fit returns how many of rest belong on a line of so many columns.
func fit(rest []rune, columns int) int {
	used, space := 0, 0
	for i, r := range rest {
		if used += runeWidth(r); used > columns {
			if space > i/2 {
				return space
			}
			return i
		}
		if r == ' ' {
			space = i
		}
	}
	return len(rest)
}

// Clean returns s without control characters, bytes that are not UTF-8, and
// spaces at its ends.
func Clean(s string) string { return strings.TrimSpace(CleanLine(s)) }

// CleanLine is Clean with the spaces left where they are.
func CleanLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F && r < 0xA0 || r == '\uFFFD' {
			return -1
		}
		return r
	}, s)
}
