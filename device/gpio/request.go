package gpio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/internal/ioctl"
)

// linux/gpio.h: flags and attributes of a request.
const (
	flagInput    = 1 << 2
	flagOutput   = 1 << 3
	flagRising   = 1 << 4
	flagFalling  = 1 << 5
	flagPullUp   = 1 << 8
	flagPullDown = 1 << 9
	flagNoBias   = 1 << 10

	eventSize  = 48
	eventQueue = 1024 // the most that the kernel keeps
)

// ErrTaken says that another program has the pin.
var ErrTaken = errors.New("in use by another program or a kernel driver: see gpioinfo")

// An ask is what is wanted of one or more lines of one chip.
type ask struct {
	flags    uint64
	high     bool          // for outputs: the level from the first moment on
	debounce time.Duration // for inputs: 0 means none
	queue    uint32        // events kept by the kernel; 0 means 16 for each line
}

// request takes lines from the kernel and returns their descriptor. They are
// free again when that is closed, by the program or by its end.
func request(chip place, offsets []uint32, a ask) (int, error) {
	if len(offsets) == 0 || len(offsets) > 64 {
		return -1, fmt.Errorf("request %d lines at once: ask for 1 to 64", len(offsets))
	}
	fd, err := chip.open()
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	r := packed(offsets, a)
	if err := ioctl.Do(fd, unix.GPIO_V2_GET_LINE_IOCTL, &r); err != nil {
		return -1, reason(err)
	}
	return int(r.Fd), nil
}

// packed lays the question out as the kernel wants it; what is unused is zero.
func packed(offsets []uint32, a ask) unix.GPIOV2LineRequest {
	r := unix.GPIOV2LineRequest{Num_lines: uint32(len(offsets)), Event_buffer_size: a.queue}
	copy(r.Offsets[:], offsets)
	copy(r.Consumer[:len(r.Consumer)-1], "longcheng")
	r.Config.Flags = a.flags
	all := ^uint64(0) >> (64 - len(offsets))
	add := func(id uint32, value uint64) {
		at := &r.Config.Attrs[r.Config.Num_attrs]
		at.Attr.Id, at.Attr.Flags, at.Mask = id, value, all
		r.Config.Num_attrs++
	}
	if a.flags&flagOutput != 0 && a.high {
		add(unix.GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, all)
	}
	if a.debounce > 0 {
		// The kernel reads 32 bits of the union.
		add(unix.GPIO_V2_LINE_ATTR_ID_DEBOUNCE, word(uint32(a.debounce.Microseconds())))
	}
	return r
}

// word places 32 bits at the front of a union of 64.
func word(v uint32) uint64 {
	var b [8]byte
	binary.NativeEndian.PutUint32(b[:], v)
	return binary.NativeEndian.Uint64(b[:])
}

func reason(err error) error {
	if errors.Is(err, unix.EBUSY) {
		return ErrTaken
	}
	return err
}

// edge decodes one event; line finds the index of an offset.
func edge(b []byte, line func(uint32) int) (device.Edge, bool) {
	if len(b) < eventSize {
		return device.Edge{}, false
	}
	e := binary.NativeEndian
	kind := e.Uint32(b[8:])
	at := device.Edge{At: time.Duration(e.Uint64(b)), Line: line(e.Uint32(b[12:])), Rising: kind == unix.GPIO_V2_LINE_EVENT_RISING_EDGE, Seq: e.Uint32(b[16:])}
	return at, at.Line >= 0 && (kind == unix.GPIO_V2_LINE_EVENT_RISING_EDGE || kind == unix.GPIO_V2_LINE_EVENT_FALLING_EDGE)
}
