package onbon

import (
	"context"
	"errors"

	"longcheng/display/line"
)

// repeats is how often a request is sent again that the card had no time for, or
// that was damaged on its way.
const repeats = 2

// Ask sends data to one card and returns its answer. The error is a *Refused when the
// card said no.
func Ask(ctx context.Context, c *line.Conn, card uint16, kind byte, data []byte) (Reply, error) {
	req := Frame{To: card, From: HostAddress, Device: kind, Data: data}
	wire, err := req.Append(nil)
	if err != nil {
		return Reply{}, err
	}
	for try := 0; ; try++ {
		var r Reply
		var dec Decoder
		err := c.Ask(ctx, wire, func(b byte) (bool, error) {
			f, _ := dec.Feed(b) // noise is waited out: the answer may still come
			if f == nil || !answers(f, req) {
				return false, nil
			}
			var said error
			r, said = ParseReply(f)
			return !errors.Is(said, ErrCorrupt), unless(said, ErrCorrupt)
		})
		var no *Refused
		again := errors.As(err, &no) && (no.Code == 3 || no.Code == 5)
		if !again || try >= repeats || ctx.Err() != nil {
			return r, err
		}
	}
}

// unless drops an error of one kind.
func unless(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}

// answers reports whether f is the answer to req. A transceiver may echo our own
// frame, and another card's late answer may still be under way.
func answers(f *Frame, req Frame) bool {
	if f.From == HostAddress && f.To == req.To {
		return false
	}
	return f.To == HostAddress && (f.From == req.To || req.To == AnyAddress)
}
