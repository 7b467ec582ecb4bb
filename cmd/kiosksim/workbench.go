package main

import (
	"strings"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/bench"
)

// workbench lays a hall's devices out on the bench page, in the order of the
// configuration.
func workbench(c *config.Config, h *hardware) (b bench.Bench) {
	for _, d := range c.Printers {
		b.Printers = append(b.Printers, bench.Printer{Name: d.Name, Printer: h.printers[d.Name], Cable: h.cables[d.Name]})
	}
	for _, d := range c.Readers {
		b.Readers = append(b.Readers, bench.Reader{Name: d.Name, Reader: h.readers[d.Name], Cable: h.cables[d.Name]})
	}
	for _, d := range c.Scanners {
		b.Scanners = append(b.Scanners, bench.Scanner{Name: d.Name, Scanner: h.scanners[d.Name], Cable: h.cables[d.Name]})
	}
	for _, d := range c.Boards {
		b.Boards = append(b.Boards, bench.Board{Name: d.Name, Board: h.boards[d.Name], Cable: h.cables[d.Name], Labels: labels(c, d.Name)})
	}
	for _, d := range c.Strips {
		if w := h.lines[d.Line]; w != nil {
			b.Strips = append(b.Strips, bench.Strip{Name: d.Name, Line: d.Line, Kind: strings.TrimSpace(d.Driver + " " + d.Model),
				Card: w.signs[d.Name], Cable: h.cables[d.Line], Segments: segments[d.Driver]})
		}
	}
	for _, v := range c.Voices {
		if s, ok := h.speakers[v.Name]; ok {
			b.Voices = append(b.Voices, bench.Voice{Name: v.Name, Speaker: s})
		}
	}
	return b
}

// segments are the drivers of displays that have digits, not dots.
var segments = map[string]bool{"modbus": true, "template": true}

// labels names the inputs of a board that have a button.
func labels(c *config.Config, board string) map[int]string {
	names := map[int]string{}
	for _, button := range c.Buttons {
		if on, n, ok := inputOf(button.Input); ok && on == board {
			names[n] = button.Name
		}
	}
	return names
}
