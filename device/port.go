// Package device moves bytes and edges through the sockets of a kiosk and says
// whether they are alive: ports, links that keep one port usable, health and
// the one backoff function. The packages below it speak one kind of input or
// wire each.
//
// It does not know what the bytes mean to a hall: no queues, no people, no
// paper, no calls.
package device

import (
	"context"
	"fmt"
	"io"
	"time"
)

// A Port is an open byte channel to one piece of hardware. String names the
// hardware as a technician would, such as its device file.
//
// Read returns as soon as at least one byte is there. It returns ErrTimeout,
// never io.EOF, when the hardware stayed silent for the port's own short tick
// (about 100 ms), and ErrGone when the hardware was unplugged. Write returns
// when the kernel has taken every byte, or an error within a bounded time; how
// much of a failed write has reached the wire is unknown. Close may be called
// twice. A Port belongs to one goroutine at a time.
type Port interface {
	io.ReadWriteCloser
	fmt.Stringer
}

// A Flusher is a Port that can drop the bytes still waiting in both directions.
type Flusher interface {
	Flush() error
}

// A Dropper is a Port that can drop the bytes that came and were not read, without
// a loss of what is still on its way out.
type Dropper interface {
	Drop() error
}

// A Waiter is a Port that can wait for its hardware longer than a tick at no cost.
type Waiter interface {
	// Await returns when there is something to read, a hang-up included, after d, or
	// when ctx ends.
	Await(ctx context.Context, d time.Duration)
}

// An OpenFunc opens a port; a Link calls it again after every broken wire. It
// must give up when ctx ends.
type OpenFunc func(ctx context.Context) (Port, error)

// Flush drops what p has buffered, if p can; otherwise it does nothing.
func Flush(p Port) error {
	f, ok := p.(Flusher)
	if !ok {
		return nil
	}
	return f.Flush()
}

// Drop drops what came through p and was not read, if p can; otherwise it does
// nothing.
func Drop(p Port) error {
	d, ok := p.(Dropper)
	if !ok {
		return nil
	}
	return d.Drop()
}

// Await waits for p, if p can; otherwise it returns at once, and Read has its tick.
func Await(ctx context.Context, p Port, d time.Duration) {
	if w, ok := p.(Waiter); ok {
		w.Await(ctx, d)
	}
}

// patience is how long Listen waits: whoever looks after its loop hears of it well
// within half a minute.
const patience = 10 * time.Second

// Listen reads from hardware that speaks by itself. After a tick of silence, which
// may end what was begun, it returns 0 and no error. When nothing is begun, say
// idle: then it waits for the first byte before that tick, so that an idle device
// costs nothing.
func Listen(ctx context.Context, p Port, b []byte, idle bool) (int, error) {
	if idle {
		Await(ctx, p, patience)
	}
	n, err := p.Read(b)
	if isTimeout(err) {
		err = nil
	}
	return n, err
}

// ReadFull fills b within the given time. Ticks of silence are waited out; when
// the time is over it returns ErrTimeout and the number of bytes that did come.
func ReadFull(ctx context.Context, p Port, b []byte, within time.Duration) (int, error) {
	return ReadAtLeast(ctx, p, b, len(b), within)
}

// ReadAtLeast is ReadFull that is content with least bytes.
func ReadAtLeast(ctx context.Context, p Port, b []byte, least int, within time.Duration) (int, error) {
	end := time.Now().Add(within)
	n := 0
	for n < least {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		m, err := p.Read(b[n:])
		n += m
		if n >= least {
			return n, nil
		}
		if err != nil && !isTimeout(err) {
			return n, err
		}
		if !time.Now().Before(end) {
			return n, &Wire{Op: "read", Port: p.String(), Err: ErrTimeout}
		}
	}
	return n, nil
}
