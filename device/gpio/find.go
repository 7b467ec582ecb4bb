package gpio

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/host/v3/gpioioctl"

	"longcheng/device"
	"longcheng/device/internal/ioctl"
)

const chipInfo = 0x8044B401 // GPIO_GET_CHIPINFO_IOCTL of linux/gpio.h

// ErrNoPin says that the machine has no such pin.
var ErrNoPin = errors.New("no such pin: check the name with gpioinfo, and that the user is in group gpio")

// A place is where a line is: its chip, the file that this had when it was
// found, and its offset there.
type place struct {
	name   string
	label  string // of the chip
	file   string // may have changed: a chip that was plugged in again has another number
	offset uint32
}

// Open returns a pin by its kernel name such as "GPIO17", or by chip label and
// offset such as "pinctrl-rp1:17". Chip numbers are not accepted: they change
// from start to start. Nothing is asked of the pin before its first In or Out.
func Open(name string) (*Pin, error) {
	at, err := find(name)
	if err != nil {
		return nil, fmt.Errorf("open pin %s: %w", name, err)
	}
	return &Pin{place: at}, nil
}

func find(name string) (place, error) {
	keepStdin()
	// Drivers that found nothing are listed in the state, not in the error.
	_, err := driverreg.Init()
	keepStdin()
	if err != nil {
		return place{}, err
	}
	if p := gpioreg.ByName(name); p != nil {
		if line, ok := p.(*gpioioctl.GPIOLine); ok {
			return onChip(name, line)
		}
	}
	return byOffset(name)
}

// A Chip is a GPIO chip as it is now.
type Chip struct {
	Label string   `json:"label"` // as a pin's name may begin with
	Lines []string `json:"lines"` // by offset; empty for lines without a name
}

// Chips lists the chips that this user may open.
func Chips() ([]Chip, error) {
	keepStdin()
	_, err := driverreg.Init()
	keepStdin()
	if err != nil {
		return nil, fmt.Errorf("look for pins: %w", err)
	}
	all := []Chip{}
	for _, c := range gpioioctl.Chips {
		chip := Chip{Label: c.Label(), Lines: []string{}}
		for _, l := range c.Lines() {
			chip.Lines = append(chip.Lines, l.Name())
		}
		all = append(all, chip)
	}
	return all, nil
}

func onChip(name string, line *gpioioctl.GPIOLine) (place, error) {
	for _, c := range gpioioctl.Chips {
		if slices.Contains(c.Lines(), line) {
			return place{name, c.Label(), c.Path(), uint32(line.Number())}, nil
		}
	}
	return place{}, ErrNoPin
}

func byOffset(name string) (place, error) {
	label, number, ok := strings.Cut(name, ":")
	n, err := strconv.ParseUint(number, 10, 16)
	if !ok || err != nil || label == "" {
		return place{}, ErrNoPin
	}
	for _, c := range gpioioctl.Chips {
		if c.Label() == label && int(n) < c.LineCount() {
			return place{name, label, c.Path(), uint32(n)}, nil
		}
	}
	return place{}, ErrNoPin
}

// keepStdin opens /dev/null as descriptor 0 if that is closed. The finder
// closes it when it meets a chip twice (gpiochip0 and 4 of a Raspberry Pi).
func keepStdin() {
	if _, err := unix.FcntlInt(0, unix.F_GETFD, 0); err == nil {
		return
	}
	if fd, err := unix.Open("/dev/null", unix.O_RDWR, 0); err == nil && fd != 0 {
		unix.Close(fd)
	}
}

// open opens the chip of the place, also under a new number. A chip with
// another label is another chip: what hangs on its lines must not be touched.
func (p place) open() (int, error) {
	files, _ := filepath.Glob("/dev/gpiochip*") // the pattern is good
	for _, name := range append([]string{p.file}, files...) {
		fd, err := unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		if label(fd) == p.label {
			return fd, nil
		}
		unix.Close(fd)
	}
	return -1, fmt.Errorf("chip %s is gone: %w", p.label, device.ErrGone)
}

// label asks a chip for its label; what is no chip has none.
func label(fd int) string {
	var info unix.GPIOChipInfo
	if ioctl.Do(fd, chipInfo, &info) != nil {
		return ""
	}
	return unix.ByteSliceToString(info.Label[:])
}
