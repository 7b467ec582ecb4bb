// Package alpha is a simulated line with Alpha signs on it (Alpha Sign Communications
// Protocol, 9708-8061F): they take frames with a check sum, show file A, still or
// flashing, and answer nothing. It does not know the program that writes.
package alpha

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	"longcheng/cmd/kiosksim/sim/sign"
	"longcheng/device/glyph"
)

// A Config describes one sign.
type Config struct {
	Name    string
	Address int
}

// The size of a sign in dots.
const width, height = 80, 16

// A Line is the wire with its signs.
type Line struct {
	face  *glyph.Face
	mu    sync.Mutex
	in    []byte
	signs map[int]*sign.Face
}

// New returns a line whose signs draw with face.
func New(face *glyph.Face, signs ...Config) *Line {
	l := &Line{face: face, signs: map[int]*sign.Face{}}
	for _, s := range signs {
		l.signs[s.Address] = &sign.Face{Name: s.Name, Dark: sign.Dots(width, height)}
	}
	return l
}

// Face returns the sign of that name, or nil.
func (l *Line) Face(name string) *sign.Face {
	for _, s := range l.signs {
		if s.Name == name {
			return s
		}
	}
	return nil
}

const longest = 4096

// Receive takes the host's bytes in pieces of any size; 04 ends a frame.
func (l *Line) Receive(_ context.Context, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range b {
		l.in = append(l.in, c&0x7F) // a sign of seven bits does not see the parity
		if c&0x7F == 0x04 {
			l.frame(l.in)
			l.in = nil
		}
	}
	l.in = l.in[max(0, len(l.in)-longest):]
}

// frame reads 01 type address 02 command data 03 sum 04.
func (l *Line) frame(b []byte) {
	start, text, end := bytes.LastIndexByte(b, 0x01), bytes.IndexByte(b, 0x02), bytes.LastIndexByte(b, 0x03)
	if start < 5 || text != start+4 || end < text+2 || len(b) != end+6 {
		return
	}
	sum := 0
	for _, c := range b[text : end+1] {
		sum += int(c)
	}
	if string(b[end+1:end+5]) != fmt.Sprintf("%04X", sum&0xFFFF) {
		return
	}
	to := string(b[start+2 : start+4])
	for n, s := range l.signs {
		if s.Hears() && (to == "00" || to == "??" || to == fmt.Sprintf("%02X", n)) {
			l.show(s, b[text+1], string(b[text+2:end]))
		}
	}
}

func (l *Line) show(s *sign.Face, command byte, data string) {
	if command != 'A' || !strings.HasPrefix(data, "A") {
		return
	}
	data = data[1:]
	flash := false
	if strings.HasPrefix(data, "\x1b") && len(data) >= 3 {
		flash = data[2] == 'c'
		data = data[3:]
	}
	s.Show(sign.Look{Text: strings.TrimSpace(data), Image: sign.Line(width, height, l.face, sign.Run{Text: data, Color: sign.Red}), Blinks: flash})
}
