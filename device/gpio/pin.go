package gpio

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"

	"longcheng/device"
	"longcheng/device/internal/ioctl"
)

// A Pin is one line of a GPIO chip. It does what periph's interfaces promise
// and periph's own driver does not: a new output has its level from the first
// moment, an output that is read stays one, inputs are debounced by the kernel,
// and a negative wait is for ever.
//
// A Pin is the kernel's again when it is closed or the program ends, however it
// ends. It is safe for several goroutines.
type Pin struct {
	place

	mu       sync.Mutex
	file     *os.File // nil before the first In or Out
	out      bool
	level    gpio.Level // the last one driven or read
	debounce time.Duration
}

var _ gpio.PinIO = (*Pin)(nil)

// Debounce sets how long a level must last to be one, for the next In; 0 is
// the pin's raw level.
func (p *Pin) Debounce(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.debounce = d
}

// In makes the pin an input.
func (p *Pin) In(pull gpio.Pull, edge gpio.Edge) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.take(ask{flags: inputFlags(pull, edge), debounce: p.debounce}, false)
}

func inputFlags(pull gpio.Pull, edge gpio.Edge) uint64 {
	flags := uint64(flagInput)
	switch pull {
	case gpio.PullUp:
		flags |= flagPullUp
	case gpio.PullDown:
		flags |= flagPullDown
	case gpio.Float:
		flags |= flagNoBias
	}
	if edge == gpio.RisingEdge || edge == gpio.BothEdges {
		flags |= flagRising
	}
	if edge == gpio.FallingEdge || edge == gpio.BothEdges {
		flags |= flagFalling
	}
	return flags
}

// take gives the old request up and makes a new one. The mutex is held.
func (p *Pin) take(a ask, out bool) error {
	p.release()
	fd, err := request(p.place, []uint32{p.offset}, a)
	if err != nil {
		return fmt.Errorf("request pin %s: %w", p.name, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return fmt.Errorf("request pin %s: %w", p.name, err)
	}
	p.file, p.out = os.NewFile(uintptr(fd), p.name), out
	return nil
}

func (p *Pin) release() error {
	if p.file == nil {
		return nil
	}
	f := p.file
	p.file, p.out = nil, false
	return f.Close()
}

// Out makes the pin an output at once at that level, or changes its level.
func (p *Pin) Out(l gpio.Level) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.out {
		if err := p.take(ask{flags: flagOutput, high: bool(l)}, true); err != nil {
			return err
		}
	} else if p.values(unix.GPIO_V2_LINE_SET_VALUES_IOCTL, &l) != nil {
		p.release() // the chip is gone; the next Out asks for it anew
		return &device.Wire{Op: "drive pin", Port: p.name, Err: device.ErrGone}
	}
	p.level = l
	return nil
}

// Read returns the level of an input, or the level to which an output was set.
// A pin that is neither, or that cannot be read, has the level it had last.
func (p *Pin) Read() gpio.Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.level
	if p.file != nil && !p.out && p.values(unix.GPIO_V2_LINE_GET_VALUES_IOCTL, &l) == nil {
		p.level = l
	}
	return p.level
}

// values reads or sets the level. The mutex is held.
func (p *Pin) values(request uint, l *gpio.Level) error {
	v := unix.GPIOV2LineValues{Mask: 1}
	if *l {
		v.Bits = 1
	}
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = ioctl.Do(int(fd), request, &v) }); err != nil {
		return err
	}
	*l = v.Bits&1 != 0
	return failed
}

// WaitForEdge waits for one edge, for ever if timeout is negative. It returns
// false at the end of the time, after Halt or Close, and at once when the chip
// was unplugged.
func (p *Pin) WaitForEdge(timeout time.Duration) bool {
	p.mu.Lock()
	f := p.file
	p.mu.Unlock()
	if f == nil {
		return false
	}
	end := time.Time{}
	if timeout >= 0 {
		end = time.Now().Add(timeout)
	}
	if err := f.SetReadDeadline(end); err != nil {
		return false
	}
	n, err := f.Read(make([]byte, eventSize))
	return err == nil && n == eventSize
}

// Halt ends the wait that is going on.
func (p *Pin) Halt() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil || p.out {
		return nil
	}
	return p.file.SetReadDeadline(time.Unix(0, 1))
}

// Close gives the pin back to the kernel. It may be called twice.
func (p *Pin) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.release()
}

// String returns the name by which the pin was opened.
func (p *Pin) String() string { return p.name }

// Name returns the name by which the pin was opened.
func (p *Pin) Name() string { return p.name }

// Number returns the offset of the pin in its chip.
func (p *Pin) Number() int { return int(p.offset) }

// Function returns "In", "Out" or, before the first request, "".
func (p *Pin) Function() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.file == nil:
		return ""
	case p.out:
		return "Out"
	}
	return "In"
}

// Pull returns gpio.PullNoChange: the kernel does not say.
func (p *Pin) Pull() gpio.Pull { return gpio.PullNoChange }

// DefaultPull returns gpio.PullNoChange: the kernel does not say.
func (p *Pin) DefaultPull() gpio.Pull { return gpio.PullNoChange }

// PWM returns an error: lines of the character device have none.
func (p *Pin) PWM(gpio.Duty, physic.Frequency) error {
	return errors.New("pulse width on pin " + p.name + ": not offered by the kernel's GPIO interface")
}
