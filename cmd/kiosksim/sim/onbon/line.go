// Package onbon is a simulated RS-485 line with Onbon BX-5K/6K text cards on
// it: each has an address, executes the vendor's requests ("BX-5K/6K
// communication protocol, user version" 1.4) and shows GBK text in dynamic
// areas as 16-dot glyphs. It does not know the program that sends, nor
// programmes on flash, sound, scrolling or further pages: of a long text it
// shows the beginning.
package onbon

import (
	"context"
	"io"
	"sync"

	"longcheng/device/glyph"
)

// A Config describes one card; Width and Height are dots.
type Config struct {
	Name          string
	Address       int // screen number, usually from 1
	Width, Height int
}

// A Line is the wire with its cards.
type Line struct {
	host io.Writer

	mu    sync.Mutex
	in    decoder
	cards []*Card
}

// New returns a line whose cards answer into host and draw with font. Cards
// with the same address all execute and all answer at once, as real ones would.
func New(host io.Writer, font *glyph.Face, cards ...Config) *Line {
	l := &Line{host: host}
	for _, c := range cards {
		l.cards = append(l.cards, newCard(c, font))
	}
	return l
}

// Card returns the card of that name, or nil.
func (l *Line) Card(name string) *Card {
	for _, c := range l.cards {
		if c.name == name {
			return c
		}
	}
	return nil
}

// Receive takes the host's bytes in pieces of any size. Noise, damaged frames
// and frames for nobody are passed over in silence, as on the wire.
func (l *Line) Receive(ctx context.Context, in []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range in {
		if ctx.Err() != nil {
			return
		}
		if r, ok := parse(l.in.next(b)); ok {
			l.deliver(r)
		}
	}
}

// deliver lets every card that hears the request execute it. A request to all
// is answered only if one card hears it: two would talk over each other.
func (l *Line) deliver(r request) {
	var hear []*Card
	for _, c := range l.cards {
		if c.hears(r.to) {
			hear = append(hear, c)
		}
	}
	quiet := !r.reply || r.to == anyCard && len(hear) > 1
	var wire []byte
	for _, c := range hear {
		f, damaged := c.execute(r)
		if !quiet {
			wire = over(wire, answer(r.from, c.at(), f, damaged))
		}
	}
	if len(wire) > 0 {
		l.host.Write(wire)
	}
}

// over is what the wire carries when an answer begins a byte after another: where
// both drive it, only the bits that both leave high stay high.
func over(first, second []byte) []byte {
	if len(first) == 0 {
		return second
	}
	for i, b := range second {
		if i+1 == len(first) {
			return append(first, second[i:]...)
		}
		first[i+1] &= b
	}
	return first
}
