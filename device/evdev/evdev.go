// Package evdev reads scanners that come as USB keyboards. The keyboard is
// grabbed, so that its keys reach nobody else, neither the console nor the
// browser in front of the citizens, and its keys are turned into text.
//
// A code is text that ends with Enter, Tab or a rest of 200 ms. It is delivered
// whole or not at all: dropped is a code with a key that is no printable ASCII
// character, with Control, Alt or the logo key held, that is longer than 2953
// characters, the most that a QR code holds, or out of which the kernel lost an
// event. So no control character ever gets through. The scanner must be set to
// the US keyboard layout, without ALT codes for other letters.
//
//	struct input_event  bytes  meaning
//	time                2 × C long
//	type                2      1 key, 0 synchronisation
//	code                2      key number, or 3 for lost events
//	value               4      1 pressed, 0 released, 2 repeated
//
// in the machine's byte order: 24 bytes on 64 bits, 16 on 32. Sources:
// linux/input.h, linux/input-event-codes.h, Documentation/input/event-codes.rst.
//
// It does not know what a code means. Never run with a real scanner; run on the
// kernel's usbhid driver with a gadget keyboard (make test-hw).
package evdev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/hotplug"
	"longcheng/device/internal/node"
	"longcheng/device/internal/ready"
)

const (
	tick = 100 * time.Millisecond
	grab = 0x40044590 // EVIOCGRAB
)

// ErrBusy says that another program has grabbed the keyboard.
var ErrBusy = errors.New("grabbed by another program: stop that program")

// A Config names a keyboard by its device file or by what it is.
type Config struct {
	Name  string        // device file, best one below /dev/input/by-id
	Match hotplug.Match // used when Name is empty
}

// A Port gives the codes of one grabbed keyboard as bytes, each ended by a
// carriage return as a serial scanner would end it. It belongs to one goroutine
// at a time.
type Port struct {
	name string
	file *os.File
	keys keys
	raw  []byte
	part int       // bytes of an event that came in two pieces
	last time.Time // when the last key came
	out  []byte    // codes not yet read
	once sync.Once
	err  error
}

func (c Config) node() node.Node {
	return node.Node{Name: c.Name, Match: c.Match, Kind: hotplug.Input, What: "keyboard", Group: "input", Busy: ErrBusy}
}

// Opener returns a function that opens c, for device.NewLink.
func Opener(c Config) device.OpenFunc {
	return device.Opens(func() (*Port, error) { return Open(c) })
}

// Open opens the keyboard and takes it away from everybody else.
func Open(c Config) (*Port, error) {
	n := c.node()
	fd, err := n.Open(unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	err = unix.IoctlSetInt(fd, grab, 1)
	if err == nil {
		return newPort(fd, n.String()), nil
	}
	unix.Close(fd)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("not a keyboard: %w", err)
	}
	return nil, n.Failed("grab", err)
}

// newPort makes a port of a descriptor that does not block.
func newPort(fd int, name string) *Port {
	return &Port{name: name, file: os.NewFile(uintptr(fd), name), raw: make([]byte, 64*eventSize)}
}

// String returns the name by which the keyboard was opened.
func (p *Port) String() string { return p.name }

// Dropped returns how many codes were not delivered.
func (p *Port) Dropped() uint64 { return p.keys.dropped }

// Read returns codes, device.ErrTimeout when 100 ms brought none that is
// complete, and device.ErrGone when the keyboard is unplugged.
func (p *Port) Read(b []byte) (int, error) {
	for end := time.Now().Add(tick); len(p.out) == 0; {
		err := p.fetch(end)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if time.Since(p.last) < rest || !p.keys.pending() {
				return 0, device.ErrTimeout
			}
			p.out = p.keys.end(p.out)
			if len(p.out) == 0 {
				return 0, device.ErrTimeout
			}
		case errors.Is(err, os.ErrClosed):
			return 0, &device.Wire{Op: "read", Port: p.name, Err: err}
		case err != nil:
			return 0, &device.Wire{Op: "read", Port: p.name, Err: device.ErrGone}
		}
	}
	n := copy(b, p.out)
	p.out = p.out[n:]
	return n, nil
}

// Await is that of device.Waiter; a code that is begun is not waited for.
func (p *Port) Await(ctx context.Context, d time.Duration) {
	if len(p.out) == 0 && !p.keys.pending() {
		ready.Await(ctx, p.file, d)
	}
}

// fetch waits for events and feeds them to the keys.
func (p *Port) fetch(end time.Time) error {
	if p.file.SetReadDeadline(end) != nil {
		return os.ErrClosed
	}
	n, err := p.file.Read(p.raw[p.part:])
	if err != nil {
		return err
	}
	n += p.part
	whole := n - n%eventSize
	for i := 0; i < whole; i += eventSize {
		p.out = p.keys.event(parse(p.raw[i:]), p.out)
	}
	p.last = time.Now()
	p.part = copy(p.raw, p.raw[whole:n])
	return nil
}

// Write returns an error: nothing is said to a keyboard.
func (p *Port) Write([]byte) (int, error) {
	return 0, errors.New("write " + p.name + ": a keyboard takes no bytes: set the scanner up by its own codes")
}

// Flush drops codes that were not read.
func (p *Port) Flush() error {
	p.out = nil
	return nil
}

// Close gives the keyboard back to everybody. It may be called twice.
func (p *Port) Close() error {
	p.once.Do(func() { p.err = p.file.Close() })
	return p.err
}
