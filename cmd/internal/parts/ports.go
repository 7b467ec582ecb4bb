// Package parts builds what a configuration names: open ports, strips, voices,
// printers' languages. Kioskd runs them, kioskctl tests them, both with the same
// settings.
//
// It starts nothing, and does not know what a part is for.
package parts

import (
	"strings"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	"longcheng/device/evdev"
	"longcheng/device/hotplug"
	"longcheng/device/tcp"
	"longcheng/device/tty"
	"longcheng/device/usblp"
)

// Opener returns what opens a port of the configuration: a serial line, a USB
// printer, a scanner that types, or a connection. Relative names are below the
// state directory.
func Opener(state string, p config.Port) device.OpenFunc {
	vendor, product, serial, onUSB := p.USB()
	match := hotplug.Match{Vendor: vendor, Product: product, Serial: serial}
	switch {
	case p.Network():
		return tcp.Dial(strings.TrimPrefix(p.File, "tcp://"))
	case p.Keyboard && onUSB:
		return evdev.Opener(evdev.Config{Match: match})
	case p.Keyboard:
		return evdev.Opener(evdev.Config{Name: config.Resolve(state, p.File)})
	case onUSB:
		return usblp.Opener(usblp.Config{Match: match})
	case USBPrinter(p.File):
		return usblp.Opener(usblp.Config{Name: p.File})
	}
	return tty.Opener(Line(state, p))
}

// Serial returns the line of a port of the configuration, which counts what goes
// wrong on it; nil for a port that is none.
func Serial(state string, p config.Port) *tty.Line {
	if _, _, _, onUSB := p.USB(); onUSB || p.Keyboard || p.Network() || USBPrinter(p.File) {
		return nil
	}
	return tty.NewLine(Line(state, p))
}

// USBPrinter reports whether a device file is that of a printer at the kernel's
// usblp driver.
func USBPrinter(file string) bool { return strings.HasPrefix(file, "/dev/usb/lp") }

// WireSpeed is that of a printer's serial wire; 0 on USB and the network.
func WireSpeed(p config.Printer) int {
	port := config.Port{File: p.Port}
	if _, _, _, onUSB := port.USB(); onUSB || port.Network() || USBPrinter(p.Port) {
		return 0
	}
	return p.Baud
}

// Line returns the settings of a serial line.
func Line(state string, p config.Port) tty.Config {
	c := tty.Config{Name: config.Resolve(state, p.File), Baud: p.Baud, TwoStopBits: p.StopBits == 2}
	switch p.Parity {
	case "even", "odd":
		c.Parity = strings.ToUpper(p.Parity)[0]
	}
	switch p.Flow {
	case "xonxoff":
		c.Flow = tty.XonXoff
	case "rtscts":
		c.Flow = tty.RTSCTS
	}
	if p.RS485 || p.Echo || p.Quiet > 0 || p.Shared && c.Flow == tty.NoFlow {
		c.RS485 = &tty.RS485{Driver: p.RS485, RTSLow: p.RTSLow, BeforeSend: p.RTSBefore.Std(), AfterSend: p.RTSAfter.Std(), Echo: p.Echo, QuietBefore: p.Quiet.Std()}
	}
	return c
}

// Stamp tells what is plugged in at a port; nil where nothing can tell.
func Stamp(state string, p config.Port) func() string {
	if _, _, _, onUSB := p.USB(); onUSB || p.Network() {
		return nil
	}
	name := config.Resolve(state, p.File)
	return func() string { return tty.Stamp(name) }
}
