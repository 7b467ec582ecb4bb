// Package wiegand reads card readers and keypads that signal by the Wiegand
// wires, from edges that carry the kernel's timestamps and sequence numbers.
//
// D0 and D1 rest high. A low pulse on D0 is a 0, on D1 a 1; most significant
// bit first, pulses of 20-100 µs, one every 200 µs to 20 ms, usually 1-2 ms.
// A frame ends when both lines rest for 25 ms.
//
//	bits  meaning
//	4     one key: 0-9, 10 is *, 11 is #
//	8     one key: its complement in the high half, the key in the low half
//	26    even parity over bits 1-12, 8 bits facility, 16 bits number, odd parity over bits 13-24
//	34    even parity over bits 1-16, 16 bits facility, 16 bits number, odd parity over bits 17-32
//
// Parity bits are the first and the last, and count themselves in. Source: HID
// Global, "Understanding card data formats"; SIA AC-01-1996.10.
//
// A frame is delivered whole or not at all. One with a lost edge, pulses too
// close together, an unusual length or wrong parity is counted and dropped,
// never repaired: a repaired number is another person's number.
//
// It does not know pins, and not what a number opens. A number can be copied
// and proves nobody.
package wiegand

import (
	"fmt"
	"math/bits"
	"slices"
	"time"

	"longcheng/device"
)

const (
	glitch  = 100 * time.Microsecond // pulses closer than this are no pulses
	maxBits = 64
)

// A Kind is what a frame is.
type Kind string

// The kinds of frames.
const (
	Card Kind = "card" // a number with parity
	Key  Kind = "key"  // a key of a keypad
	Raw  Kind = "raw"  // a length that the configuration allows and nobody checks
)

// A Frame is one card or one key. It prints without what is on it.
type Frame struct {
	Kind     Kind
	Bits     int
	Data     uint64 // all bits, parity too; the first on the wire is the highest
	Facility uint16 // of a card
	Number   uint16 // of a card
	Key      byte   // '0' to '9', '*' or '#', of a keypad
}

// String tells kind and length only.
func (f Frame) String() string { return fmt.Sprintf("%s of %d bits", f.Kind, f.Bits) }

// GoString tells kind and length only.
func (f Frame) GoString() string { return f.String() }

// Counts says what became of the frames since the start.
type Counts struct {
	Good   uint64 // delivered
	Lost   uint64 // dropped: an edge is missing from the sequence
	Noise  uint64 // dropped: pulses too close together, or far too many
	Length uint64 // dropped: a number of bits that no reader here sends
	Parity uint64 // dropped: parity or complement is wrong
}

// String tells what was dropped and why, in the words of the technician's page.
func (c Counts) String() string {
	return fmt.Sprintf("dropped so far: lost %d, noise %d, length %d, parity %d", c.Lost, c.Noise, c.Length, c.Parity)
}

// Dropped returns how many frames were not delivered.
func (c Counts) Dropped() uint64 { return c.Lost + c.Noise + c.Length + c.Parity }

// A Decoder makes frames of edges. Line 0 is D0, line 1 is D1.
type Decoder struct {
	Gap time.Duration // rest that ends a frame; 0 means 25ms, use 15-50ms
	Raw []int         // lengths up to 64 that are delivered unchecked, such as 37

	counts  Counts
	pending []device.Edge // of the frame that is coming in, in any order
	last    time.Duration // the latest of them
	expect  uint32        // sequence number that the next frame begins with
	synced  bool          // expect is known
}

// Counts returns what became of the frames so far.
func (d *Decoder) Counts() Counts { return d.counts }

func (d *Decoder) gap() time.Duration {
	if d.Gap <= 0 {
		return 25 * time.Millisecond
	}
	return d.Gap
}

// Edge takes the next edge. If it begins a frame, the one before is complete
// and returned if it is good. Edges may come a little out of order.
func (d *Decoder) Edge(e device.Edge) (Frame, bool) {
	var f Frame
	var ok bool
	if len(d.pending) > 0 && e.At-d.last > d.gap() {
		f, ok = d.end()
	}
	d.pending = append(d.pending, e)
	d.last = max(d.last, e.At)
	if len(d.pending) > 4*maxBits { // a wire that chatters: forget, keep counting
		d.counts.Noise++
		d.forget()
	}
	return f, ok
}

// Rest says that no edge came until that moment on the kernel's clock, and
// returns the frame that this ends, if it is good.
func (d *Decoder) Rest(now time.Duration) (Frame, bool) {
	if len(d.pending) == 0 || now-d.last <= d.gap() {
		return Frame{}, false
	}
	return d.end()
}

func (d *Decoder) forget() {
	highest := d.pending[0].Seq
	for _, e := range d.pending {
		if int32(e.Seq-highest) > 0 {
			highest = e.Seq
		}
	}
	d.expect, d.synced, d.last = highest+1, true, 0
	d.pending = d.pending[:0]
}

func (d *Decoder) end() (Frame, bool) {
	edges := d.pending
	slices.SortFunc(edges, func(a, b device.Edge) int { return int(int32(a.Seq - b.Seq)) })
	whole := contiguous(edges, d.expect, d.synced)
	noisy := crowded(edges)
	var f Frame
	f.Bits = len(edges)
	for _, e := range edges {
		f.Data = f.Data<<1 | uint64(e.Line&1)
	}
	d.forget()
	switch {
	case !whole:
		d.counts.Lost++
	case noisy || f.Bits > maxBits:
		d.counts.Noise++
	default:
		return d.meaning(f)
	}
	return Frame{}, false
}

// contiguous reports whether no edge is missing, before the frame or in it.
func contiguous(edges []device.Edge, first uint32, known bool) bool {
	if known && edges[0].Seq != first {
		return false
	}
	for i, e := range edges {
		if e.Seq != edges[0].Seq+uint32(i) {
			return false
		}
	}
	return true
}

func crowded(edges []device.Edge) bool {
	for i := 1; i < len(edges); i++ {
		if edges[i].At-edges[i-1].At < glitch {
			return true
		}
	}
	return false
}

// meaning tells the frames apart by their length alone: Wiegand has no other
// mark.
func (d *Decoder) meaning(f Frame) (Frame, bool) {
	ok := false
	switch f.Bits {
	case 26, 34:
		f, ok = card(f)
	case 4, 8:
		f, ok = key(f)
	default:
		f.Kind = Raw
		if !slices.Contains(d.Raw, f.Bits) {
			d.counts.Length++
			return Frame{}, false
		}
		ok = true
	}
	if !ok {
		d.counts.Parity++
		return Frame{}, false
	}
	d.counts.Good++
	return f, true
}

func card(f Frame) (Frame, bool) {
	half := f.Bits / 2
	low := f.Data & (1<<half - 1)
	even, odd := bits.OnesCount64(f.Data>>half)%2 == 0, bits.OnesCount64(low)%2 == 1
	number := f.Data >> 1
	f.Kind, f.Number = Card, uint16(number)
	f.Facility = uint16(number >> 16 & (1<<(f.Bits-18) - 1))
	return f, even && odd
}

func key(f Frame) (Frame, bool) {
	n := f.Data & 0xF
	f.Kind = Key
	if n > 11 || f.Bits == 8 && f.Data>>4 != ^n&0xF {
		return f, false
	}
	f.Key = "0123456789*#"[n]
	return f, true
}
