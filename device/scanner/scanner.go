// Package scanner reads bar and QR codes from serial scanners. There is no standard
// of framing:
//
//	]Q1         AIM identifier, if the scanner is set to send it (ISO/IEC 15424): left out
//	payload     UTF-8 or GBK, 2953 bytes at most (QR version 40-L, ISO/IEC 18004)
//	CR, LF, or  a pause of 100 ms
//
// The commands of the GM65 family stand in gm65.go. Its result is an opaque string.
//
// It does not know what a code means, and what it returns is a stranger's
// input: checked for form, never for truth.
package scanner

import (
	"bytes"
	"context"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"longcheng/device"
)

// MaxBytes is the most that the largest QR code holds (version 40-L, ISO/IEC
// 18004). Longer input is dropped.
const MaxBytes = 2953

const (
	idleGap = 100 * time.Millisecond // a pause this long ends a code without suffix
	repeat  = 3 * time.Second        // the same code held in view counts once
)

// Reasons for which Decode refuses a code.
var (
	ErrEmpty   = errors.New("code is empty")
	ErrLong    = errors.New("code is longer than a QR code can be")
	ErrControl = errors.New("code contains control characters or unknown text")
)

// A Scanner owns one scanner through its link.
type Scanner struct {
	// OnRefused, if set before Run, is told why a code was dropped.
	OnRefused func(error)

	link  *device.Link
	split splitter
	idle  bool // silent, and no code is begun
	last  string
	seen  time.Time // when last was last in view
}

// New returns a scanner on link.
func New(link *device.Link) *Scanner { return &Scanner{link: link} }

// Run hands every code to handle, in its own goroutine, until ctx ends. A code
// that stays in view is handed over once; it counts again after three seconds
// without it.
func (s *Scanner) Run(ctx context.Context, handle func(code string)) error {
	for ctx.Err() == nil {
		var got [][]byte
		err := s.link.Do(ctx, func(p device.Port) (err error) {
			got, err = s.read(ctx, p)
			return err
		})
		if err != nil {
			s.split.reset()
		}
		for _, raw := range got {
			s.pass(raw, handle)
		}
	}
	return ctx.Err()
}

// read takes what is there; silence ends a code and is no fault of the wire.
func (s *Scanner) read(ctx context.Context, p device.Port) ([][]byte, error) {
	var b [512]byte
	n, err := device.Listen(ctx, p, b[:], s.idle)
	var got [][]byte
	for _, c := range b[:n] {
		if code := s.split.feed(c); code != nil {
			got = append(got, code)
		}
	}
	if n > 0 {
		s.split.last = time.Now()
	}
	silent := n == 0 && err == nil
	if silent && time.Since(s.split.last) >= idleGap {
		if code := s.split.end(); code != nil {
			got = append(got, code)
		}
	}
	s.idle = silent && len(s.split.buf) == 0
	return got, err
}

func (s *Scanner) pass(raw []byte, handle func(string)) {
	code, err := Decode(raw)
	if err != nil {
		if s.OnRefused != nil {
			s.OnRefused(err)
		}
		return
	}
	now := time.Now()
	again := code == s.last && now.Sub(s.seen) < repeat
	s.last, s.seen = code, now
	if !again {
		handle(code)
	}
}

// splitter cuts the stream into codes at CR, LF, and pauses.
type splitter struct {
	buf  []byte    // at most MaxBytes+1; the rest of a longer code is dropped
	last time.Time // when the last byte came
}

func (s *splitter) feed(c byte) []byte {
	if c == '\r' || c == '\n' {
		return s.end()
	}
	if len(s.buf) <= MaxBytes {
		s.buf = append(s.buf, c)
	}
	return nil
}

// end returns the code so far, or nil if there is none. Of one that is too long
// it returns MaxBytes+1 bytes, for Decode to refuse.
func (s *splitter) end() []byte {
	if len(s.buf) == 0 {
		return nil
	}
	code := bytes.Clone(s.buf)
	s.reset()
	return code
}

func (s *splitter) reset() {
	clear(s.buf)
	s.buf = s.buf[:0]
}

// Decode returns the text of a code: without the AIM identifier that a scanner
// may put in front ("]Q1") and the answer of a GM65 to its trigger, in UTF-8, else GBK.
func Decode(raw []byte) (string, error) {
	if len(raw) > MaxBytes {
		return "", ErrLong
	}
	raw = bytes.TrimSpace(stripAIM(bytes.TrimPrefix(raw, ackGM65)))
	if len(raw) == 0 {
		return "", ErrEmpty
	}
	text := string(raw)
	if !utf8.Valid(raw) {
		b, err := simplifiedchinese.GBK.NewDecoder().Bytes(raw)
		if err != nil {
			return "", ErrControl
		}
		text = string(b)
	}
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return "", ErrControl
		}
	}
	return text, nil
}

// stripAIM removes "]", a letter and a digit or letter (ISO/IEC 15424).
func stripAIM(b []byte) []byte {
	if len(b) < 3 || b[0] != ']' {
		return b
	}
	letter := b[1]|0x20 >= 'a' && b[1]|0x20 <= 'z'
	modifier := b[2] >= '0' && b[2] <= '9' || b[2]|0x20 >= 'a' && b[2]|0x20 <= 'z'
	if !letter || !modifier {
		return b
	}
	return b[3:]
}
