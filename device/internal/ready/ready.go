// Package ready waits in Go's poller until a descriptor has something to read,
// and reads nothing. A thread that waits in a system call of its own instead has
// the scheduler look after it hundreds of times a second.
package ready

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A File is a descriptor of Go's poller: an *os.File or a connection.
type File interface {
	SyscallConn() (syscall.RawConn, error)
	SetReadDeadline(time.Time) error
}

// Silent waits until f has something to read, a hang-up included, or until end,
// and reports whether there was nothing. Of a file that cannot be waited for it
// says no at once.
func Silent(f File, end time.Time) bool {
	return f.SetReadDeadline(end) == nil && silent(f)
}

// Await is Silent for d at most, or until ctx ends.
func Await(ctx context.Context, f File, d time.Duration) {
	if f.SetReadDeadline(time.Now().Add(d)) != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Now()) }) // of a closed file nobody waits
	defer stop()
	silent(f)
}

func silent(f File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	err = raw.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n != 0 || err != nil && err != unix.EINTR
	})
	return errors.Is(err, os.ErrDeadlineExceeded)
}
