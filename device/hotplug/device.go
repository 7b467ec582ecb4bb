// Package hotplug finds the devices that are plugged in and notices when that
// changes: serial ports, USB printers, keyboards, touch screens and mice.
//
// Changes are level-triggered: the kernel's messages only say when to look, and
// a look every half minute finds what they did not say. What is handed on is
// always the whole list. A device is told by what it is or where it is plugged
// in, never by its number: ttyUSB0 may be ttyUSB1 after a loose contact.
//
//	read from                           for
//	/sys/class/{tty,usbmisc,input}      nodes and drivers
//	capabilities/*, properties          what an input device is
//	idVendor ... bInterfaceNumber       the USB device behind a node
//	/dev/serial/by-id, by-path          udev's stable names, if udev runs
//	NETLINK_KOBJECT_UEVENT, group 1     the kernel's messages: add, remove, ...
//
// Sources: Documentation/ABI/testing/sysfs-bus-usb, Documentation/input/event-codes.rst,
// lib/kobject_uevent.c and drivers/input/input.c of the kernel, 60-serial.rules of
// systemd for the form of the stable names.
//
// It does not open the devices and does not know what they say.
package hotplug

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Kind is the sort of device node.
type Kind string

// The kinds that are looked for.
const (
	Serial  Kind = "serial"  // a tty with hardware behind it
	Printer Kind = "printer" // /dev/usb/lpN
	Input   Kind = "input"   // /dev/input/eventN
)

// A Device is one device node that is there now. Texts come from the device
// itself: they are cut to 64 printable characters and must not be trusted.
type Device struct {
	Kind      Kind
	Node      string   // such as /dev/ttyUSB0
	Driver    string   // such as ftdi_sio
	Vendor    uint16   // USB id; 0 without USB
	Product   uint16   // USB id
	Maker     string   // as the device says
	Model     string   // as the device says
	Serial    string   // as the device says
	Interface int      // USB interface number
	Port      int      // port of a USB serial adapter with several, from 0; -1 without
	Path      string   // where it is plugged in, such as 1-1.4
	Name      string   // of an input device, as it says
	Hand      Hand     // of an input device; empty for those that are none of the three
	Links     []string // udev's names, sorted
}

// ID returns the name that udev gives a USB serial port below
// /dev/serial/by-id, or "" for a port without USB.
func (d Device) ID() string {
	if d.Kind != Serial || d.Vendor == 0 {
		return ""
	}
	maker, model := d.Maker, d.Model
	if maker == "" {
		maker = hex4(d.Vendor)
	}
	if model == "" {
		model = hex4(d.Product)
	}
	id := "usb-" + udevName(maker) + "_" + udevName(model)
	if d.Serial != "" {
		id += "_" + udevName(d.Serial)
	}
	id += "-if" + hex2(d.Interface)
	if d.Port >= 0 {
		id += "-port" + strconv.Itoa(d.Port)
	}
	return id
}

func hex4(v uint16) string { return string(strconv.AppendUint(nil, 0x10000|uint64(v), 16)[1:]) }
func hex2(v int) string    { return strconv.FormatUint(0x100|uint64(v)&0xFF, 16)[1:] }

// udevName replaces what udev does not want in a name.
func udevName(s string) string {
	s = strings.Join(strings.Fields(s), "_")
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("#+-.:=@_", r) || r > 0x7F {
			return r
		}
		return '_'
	}, s)
}

// A Tree is where to look; the zero value is the running system.
type Tree struct {
	Root string // prefix of /sys and /dev, for tests
}

func (t Tree) path(p string) string { return t.Root + p }

// List returns the devices that are there, sorted by kind and node. What cannot
// be read, because it is being unplugged at this moment, is left out.
func (t Tree) List() []Device {
	links := t.links()
	var all []Device
	for _, c := range []struct {
		kind           Kind
		class, pattern string
		dev            string
	}{
		{Serial, "tty", "tty*", "/dev/"},
		{Printer, "usbmisc", "lp*", "/dev/usb/"},
		{Input, "input", "event*", "/dev/input/"},
	} {
		found, _ := filepath.Glob(t.path("/sys/class/" + c.class + "/" + c.pattern)) // the pattern is good
		for _, dir := range found {
			if d, ok := t.read(c.kind, dir); ok {
				d.Node = c.dev + filepath.Base(dir)
				d.Links = links[d.Node]
				all = append(all, d)
			}
		}
	}
	slices.SortFunc(all, func(a, b Device) int {
		return strings.Compare(string(a.Kind)+" "+a.Node, string(b.Kind)+" "+b.Node)
	})
	return all
}

// read reads what sysfs says of one class device.
func (t Tree) read(k Kind, dir string) (Device, bool) {
	d := Device{Kind: k, Port: -1}
	hardware, err := filepath.EvalSymlinks(dir + "/device")
	if err != nil || k == Serial && text(dir+"/type") == "0" { // a ttyS without a chip
		return d, false
	}
	if driver, err := os.Readlink(hardware + "/driver"); err == nil {
		d.Driver = filepath.Base(driver)
	}
	if n, err := strconv.Atoi(text(hardware + "/port_number")); err == nil {
		d.Port = n
	}
	d.Name = text(hardware + "/name")
	d.usb(hardware)
	if k == Input {
		d.Hand = readBitmaps(hardware).hand()
	}
	return d, true
}

// usb walks up from the hardware's folder to its USB interface and device.
func (d *Device) usb(dir string) {
	for range 32 {
		if n, err := strconv.ParseUint(text(dir+"/bInterfaceNumber"), 16, 8); err == nil {
			d.Interface = int(n)
		}
		if v, err := strconv.ParseUint(text(dir+"/idVendor"), 16, 16); err == nil {
			p, _ := strconv.ParseUint(text(dir+"/idProduct"), 16, 16)
			d.Vendor, d.Product, d.Path = uint16(v), uint16(p), filepath.Base(dir)
			d.Maker, d.Model, d.Serial = text(dir+"/manufacturer"), text(dir+"/product"), text(dir+"/serial")
			return
		}
		up := filepath.Dir(dir)
		if up == dir || filepath.Base(dir) == "sys" {
			return
		}
		dir = up
	}
}

// links returns udev's names below /dev/serial by the node they lead to.
func (t Tree) links() map[string][]string {
	all := map[string][]string{}
	found, _ := filepath.Glob(t.path("/dev/serial/by-*/*")) // the pattern is good
	for _, link := range found {
		to, err := os.Readlink(link)
		if err != nil {
			continue
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(link), to)
		}
		to, link = strings.TrimPrefix(to, t.Root), strings.TrimPrefix(link, t.Root)
		all[to] = append(all[to], link)
	}
	return all
}

// text reads a small file of sysfs: one line, printable, 64 characters at most.
func text(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, 256)
	n, _ := f.Read(b)
	b, _, _ = bytes.Cut(b[:n], []byte("\n"))
	s := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || !strconv.IsPrint(r) {
			return -1
		}
		return r
	}, strings.TrimSpace(string(bytes.ToValidUTF8(b, nil)))))
	return string(s[:min(len(s), 64)])
}
