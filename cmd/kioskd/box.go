package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/cmd/internal/workshop"
	"longcheng/device/modbusio"
	"longcheng/display"
	"longcheng/display/wall"
	"longcheng/kiosk"
	"longcheng/kiosk/calling"
	"longcheng/kiosk/hall"
	"longcheng/kiosk/sqlite"
	"longcheng/kiosk/ticketing"
	"longcheng/kiosk/web"
	"longcheng/printer"
)

// A box is everything this machine has, built but not running. What a ticket
// meets on its way stands in this order: the store makes it durable, a printer
// prints it, surfaces show it.
type box struct {
	conf *config.Config
	set  settings
	log  *slog.Logger
	now  func() time.Time
	key  []byte

	persons  *persons
	store    *sqlite.Store
	printers map[string]ticketing.Printer
	view     *display.Shared // the store as surfaces read it
	surfaces []calling.Surface
	walls    []*wall.Wall
	strips   []display.Surface
	kit      *parts.Kit
	reopened map[string][]*display.Keeper // by line: who shows anew after it broke
	board    *display.Billboard           // announcements
	desk     *ticketing.Desk
	floor    *calling.Floor
	site     *web.Web
	mux      *http.ServeMux
	pins     pins
	boards   map[string]*modbusio.Board
	tones    chan tone // to the buzzer; nil without one
	plugs    *plugs
	uplink   *uplink // nil: no centre
	metrics  *metrics
	taps     map[string]wire // by the name of the device
	trials   []trial
	workshop *workshop.Page
	spools   map[string]*printer.Spool // by the name of their device in the health list

	fingerprint string // of the documents this box runs with

	giver     ticketing.Store // who gives numbers: the store, the host that others joined, or the member
	hosting   *hosting        // nil: nobody can join
	hallStore *sqlite.Store   // what the hall is decided with here: store, but for a stand-in that hosts
	promoted  bool            // this box has taken the host's place
	member    *hall.Box       // nil: this box hosts its hall
	keepers   []*display.Keeper

	documents *documents // of the centre

	health *health
	check  *selfCheck
	disk   disk
	pulses []*pulse

	wires    []part // lines of signs and programs that show; they outlive the surfaces
	printing []part // spools
	showing  []part // strips, walls, voices
	input    []part // readers, scanners, buttons and their lamps, switches, the buzzer
	sending  []part // the way to the centre
	life     life
}

// build opens the store and makes every part from the configuration.
func build(ctx context.Context, c *config.Config, set settings, log *slog.Logger) (*box, error) {
	b := &box{conf: c, set: set, log: log, mux: http.NewServeMux(), printers: map[string]ticketing.Printer{}, spools: map[string]*printer.Spool{}, taps: map[string]wire{}, boards: map[string]*modbusio.Board{}, pins: machinePins(), plugs: &plugs{log: log}}
	b.fingerprint = fingerprint(c.File, c.Hall)
	b.now = set.now
	if err := os.MkdirAll(set.state, 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w: create it, or name another with -state", err)
	}
	var err error
	if b.key, err = hallKey(set.state); err != nil {
		return nil, err
	}
	if b.persons, err = readPersons(set.state, b.key); err != nil {
		return nil, err
	}
	mended, err := b.openWithRoom(ctx)
	if err != nil {
		return nil, err
	}
	b.view, b.giver = display.NewShared(shown{b.store}), b.store
	b.health = newHealth(log, b.now, b.store.Note)
	if mended != "" {
		b.health.happened("store", "store-mended", mended)
	}
	if err := b.assemble(); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.life.failed = make(chan error, 1)
	b.check = &selfCheck{store: b.store.Check, broken: b.store.Broken(), pulses: b.pulses, every: watchdogTime(), notify: tellSystemd, failed: b.life.fail, log: log}
	b.disk = disk{dir: set.state, room: roomOf, say: b.health.disk}
	b.makeReleases()
	b.mux.HandleFunc("GET /healthz", b.healthz)
	return b, nil
}

// assemble makes the parts, in the order of a ticket's way.
func (b *box) assemble() error {
	for _, make := range []func() error{
		b.takePlace, b.takeKept, b.makeMember, b.makeFollower, b.makePrinters,
		b.makeKit, b.makeStrips, b.makeWalls, b.makeVoices, b.takeKit,
		b.makeFloor, b.makeHost, b.makeDesk,
		b.makeReaders, b.makeScanners, b.makeBoards, b.makePins, b.makeSwitches, b.makeBuzzer,
		b.makeSite, b.makeWorkshop, b.makeUplink, b.makeMetrics,
	} {
		if err := make(); err != nil {
			return err
		}
	}
	return nil
}

// pulse is the sign of life of one more loop.
func (b *box) pulse(name string, within time.Duration) *pulse {
	p := &pulse{name: name, within: within}
	b.pulses = append(b.pulses, p)
	return p
}

// makeDesk makes the places where tickets are taken: the touch pages, or in a
// box without any, its buttons.
func (b *box) makeDesk() error {
	var touches []ticketing.Touch
	if len(b.conf.Touches) == 0 {
		touches = append(touches, ticketing.Touch{Name: b.firstPage(), Printer: b.firstPrinter()})
	}
	for _, t := range b.conf.Touches {
		touches = append(touches, ticketing.Touch{Name: t.Name, Printer: t.Printer})
	}
	b.desk = ticketing.NewDesk(ticketing.Options{Hall: b.conf.Hall, Store: b.giver, Printers: b.printers, Touches: touches, Now: b.now})
	return nil
}

// makeFloor makes the place where clerks call; copies come out of the first printer.
func (b *box) makeFloor() error {
	surfaces := b.surfaces
	if b.promoted {
		surfaces = nil // they have joined, like those of other boxes
	}
	b.floor = calling.NewFloor(b.conf.Hall, decided{b.hallStore, b}, surfaces, b.firstPrinter(), func(printer string) {
		if p := b.printers[printer]; p != nil {
			p.Wake()
		}
	})
	return nil
}

// pagePrinter prints for the first touch page, or for the buttons of a box without.
func (b *box) pagePrinter() string {
	if len(b.conf.Touches) > 0 {
		return b.conf.Touches[0].Printer
	}
	return b.firstPrinter()
}

// firstPrinter prints what no touch page is named for.
func (b *box) firstPrinter() string {
	if len(b.conf.Printers) == 0 {
		return ""
	}
	return b.conf.Printers[0].Name
}

// jobs is the store as a spool sees it; looking for work is a sign of life.
type jobs struct {
	*sqlite.Store
	beat func()
}

// NextJob returns the oldest pending job of a printer.
func (j jobs) NextJob(ctx context.Context, printer string) (kiosk.Job, kiosk.Issued, bool, error) {
	j.beat()
	return j.Store.NextJob(ctx, printer)
}

// CopyAfterUnknown adds the marked copy; which job it became does not matter here.
func (j jobs) CopyAfterUnknown(ctx context.Context, id int64) error {
	_, err := j.Store.CopyAfterUnknown(ctx, id)
	return err
}
