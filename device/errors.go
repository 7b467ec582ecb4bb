package device

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Sentinels of a broken wire.
var (
	// ErrTimeout says that the hardware stayed silent.
	ErrTimeout = errors.New("no answer in time")
	// ErrGone says that the hardware was unplugged or switched off.
	ErrGone = errors.New("unplugged")
	// ErrHangs says that a driver does not come back from opening its port.
	ErrHangs = errors.New("the driver does not answer: unplug the device and plug it in again")
)

// A Wire is a failure of the wire itself: not what a device said, but that it
// could not be heard. A Link answers it by closing and reopening the port.
type Wire struct {
	Op   string // open, read, write, close
	Port string // the port's name
	Err  error
}

// Error says what was done to which port and why it failed.
func (w *Wire) Error() string { return w.Op + " " + w.Port + ": " + w.Err.Error() }

// Unwrap returns the cause.
func (w *Wire) Unwrap() error { return w.Err }

// IsWire reports whether err means that the wire broke, as opposed to a device
// that said no, a wrong request, or a caller that gave up waiting.
func IsWire(err error) bool {
	var w *Wire
	var no syscall.Errno
	var ne net.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &w), isTimeout(err), errors.Is(err, ErrGone):
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, os.ErrClosed):
		return true
	}
	return errors.As(err, &no) || errors.As(err, &ne)
}

func isTimeout(err error) bool { return errors.Is(err, ErrTimeout) }
