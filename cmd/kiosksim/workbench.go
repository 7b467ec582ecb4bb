package main

import (
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
		b.Strips = append(b.Strips, bench.Strip{Name: d.Name, Card: h.lines[d.Line].Card(d.Name), Cable: h.cables[d.Line]})
	}
	return b
}

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
