// Package am03127 is a simulated line with AM03127 boards on it: frames <IDxx> payload
// check <E>, answered with ACK or NACK. Of a page the text is shown in its colours,
// still or blinking; other settings are passed over, and letters are 16 dots high
// where a real board's are 7. It does not know the program that writes.
package am03127

import (
	"context"
	"fmt"
	"image/color"
	"io"
	"regexp"
	"strings"
	"sync"

	"longcheng/cmd/kiosksim/sim/sign"
	"longcheng/device/glyph"
)

// A Config describes one board.
type Config struct {
	Name   string
	Number int
}

// The size of a board in dots.
const width, height = 80, 16

// A Line is the wire with its boards.
type Line struct {
	host   io.Writer
	face   *glyph.Face
	mu     sync.Mutex
	in     string
	boards map[string]*sign.Face // by number, two hex digits
}

// New returns a line whose boards answer into host and draw with face.
func New(host io.Writer, face *glyph.Face, boards ...Config) *Line {
	l := &Line{host: host, face: face, boards: map[string]*sign.Face{}}
	for _, b := range boards {
		l.boards[fmt.Sprintf("%02X", b.Number)] = &sign.Face{Name: b.Name, Dark: sign.Dots(width, height)}
	}
	return l
}

// Face returns the board of that name, or nil.
func (l *Line) Face(name string) *sign.Face {
	for _, b := range l.boards {
		if b.Name == name {
			return b
		}
	}
	return nil
}

const longest = 4096

var (
	frame   = regexp.MustCompile(`(?s)<ID([0-9A-F]{2})>(.*?)([0-9A-F]{2})<E>`)
	setting = regexp.MustCompile(`<[A-Z][0-9A-Za-z]{0,2}>`)
)

// Receive takes the host's bytes in pieces of any size.
func (l *Line) Receive(_ context.Context, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in += string(b)
	for m := frame.FindStringSubmatchIndex(l.in); m != nil; m = frame.FindStringSubmatchIndex(l.in) {
		l.take(l.in[m[2]:m[3]], l.in[m[4]:m[5]], l.in[m[6]:m[7]])
		l.in = l.in[m[1]:]
	}
	l.in = l.in[max(0, len(l.in)-longest):]
}

func (l *Line) take(number, payload, sum string) {
	f := l.boards[number]
	if f == nil || !f.Hears() {
		return
	}
	var x byte
	for _, c := range []byte(payload) {
		x ^= c
	}
	if fmt.Sprintf("%02X", x) != sum {
		io.WriteString(l.host, "NACK")
		return
	}
	f.Show(l.page(payload))
	io.WriteString(l.host, "ACK")
}

// colours by the setting that begins them.
var colours = map[string]color.RGBA{"<CB>": sign.Red, "<CE>": sign.Green, "<CH>": sign.Orange}

// page reads a page: text between settings.
func (l *Line) page(payload string) sign.Look {
	rest := strings.NewReplacer("<UBC>", "\x01", "<UBE>", "\x02").Replace(payload)
	plain := strings.NewReplacer("\x01", "<", "\x02", ">")
	look, now := sign.Look{Blinks: strings.Contains(rest, "<MB>")}, sign.Red
	var runs []sign.Run
	for rest != "" {
		text, set := rest, ""
		if at := setting.FindStringIndex(rest); at != nil {
			text, set, rest = rest[:at[0]], rest[at[0]:at[1]], rest[at[1]:]
		} else {
			rest = ""
		}
		runs = append(runs, sign.Run{Text: plain.Replace(text), Color: now})
		look.Text += plain.Replace(text)
		if c, ok := colours[set]; ok {
			now = c
		}
	}
	look.Text = strings.TrimSpace(look.Text)
	look.Image = sign.Line(width, height, l.face, runs...)
	return look
}
