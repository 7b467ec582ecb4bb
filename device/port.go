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

// ReadFull fills b within the given time. Ticks of silence are waited out; when
// the time is over it returns ErrTimeout and the number of bytes that did come.
func ReadFull(ctx context.Context, p Port, b []byte, within time.Duration) (int, error) {
	end := time.Now().Add(within)
	n := 0
	for n < len(b) {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		m, err := p.Read(b[n:])
		n += m
		if n == len(b) {
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
