package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/device"
	"longcheng/kiosk/freeport"
)

// A day is one compressed business day of a simulated hall, played through the
// real kioskd: citizens, clerks, faults and a kill in the middle.
type day struct {
	tally
	conf   *config.Config
	plan   plan
	hw     *hardware
	walls  []*wallScreen
	daemon *daemon
	base   string
	state  string
	out    io.Writer
	begun  time.Time
	offset time.Duration
	watch  watch
	ledger *ledger // of the audit

	page func(context.Context, citizen) (number string, err error) // for byPage
	more func(context.Context) error                               // a fault that goes on beside the plan's; may be nil
}

// dayPrinter is the speed of the simulated printers in mm/s: a day is compressed.
const dayPrinter = 3000

// sampleSecret is the password of the sample halls' users.
const sampleSecret = "1234"

// playDay plays the day of o and returns an error when any promise was broken.
func playDay(ctx context.Context, o options, out, errs io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, o.within)
	defer cancel()
	state, err := os.MkdirTemp("", "longcheng-day-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(state)
	d, err := newDay(o, state, out, errs)
	if err != nil {
		return err
	}
	if err := d.play(ctx, o); err != nil {
		return errors.Join(err, d.daemon.lastWords())
	}
	seen, err := d.evidence(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	seen.show(out)
	return seen.audit()
}

// newDay lays the hall of o out below state; nothing runs yet.
func newDay(o options, state string, out, errs io.Writer) (*day, error) {
	file, err := filepath.Abs(filepath.Join(o.halls, o.hall, "kioskd.toml"))
	if err != nil {
		return nil, err
	}
	c, found := config.Load(file)
	if config.Broken(found) {
		return nil, fmt.Errorf("hall %s: %w", o.hall, found[0])
	}
	if err := o.check(c); err != nil {
		return nil, err
	}
	listen, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	hw, err := plugIn(c, state, dayPrinter)
	if err != nil {
		return nil, err
	}
	d := &day{watch: watch{ledger: newLedger()}, conf: c, plan: makePlan(c, o), hw: hw, base: "http://" + listen, state: state, out: &turns{w: out}, begun: time.Now()}
	d.offset = rehearsal(state, o, c, time.Now())
	d.daemon = &daemon{program: o.kioskd, errs: errs, log: filepath.Join(state, "kioskd.log"), args: []string{
		"run", "-config", file, "-state", state, "-listen", listen, "-clock-offset", d.offset.String()}}
	for _, w := range c.Walls {
		d.walls = append(d.walls, &wallScreen{client: newClient(d.base), path: "/wall/" + w.Name})
	}
	return d, nil
}

// turns lets one goroutine write at a time.
type turns struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *turns) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.w.Write(b)
}

func (d *day) now() time.Time { return time.Now().Add(d.offset) }

// play starts everything, lets the people do their day and stops it all.
func (d *day) play(ctx context.Context, o options) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var things sync.WaitGroup
	defer things.Wait()
	defer stop()
	things.Go(func() { _ = d.hw.Run(ctx) })
	if err := d.daemon.start(); err != nil {
		return err
	}
	if !answers(ctx, d.base+"/healthz") {
		return errors.Join(errors.New("kioskd does not answer"), d.daemon.kill())
	}
	for _, w := range d.walls {
		things.Go(func() { w.watch(ctx) })
	}
	boss, err := d.boss(ctx)
	if err != nil {
		return errors.Join(err, d.daemon.kill())
	}
	things.Go(func() { d.watch.run(ctx, boss) })
	d.say("the hall is open")
	if err := errors.Join(d.people(ctx, o, boss), d.quiet(ctx, boss)); err != nil {
		return errors.Join(err, d.daemon.kill())
	}
	d.say("everybody was served, all paper is out, every call was shown")
	return d.daemon.stop(ctx)
}

