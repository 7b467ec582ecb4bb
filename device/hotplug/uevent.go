package hotplug

import (
	"bytes"
	"strings"
)

// An Event is one message of the kernel about a device.
type Event struct {
	Action    string // add, remove, change, bind, unbind, ...
	Subsystem string // such as tty
	Node      string // such as /dev/ttyUSB0; empty for things without a node
}

// parse takes a message apart: "action@path" and then KEY=value, each ended by
// a zero byte. Messages of udev, which begin with "libudev", are none of the
// kernel's.
func parse(msg []byte) (Event, bool) {
	head, rest, ok := bytes.Cut(msg, []byte{0})
	if !ok || !bytes.Contains(head, []byte("@/")) {
		return Event{}, false
	}
	var e Event
	for len(rest) > 0 {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte{0})
		key, value, _ := strings.Cut(string(pair), "=")
		switch key {
		case "ACTION":
			e.Action = value
		case "SUBSYSTEM":
			e.Subsystem = value
		case "DEVNAME":
			e.Node = "/dev/" + strings.TrimPrefix(value, "/dev/")
		}
	}
	return e, e.Action != "" && e.Subsystem != ""
}

// matters reports whether e can have changed the list.
func (e Event) matters() bool {
	switch e.Subsystem {
	case "tty", "usbmisc", "input", "usb-serial":
		return true
	}
	return false
}
