// Package bench is the workbench page of the simulated hardware: it shows the
// paper, the signs, the lamps and what was spoken, and it gives the devices cards,
// codes, fingers and faults. It knows the simulated devices only, not the program they serve.
package bench

import (
	"image"
	"net/http"
	"sync"
	"time"

	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/modbusio"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/cmd/kiosksim/sim/scanner"
	"longcheng/cmd/kiosksim/sim/speaker"
)

// A Bench lists the devices that lie on it.
type Bench struct {
	Printers []Printer
	Readers  []Reader
	Scanners []Scanner
	Boards   []Board
	Strips   []Strip
	Voices   []Voice
}

// Add lays the devices of another bench beside those that lie here.
func (b *Bench) Add(o Bench) {
	b.Printers = append(b.Printers, o.Printers...)
	b.Readers = append(b.Readers, o.Readers...)
	b.Scanners = append(b.Scanners, o.Scanners...)
	b.Boards = append(b.Boards, o.Boards...)
	b.Strips = append(b.Strips, o.Strips...)
	b.Voices = append(b.Voices, o.Voices...)
}

// A Printer is a ticket printer and its cable.
type Printer struct {
	Name string
	*escpos.Printer
	Cable Cable
}

// A Reader is a reader of identity cards and its cable.
type Reader struct {
	Name string
	*sam.Reader
	Cable Cable
}

// A Scanner is a code scanner and its cable.
type Scanner struct {
	Name string
	*scanner.Scanner
	Cable Cable
}

// A Board is a board of buttons with lamps and its cable. Labels names the
// wired inputs (0 to 7); without labels all eight are shown.
type Board struct {
	Name string
	*modbusio.Board
	Cable  Cable
	Labels map[int]string
}

// A Strip is the sign above one window. Several hang on one line, which is their
// cable.
type Strip struct {
	Name string
	Line string // its name
	Kind string // what it is, in few words
	Card
	Cable    Cable
	Segments bool // its image is a picture of segments; otherwise each dot is a lamp
}

// A Card is the control card of a strip. Text is what can be read on it now, Image
// what can be seen; Unplug(true) makes it hear and answer nothing, while it goes on
// showing; without power it is dark and forgets. All may be called from any goroutine.
type Card interface {
	Text() string
	Image() image.Image
	Unplug(bool)
	PowerOff()
	PowerOn()
}

// A Voice is the loudspeaker of one zone.
type Voice struct {
	Name string
	speaker.Speaker
}

// A Cable can be pulled out and plugged in again, any number of times; each call
// does nothing when the cable is there already.
type Cable interface {
	Plugged() bool
	Unplug()
	Replug() error
}

// noCable is the cable of a device that has none to pull.
type noCable struct{}

func (noCable) Plugged() bool { return true }
func (noCable) Unplug()       {}
func (noCable) Replug() error { return nil }

// page is the bench with what the operator has set on it: the devices themselves
// do not tell how their switches stand.
type page struct {
	Bench
	mu       sync.Mutex
	printers []switches
	cards    []string // id of the person whose card lies on the reader
	codes    []string // last code shown to the scanner
	dead     []bool   // strips that hear nothing
	dark     []bool   // strips without power
	fingers  map[key]*time.Timer
}

// switches are the faults given to one printer, and the last slip taken away.
type switches struct {
	off, cover, near, out, jam, silent, garbled bool
	taken                                       int
}

// key is one button of one board.
type key struct{ board, n int }

// New returns the handler of the bench page: the page at /, everything else
// under /bench/. It is meant for a loopback address: it has no log-in.
func New(b Bench) http.Handler {
	p := &page{
		Bench:    plugAll(b),
		printers: make([]switches, len(b.Printers)),
		cards:    make([]string, len(b.Readers)),
		codes:    make([]string, len(b.Scanners)),
		dead:     make([]bool, len(b.Strips)),
		dark:     make([]bool, len(b.Strips)),
		fingers:  map[key]*time.Timer{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", static("bench.html"))
	mux.HandleFunc("GET /bench/bench.css", static("bench.css"))
	mux.HandleFunc("GET /bench/bench.js", static("bench.js"))
	mux.HandleFunc("GET /bench/api/state", p.state)
	mux.HandleFunc("GET /bench/api/printers/{i}/hanging.png", p.hangingPNG)
	mux.HandleFunc("GET /bench/api/printers/{i}/slips/{no}", p.slipPNG)
	mux.HandleFunc("GET /bench/api/strips/{i}/strip.png", p.stripPNG)
	mux.HandleFunc("GET /bench/api/voices/{i}/{file}", p.wav)
	mux.HandleFunc("POST /bench/api/{kind}/{i}/{do}", p.act)
	return guard(mux)
}

// plugAll copies b and gives a cable to every device that has none.
func plugAll(b Bench) Bench {
	b.Printers = append([]Printer(nil), b.Printers...)
	b.Readers = append([]Reader(nil), b.Readers...)
	b.Scanners = append([]Scanner(nil), b.Scanners...)
	b.Boards = append([]Board(nil), b.Boards...)
	b.Strips = append([]Strip(nil), b.Strips...)
	for _, c := range b.cables() {
		if *c == nil {
			*c = noCable{}
		}
	}
	return b
}

func (b *Bench) cables() (all []*Cable) {
	for i := range b.Printers {
		all = append(all, &b.Printers[i].Cable)
	}
	for i := range b.Readers {
		all = append(all, &b.Readers[i].Cable)
	}
	for i := range b.Scanners {
		all = append(all, &b.Scanners[i].Cable)
	}
	for i := range b.Boards {
		all = append(all, &b.Boards[i].Cable)
	}
	for i := range b.Strips {
		all = append(all, &b.Strips[i].Cable)
	}
	return all
}
