package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/modbusio"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/cmd/kiosksim/sim/scanner"
	"longcheng/cmd/kiosksim/sim/speaker"
	"longcheng/device/glyph"
	"longcheng/printer"
)

// hardware is every simulated device of one hall, by its name in the
// configuration, each on a cable of its own.
type hardware struct {
	cables   map[string]*port.Port // by device name
	printers map[string]*escpos.Printer
	readers  map[string]*sam.Reader
	scanners map[string]*scanner.Scanner
	boards   map[string]*modbusio.Board
	lines    map[string]*wire
	speakers map[string]speaker.Speaker
	run      []func(context.Context) error
}

// plugIn makes a device for every port of a configuration. The ports keep their
// names below the state directory, so kioskd finds a simulated device exactly
// where a real one would be. speed is that of the printers, in mm/s.
func plugIn(c *config.Config, state string, speed float64) (*hardware, error) {
	h := &hardware{
		cables: map[string]*port.Port{}, printers: map[string]*escpos.Printer{}, readers: map[string]*sam.Reader{},
		scanners: map[string]*scanner.Scanner{}, boards: map[string]*modbusio.Board{}, lines: map[string]*wire{},
		speakers: map[string]speaker.Speaker{},
	}
	p := plugger{h, state, nil}
	font16, font24 := glyph.Face16(), escpos.FaceFont(glyph.Face24())
	for _, d := range c.Printers {
		if cable := p.cable(d.Name, d.Port, d.Baud); cable != nil {
			model, err := c.Model(d)
			p.err = errors.Join(p.err, err)
			dev := escpos.New(escpos.Config{Dots: model.Dots, SpeedMM: speed, Font: font24, Units: model.RowFeed, Maker: makerOf(model)}, cable)
			h.printers[d.Name] = dev
			p.start(cable, dev.Receive)
			h.run = append(h.run, dev.Run)
		}
	}
	for _, d := range c.Readers {
		if cable := p.cable(d.Name, d.Port, d.Baud); cable != nil {
			h.readers[d.Name] = sam.New(cable)
			p.start(cable, h.readers[d.Name].Receive)
		}
	}
	for _, d := range c.Scanners {
		if cable := p.cable(d.Name, d.Port, d.Baud); cable != nil {
			h.scanners[d.Name] = scanner.New(cable)
			p.start(cable, h.scanners[d.Name].Receive)
		}
	}
	for _, d := range c.Boards {
		if cable := p.cable(d.Name, d.Port, d.Baud); cable != nil {
			h.boards[d.Name] = modbusio.New(byte(d.Address), cable)
			p.start(cable, h.boards[d.Name].Receive)
		}
	}
	for _, d := range c.Lines {
		if cable := p.cable(d.Name, d.Port, d.Baud); cable != nil {
			w, err := layWire(d.Name, cable, stripsOn(c, d.Name), font16)
			if err != nil {
				p.err = errors.Join(p.err, err)
				continue
			}
			h.lines[d.Name] = w
			p.start(cable, w.receive)
		}
	}
	for _, v := range c.Voices {
		if v.Device == "none" {
			h.speakers[v.Name] = speaker.Speaker{Dir: filepath.Join(state, "voice-"+v.Name)}
		}
	}
	return h, p.err
}

// makerOf is whose status bits a printer of a profile has.
func makerOf(p printer.Profile) escpos.Maker {
	if m := escpos.Maker(p.Dialect); m == escpos.Cashino || m == escpos.Citizen || m == escpos.Custom {
		return m
	}
	return escpos.Epson
}

// plugger collects the cables of a hall and the errors of laying them.
type plugger struct {
	*hardware
	state string
	err   error
}

func (p *plugger) cable(name, at string, baud int) *port.Port {
	path := config.Resolve(p.state, at)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		p.cables[name], err = port.Open(path)
	}
	if err != nil {
		p.err = errors.Join(p.err, fmt.Errorf("simulate %s: %w", name, err))
		return nil
	}
	p.cables[name].Pace(baud)
	return p.cables[name]
}

func (p *plugger) start(cable *port.Port, receive func(context.Context, []byte)) {
	p.run = append(p.run, func(ctx context.Context) error { return cable.Run(ctx, receive) })
}

// idle reports whether no paper hangs out of a printer.
func (h *hardware) idle() bool {
	for _, p := range h.printers {
		if p.Printing() {
			return false
		}
	}
	return true
}

// slow sets the speed of the printers, in mm/s. Call it before Run.
func (h *hardware) slow(speed float64) {
	for _, p := range h.printers {
		p.SetSpeed(speed)
	}
}

// Run works every device until ctx is done, then pulls the cables.
func (h *hardware) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, run := range h.run {
		wg.Go(func() { _ = run(ctx) }) // ends with ctx
	}
	wg.Wait()
	var errs []error
	for _, c := range h.cables {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
