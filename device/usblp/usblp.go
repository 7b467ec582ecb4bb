// Package usblp opens printers behind the kernel's usblp driver, /dev/usb/lpN,
// as device ports.
//
// The driver takes at most 8192 bytes at a time and, for a descriptor that does
// not block, as all of Go's do not, returns before they have left; closing the
// descriptor kills what has not. So a Port stays open for the life of the
// device, Write returns when the printer has taken the last byte (POLLOUT), and
// Close waits for that too. A printer without paper takes nothing: Write then
// returns an error that wraps device.ErrTimeout instead of waiting for ever.
//
//	ioctl                 number            used for
//	LPIOC_GET_DEVICE_ID   'P' 1, read       the IEEE 1284 device id
//	LPGETSTATUS           060Bh             the IEEE 1284 status byte
//
// Sources: drivers/usb/class/usblp.c, linux/lp.h, IEEE 1284-2000 clause 7.6.
//
// It does not know what the bytes print. Never run on a real printer; run on the
// kernel's driver with a gadget printer (make test-hw).
package usblp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/hotplug"
	"longcheng/device/internal/ioctl"
	"longcheng/device/internal/node"
)

const (
	tick  = 100 * time.Millisecond
	chunk = 8192 // the driver's buffer

	getStatus = 0x060B
	idSize    = 1024
	getID     = 2<<30 | idSize<<16 | 'P'<<8 | 1
)

// ErrBusy says that another program has the printer.
var ErrBusy = errors.New("in use by another program: stop CUPS or whatever prints there")

// A Config names a printer by its device file or by what it is.
type Config struct {
	Name         string        // device file, best one of a udev rule of the technician's own
	Match        hotplug.Match // used when Name is empty
	WriteTimeout time.Duration // no byte taken for this long is an error; 0 means 5s
}

// A Port is one open printer. It belongs to one goroutine at a time.
type Port struct {
	name  string
	limit time.Duration
	file  *os.File
	once  sync.Once
	err   error
}

func (c Config) node() node.Node {
	return node.Node{Name: c.Name, Match: c.Match, Kind: hotplug.Printer, What: "USB printer", Group: "lp", Busy: ErrBusy}
}

// Opener returns a function that opens c, for device.NewLink.
func Opener(c Config) device.OpenFunc {
	return device.Opens(func() (*Port, error) { return Open(c) })
}

// Open opens the printer; the kernel lets one program have it.
func Open(c Config) (*Port, error) {
	n := c.node()
	fd, err := n.Open(unix.O_RDWR)
	if err != nil {
		return nil, err
	}
	return newPort(fd, n.String(), c.WriteTimeout), nil
}

// newPort makes a port of a descriptor that does not block.
func newPort(fd int, name string, limit time.Duration) *Port {
	if limit <= 0 {
		limit = 5 * time.Second
	}
	return &Port{name: name, limit: limit, file: os.NewFile(uintptr(fd), name)}
}

// String returns the name by which the printer was opened.
func (p *Port) String() string { return p.name }

// Read returns what the printer says, device.ErrTimeout after 100 ms of
// silence, and device.ErrGone when it is unplugged. A printer that cannot
// answer is silent.
func (p *Port) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	begun := time.Now()
	if p.file.SetReadDeadline(begun.Add(tick)) != nil {
		return 0, p.wire("read", os.ErrClosed)
	}
	n, err := p.file.Read(b)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, device.ErrTimeout
	case errors.Is(err, unix.EINVAL): // the interface has no way back
		<-time.After(tick - time.Since(begun))
		return 0, device.ErrTimeout
	}
	return 0, p.wire("read", err)
}

// Write sends b and returns when the printer has taken all of it. If it takes
// nothing for the time configured, an error wrapping device.ErrTimeout is
// returned; how much of b is printed is then unknown.
func (p *Port) Write(b []byte) (int, error) {
	sent := 0
	for sent < len(b) {
		if p.file.SetWriteDeadline(time.Now().Add(p.limit)) != nil {
			return sent, p.wire("write", os.ErrClosed)
		}
		n, err := p.file.Write(b[sent:min(sent+chunk, len(b))])
		sent += n
		if err != nil {
			return sent, p.wire("write", err)
		}
	}
	if err := p.taken(p.limit); err != nil {
		return sent, p.wire("write", err)
	}
	return sent, nil
}

// taken waits until the driver has nothing left to send.
func (p *Port) taken(limit time.Duration) error {
	for end := time.Now().Add(limit); ; {
		var events int16
		err := p.control(func(fd int) error {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			_, err := unix.Poll(fds, int(tick.Milliseconds()))
			events = fds[0].Revents
			return err
		})
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case events&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0:
			return device.ErrGone
		case events&unix.POLLOUT != 0:
			return nil
		}
		if !time.Now().Before(end) {
			return os.ErrDeadlineExceeded
		}
	}
}

func (p *Port) control(f func(fd int) error) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// ID asks the printer what it is.
func (p *Port) ID() (ID, error) {
	var b [idSize]byte
	if err := p.control(func(fd int) error { return ioctl.Do(fd, getID, &b) }); err != nil {
		return ID{}, p.wire("identify", err)
	}
	n := int(binary.BigEndian.Uint16(b[:]))
	return ParseID(b[min(2, n):min(max(n, 2), len(b))]), nil
}

// A Status is the IEEE 1284 status byte. Many cheap printers always say 18h,
// whatever happens: believe it only of a printer that was seen to change it.
type Status byte

// NoPaper reports bit 5.
func (s Status) NoPaper() bool { return s&0x20 != 0 }

// Selected reports bit 4: the printer is on line.
func (s Status) Selected() bool { return s&0x10 != 0 }

// Faulty reports bit 3, which is low for an error.
func (s Status) Faulty() bool { return s&0x08 == 0 }

// Status asks the printer for its status byte, beside the data.
func (p *Port) Status() (Status, error) {
	var s int32
	if err := p.control(func(fd int) error { return ioctl.Do(fd, getStatus, &s) }); err != nil {
		return 0, p.wire("ask for the status", err)
	}
	return Status(s), nil
}

// Close waits until what was written has left, as long as a write may take,
// and gives the printer up. It may be called twice.
func (p *Port) Close() error {
	p.once.Do(func() {
		_ = p.taken(p.limit) // Write has said so before, if anything is stuck
		p.err = p.file.Close()
	})
	return p.err
}

func (p *Port) wire(op string, err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("the printer takes no bytes, it may be out of paper: %w", device.ErrTimeout)
	case !errors.Is(err, os.ErrClosed):
		err = device.ErrGone
	}
	return &device.Wire{Op: op, Port: p.name, Err: err}
}
