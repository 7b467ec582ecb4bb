package commission

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/faults"
	"longcheng/cmd/internal/parts"
	"longcheng/device/hotplug"
	"longcheng/kiosk"
)

// A Standing is how a device of the configuration stands at its port, or what
// answers at a port that the configuration does not name.
type Standing struct {
	Device string     `json:"device,omitempty"` // empty: not of the configuration
	Result Result     `json:"result"`           // Skipped: it is not asked, or need not answer
	Text   kiosk.Text `json:"text"`
	Port   string     `json:"port,omitempty"`
	Offers []Offer    `json:"offers,omitempty"`
}

// Mark is the result as one character.
func (r Result) Mark() string {
	return map[Result]string{Good: "✓", Bad: "✗", Skipped: "-"}[r]
}

// An Offer is where a device answers instead of where the configuration has it.
type Offer struct {
	Changes []config.Change `json:"changes"` // two: the devices' cables are crossed
	Text    kiosk.Text      `json:"text"`
	Port    string          `json:"port"`
}

// ID tells one offer from another, whenever it was made.
func (o Offer) ID() string { return fmt.Sprint(o.Changes) }

// ErrLeft says that what was offered answers no more.
var ErrLeft = errors.New("it does not answer there any more: look again")

// A Survey compares what a configuration names with what answers at the ports, and
// writes the ports that a person takes into the document.
type Survey struct {
	Scanner
	found map[string]Found // by node
}

// Look looks at every port again. All of them are asked at the same time.
func (s *Survey) Look(ctx context.Context) error {
	devices := s.devices()
	for _, p := range s.Conf.Ports() {
		node := config.Resolve(s.State, p.File)
		there := slices.ContainsFunc(devices, func(d hotplug.Device) bool {
			return s.leads(p, Found{Node: d.Node, Port: stable(d)})
		})
		if _, err := os.Stat(node); err == nil && !there && parts.Serial(s.State, p) != nil {
			devices = append(devices, serial(node))
		}
	}
	found, err := s.lookAt(ctx, devices)
	if err != nil {
		return err
	}
	s.found = map[string]Found{}
	for _, f := range found {
		s.found[f.Node] = f
	}
	return nil
}

// at is what was found at a port of the configuration.
func (s *Survey) at(p config.Port) (Found, bool) {
	for _, f := range s.found {
		if s.leads(p, f) {
			return f, true
		}
	}
	return Found{}, false
}

// Standings says how each device stands, and then what else answers.
func (s *Survey) Standings(ctx context.Context) (all []Standing) {
	for _, p := range s.Conf.Ports() {
		st := s.standing(ctx, p)
		if st.Result != Good {
			st.Offers = s.offers(p)
		}
		all = append(all, st)
	}
	offered := doubled(all)
	for _, node := range slices.Sorted(maps.Keys(s.found)) {
		f := s.found[node]
		if _, known := s.owner(f); !known && !offered[f.Port] {
			all = append(all, Standing{Result: Skipped, Text: unnamed(f), Port: f.Port})
		}
	}
	return all
}

// unnamed says what was found at a port that the configuration does not name. What
// people touch or move needs no configuration.
func unnamed(f Found) kiosk.Text {
	name := faults.Called(string(f.Sort))
	if f.Sort == SortTouch || f.Sort == SortMouse {
		return say(name.ZH+"：无需配置", name.EN+": needs no configuration")
	}
	return say("未配置："+name.ZH, "not configured: "+name.EN)
}

// doubled says of an offer that it is made to several devices: only a person knows
// which of them it is. It returns the ports that are offered to somebody.
func doubled(all []Standing) map[string]bool {
	offered := map[string]bool{}
	made := map[string][]string{} // by port
	each := func(f func(st Standing, o *Offer)) {
		for _, st := range all {
			for i := range st.Offers {
				if o := &st.Offers[i]; len(o.Changes) == 1 {
					f(st, o)
				}
			}
		}
	}
	each(func(st Standing, o *Offer) {
		port := o.Changes[0].Port
		made[port], offered[port] = append(made[port], st.Device), true
	})
	each(func(st Standing, o *Offer) {
		for _, other := range made[o.Changes[0].Port] {
			if other != st.Device {
				o.Text.ZH += "；也可能是" + faults.Called(other).ZH + "，请看接线"
				o.Text.EN += "; or is it " + other + "? Look at the cable"
			}
		}
	})
	return offered
}

