package commission

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/device/evdev"
	"longcheng/device/gpio"
	"longcheng/device/hotplug"
	"longcheng/device/usblp"
	"longcheng/kiosk"
)

// A Sort is what was found at a port.
type Sort string

// The sorts.
const (
	SortPrinter  Sort = "printer"
	SortReader   Sort = "reader"
	SortScanner  Sort = "scanner"
	SortBoard    Sort = "board"
	SortLine     Sort = "line"     // with signs on it
	SortKeyboard Sort = "keyboard" // or a scanner that types
	SortTouch    Sort = "touch screen"
	SortMouse    Sort = "mouse"
	SortSilent   Sort = "silent" // nothing answers: off, or it speaks by itself
	SortShut     Sort = "shut"   // the port cannot be opened
)

// A Found is one port and what answers there.
type Found struct {
	Sort      Sort       `json:"sort"`
	Port      string     `json:"port"` // the name to configure
	Node      string     `json:"node"` // the kernel's name now
	Adapter   string     `json:"adapter,omitempty"`
	Baud      int        `json:"baud,omitempty"`
	Model     string     `json:"model,omitempty"` // as the device says
	Addresses []int      `json:"addresses,omitempty"`
	Inputs    int        `json:"inputs,omitempty"`
	Coils     int        `json:"coils,omitempty"`
	Known     string     `json:"known,omitempty"` // the configuration has it already, under this name
	Problem   kiosk.Text `json:"problem,omitzero"`
	Remedy    kiosk.Text `json:"remedy,omitzero"`
}

// A Report is what a scan found.
type Report struct {
	Found []Found     `json:"found"`
	Chips []gpio.Chip `json:"chips"` // pins of this machine
	TOML  string      `json:"toml"`  // what could be configured, ready to paste
}

// A Scanner looks for devices.
type Scanner struct {
	Tree  hotplug.Tree
	Ports []string       // these serial ports alone; none means every port of the machine
	Conf  *config.Config // what is configured already; may be nil
	State string         // the state directory of Conf
}

// Scan looks at every port at the same time. It sends questions only: none
// changes a setting, prints, or moves anything. A printer that is set to another
// speed than those tried may get a few wrong characters.
func (s *Scanner) Scan(ctx context.Context) (Report, error) {
	r := Report{}
	var err error
	if r.Found, err = s.lookAt(ctx, s.devices()); err != nil {
		return r, err
	}
	if r.Chips, err = gpio.Chips(); err != nil {
		return r, err
	}
	r.TOML = s.propose(r.Found)
	return r, nil
}

// devices are those to be looked at.
func (s *Scanner) devices() (all []hotplug.Device) {
	if len(s.Ports) == 0 {
		return s.Tree.List()
	}
	for _, p := range s.Ports {
		all = append(all, serial(p))
	}
	return all
}

// serial is a serial port of which no more than its name is known.
func serial(node string) hotplug.Device {
	return hotplug.Device{Kind: hotplug.Serial, Node: node, Port: -1}
}

// lookAt looks at all devices at once.
func (s *Scanner) lookAt(ctx context.Context, devices []hotplug.Device) ([]Found, error) {
	found := make([]Found, len(devices))
	var all sync.WaitGroup
	for i, d := range devices {
		all.Go(func() { found[i] = s.look(ctx, d) })
	}
	all.Wait()
	return slices.DeleteFunc(found, func(f Found) bool { return f.Sort == "" }), ctx.Err()
}

// look says what is at one device node.
func (s *Scanner) look(ctx context.Context, d hotplug.Device) Found {
	f := Found{Node: d.Node, Port: stable(d), Adapter: adapter(d)}
	if p, ok := s.owner(f); ok {
		f.Known, f.Baud = p.Device, p.Baud
	}
	switch d.Kind {
	case hotplug.Printer:
		return s.lookUSB(ctx, f)
	case hotplug.Input:
		return lookInput(ctx, f, d)
	}
	p := config.Port{File: d.Node, Baud: 9600}
	if err := parts.TryPort(ctx, "/", p); err != nil {
		f.Sort, f.Baud = SortShut, 0
		f.Problem, f.Remedy = parts.Trouble(d.Node, err)
		return f
	}
	return ask(ctx, f)
}

// owner is the port of the configuration that leads to something found.
func (s *Scanner) owner(f Found) (config.Port, bool) {
	if s.Conf == nil {
		return config.Port{}, false
	}
	for _, p := range s.Conf.Ports() {
		if s.leads(p, f) {
			return p, true
		}
	}
	return config.Port{}, false
}

// leads reports whether a configured port is where something was found.
func (s *Scanner) leads(p config.Port, f Found) bool {
	file := config.Resolve(s.State, p.File)
	return p.File == f.Port || file == f.Port || file == f.Node || same(file, f.Node)
}

// same reports whether a configured name leads to a node now.
func same(file, node string) bool {
	to, err := hotplug.Tree{}.Resolve(file)
	at, err2 := hotplug.Tree{}.Resolve(node)
	return err == nil && err2 == nil && to == at
}

// stable returns the best name of a device: one that survives another socket and
// another start, as far as there is one.
func stable(d hotplug.Device) string {
	switch {
	case d.Kind != hotplug.Serial && d.Vendor != 0:
		m := hotplug.Match{Vendor: d.Vendor, Product: d.Product}.String()
		if d.Serial != "" {
			m += ":" + d.Serial
		}
		return "usb:" + m
	case d.Serial == "" || len(d.Links) == 0:
		for _, l := range d.Links { // without a serial number two adapters have one by-id name
			if strings.Contains(l, "/by-path/") {
				return l
			}
		}
	}
	switch {
	case len(d.Links) > 0:
		return d.Links[0]
	case d.ID() != "":
		return "/dev/serial/by-id/" + d.ID()
	}
	return d.Node
}

func adapter(d hotplug.Device) string {
	return strings.Join(strings.Fields(strings.Join([]string{d.Driver, d.Maker, d.Model, d.Name}, " ")), " ")
}

// lookUSB asks a USB printer what it is.
func (s *Scanner) lookUSB(ctx context.Context, f Found) Found {
	f.Sort, f.Baud = SortPrinter, 0
	p, err := usblp.Open(usblp.Config{Name: f.Node})
	if err != nil {
		f.Sort = SortShut
		f.Problem, f.Remedy = parts.Trouble(f.Node, err)
		return f
	}
	defer p.Close()
	if id, err := p.ID(); err == nil {
		f.Model = strings.TrimSpace(id.Maker + " " + id.Model)
	}
	return f
}

// lookInput tells touch screens, mice, and keyboards on USB, of which one may be a
// scanner. Power keys, remote controls and the like are left out.
func lookInput(ctx context.Context, f Found, d hotplug.Device) Found {
	f.Baud, f.Model = 0, d.Name
	switch d.Hand {
	case hotplug.Touch:
		f.Sort = SortTouch
	case hotplug.Mouse:
		f.Sort = SortMouse
	case hotplug.Keyboard:
		if d.Vendor != 0 {
			return lookKeyboard(ctx, f)
		}
	}
	return f
}

// lookKeyboard says whether a scanner that types could be taken from everybody else.
func lookKeyboard(ctx context.Context, f Found) Found {
	f.Sort = SortKeyboard
	p, err := evdev.Opener(evdev.Config{Name: f.Node})(ctx)
	switch {
	case err == nil:
		p.Close()
	case !errors.Is(err, device.ErrGone):
		f.Problem, f.Remedy = parts.Trouble(f.Node, err)
	}
	return f
}
