package wiegand

import (
	"context"
	"errors"
	"time"

	"longcheng/device"
)

// A Reader follows one pair of wires.
type Reader struct {
	Decoder

	// OnDropped, if set before Run, is told whenever frames were dropped. It runs in
	// the goroutine of Run.
	OnDropped func(Counts)

	source device.EdgeSource
	clock  func() time.Duration
}

// NewReader returns a reader of two lines, D0 first. clock is the clock of the
// edges' timestamps; nil means the kernel's monotonic clock.
func NewReader(source device.EdgeSource, clock func() time.Duration) *Reader {
	if clock == nil {
		clock = device.Monotonic
	}
	return &Reader{source: source, clock: clock}
}

// Run hands every good frame to handle, in its own goroutine, until ctx ends
// or the lines are gone. A frame is delivered twice its gap after its end.
func (r *Reader) Run(ctx context.Context, handle func(Frame)) error {
	b := make([]device.Edge, 64)
	told := r.Counts().Dropped()
	for {
		if c := r.Counts(); c.Dropped() != told {
			told = c.Dropped()
			if r.OnDropped != nil {
				r.OnDropped(c)
			}
		}
		n, silent, err := r.read(ctx, b)
		if err != nil {
			return err
		}
		for _, e := range b[:n] {
			if f, ok := r.Edge(e); ok {
				handle(f)
			}
		}
		if f, ok := r.Rest(silent); ok {
			handle(f)
		}
	}
}

// read waits for edges, not longer than it takes to see the end of a frame. If
// there were none it returns the moment up to which that is certain: not the
// moment at which this program came to notice it, on a busy machine much later.
func (r *Reader) read(ctx context.Context, b []device.Edge) (n int, silent time.Duration, err error) {
	begun, wait := r.clock(), 2*r.gap()
	looking := ctx
	if len(r.pending) > 0 {
		short, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		looking = short
	}
	n, err = r.source.Edges(looking, b)
	switch {
	case errors.Is(err, device.ErrTimeout):
		return 0, begun + wait, nil
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return n, 0, nil // it did not come to look
	}
	return n, 0, err
}
