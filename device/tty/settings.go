package tty

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device/internal/ioctl"
)

// standard reports whether the library and the kernel have a name for the speed.
func standard(baud int) bool {
	return slices.Contains([]int{50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400,
		460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000}, baud)
}

// set gives the line what the library cannot, and reads back whether the driver
// has taken it: drivers leave out what they cannot do without an error.
func set(fd int, c Config) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	shape(t, c)
	if err := unix.IoctlSetTermios(fd, unix.TCSETS2, t); err != nil {
		return fmt.Errorf("set the line: %w", err)
	}
	got, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("read the settings back: %w", err)
	}
	if err := taken(got, t, c); err != nil {
		return err
	}
	if c.RS485 != nil && c.RS485.Driver {
		return setRS485(fd, *c.RS485)
	}
	return nil
}

// shape changes what the library has left out.
func shape(t *unix.Termios, c Config) {
	t.Iflag &^= unix.IXON | unix.IXOFF | unix.IXANY
	t.Cflag &^= unix.CRTSCTS
	switch c.Flow {
	case XonXoff:
		t.Iflag |= unix.IXON | unix.IXOFF
		t.Cc[unix.VSTART], t.Cc[unix.VSTOP] = 0x11, 0x13
	case RTSCTS:
		t.Cflag |= unix.CRTSCTS
	}
	if !standard(c.Baud) {
		t.Cflag = t.Cflag&^(unix.CBAUD|unix.CBAUDEX) | unix.BOTHER
		t.Ispeed, t.Ospeed = uint32(c.Baud), uint32(c.Baud)
	}
}

// taken compares what the driver made of the settings. Three parts in a hundred
// is what two ends may differ in speed.
func taken(got, want *unix.Termios, c Config) error {
	const size = unix.CSIZE | unix.CSTOPB | unix.PARENB | unix.PARODD
	switch off := int(got.Ospeed) - c.Baud; {
	case got.Cflag&size != want.Cflag&size:
		return fmt.Errorf("the driver cannot do parity %c with these stop bits: choose others, or another adapter", c.Parity)
	case (got.Cflag^want.Cflag)&unix.CRTSCTS != 0:
		return fmt.Errorf("the driver cannot do RTS/CTS: use xonxoff, or another adapter")
	case got.Ospeed != 0 && max(off, -off)*100 > c.Baud*3:
		return fmt.Errorf("the hardware does %d baud instead of %d: choose another speed, or another adapter", got.Ospeed, c.Baud)
	}
	return nil
}

// rs485 is struct serial_rs485 of linux/serial.h, 32 bytes.
type rs485 struct {
	flags         uint32
	before, after uint32 // milliseconds
	_             [5]uint32
}

const (
	rs485Enabled  = 1 << 0
	rs485OnSend   = 1 << 1 // RTS high while sending
	rs485RTSAfter = 1 << 2 // RTS high otherwise
	rs485Hear     = 1 << 4 // the receiver stays on while sending
)

func (r RS485) driver() rs485 {
	k := rs485{flags: rs485Enabled | rs485OnSend, before: uint32(r.BeforeSend / time.Millisecond), after: uint32(r.AfterSend / time.Millisecond)}
	if r.RTSLow {
		k.flags = rs485Enabled | rs485RTSAfter
	}
	if r.Echo {
		k.flags |= rs485Hear
	}
	return k
}

func setRS485(fd int, r RS485) error {
	want := r.driver()
	got := want
	if err := ioctl.Do(fd, unix.TIOCSRS485, &got); err != nil {
		return fmt.Errorf("the driver does not know RS-485 (%w): use an adapter that switches by itself and leave driver switching off", err)
	}
	got = rs485{}
	if err := ioctl.Do(fd, unix.TIOCGRS485, &got); err != nil {
		return fmt.Errorf("read RS-485 back: %w", err)
	}
	return sameRS485(got, want)
}

func sameRS485(got, want rs485) error {
	const all = rs485Enabled | rs485OnSend | rs485RTSAfter | rs485Hear
	switch {
	case got.flags&all != want.flags&all:
		return fmt.Errorf("the driver set RS-485 flags %x instead of %x: it cannot switch RTS this way", got.flags&all, want.flags&all)
	case got.before != want.before || got.after != want.after:
		return fmt.Errorf("the driver waits %d and %d ms around RTS instead of %d and %d: choose these", got.before, got.after, want.before, want.after)
	}
	return nil
}
