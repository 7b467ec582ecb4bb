// Package counter is a simulated line with counter boards that take the ASCII frame
// "$nnn,text#" (Armfly LED-485 series): nnn is the address, decimal; text is shown as
// it stands. It does not know the program that writes.
package counter

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"longcheng/cmd/kiosksim/sim/sign"
)

// A Config describes one board.
type Config struct {
	Name    string
	Address int
	Cells   int // digits; 0 means 4
}

// A Line is the wire with its boards.
type Line struct {
	mu     sync.Mutex
	in     string
	boards map[int]board
}

type board struct {
	*sign.Face
	cells int
}

// New returns a line.
func New(boards ...Config) *Line {
	l := &Line{boards: map[int]board{}}
	for _, b := range boards {
		n := max(b.Cells, 1)
		if b.Cells == 0 {
			n = 4
		}
		l.boards[b.Address] = board{&sign.Face{Name: b.Name, Dark: sign.Segments("", n)}, n}
	}
	return l
}

// Face returns the board of that name, or nil.
func (l *Line) Face(name string) *sign.Face {
	for _, b := range l.boards {
		if b.Name == name {
			return b.Face
		}
	}
	return nil
}

const longest = 1024

var frame = regexp.MustCompile(`\$([0-9]{3}),([^#$]*)#`)

// Receive takes the host's bytes in pieces of any size.
func (l *Line) Receive(_ context.Context, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in += string(b)
	for m := frame.FindStringSubmatchIndex(l.in); m != nil; m = frame.FindStringSubmatchIndex(l.in) {
		n, _ := strconv.Atoi(l.in[m[2]:m[3]]) // three digits
		if b, ok := l.boards[n]; ok && b.Hears() {
			text := strings.TrimSpace(l.in[m[4]:m[5]])
			b.Show(sign.Look{Text: text, Image: sign.Segments(text, b.cells)})
		}
		l.in = l.in[m[1]:]
	}
	l.in = l.in[max(0, len(l.in)-longest):]
}
