package gpio

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
)

// A Watch records the falling edges of a few lines of one chip, each with the
// kernel's timestamp and a number, so that a loss shows as a gap. The kernel
// keeps 1024 edges for it. It is not debounced: a pulse of 50 µs counts.
//
// Falling edges alone are asked for, since the kernel tells the direction from
// the level it finds a little later, when a short pulse is over.
type Watch struct {
	name    string
	offsets []uint32
	buf     []byte

	mu sync.Mutex // held while the descriptor is used
	fd int        // -1 when closed
}

// gather is how long a Watch waits after a first edge for more, so that a card
// of 26 bits wakes the program three times and not 26.
const gather = 10 * time.Millisecond

// NewWatch takes the lines, pulled up, in this order; all belong to one chip.
func NewWatch(names ...string) (*Watch, error) {
	w := &Watch{fd: -1, buf: make([]byte, 64*eventSize)}
	var chip place
	for _, n := range names {
		at, err := find(n)
		if err != nil {
			return nil, fmt.Errorf("watch pin %s: %w", n, err)
		}
		if chip.file != "" && at.file != chip.file {
			return nil, fmt.Errorf("watch pins %v: they are on two chips: wire them to one", names)
		}
		chip, w.offsets = at, append(w.offsets, at.offset)
	}
	w.name = fmt.Sprint(names)
	fd, err := request(chip, w.offsets, ask{flags: flagInput | flagPullUp | flagFalling, queue: eventQueue})
	if err != nil {
		return nil, fmt.Errorf("watch pins %v: %w", names, err)
	}
	w.fd = fd
	return w, nil
}

// Edges is that of device.EdgeSource, with a tick of 200 ms. It belongs to one
// goroutine.
func (w *Watch) Edges(ctx context.Context, b []device.Edge) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	end := time.Now().Add(slice)
	if d, ok := ctx.Deadline(); ok && d.Before(end) {
		end = d
	}
	if err := w.ready(end); err != nil {
		return 0, err
	}
	if err := device.Sleep(ctx, gather); err != nil && ctx.Err() != context.DeadlineExceeded {
		return 0, err
	}
	return w.read(b)
}

// ready waits for an edge with poll(2) and not with Go's poller, which would
// wake at every edge of a frame. It looks once more at the end.
func (w *Watch) ready(end time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd < 0 {
		return w.wire(os.ErrClosed)
	}
	fds := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}
	for {
		wait := max(0, time.Until(end)+time.Millisecond) // poll counts whole ones
		n, err := unix.Poll(fds, int(wait.Milliseconds()))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil || fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0:
			return w.wire(device.ErrGone)
		case n == 0:
			return device.ErrTimeout
		}
		return nil
	}
}

func (w *Watch) read(b []device.Edge) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd < 0 {
		return 0, w.wire(os.ErrClosed)
	}
	n, err := unix.Read(w.fd, w.buf[:min(len(w.buf), len(b)*eventSize)])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, device.ErrTimeout
	case err != nil:
		return 0, w.wire(device.ErrGone)
	}
	return w.decode(w.buf[:n], b), nil
}

func (w *Watch) decode(raw []byte, b []device.Edge) (n int) {
	for ; len(raw) >= eventSize && n < len(b); raw = raw[eventSize:] {
		if e, ok := edge(raw, func(o uint32) int { return slices.Index(w.offsets, o) }); ok {
			b[n] = e
			n++
		}
	}
	return n
}

func (w *Watch) wire(err error) error {
	return &device.Wire{Op: "watch pins", Port: w.name, Err: err}
}

// String names the pins.
func (w *Watch) String() string { return w.name }

// Close waits out a tick that is going on and gives the lines back. It may be
// called twice.
func (w *Watch) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd < 0 {
		return nil
	}
	fd := w.fd
	w.fd = -1
	return unix.Close(fd)
}