// standing says how a device stands at the port that the configuration gives it.
func (s *Survey) standing(ctx context.Context, p config.Port) Standing {
	name := faults.Called(p.Device)
	is := func(r Result, zh, en string) Standing {
		return Standing{Device: p.Device, Result: r, Text: say(name.ZH+zh, name.EN+en), Port: p.File}
	}
	if err := parts.TryPort(ctx, s.State, p); err != nil {
		problem, _ := parts.Trouble(config.Resolve(s.State, p.File), err)
		return is(Bad, "："+problem.ZH, ": "+problem.EN)
	}
	f, looked := s.at(p)
	switch {
	case !looked:
		return is(Good, "", "")
	case s.fits(p, f) && !right(p, f):
		return is(Bad, fmt.Sprintf("：波特率应为 %d，配置为 %d", f.Baud, p.Baud), fmt.Sprintf(": it answers at %d baud, not at %d", f.Baud, p.Baud))
	case s.fits(p, f):
		return is(Good, "", "")
	case string(f.Sort) == kindOfPort(p):
		return is(Bad, fmt.Sprintf("：应答的地址是 %v，与配置不同", f.Addresses), fmt.Sprintf(": what answers has the addresses %v, others than configured", f.Addresses))
	case f.Sort != SortSilent && !(f.Sort == SortBoard && kindOfPort(p) == "line"): // signs may speak Modbus as boards do
		other := faults.Called(string(f.Sort))
		return is(Bad, "：此端口上应答的是"+other.ZH, ": what answers there is a "+other.EN)
	case s.answers(p):
		return is(Bad, "：没有应答，请检查电源和接线", ": it does not answer, check power and cable")
	}
	return is(Skipped, "：端口可打开，此类设备不应答询问", ": its port opens; such a device answers no questions")
}

// fits reports whether what was found can be the device of a port.
func (s *Survey) fits(p config.Port, f Found) bool {
	kind, name, _ := strings.Cut(p.Device, " ")
	switch kind {
	case "printer":
		return f.Sort == SortPrinter
	case "reader":
		return f.Sort == SortReader && s.samReader(name)
	case "scanner":
		return f.Sort == SortScanner && !p.Keyboard || f.Sort == SortKeyboard && p.Keyboard
	case "board":
		return f.Sort == SortBoard && slices.Contains(f.Addresses, s.board(name))
	case "line":
		return f.Sort == SortLine && slices.ContainsFunc(f.Addresses, func(a int) bool { return slices.Contains(s.signs(name), a) })
	}
	return false
}

// kindOfPort is the table of a port's device, such as "printer".
func kindOfPort(p config.Port) string {
	kind, _, _ := strings.Cut(p.Device, " ")
	return kind
}

// right reports whether a port has the speed at which its device answers.
func right(p config.Port, f Found) bool { return f.Baud == 0 || f.Baud == p.Baud }

// answers reports whether a device answers the questions of a scan when all is well.
func (s *Survey) answers(p config.Port) bool {
	kind, name, _ := strings.Cut(p.Device, " ")
	switch kind {
	case "printer":
		i := slices.IndexFunc(s.Conf.Printers, func(d config.Printer) bool { return d.Name == name })
		model, err := s.Conf.Model(s.Conf.Printers[i])
		return err == nil && model.Answers()
	case "reader":
		return s.samReader(name)
	case "board":
		return s.board(name) <= lastUnit
	}
	return false // signs have many tongues, and most scanners speak by themselves
}

func (s *Survey) samReader(name string) bool {
	return slices.ContainsFunc(s.Conf.Readers, func(d config.Reader) bool { return d.Name == name && d.Driver == "sam" })
}

