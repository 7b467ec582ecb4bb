// Package onbonpixel is a simulated RS-485 line with Onbon BX-5E cards on it, which
// take pixels ("5th dynamic area user manual"): it executes A7 00 with one page and
// A2 00, answers, lights the dots, and reads what they say by comparing them with a
// face. It does not know the program that sends.
package onbonpixel

import (
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"io"
	"strings"
	"sync"

	"longcheng/cmd/kiosksim/sim/crc16"
	"longcheng/cmd/kiosksim/sim/sign"
	"longcheng/device/glyph"
)

// A Config describes one card. Its panel has 64x16 red dots where nothing else is
// said.
type Config struct {
	Name          string
	Address       int
	Width, Height int
	TwoColour     bool // each dot can be red and green
}

type card struct {
	*sign.Face
	c Config
}

// A Line is the wire with its cards.
type Line struct {
	host io.Writer
	face *glyph.Face
	mu   sync.Mutex
	in   []byte
	open bool
	all  map[uint16]card
}

// New returns a line whose cards answer into host. Texts drawn with the face can be
// read from their dots.
func New(host io.Writer, face *glyph.Face, cards ...Config) *Line {
	l := &Line{host: host, face: face, all: map[uint16]card{}}
	for _, c := range cards {
		if c.Width < 8 || c.Height < 1 {
			c.Width, c.Height = 64, 16
		}
		l.all[uint16(c.Address)] = card{&sign.Face{Name: c.Name, Dark: sign.Dots(c.Width, c.Height)}, c}
	}
	return l
}

// Face returns the card of that name, or nil.
func (l *Line) Face(name string) *sign.Face {
	for _, c := range l.all {
		if c.Name == name {
			return c.Face
		}
	}
	return nil
}

const longest = 32 << 10

// Receive takes the host's bytes in pieces of any size: A5s, an escaped body, 5A.
func (l *Line) Receive(_ context.Context, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range b {
		switch {
		case c == 0xA5:
			l.open, l.in = true, l.in[:0]
		case c == 0x5A && l.open:
			l.open = false
			l.frame(unescape(l.in))
		case l.open && len(l.in) < longest:
			l.in = append(l.in, c)
		}
	}
}

func unescape(b []byte) []byte {
	return []byte(strings.NewReplacer("\xA6\x02", "\xA5", "\x5B\x02", "\x5A", "\xA6\x01", "\xA6", "\x5B\x01", "\x5B").Replace(string(b)))
}

func (l *Line) frame(b []byte) {
	if len(b) < 16+5+2 || b[4] != 0xF0 || crc16.ARC(b[:len(b)-2]) != binary.LittleEndian.Uint16(b[len(b)-2:]) {
		return
	}
	to := binary.LittleEndian.Uint16(b)
	c, ok := l.all[to]
	if !ok || !c.Hears() {
		return
	}
	data := b[16 : len(b)-2]
	code := byte(0)
	if data[1] == 0xA7 && data[2] == 0 {
		look, ok := l.read(data[5:], c.c)
		if ok {
			c.Show(look)
		} else {
			code = 18
		}
	}
	l.answer(to, code)
}

// read takes the dots out of an area, lights and reads them.
func (l *Line) read(p []byte, c Config) (sign.Look, bool) {
	if len(p) < 4+12+12+4+13 || int(binary.LittleEndian.Uint32(p)) != len(p)-4 {
		return sign.Look{}, false
	}
	area := p[4+12:]
	word := func(at int) int { return int(binary.LittleEndian.Uint16(area[at:])) }
	a := dots{w: word(5), h: word(7), planes: 1, b: area[12+4+13:]}
	if c.TwoColour {
		a.planes = 2
	}
	if a.h < 1 || a.h > 256 || a.w < 8 || int(binary.LittleEndian.Uint32(area[12:])) != 13+len(a.b) || len(a.b) != a.stride()*a.h {
		return sign.Look{}, false
	}
	m := sign.Dots(c.Width, c.Height)
	for y := range a.h {
		for x := range a.w {
			if at := image.Pt(word(1)+x, word(3)+y); at.In(m.Rect) {
				m.SetRGBA(at.X, at.Y, a.at(x, y))
			}
		}
	}
	lit := func(x, y int) bool { return y >= 0 && y < a.h && a.at(x, y) != dark }
	return sign.Look{Text: l.letters(lit, a.w, a.h), Image: m}, true
}

// dots are the dots of an area as they come: rows of bytes, the red ones and the green
// ones in turn where there are two; 0 is lit.
type dots struct {
	w, h, planes int
	b            []byte
}

var dark = color.RGBA{A: 0xFF}

func (d dots) stride() int { return (d.w + 7) / 8 * d.planes }

func (d dots) at(x, y int) color.RGBA {
	lit := func(plane int) bool { return d.b[y*d.stride()+x/8*d.planes+plane]>>(7-x%8)&1 == 0 }
	c := dark
	if lit(0) {
		c.R = 0xFF
	}
	if d.planes == 2 && lit(1) {
		c.G = 0xFF
	}
	return c
}

// letters compares columns of dots with the face, at the size that the panel allows.
func (l *Line) letters(lit func(x, y int) bool, w, h int) string {
	n := max(1, h/l.face.Height())
	top := (h - n*l.face.Height()) / 2
	var out strings.Builder
	for x := 0; x < w; {
		r, width := l.at(lit, x, top, n, w)
		if r == 0 {
			x++
			continue
		}
		out.WriteRune(r)
		x += width
	}
	return strings.TrimSpace(out.String())
}

const alphabet = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789-请办理欢迎光临暂停服务暂未开放今日结束系统维护"

func (l *Line) at(lit func(x, y int) bool, x, top, n, w int) (rune, int) {
	for _, r := range alphabet {
		g, ok := l.face.Glyph(r)
		if !ok || x+g.W*n > w {
			continue
		}
		same := true
		for y := 0; same && y < g.H; y++ {
			for i := 0; same && i < g.W; i++ {
				same = g.At(i, y) == lit(x+i*n, top+y*n)
			}
		}
		if same {
			return r, g.W * n
		}
	}
	return 0, 0
}

func (l *Line) answer(from uint16, code byte) {
	b := []byte{0, 0x80, byte(from), byte(from >> 8), 0xF0, 0, 0x54, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0xA0, 0, 0, 0, code, 0, 0, 0}
	if code != 0 {
		b[18], b[19] = 1, 1
	}
	c := crc16.ARC(b)
	out := []byte{0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5}
	for _, v := range append(b, byte(c), byte(c>>8)) {
		switch v {
		case 0xA5, 0x5A:
			out = append(out, v+1, 2)
		case 0xA6, 0x5B:
			out = append(out, v, 1)
		default:
			out = append(out, v)
		}
	}
	l.host.Write(append(out, 0x5A))
}
