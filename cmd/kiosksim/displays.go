package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/kiosk/freeport"
)

// displaysOptions are the flags of the command displays.
type displaysOptions struct {
	strips, lines, walls, browsers, calls int
	rate                                  float64
	kioskd                                string
	faults                                bool
	within                                time.Duration
}

func parseDisplays(args []string, errs io.Writer) (o displaysOptions, err error) {
	f := flag.NewFlagSet("kiosksim displays", flag.ContinueOnError)
	f.SetOutput(errs)
	f.IntVar(&o.strips, "strips", 212, "windows, each with a strip")
	f.IntVar(&o.lines, "lines", 8, "wires that the strips hang on")
	f.IntVar(&o.walls, "walls", 40, "wall pages")
	f.IntVar(&o.browsers, "browsers", 1, "how many of the walls are shown by a real Chromium; the others by readers of the stream that acknowledge as the page does")
	f.IntVar(&o.calls, "calls", 2000, "calls")
	f.Float64Var(&o.rate, "rate", 10, "calls a second")
	f.BoolVar(&o.faults, "faults", true, "unplug a line, stop a wall, restart kioskd")
	f.DurationVar(&o.within, "within", 30*time.Minute, "give up after this")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.strips < 1 || o.strips > 999 || o.lines < 1 || o.lines > o.strips || o.walls < 0 || o.browsers > o.walls || o.calls < 1 || o.rate <= 0 {
		err = errors.New("1 to 999 strips, not more lines than strips, not more browsers than walls, and calls at a rate")
		fmt.Fprintln(errs, "kiosksim displays:", err)
	}
	return o, err
}

// commandDisplays is the command displays.
func commandDisplays(args []string, out, errs io.Writer) int {
	o, err := parseDisplays(args, errs)
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return status(errs, playDisplays(ctx, o, out, errs))
}

// playDisplays lets a big hall call and prints how long its displays took.
func playDisplays(ctx context.Context, o displaysOptions, out, errs io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, o.within)
	defer cancel()
	state, err := os.MkdirTemp("", "longcheng-displays-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(state)
	s, err := newShow(ctx, o, state, out, errs)
	if err != nil {
		return err
	}
	if err := s.play(ctx); err != nil {
		return errors.Join(err, s.daemon.lastWords())
	}
	return nil
}

// A show is one run of the command.
type show struct {
	o      displaysOptions
	conf   *config.Config
	wires  []*wire
	walls  []*screen
	daemon *daemon
	base   string
	state  string
	out    io.Writer

	mu    sync.Mutex
	down  []outage
	count int // calls made
}

// A screen is what shows one wall: a browser, or a reader of its stream.
type screen struct {
	*wallScreen
	name        string
	stop, start func()
}

// open lets a reader show the wall.
func (w *screen) open(ctx context.Context, things *sync.WaitGroup) {
	var end context.CancelFunc
	w.start = func() {
		var on context.Context
		on, end = context.WithCancel(ctx)
		things.Go(func() { w.watch(on) })
	}
	w.stop = func() { end() }
	w.start()
}

// An outage is a time in which a fault was on.
type outage struct {
	what       string
	prefix     string // of the surfaces it concerns
	since, end time.Time
}

func newShow(ctx context.Context, o displaysOptions, state string, out, errs io.Writer) (*show, error) {
	listen, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	file, err := writeBigHall(state, listen, o)
	if err != nil {
		return nil, err
	}
	c, found := config.Load(file)
	if config.Broken(found) {
		return nil, fmt.Errorf("the big hall: %w", found[0])
	}
	s := &show{o: o, conf: c, base: "http://" + listen, state: state, out: out}
	if s.wires, err = layWires(c, state); err != nil {
		return nil, err
	}
	for _, w := range c.Walls {
		s.walls = append(s.walls, &screen{name: w.Name, wallScreen: &wallScreen{client: newClient(s.base), path: "/wall/" + w.Name}})
	}
	s.daemon = &daemon{program: o.kioskd, errs: errs, log: filepath.Join(state, "kioskd.log"), args: []string{"run", "-config", file, "-state", state}}
	return s, fillQueues(ctx, c, state, o.calls)
}

// play starts everything, makes the calls, waits until all are shown and reports.
func (s *show) play(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var things sync.WaitGroup
	defer things.Wait()
	defer stop()
	for _, w := range s.wires {
		things.Go(func() { _ = w.cable.Run(ctx, w.receive) }) // ends with ctx
	}
	if err := s.daemon.start(); err != nil {
		return err
	}
	defer func() { _ = s.daemon.kill() }() // after a fault; a show that went well has stopped it
	if !answers(ctx, s.base+"/healthz") {
		return errors.New("kioskd does not answer")
	}
	stopBrowsers, err := s.openBrowsers(ctx)
	defer stopBrowsers()
	if err != nil {
		return err
	}
	for _, w := range s.walls[s.o.browsers:] {
		w.open(ctx, &things)
	}
	desks, err := s.openWindows(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.makeCalls(ctx, desks); err != nil {
		return err
	}
	took := time.Since(began)
	r, err := s.settle(ctx)
	if err != nil {
		return err
	}
	if err := s.daemon.stop(ctx); err != nil {
		return err
	}
	return s.report(r, took)
}
