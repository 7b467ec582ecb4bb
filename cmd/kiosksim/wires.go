package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/alpha"
	"longcheng/cmd/kiosksim/sim/am03127"
	"longcheng/cmd/kiosksim/sim/bench"
	"longcheng/cmd/kiosksim/sim/counter"
	"longcheng/cmd/kiosksim/sim/modbusled"
	"longcheng/cmd/kiosksim/sim/onbon"
	"longcheng/cmd/kiosksim/sim/onbonpixel"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/cmd/kiosksim/sim/sign"
	"longcheng/device/glyph"
)

// A wire is one simulated line with its signs.
type wire struct {
	name    string
	cable   *port.Port
	receive func(context.Context, []byte)
	signs   map[string]seen // by strip
}

// seen is one simulated sign, as people see it and as they remember it.
type seen interface {
	bench.Card
	History() []sign.Shown
}

// layWires makes a line of signs for every line of the configuration.
func layWires(c *config.Config, state string) ([]*wire, error) {
	var all []*wire
	face := glyph.Face16()
	for _, l := range c.Lines {
		path := config.Resolve(state, l.Port)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		cable, err := port.Open(path)
		if err != nil {
			return nil, err
		}
		w, err := layWire(l.Name, cable, stripsOn(c, l.Name), face)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

func stripsOn(c *config.Config, line string) (list []config.Strip) {
	for _, s := range c.Strips {
		if s.Line == line {
			list = append(list, s)
		}
	}
	return list
}

// layWire makes the signs of one line; they all speak one protocol.
func layWire(name string, cable *port.Port, strips []config.Strip, face *glyph.Face) (*wire, error) {
	w := &wire{name: name, cable: cable, receive: func(context.Context, []byte) {}, signs: map[string]seen{}}
	if len(strips) == 0 {
		return w, nil
	}
	for _, s := range strips {
		if s.Driver != strips[0].Driver {
			return nil, fmt.Errorf("simulate line %s: signs of %s and %s on one line: give each protocol a line of its own", name, strips[0].Driver, s.Driver)
		}
	}
	connect, ok := protocolsOfSigns[strips[0].Driver]
	if !ok {
		return nil, fmt.Errorf("simulate line %s: there is no simulated sign for driver %q", name, strips[0].Driver)
	}
	receive, find, err := connect(cable, face, strips)
	if err != nil {
		return nil, fmt.Errorf("simulate line %s: %w", name, err)
	}
	w.receive = receive
	for _, s := range strips {
		w.signs[s.Name] = find(s.Name)
	}
	return w, nil
}

type (
	receiver = func(context.Context, []byte)
	finder   = func(strip string) seen
)

// protocolsOfSigns are the simulated signs by the driver that speaks to them.
var protocolsOfSigns = map[string]func(*port.Port, *glyph.Face, []config.Strip) (receiver, finder, error){
	"onbon-k": func(cable *port.Port, face *glyph.Face, strips []config.Strip) (receiver, finder, error) {
		l := onbon.New(cable, face, each(strips, func(s config.Strip) onbon.Config {
			return onbon.Config{Name: s.Name, Address: s.Address, Width: s.Width, Height: s.Height}
		})...)
		return l.Receive, func(n string) seen { return l.Card(n) }, nil
	},
	"onbon-pixel": func(cable *port.Port, face *glyph.Face, strips []config.Strip) (receiver, finder, error) {
		l := onbonpixel.New(cable, face, each(strips, func(s config.Strip) onbonpixel.Config {
			return onbonpixel.Config{Name: s.Name, Address: s.Address, Width: s.Width, Height: s.Height, TwoColour: s.TwoColour}
		})...)
		return l.Receive, func(n string) seen { return l.Face(n) }, nil
	},
	"modbus": func(cable *port.Port, _ *glyph.Face, strips []config.Strip) (receiver, finder, error) {
		var list []modbusled.Config
		for _, s := range strips {
			p, ok := panels[s.Model]
			if !ok {
				return nil, nil, fmt.Errorf("there is no simulated display of model %q", s.Model)
			}
			p.Name, p.Unit = s.Name, s.Address
			list = append(list, p)
		}
		l := modbusled.New(cable, list...)
		return l.Receive, func(n string) seen { return l.Face(n) }, nil
	},
	"am03127": func(cable *port.Port, face *glyph.Face, strips []config.Strip) (receiver, finder, error) {
		l := am03127.New(cable, face, each(strips, func(s config.Strip) am03127.Config { return am03127.Config{Name: s.Name, Number: s.Address} })...)
		return l.Receive, func(n string) seen { return l.Face(n) }, nil
	},
	"alpha": func(_ *port.Port, face *glyph.Face, strips []config.Strip) (receiver, finder, error) {
		l := alpha.New(face, each(strips, func(s config.Strip) alpha.Config { return alpha.Config{Name: s.Name, Address: s.Address} })...)
		return l.Receive, func(n string) seen { return l.Face(n) }, nil
	},
	"template": func(_ *port.Port, _ *glyph.Face, strips []config.Strip) (receiver, finder, error) {
		l := counter.New(each(strips, func(s config.Strip) counter.Config { return counter.Config{Name: s.Name, Address: s.Address} })...)
		return l.Receive, func(n string) seen { return l.Face(n) }, nil
	},
}

// panels are the Modbus displays that can be simulated, as their makers describe them.
var panels = map[string]modbusled.Config{"dm36b06": {Cells: 6}, "dm56a04": {Cells: 4}}

func each[T any](strips []config.Strip, f func(config.Strip) T) (list []T) {
	for _, s := range strips {
		list = append(list, f(s))
	}
	return list
}
