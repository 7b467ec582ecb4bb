package central

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// A Desk takes messages. Take carries a message out, or refuses it with an error
// that is reported to the centre; it must be safe to repeat for the same stream
// and number, because an acknowledgement can be lost. What must not be done
// twice is noted first. Position and Save keep, durably, what was acknowledged.
type Desk interface {
	Position(ctx context.Context) (Position, error)
	Take(ctx context.Context, m Message) error
	Save(ctx context.Context, p Position) error
}

// InboxOptions are the parts of an Inbox. Device, Client, Desk and Backoff are
// required.
type InboxOptions struct {
	Device  string
	Client  *Client
	Desk    Desk
	Backoff func(fails int) time.Duration
	Quiet   time.Duration   // silence after which a stream is given up; 0 means 25 s
	Again   time.Duration   // how long to poll before a stream is tried again; 0 means 10 min
	OnError func(err error) // hears why a stream or a poll ended; must not block
}

// An Inbox takes what the centre sends down to one box, in order and without
// gaps. It prefers a stream; when nothing comes through one, because a proxy
// holds it back, it polls.
type Inbox struct {
	o     InboxOptions
	fails int
	until time.Time // poll until then
}

// NewInbox makes an inbox; Run listens.
func NewInbox(o InboxOptions) (*Inbox, error) {
	if o.Device == "" || o.Client == nil || o.Desk == nil || o.Backoff == nil {
		return nil, errors.New("inbox: device, client, desk or backoff is missing: give all four")
	}
	if o.Quiet <= 0 {
		o.Quiet = 25 * time.Second
	}
	if o.Again <= 0 {
		o.Again = 10 * time.Minute
	}
	return &Inbox{o: o}, nil
}

// Run listens until ctx ends.
func (x *Inbox) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := x.listen(ctx)
		if errors.Is(err, errSilent) {
			x.until = time.Now().Add(x.o.Again)
			continue
		}
		if err != nil && ctx.Err() == nil {
			if x.o.OnError != nil {
				x.o.OnError(err)
			}
			sleep(ctx, x.o.Backoff(x.fails))
			x.fails++
		}
	}
	return ctx.Err()
}

// listen opens one stream or makes one poll.
func (x *Inbox) listen(ctx context.Context) error {
	at, err := x.o.Desk.Position(ctx)
	if err != nil {
		return fmt.Errorf("read position: %w", err)
	}
	take := func(m Message) error { return x.take(ctx, &at, m) }
	if time.Now().After(x.until) {
		return x.o.Client.Stream(ctx, x.o.Device, at, x.o.Quiet, take)
	}
	list, err := x.o.Client.Poll(ctx, x.o.Device, at)
	for _, m := range list {
		if err := take(m); err != nil {
			return err
		}
	}
	if err == nil {
		x.fails = 0
	}
	return err
}

// take carries one message out, acknowledges it, and only then moves on: a crash
// at any point repeats it.
func (x *Inbox) take(ctx context.Context, at *Position, m Message) error {
	have := at.Of(m.Stream)
	if m.Number <= *have {
		return nil // it was taken before
	}
	if m.Number != *have+1 || m.Stream != Commands && m.Stream != Documents {
		return fmt.Errorf("take message: %s %d came after %d: asked again", m.Stream, m.Number, *have)
	}
	ack := Ack{Stream: m.Stream, Number: m.Number, OK: true}
	if err := x.o.Desk.Take(ctx, m); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		ack.OK, ack.Text = false, err.Error()
	}
	if err := x.o.Client.Acknowledge(ctx, x.o.Device, ack); err != nil {
		return fmt.Errorf("acknowledge %s %d: %w", m.Stream, m.Number, err)
	}
	*have = m.Number
	x.fails = 0
	return x.o.Desk.Save(ctx, *at)
}

// A PositionFile keeps a position in a file: two thirds of a Desk, to embed. A
// missing file is the beginning.
type PositionFile string

// Position reads the file.
func (f PositionFile) Position(context.Context) (Position, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, os.ErrNotExist) {
		return Position{}, nil
	}
	if err != nil {
		return Position{}, err
	}
	return ParsePosition(strings.TrimSpace(string(text)))
}

// Save writes the file so that a power cut leaves the old or the new position.
func (f PositionFile) Save(_ context.Context, p Position) error {
	return WriteFile(string(f), []byte(p.String()+"\n"), 0o600)
}
