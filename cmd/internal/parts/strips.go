package parts

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"longcheng/cmd/internal/config"
	"longcheng/device/gpio"
	"longcheng/display"
	"longcheng/display/alpha"
	"longcheng/display/am03127"
	"longcheng/display/external"
	"longcheng/display/huidu"
	"longcheng/display/line"
	"longcheng/display/modbus"
	"longcheng/display/onbon"
	"longcheng/display/onbon/pixel"
	"longcheng/display/segment"
	"longcheng/display/segment/ht16k33"
	"longcheng/display/segment/max7219"
	"longcheng/display/segment/tm1637"
	"longcheng/display/template"
)

// Strip makes the strip above one window. Its line is made with the first strip
// that hangs on it.
func (k *Kit) Strip(name string, s config.Strip) (display.Surface, error) {
	for _, l := range k.Conf.Lines {
		if l.Name == s.Line && k.lines[l.Name] == nil {
			k.addLine(l)
		}
	}
	make, ok := strips[s.Driver]
	if !ok {
		return nil, fmt.Errorf("strip %s: there is no driver %q", s.Name, s.Driver)
	}
	sign, err := make(k, name, s)
	if err != nil {
		return nil, fmt.Errorf("strip %s: %w", s.Name, err)
	}
	return sign, nil
}

// addLine makes one wire. It outlives the surfaces: at the end the strips are still
// told that nobody is called.
func (k *Kit) addLine(l config.Line) {
	port, _ := k.Conf.PortOf("line", l.Name)
	made := line.New(k.Link(port), line.Options{Baud: l.Baud, Echo: l.Echo, Quiet: l.Quiet.Std(), OnReopen: func() {
		if k.OnReopen != nil {
			k.OnReopen(l.Name)
		}
	}})
	k.lines[l.Name] = made
	k.Runs = append(k.Runs, Run{"line " + l.Name, made.Run})
}

// onLine hangs a speaker on its line.
func (k *Kit) onLine(name string, s config.Strip, sp line.Speaker, err error) (display.Surface, error) {
	if err != nil {
		return nil, err
	}
	return line.NewSign(name, strconv.Itoa(s.Address), k.lines[s.Line], sp), nil
}

func (k *Kit) onbonStrip(name string, s config.Strip) (display.Surface, error) {
	sp, err := onbon.NewSpeaker(onbon.Config{Card: uint16(s.Address), W: s.Width, H: s.Height, English: s.Language == "en"})
	return k.onLine(name, s, sp, err)
}

func (k *Kit) pixelStrip(name string, s config.Strip) (display.Surface, error) {
	model, err := pixel.ModelNamed(s.Model)
	if err != nil {
		return nil, err
	}
	sp, err := pixel.NewSpeaker(pixel.Config{Card: uint16(s.Address), Model: model, W: s.Width, H: s.Height, TwoColour: s.TwoColour,
		English: s.Language == "en", Face: k.face})
	return k.onLine(name, s, sp, err)
}

// modbusStrip reads a shipped register map, or one in a file.
func (k *Kit) modbusStrip(name string, s config.Strip) (display.Surface, error) {
	m, err := modbus.Known(s.Model)
	if strings.HasSuffix(s.Model, ".json") {
		var text []byte
		if text, err = os.ReadFile(config.Resolve(k.State, s.Model)); err == nil {
			m, err = modbus.ParseMap(text)
		}
	}
	if err != nil {
		return nil, err
	}
	sp, err := modbus.NewSpeaker(s.Address, m)
	return k.onLine(name, s, sp, err)
}

func (k *Kit) templateStrip(name string, s config.Strip) (display.Surface, error) {
	sp, err := template.NewSpeaker(s.Address, template.Config{Frame: s.Frame, Reply: s.Reply, Charset: s.Charset, Words: s.Words, English: s.Language == "en"})
	return k.onLine(name, s, sp, err)
}

// alphaStrip makes seven bits with even parity where the line has eight without.
func (k *Kit) alphaStrip(name string, s config.Strip) (display.Surface, error) {
	i := slices.IndexFunc(k.Conf.Lines, func(l config.Line) bool { return l.Name == s.Line })
	return k.onLine(name, s, alpha.Speaker{Address: s.Address, Parity: s.Charset == "ascii7" && i >= 0}, nil)
}

func (k *Kit) am03127Strip(name string, s config.Strip) (display.Surface, error) {
	return k.onLine(name, s, am03127.Speaker{Board: s.Address, English: s.Language == "en"}, nil)
}

func (k *Kit) huiduStrip(name string, s config.Strip) (display.Surface, error) {
	sp, err := huidu.NewSpeaker(huidu.Config{W: s.Width, H: s.Height, English: s.Language == "en"})
	return k.onLine(name, s, sp, err)
}

// externalStrip shows through somebody else's program; strips with the same command
// share one.
func (k *Kit) externalStrip(name string, s config.Strip) (display.Surface, error) {
	key := strings.Join(s.Command, "\x00")
	p := k.programs[key]
	if p == nil {
		p = external.NewProgram(s.Command[0], s.Command[1:]...)
		p.OnExit = func(err error) { k.exited(s.Command[0], err) }
		if k.OnSteady != nil {
			p.OnSteady = func() { k.OnSteady(s.Command[0]) }
		}
		k.programs[key] = p
		k.Runs = append(k.Runs, Run{"program " + s.Command[0], p.Run})
	}
	return external.NewSign(name, p), nil
}

func (k *Kit) max7219Strip(name string, s config.Strip) (display.Surface, error) {
	var bus, chip int
	if _, err := fmt.Sscanf(s.Bus, "%d.%d", &bus, &chip); err != nil {
		return nil, fmt.Errorf("bus %q: write bus and chip select, such as \"0.0\"", s.Bus)
	}
	p, err := max7219.Open(bus, chip, s.Cells, s.Brightness)
	return segmentStrip(name, p, err)
}

func (k *Kit) ht16k33Strip(name string, s config.Strip) (display.Surface, error) {
	bus, err := strconv.Atoi(s.Bus)
	if err != nil {
		return nil, fmt.Errorf("bus %q: write its number, such as \"1\"", s.Bus)
	}
	p, err := ht16k33.Open(bus, s.Address, ht16k33.FourDigits(), s.Brightness)
	return segmentStrip(name, p, err)
}

func (k *Kit) tm1637Strip(name string, s config.Strip) (display.Surface, error) {
	clock, err := gpio.Open(s.Pins[0])
	if err != nil {
		return nil, err
	}
	data, err := gpio.Open(s.Pins[1])
	if err != nil {
		return nil, err
	}
	p, err := tm1637.New(clock, data, s.Cells, s.Brightness)
	return segmentStrip(name, p, err)
}

func segmentStrip(name string, p segment.Panel, err error) (display.Surface, error) {
	if err != nil {
		return nil, err
	}
	return segment.NewSign(name, p), nil
}
