// Package secret holds personal data in types that print as "card", whatever
// prints them, and that can be wiped.
//
// It does not know what the data means.
package secret

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

const masked = "card"

// A Text is a number or text that must not reach a log, a page or a file by
// accident: however it is printed, it prints as "card". Even as a hidden field
// of something that is printed whole, it shows an address at most.
type Text struct{ in *box[[]byte] }

// A box is one pointer more than it takes: package fmt looks behind one, even of
// hidden fields, when a verb does not fit.
type box[T any] struct{ v *T }

func boxed[T any](v T) *box[T] { return &box[T]{&v} }

// New returns a secret with a copy of b.
func New(b []byte) Text { return Own(append([]byte(nil), b...)) }

// Own returns a secret that is b itself, so that no copy of it is left.
func Own(b []byte) Text { return Text{boxed(b)} }

// Reveal returns the secret in clear. The caller keeps it no longer than needed.
func (s Text) Reveal() string {
	if s.in == nil {
		return ""
	}
	return string(*s.in.v)
}

// IsZero reports whether there is nothing in it.
func (s Text) IsZero() bool { return s.in == nil || len(*s.in.v) == 0 }

// Wipe overwrites the secret and every copy of this value with it.
func (s Text) Wipe() {
	if s.in != nil {
		clear(*s.in.v)
	}
}

// Format prints "card", whatever is asked for.
func (s Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// String returns "card".
func (s Text) String() string { return masked }

// LogValue returns "card".
func (s Text) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText returns "card".
func (s Text) MarshalText() ([]byte, error) { return []byte(masked), nil }

// A Day is a date on a card, masked like a Text.
type Day struct{ in *box[time.Time] }

// NewDay returns the day of t.
func NewDay(t time.Time) Day {
	return Day{boxed(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC))}
}

// Time returns midnight UTC of the day, and the zero time for the zero Day.
func (d Day) Time() time.Time {
	if d.in == nil {
		return time.Time{}
	}
	return *d.in.v
}

// IsZero reports whether there is no date, as in an unlimited validity.
func (d Day) IsZero() bool { return d.Time().IsZero() }

// Before reports whether the day is over at that moment, on the moment's own
// calendar.
func (d Day) Before(now time.Time) bool { return d.Time().Before(NewDay(now).Time()) }

// Wipe overwrites the day and every copy of this value.
func (d Day) Wipe() {
	if d.in != nil {
		*d.in.v = time.Time{}
	}
}

// Format prints "card", whatever is asked for.
func (d Day) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// String returns "card".
func (d Day) String() string { return masked }

// LogValue returns "card".
func (d Day) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText returns "card".
func (d Day) MarshalText() ([]byte, error) { return []byte(masked), nil }
