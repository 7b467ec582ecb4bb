// Package uid reads the numbers of contactless cards and tags from serial readers
// that send by themselves: RDM6300, EM-18 and ID-12 (125 kHz, EM4100), and others
// by a table that describes their frames.
//
//	02 | ten hexadecimal digits | their XOR, two digits | 03     RDM6300, EM-18: 14 bytes
//	02 | the same | 0D 0A 03                                     ID-12, ID-20: 16 bytes
//
// 9600 baud, 8N1. The frame is repeated some times a second while the tag is
// near. Sources: Itead "125 kHz RDM6300 module", ID Innovations "ID-2/12/20".
//
// A frame is delivered whole and checked or not at all, and never repaired. It
// does not know whose card it is. Such numbers can be copied and prove nobody;
// those of four bytes that begin with 08 are random. Never run on a real reader.
package uid

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"longcheng/device"
	"longcheng/device/secret"
)

// An ID is the number of a card, highest byte first. It prints as "card".
type ID struct{ secret.Text }

// Hex returns the number in clear, in hexadecimal digits.
func (i ID) Hex() string { return hex.EncodeToString([]byte(i.Reveal())) }

// Printed returns what is printed on most tags: the last four bytes as a decimal
// number of ten digits.
func (i ID) Printed() string {
	var n uint32
	for _, c := range []byte(i.Reveal()) {
		n = n<<8 | uint32(c)
	}
	return fmt.Sprintf("%010d", n)
}

// A Framer finds frames in a stream. When what looked like a frame is none, it
// looks for one inside of it.
type Framer struct {
	format Format
	buf    []byte
	bad    uint64
}

// NewFramer returns a framer for f, which must be valid.
func NewFramer(f Format) (*Framer, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return &Framer{format: f, buf: make([]byte, 0, maxFrame)}, nil
}

// Feed takes one byte and returns the number if it completes a good frame.
func (f *Framer) Feed(c byte) (ID, bool) {
	f.buf = append(f.buf, c)
	for len(f.buf) > 0 {
		need := f.format.need(f.buf)
		if need > len(f.buf) {
			return ID{}, false
		}
		if need > 0 {
			if id, ok := f.format.id(f.buf[:need]); ok {
				f.Reset()
				return ID{secret.Own(id)}, true
			}
			f.bad++
		}
		f.buf = append(f.buf[:0], f.buf[1:]...)
	}
	return ID{}, false
}

// Reset forgets the beginning of a frame.
func (f *Framer) Reset() {
	clear(f.buf[:cap(f.buf)])
	f.buf = f.buf[:0]
}

// Bad returns how many frames failed their checks.
func (f *Framer) Bad() uint64 { return f.bad }

// An Event is a change at the reader: a card came, or the one that was there is
// gone.
type Event struct {
	ID      ID // Run wipes it when the handler returns
	Removed bool
}

// goneAfter is how long a card is silent when it is gone; readers repeat it every
// 220 ms at most. Of a reader that tells a card only once, every card is gone
// after this time.
const goneAfter = 400 * time.Millisecond

// A Reader owns one reader through its link.
type Reader struct {
	link   *device.Link
	framer *Framer
	idle   bool // silent, no card is there and no frame begun
	here   ID
	seen   time.Time
	heard  time.Time // the last byte
}

// NewReader returns a reader on link for frames of format f.
func NewReader(link *device.Link, f Format) (*Reader, error) {
	framer, err := NewFramer(f)
	if err != nil {
		return nil, err
	}
	return &Reader{link: link, framer: framer}, nil
}

// Run hands every change to handle, in its own goroutine, until ctx ends. A card
// that stays is one event, however often the reader repeats it.
func (r *Reader) Run(ctx context.Context, handle func(Event)) error {
	defer func() { r.here.Wipe() }()
	for ctx.Err() == nil {
		var ids []ID
		err := r.link.Do(ctx, func(p device.Port) (err error) {
			ids, err = r.read(ctx, p)
			return err
		})
		if err != nil {
			r.framer.Reset()
		}
		for _, id := range ids {
			r.came(id, handle)
		}
		if !r.here.IsZero() && time.Since(r.seen) >= goneAfter {
			r.leave(handle)
		}
	}
	return ctx.Err()
}

func (r *Reader) came(id ID, handle func(Event)) {
	r.seen = time.Now()
	if r.here.Reveal() == id.Reveal() {
		id.Wipe() // the same, still here
		return
	}
	if !r.here.IsZero() {
		r.leave(handle)
	}
	r.here = id
	told := ID{secret.New([]byte(id.Reveal()))}
	handle(Event{ID: told})
	told.Wipe()
}

func (r *Reader) leave(handle func(Event)) {
	r.here.Wipe()
	r.here = ID{}
	handle(Event{Removed: true})
}

// read takes what is there; silence is no fault of the wire, but ends a frame.
func (r *Reader) read(ctx context.Context, p device.Port) (ids []ID, err error) {
	var b [64]byte
	n, err := device.Listen(ctx, p, b[:], r.idle)
	defer clear(b[:])
	if n > 0 {
		r.heard = time.Now()
	}
	for _, c := range b[:n] {
		if id, ok := r.framer.Feed(c); ok {
			ids = append(ids, id)
		}
	}
	silent := n == 0 && err == nil
	if silent && time.Since(r.heard) > 2*goneAfter {
		r.framer.Reset()
	}
	r.idle = silent && r.here.IsZero() && len(r.framer.buf) == 0
	return ids, err
}
