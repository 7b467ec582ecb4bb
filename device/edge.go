package device

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// An Edge is one change of a digital line, as the kernel recorded it.
type Edge struct {
	At     time.Duration // the kernel's monotonic clock
	Line   int           // index of the line in its source, from 0
	Rising bool
	Seq    uint32 // counts the edges of the source; a gap means that edges were lost
}

// An EdgeSource gives edges as they come. Edges fills b as far as there are
// edges, not always in their order: Seq is the order. It returns ErrTimeout
// after its own short tick of silence, ErrGone when the hardware is unplugged,
// and the error of ctx, whose deadline may be earlier than the tick.
type EdgeSource interface {
	Edges(ctx context.Context, b []Edge) (int, error)
}

// Monotonic returns the kernel's monotonic clock, which runs beside Edge.At.
func Monotonic() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0 // not reached: every Linux has this clock
	}
	return time.Duration(t.Nano())
}
