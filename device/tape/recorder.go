package tape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"longcheng/device"
)

// A Blank takes what belongs to a person out of one answer: it returns as many
// bytes, of the same form, so that whoever reads them does the same as before.
type Blank func(answer []byte) []byte

// A Recorder writes what passes a port to a tape. Silence is written as long as
// it can mean something: five ticks after the last byte.
type Recorder struct {
	blank Blank
	open  device.OpenFunc

	mu     sync.Mutex
	to     io.Writer
	answer []byte // read and not written yet: blanked as a whole
	silent int
	said   int // steps written
	err    error
}

const (
	heardOut = 5         // ticks of silence that are worth a line
	burst    = 64 << 10  // the longest answer that is blanked as a whole
	perLine  = 4096      // bytes of one line
	longest  = 100 * 100 // steps of one tape
)

// NewRecorder records to w what passes the ports that open opens. A nil blank is
// Text, the careful one.
func NewRecorder(open device.OpenFunc, w io.Writer, blank Blank) *Recorder {
	if blank == nil {
		blank = Text
	}
	return &Recorder{open: open, to: w, blank: blank}
}

// Open is a device.OpenFunc.
func (r *Recorder) Open(ctx context.Context) (device.Port, error) {
	p, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	return &tapped{p, r}, nil
}

// Steps returns how many steps are on the tape.
func (r *Recorder) Steps() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said
}

// Close ends the tape: whoever plays it back finds the hardware gone there. It
// returns the first error of writing.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle()
	r.put(Gone())
	return r.err
}

func (r *Recorder) put(o Op) {
	if r.err != nil || r.said > longest {
		return
	}
	r.said++
	if _, err := fmt.Fprintln(r.to, o); err != nil {
		r.err = fmt.Errorf("write tape: %w", err)
	}
}

// settle writes the answer so far.
func (r *Recorder) settle() {
	if len(r.answer) == 0 {
		return
	}
	clean := r.blank(r.answer)
	clear(r.answer)
	r.answer = r.answer[:0]
	for len(clean) > 0 {
		n := min(len(clean), perLine)
		r.put(R(clean[:n]...))
		clean = clean[n:]
	}
}

func (r *Recorder) wrote(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle()
	r.silent = 0
	for len(b) > 0 {
		n := min(len(b), perLine)
		r.put(W(b[:n]...))
		b = b[n:]
	}
}

func (r *Recorder) heard(b []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(b) > 0 {
		r.silent = 0
		if r.answer = append(r.answer, b...); len(r.answer) >= burst {
			r.settle()
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, device.ErrTimeout):
		r.settle()
		if r.silent++; r.silent <= heardOut {
			r.put(Silence())
		}
	default:
		r.settle()
	}
}

// tapped is a port that is listened to.
type tapped struct {
	device.Port
	r *Recorder
}

// Read passes on what the hardware says.
func (t *tapped) Read(b []byte) (int, error) {
	n, err := t.Port.Read(b)
	t.r.heard(b[:n], err)
	return n, err
}

// Write passes on what the program says.
func (t *tapped) Write(b []byte) (int, error) {
	n, err := t.Port.Write(b)
	t.r.wrote(b[:n])
	return n, err
}

// Flush drops what waits.
func (t *tapped) Flush() error { return device.Flush(t.Port) }

// Drop drops what came and was not read.
func (t *tapped) Drop() error { return device.Drop(t.Port) }

// Keep blanks nothing: for printers and signs, which say nothing of anybody.
func Keep(answer []byte) []byte { return bytes.Clone(answer) }

// Text blanks text of any kind: digits become 0, Latin letters A or a, all
// others 某 as far as they fill as many bytes. What is no text stays: control
// characters, and the AIM identifier of a scanner ("]Q1").
func Text(answer []byte) []byte {
	out := make([]byte, 0, len(answer))
	aim := 0 // bytes of an identifier that are to come
	for b := answer; len(b) > 0; {
		c, n := blankRune(b)
		switch {
		case b[0] == ']' && len(b) > 2:
			aim = 2
		case aim > 0:
			aim--
			c, n = b[:1], 1
		}
		out = append(out, c...)
		b = b[n:]
	}
	return out
}

// blankRune returns what stands for the first character of b, and how many bytes
// that had.
func blankRune(b []byte) (blank []byte, n int) {
	switch c := b[0]; {
	case c >= '0' && c <= '9':
		return []byte("0"), 1
	case c >= 'A' && c <= 'Z':
		return []byte("A"), 1
	case c >= 'a' && c <= 'z':
		return []byte("a"), 1
	case c < utf8.RuneSelf:
		return b[:1], 1
	}
	if r, n := utf8.DecodeRune(b); r != utf8.RuneError {
		return map[int][]byte{2: []byte("é"), 3: []byte("某"), 4: []byte("\U00020BB7")}[n], n
	}
	if len(b) > 1 && b[1] >= 0x40 {
		return []byte{0xC4, 0xB3}, 2 // 某 in GBK
	}
	return []byte{0x80}, 1
}
