package tty

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/hotplug"
)

// ErrBusy says that another program, or another part of this one, has the port.
var ErrBusy = errors.New("in use by another program: stop that program")

// A Line opens one serial line again and again and counts what happens on it
// over all its openings.
type Line struct {
	open   device.OpenFunc
	counts counts
}

// NewLine returns a line for device.NewLink. Nothing is opened yet.
func NewLine(c Config) *Line {
	l := &Line{}
	l.open = device.Opens(func() (*Port, error) { return open(c, &l.counts) })
	return l
}

// Open is a device.OpenFunc.
func (l *Line) Open(ctx context.Context) (device.Port, error) { return l.open(ctx) }

// Counters returns what happened since NewLine.
func (l *Line) Counters() Counters { return l.counts.now() }

// Opener returns a function that opens c, for device.NewLink.
func Opener(c Config) device.OpenFunc { return NewLine(c).Open }

// Open opens the line, takes it for this program alone and drops bytes that
// were waiting in it.
func Open(c Config) (*Port, error) { return open(c, &counts{}) }

func open(c Config, n *counts) (*Port, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	node, err := hotplug.Tree{}.Resolve(c.Name)
	if err != nil {
		return nil, c.failed(err)
	}
	guard, err := lock(node)
	if err != nil {
		return nil, c.failed(err)
	}
	sp, err := serial.OpenPort(c.library(node))
	if err != nil {
		unix.Close(guard)
		return nil, c.failed(err)
	}
	// Only now: TIOCEXCL would keep the second open out as well. A line that
	// does not know it is still locked by flock.
	_ = unix.IoctlSetInt(guard, unix.TIOCEXCL, 0)
	p := &Port{cfg: c, serial: sp, guard: guard, bell: os.NewFile(uintptr(guard), c.Name), counts: n}
	if err := errors.Join(set(guard, c), p.Flush()); err != nil {
		p.Close()
		return nil, c.failed(err)
	}
	n.opened(guard)
	return p, nil
}

// failed makes an error of the wire and says what to do about it.
func (c Config) failed(err error) error {
	var w *device.Wire
	if errors.As(err, &w) {
		return err
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = fmt.Errorf("not there (%w): plug it in, or compare the name with /dev/serial/by-id%s", err, hint(c.Name))
	case errors.Is(err, os.ErrPermission):
		err = fmt.Errorf("%w: put the program's user into the group dialout", err)
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		err = fmt.Errorf("%w: there is a name but no hardware behind it", err)
	}
	return &device.Wire{Op: "open", Port: c.Name, Err: err}
}

// hint names a line of the same directory and kind that is there.
func hint(name string) string {
	there, err := os.ReadDir(filepath.Dir(name))
	if err != nil || !strings.HasPrefix(name, "/dev/") {
		return ""
	}
	kind := strings.TrimRight(filepath.Base(name), "0123456789")
	i := slices.IndexFunc(there, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), kind) })
	if i < 0 || len(kind) < 4 {
		return ""
	}
	return "; there is " + there[i].Name()
}

func (c Config) library(node string) *serial.Config {
	s := &serial.Config{Name: node, Baud: c.Baud, ReadTimeout: tick, Size: 8, Parity: serial.Parity(c.Parity), StopBits: serial.Stop1}
	if !standard(c.Baud) {
		s.Baud = 9600 // the library refuses others; set gives the line its own
	}
	if c.TwoStopBits {
		s.StopBits = serial.Stop2
	}
	return s
}

// lock opens name a second time and locks it. The lock goes with the process,
// however that ends.
func lock(name string) (int, error) {
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EBUSY) {
		return -1, ErrBusy
	}
	if err != nil {
		return -1, err
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("not a serial line: %w", err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return -1, ErrBusy
	}
	return fd, nil
}
