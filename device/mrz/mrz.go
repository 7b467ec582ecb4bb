// Package mrz reads the machine readable zone of passports and cards (ICAO Doc
// 9303) from OCR readers that send it by themselves.
//
//	kind  lines  what stands where, from 0; c is a check digit
//	TD3   2×44   1: P, kind, issuer 2-4, name 5-43
//	             2: number 0-8 c9, nationality 10-12, birth 13-18 c19, sex 20, expiry 21-26 c27,
//	                optional 28-41 c42 (< when it is empty), c43 over 0-9, 13-19 and 21-42
//	TD2   2×36   1: kind 0-1, issuer 2-4, name 5-35
//	             2: as TD3, optional 28-34, c35 over 0-9, 13-19 and 21-34
//	TD1   3×30   1: kind 0-1, issuer 2-4, number 5-13 c14, optional 15-29
//	             2: birth 0-5 c6, sex 7, expiry 8-13 c14, nationality 15-17, optional 18-28,
//	                c29 over line 1 5-29 and line 2 0-6, 8-14 and 18-28
//	             3: name
//
// A check digit is the sum of the characters, 0-9 and A=10 ... Z=35, < = 0,
// weighed 7, 3, 1, 7, ..., modulo 10. The number of a TD1 that is longer than nine
// characters goes on in the optional field, behind a < in place of its check digit.
//
// Only letters in place of digits are repaired (O I B S Z for 0 1 8 5 2), only
// where nothing but digits can be, and only if every check digit is right
// afterwards. Anything else is read again.
//
// It does not open ports and does not know whose document it is. The zone is
// easily copied and proves nothing. Never run with a real reader.
package mrz

import (
	"bytes"
	"context"
	"errors"
	"time"

	"longcheng/device"
	"longcheng/device/secret"
)

// A Kind is the size of a document.
type Kind string

// The kinds.
const (
	TD1 Kind = "td1" // cards, such as the home return permit
	TD2 Kind = "td2" // larger cards, old identity cards
	TD3 Kind = "td3" // passports
)

// Errors of Parse. They never contain what was read.
var (
	ErrForm  = errors.New("no machine readable zone of a known size: read the document again")
	ErrCheck = errors.New("a check digit is wrong: read the document again")
)

// A Document is what one zone says. Dates that the issuer does not know are zero.
type Document struct {
	Kind        Kind
	Code        string // P, PO, C, ...
	Issuer      string // three letters
	Number      secret.Text
	Surname     secret.Text
	Given       secret.Text
	Nationality secret.Text
	Sex         secret.Text // M, F or <
	Birth       secret.Day
	Expiry      secret.Day
	Optional    secret.Text
	Repaired    int // letters that were read as digits
}

// Wipe overwrites what is secret.
func (d Document) Wipe() {
	for _, s := range []secret.Text{d.Number, d.Surname, d.Given, d.Nationality, d.Sex, d.Optional} {
		s.Wipe()
	}
	d.Birth.Wipe()
	d.Expiry.Wipe()
}

// Expired reports whether the document was not valid any more on the day of now.
func (d Document) Expired(now time.Time) bool { return !d.Expiry.IsZero() && d.Expiry.Before(now) }

// maxZone is the longest zone with its ends of lines and frame, and some noise.
const maxZone = 160

// A Reader owns one OCR reader through its link. A zone ends with ETX or a rest of
// 300 ms.
type Reader struct {
	// OnRefused, if set before Run, is told why a zone was dropped.
	OnRefused func(error)

	link *device.Link
	now  func() time.Time
	buf  []byte
	idle bool // silent, and no zone is begun
	last time.Time
}

const rest = 300 * time.Millisecond

// NewReader returns a reader on link. Nothing is sent to it, ever. now serves to
// tell the century of a birth; nil means the machine's clock.
func NewReader(link *device.Link, now func() time.Time) *Reader {
	if now == nil {
		now = time.Now
	}
	return &Reader{link: link, now: now, buf: make([]byte, 0, maxZone+1)}
}

// Run hands every document to handle, in its own goroutine, until ctx ends, and
// wipes it when handle returns.
func (r *Reader) Run(ctx context.Context, handle func(Document)) error {
	for ctx.Err() == nil {
		var whole [][]byte
		err := r.link.Do(ctx, func(p device.Port) (err error) {
			whole, err = r.read(ctx, p)
			return err
		})
		if err != nil {
			r.reset()
		}
		for _, zone := range whole {
			r.pass(zone, handle)
		}
	}
	return ctx.Err()
}

func (r *Reader) pass(zone []byte, handle func(Document)) {
	d, err := Parse(zone, r.now())
	clear(zone)
	switch {
	case err == nil:
		handle(d)
		d.Wipe()
	case r.OnRefused != nil:
		r.OnRefused(err)
	}
}

const etx = 3

func (r *Reader) read(ctx context.Context, p device.Port) (whole [][]byte, err error) {
	var b [128]byte
	defer clear(b[:])
	n, err := device.Listen(ctx, p, b[:], r.idle)
	if n > 0 {
		r.last = time.Now()
	}
	for _, c := range b[:n] {
		if c == etx {
			whole = r.end(whole)
		} else if len(r.buf) <= maxZone {
			r.buf = append(r.buf, c)
		}
	}
	silent := n == 0 && err == nil
	if silent && time.Since(r.last) >= rest {
		whole = r.end(whole)
	}
	r.idle = silent && len(r.buf) == 0
	return whole, err
}

// end adds the zone so far, unless it is nothing but ends of lines.
func (r *Reader) end(whole [][]byte) [][]byte {
	if len(bytes.Trim(r.buf, "\r\n\x02")) > 0 {
		whole = append(whole, bytes.Clone(r.buf))
	}
	r.reset()
	return whole
}

func (r *Reader) reset() {
	clear(r.buf[:cap(r.buf)])
	r.buf = r.buf[:0]
}
