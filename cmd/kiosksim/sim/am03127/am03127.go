// Package am03127 is a simulated line with AM03127 boards on it: frames <IDxx> payload
// check <E>, answered with ACK or NACK. Of a page the text is shown, without its
// settings. It does not know the program that writes.
package am03127

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"longcheng/cmd/kiosksim/sim/sign"
)

// A Config describes one board.
type Config struct {
	Name   string
	Number int
}

// A Line is the wire with its boards.
type Line struct {
	host   io.Writer
	mu     sync.Mutex
	in     string
	boards map[string]*sign.Face // by number, two hex digits
}

// New returns a line whose boards answer into host.
func New(host io.Writer, boards ...Config) *Line {
	l := &Line{host: host, boards: map[string]*sign.Face{}}
	for _, b := range boards {
		l.boards[fmt.Sprintf("%02X", b.Number)] = &sign.Face{Name: b.Name}
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
	text := strings.NewReplacer("<UBC>", "\x01", "<UBE>", "\x02").Replace(payload)
	text = setting.ReplaceAllString(text, "")
	f.Show(strings.TrimSpace(strings.NewReplacer("\x01", "<", "\x02", ">").Replace(text)))
	io.WriteString(l.host, "ACK")
}
