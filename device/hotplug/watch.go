package hotplug

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"golang.org/x/sys/unix"
)

const (
	rescan  = 30 * time.Second       // a look without any message
	settle  = 200 * time.Millisecond // silence after messages: one plug makes a dozen
	patient = 2 * time.Second        // a look this long after the first message at the latest
	second  = 2 * time.Second        // a second look: udev's names come a little later
)

// A Watcher follows what is plugged in.
type Watcher struct {
	Tree
	// OnChange is handed the whole list: what is there at the start, and again
	// whenever it has changed. It runs in the goroutine of Run.
	OnChange func([]Device)

	known []Device
	began bool
}

// messages is where messages of the kernel come from. next waits until the
// given moment; it returns false when none came, and true as well when some
// were lost, because then there is something to look for.
type messages interface {
	next(until time.Time) (bool, error)
	Close() error
}

// Run watches until ctx ends. Without the kernel's messages, as in some
// containers, it looks every 30 seconds.
func (w *Watcher) Run(ctx context.Context) error {
	var m messages = nothing{make(chan struct{})}
	if s, err := listen(); err == nil {
		m = s
	}
	return w.run(ctx, m)
}

func (w *Watcher) run(ctx context.Context, m messages) error {
	// The end of ctx ends the wait for a message; Close comes once.
	stop := context.AfterFunc(ctx, func() { m.Close() })
	defer func() {
		if stop() {
			m.Close()
		}
	}()
	wait := rescan
	for {
		w.look()
		came, err := m.next(time.Now().Add(wait))
		wait = rescan
		if came && err == nil {
			err = quiet(m)
			wait = second
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("watch for devices: %w", err)
		}
	}
}

// quiet waits until the messages stop coming, or for two seconds.
func quiet(m messages) error {
	for limit := time.Now().Add(patient); time.Now().Before(limit); {
		if came, err := m.next(time.Now().Add(settle)); !came || err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) look() {
	now := w.List()
	if w.began && reflect.DeepEqual(now, w.known) {
		return
	}
	w.known, w.began = now, true
	if w.OnChange != nil {
		w.OnChange(now)
	}
}

// socket receives the kernel's messages.
type socket struct{ f *os.File }

func listen() (socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return socket{}, err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		unix.Close(fd)
		return socket{}, err
	}
	return socket{os.NewFile(uintptr(fd), "kernel messages")}, nil
}

// Close ends a wait as well.
func (s socket) Close() error { return s.f.Close() }

func (s socket) next(until time.Time) (bool, error) {
	if err := s.f.SetReadDeadline(until); err != nil {
		return false, err
	}
	raw, err := s.f.SyscallConn()
	if err != nil {
		return false, err
	}
	b := make([]byte, 16<<10) // the kernel's own limit is 2 KiB
	for {
		var n int
		var from unix.Sockaddr
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			n, from, failed = unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
			return failed != unix.EAGAIN && failed != unix.EINTR
		})
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false, nil
		case err != nil:
			return false, err
		case failed == unix.ENOBUFS:
			return true, nil
		case failed != nil:
			return false, failed
		}
		if e, ok := parse(b[:n]); ok && e.matters() && fromKernel(from) {
			return true, nil
		}
	}
}

// fromKernel keeps messages out that a program has sent.
func fromKernel(a unix.Sockaddr) bool {
	n, ok := a.(*unix.SockaddrNetlink)
	return ok && n.Pid == 0
}

// nothing has no messages: only time passes.
type nothing struct{ closed chan struct{} }

func (n nothing) next(until time.Time) (bool, error) {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
		return false, nil
	case <-n.closed:
		return false, os.ErrClosed
	}
}

// Close ends a wait as well.
func (n nothing) Close() error {
	select {
	case <-n.closed:
	default:
		close(n.closed)
	}
	return nil
}
