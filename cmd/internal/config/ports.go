package config

import (
	"fmt"
	"strconv"
	"strings"
)

// A Port is a socket that the document names.
type Port struct {
	Key    string // where it stands, such as "printer[0].port"
	Device string // kind and name, such as "printer printer-1"
	File   string // device file, usb:VVVV:PPPP[:SERIAL] or tcp://HOST:PORT
	Baud   int    // bits per second
	Serial
	Bus
	Shared   bool // of several stations: it rests before each request
	Keyboard bool // of a scanner that types
}

// Ports returns every port of the document.
func (c *Config) Ports() (all []Port) {
	add := func(table string, i int, name string, p Port) {
		if p.File == "" {
			return
		}
		p.Key, p.Device = fmt.Sprintf("%s[%d].port", table, i), table+" "+name
		all = append(all, p)
	}
	for i, d := range c.Printers {
		add("printer", i, d.Name, Port{File: d.Port, Baud: d.Baud, Serial: d.Serial})
	}
	for i, d := range c.Readers {
		add("reader", i, d.Name, Port{File: d.Port, Baud: d.Baud})
	}
	for i, d := range c.Scanners {
		add("scanner", i, d.Name, Port{File: d.Port, Baud: d.Baud, Serial: d.Serial, Keyboard: d.Driver == "keyboard"})
	}
	for i, d := range c.Boards {
		add("board", i, d.Name, Port{File: d.Port, Baud: d.Baud, Serial: d.Serial, Bus: d.Bus, Shared: true})
	}
	for i, d := range c.Lines {
		bus := d.Bus
		bus.Echo, bus.Quiet = false, 0 // the line itself looks after them
		add("line", i, d.Name, Port{File: d.Port, Baud: d.Baud, Serial: d.Serial, Bus: bus})
	}
	for i, d := range c.Voices {
		add("voice", i, d.Name, Port{File: d.Port, Baud: d.Baud})
	}
	return all
}

// PortOf returns the port of a device, such as "printer", "printer-1".
func (c *Config) PortOf(table, name string) (Port, bool) {
	for _, p := range c.Ports() {
		if p.Device == table+" "+name {
			return p, true
		}
	}
	return Port{}, false
}

// Network reports whether the port is a connection over the network.
func (p Port) Network() bool { return strings.HasPrefix(p.File, network) }

const (
	network = "tcp://"
	onUSB   = "usb:"
)

// USB returns what a port of the form usb:VVVV:PPPP[:SERIAL] names.
func (p Port) USB() (vendor, product uint16, serial string, ok bool) {
	rest, ok := strings.CutPrefix(p.File, onUSB)
	if !ok {
		return 0, 0, "", false
	}
	part := strings.SplitN(rest, ":", 3)
	if len(part) < 2 {
		return 0, 0, "", false
	}
	v, errV := strconv.ParseUint(part[0], 16, 16)
	w, errW := strconv.ParseUint(part[1], 16, 16)
	if len(part) == 3 {
		serial = part[2]
	}
	return uint16(v), uint16(w), serial, errV == nil && errW == nil && len(part[0]) == 4 && len(part[1]) == 4
}

// withDefaults fills in what the document left out.
func (s *Serial) withDefaults() {
	if s.Parity == "" {
		s.Parity = "none"
	}
	if s.StopBits == 0 {
		s.StopBits = 1
	}
	if s.Flow == "" {
		s.Flow = "none"
	}
}