// people lets citizens arrive and clerks serve at the same time; the first error
// of anybody ends the day.
func (d *day) people(ctx context.Context, o options, boss *client) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all []func() error
	for i, w := range openWindows(d.conf, o) {
		k := &clerk{day: d, client: newClient(d.base), window: w.ID}
		all = append(all, func() error { return k.work(ctx, d.conf.Users[i%2].Name, sampleSecret) })
	}
	all = append(all, func() error { return d.citizens(ctx, boss) })
	ends := make(chan error, len(all)+1)
	for _, f := range all {
		go func() { ends <- f() }()
	}
	wanted := len(all)
	if d.more != nil {
		trouble, quiet := context.WithCancel(ctx)
		defer quiet()
		go func() { ends <- d.more(trouble) }() // it ends with the citizens
		wanted++
	}
	var errs []error
	for range wanted {
		if err := <-ends; err != nil {
			errs = append(errs, err)
			stop()
		}
	}
	return errors.Join(errs...)
}

// boss signs a supervisor in.
func (d *day) boss(ctx context.Context) (*client, error) {
	boss := newClient(d.base)
	if err := boss.post(ctx, "/api/v1/session", map[string]any{"user": "supervisor", "secret": sampleSecret}, nil); err != nil {
		return nil, fmt.Errorf("supervisor: %w", err)
	}
	return boss, nil
}

// citizens lets everybody arrive, at each kiosk one after the other.
func (d *day) citizens(ctx context.Context, boss *client) error {
	queues := make([][]citizen, len(d.conf.Touches))
	for _, p := range d.plan.citizens {
		queues[p.touch] = append(queues[p.touch], p)
	}
	ends := make(chan error, len(queues))
	for _, list := range queues {
		c := &citizens{day: d, client: newClient(d.base), boss: boss}
		go func() { ends <- c.arrive(ctx, list) }()
	}
	var errs []error
	for range queues {
		errs = append(errs, <-ends)
	}
	d.closeDoors(len(d.plan.citizens))
	return errors.Join(errs...)
}

// faults does what goes wrong before the next arrival.
func (d *day) faults(ctx context.Context) error {
	n := d.arrival()
	if d.plan.never {
		return nil
	}
	if n == d.plan.paperOut {
		d.say("paper runs out in the middle of a ticket")
		printer := d.hw.printers[d.conf.Touches[0].Printer]
		printer.PaperOutAfter(d.plan.rows)
		go d.refill(ctx, printer)
	}
	if cable := d.hw.cables[d.firstLine()]; cable != nil && n == d.plan.unplug {
		d.say("the strips' line is unplugged")
		cable.Unplug()
	}
	if cable := d.hw.cables[d.firstLine()]; cable != nil && n == d.plan.replug {
		d.say("the strips' line is plugged in again")
		if err := cable.Replug(); err != nil {
			return err
		}
	}
	if n == d.plan.kill {
		_ = device.Sleep(ctx, time.Duration(d.plan.pause)*time.Millisecond)
		d.say("kioskd is killed and started again")
		return d.daemon.restart()
	}
	return nil
}

// refill puts in a new roll when the printer has run out and the screen says so.
func (d *day) refill(ctx context.Context, p *escpos.Printer) {
	if until(ctx, "the paper to run out", func() bool { return p.OutOfPaper() && d.outOfPaper(ctx) }) == nil {
		p.NewRoll()
		d.say("a new roll is in")
	}
}

// outOfPaper asks the touch page, as a member of staff would look at it.
func (d *day) outOfPaper(ctx context.Context) bool {
	out := false
	_ = newClient(d.base).events(ctx, "/kiosk/"+d.conf.Touches[0].Name+"/events", func(_ string, data []byte) error {
		out = !strings.Contains(string(data), `"printer_ready":true`)
		return errSeen
	})
	return out
}

func (d *day) firstLine() string {
	for _, l := range d.conf.Lines {
		return l.Name
	}
	return ""
}

// say tells of a moment of the day, with the time since its beginning.
func (d *day) say(what string) {
	fmt.Fprintf(d.out, "%6.1f s  %s\n", time.Since(d.begun).Seconds(), what)
}