// board is the address of a board.
func (s *Survey) board(name string) int {
	i := slices.IndexFunc(s.Conf.Boards, func(d config.Board) bool { return d.Name == name })
	return s.Conf.Boards[i].Address
}

// signs are the addresses on a line.
func (s *Survey) signs(line string) (all []int) {
	for _, d := range s.Conf.Strips {
		if d.Line == line {
			all = append(all, d.Address)
		}
	}
	return all
}

// offers are the places where the device of a port answers instead: at another
// speed, at a port that nobody has, or at that of a device which hangs on this one.
func (s *Survey) offers(p config.Port) (all []Offer) {
	for _, node := range slices.Sorted(maps.Keys(s.found)) {
		f := s.found[node]
		if !s.fits(p, f) {
			continue
		}
		switch other, known := s.owner(f); {
		case known && other.Device == p.Device:
			all = append(all, offer(f.Model, change(p, p.File, f)))
		case !known:
			all = append(all, offer(f.Model, change(p, f.Port, f)))
		default:
			if g, ok := s.at(p); ok && s.fits(other, g) && !s.fits(other, f) {
				name := faults.Called(other.Device)
				o := offer("", change(p, other.File, f), change(other, p.File, g))
				o.Text = say("两条线接反：与"+name.ZH+"交换端口", "crossed with "+name.EN+": exchange their ports")
				all = append(all, o)
			}
		}
	}
	return all
}

func change(p config.Port, file string, f Found) config.Change {
	return config.Change{Device: p.Device, Port: file, Baud: f.Baud}
}

func offer(model string, changes ...config.Change) Offer {
	zh, en := "在此应答", "it answers here"
	if model != "" {
		zh, en = zh+"："+model, en+": "+model
	}
	if b := changes[0].Baud; b > 0 {
		zh, en = fmt.Sprintf("%s，%d", zh, b), fmt.Sprintf("%s, %d baud", en, b)
	}
	return Offer{changes, say(zh, en), changes[0].Port}
}

// Take writes an offer into the document, if what it offers still answers there.
func (s *Survey) Take(ctx context.Context, id string, now time.Time) error {
	o, ok := s.offered(id)
	if !ok {
		return ErrLeft
	}
	for _, c := range o.Changes {
		kind, name, _ := strings.Cut(c.Device, " ")
		p, _ := s.Conf.PortOf(kind, name) // it was offered one
		if !s.still(ctx, p, c) {
			return fmt.Errorf("%s: %w", c.Device, ErrLeft)
		}
	}
	conf, err := config.Replug(s.Conf.File, now, o.Changes...)
	if err != nil {
		return err
	}
	s.Conf = conf
	return nil
}

// offered finds an offer that stands now.
func (s *Survey) offered(id string) (Offer, bool) {
	for _, p := range s.Conf.Ports() {
		for _, o := range s.offers(p) {
			if o.ID() == id {
				return o, true
			}
		}
	}
	return Offer{}, false
}

// still asks at the port of a change whether the device answers there. One on USB is
// there as long as its node is.
func (s *Survey) still(ctx context.Context, p config.Port, c config.Change) bool {
	p.File = c.Port
	f, ok := s.at(p)
	if !ok {
		return false
	}
	if parts.Serial(s.State, p) == nil {
		_, err := os.Stat(f.Node)
		return err == nil
	}
	if parts.TryPort(ctx, "/", config.Port{File: f.Node, Baud: c.Baud}) != nil { // pulled out, or held by a program
		delete(s.found, f.Node)
		return false
	}
	for range 3 { // one that was slow to answer seems to have another speed
		now := ask(ctx, Found{Node: f.Node, Port: f.Port, Adapter: f.Adapter, Baud: c.Baud})
		if s.found[f.Node] = now; s.fits(p, now) && (c.Baud == 0 || now.Baud == c.Baud) {
			return true
		}
		if now.Sort == SortSilent {
			return false
		}
	}
	return false
}
