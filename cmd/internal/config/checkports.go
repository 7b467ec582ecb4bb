package config

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"longcheng/kiosk"
)

// port checks that a port is named, free, of a form that its device can have,
// and of usable settings. A path is always such a form.
func (k *checker) port(path string, p Port, forms ...string) {
	at, form := filepath.Clean(p.File), ""
	for _, f := range []string{onUSB, network} {
		if strings.HasPrefix(p.File, f) {
			at, form = p.File, f
		}
	}
	switch {
	case p.File == "":
		k.bad(path+".port", `write the device file, such as port = "/dev/serial/by-id/..."`, "is missing")
	case form != "" && !slices.Contains(forms, form):
		k.bad(path+".port", "write a device file", "%q cannot be the port of such a device", p.File)
	case form != "":
		k.form(path, p, form)
	case !filepath.IsAbs(p.File) && !filepath.IsLocal(p.File):
		k.bad(path+".port", "write an absolute path, or one inside the state directory", "%q leads out of the state directory", p.File)
	}
	if p.File != "" && k.ports[at] != "" {
		k.bad(path+".port", "give every device a port of its own", "%q belongs to %s already", p.File, k.ports[at])
	}
	k.ports[at] = path
	if !slices.Contains(bauds, p.Baud) && form == "" {
		k.bad(path+".baud", "write one of "+strings.Trim(fmt.Sprint(bauds), "[]"), "%d is no speed of a serial port", p.Baud)
	}
	k.serial(path, p)
}

// form checks a port that is no path.
func (k *checker) form(path string, p Port, form string) {
	if form == onUSB {
		if _, _, _, ok := p.USB(); !ok {
			k.bad(path+".port", `write vendor, product and, of several, the serial number, such as port = "usb:04b8:0e15"; kioskctl scan shows them`, "%q names no USB device", p.File)
		}
		return
	}
	host, port, err := net.SplitHostPort(strings.TrimPrefix(p.File, network))
	if err != nil || host == "" || !decimal(port, 65535) {
		k.bad(path+".port", `write host and port, such as port = "tcp://10.0.0.21:9100"`, "%q is no address", p.File)
	}
}

// serial checks the settings of a line beside its speed.
func (k *checker) serial(path string, p Port) {
	s := p.Serial
	if s == (Serial{}) {
		return // of a device that cannot choose
	}
	k.oneOf(path+".parity", "parity", s.Parity, "none", "even", "odd")
	k.between(path+".stop_bits", s.StopBits, 1, 2)
	k.oneOf(path+".flow", "flow control", s.Flow, "none", "xonxoff", "rtscts")
	k.bus(path, p)
}

// bus checks the settings of a wire of several stations.
func (k *checker) bus(path string, p Port) {
	b, rts := p.Bus, map[string]kiosk.Duration{"rts_before": p.RTSBefore, "rts_after": p.RTSAfter}
	if (b.RS485 || b.Echo || b.Quiet > 0) && p.Flow != "none" {
		k.bad(path+".flow", "leave out flow, or rs485, echo and quiet", "flow control and RS-485 exclude each other")
	}
	if b.RTSLow && !b.RS485 {
		k.bad(path+".rts_low", "write rs485 = true, or leave it out", "nobody switches RTS")
	}
	for _, key := range []string{"rts_before", "rts_after"} {
		switch d := rts[key].Std(); {
		case d > 0 && !b.RS485:
			k.bad(path+"."+key, "write rs485 = true, or leave it out", "nobody switches RTS")
		case d > 100*time.Millisecond || d%time.Millisecond != 0:
			k.bad(path+"."+key, `write whole milliseconds up to "100ms"`, "%s is no such time", d)
		}
	}
	if b.Quiet.Std() > time.Second {
		k.bad(path+".quiet", `write at most "1s"`, "%s is too long", b.Quiet.Std())
	}
}

// reader checks what a reader hangs on: two pins with wiegand, otherwise a port.
func (k *checker) reader(path string, d Reader) {
	if d.Driver != "wiegand" {
		k.port(path, Port{File: d.Port, Baud: d.Baud})
		if len(d.Pins) > 0 {
			k.bad(path+".pins", "leave it out, or choose another driver", "does not go with driver %q", d.Driver)
		}
		return
	}
	if d.Port != "" {
		k.bad(path+".port", "leave it out, or choose another driver", `does not go with driver "wiegand"`)
	}
	if len(d.Pins) != 2 || d.Pins[0] == d.Pins[1] {
		k.bad(path+".pins", `name D0 and D1, such as pins = ["GPIO5", "GPIO6"]`, "%d pins", len(d.Pins))
	}
}
