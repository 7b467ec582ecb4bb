package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk/freeport"
)

// cityOptions are the flags of kiosksim centre.
type cityOptions struct {
	state    string
	halls    string // where the documents of the halls are
	programs string // directory of centrald and kioskd; empty: beside this program
	first    int    // port; 0: any free ones
}

func commandCentre(args []string, out, errs io.Writer) int {
	var o cityOptions
	f := flag.NewFlagSet("kiosksim centre", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&o.state, "var", "var/city", "where the centre and the halls keep their state")
	f.StringVar(&o.halls, "halls", "deploy/halls", "where the documents of the halls are")
	f.IntVar(&o.first, "port", 8100, "the first of the ports that are used; 0 takes free ones")
	if f.Parse(args) != nil || f.NArg() > 0 {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return status(errs, runCity(ctx, o, out, errs))
}

// A simHall is one hall of the city.
type simHall struct {
	id     string
	zh, en string
}

// boxesOfHall are the documents of a hall's boxes below -halls; the first hosts it.
var boxesOfHall = []string{"three/host.toml", "three/kiosk.toml", "three/display.toml"}

// theCity is what there is to see.
var theCity = []simHall{
	{"river", "滨江便民服务中心", "Riverside Service Centre"},
	{"lake", "湖东便民服务中心", "Lakeside Service Centre"},
}

// A city is a centre and its halls, all running.
type city struct {
	o           cityOptions
	out, errs   io.Writer
	next        int // port
	boxes, page string
	password    string
	started     []*daemon
	devices     context.Context // they outlive the daemons, which say goodbye to them
	work, watch sync.WaitGroup  // devices; who starts programs again
	failed      chan error
}

// runCity starts a centre and its halls, enrols what is not enrolled yet, and
// lets them run until ctx ends.
func runCity(ctx context.Context, o cityOptions, out, errs io.Writer) error {
	c := &city{o: o, out: out, errs: errs, next: o.first, failed: make(chan error, 8)}
	devices, unplug := context.WithCancel(context.WithoutCancel(ctx))
	c.devices = devices
	ctx, stop := context.WithCancel(ctx)
	err := c.open(ctx)
	if err == nil {
		fmt.Fprintf(out, "\nCtrl-C ends it; started again it continues.\n")
		select {
		case <-ctx.Done():
		case err = <-c.failed:
		}
	}
	stop()
	c.watch.Wait()
	err = errors.Join(tidy(err), c.close(context.WithoutCancel(ctx)))
	unplug()
	c.work.Wait()
	return err
}

func (c *city) open(ctx context.Context) (err error) {
	if c.o.state, err = filepath.Abs(c.o.state); err != nil {
		return err
	}
	if err := c.openCentre(ctx); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "\nThe centre is open.\n\n  its pages    http://%s/    name: admin   password: %s\n", c.page, c.password)
	for _, h := range theCity {
		if err := c.openHall(ctx, h); err != nil {
			return fmt.Errorf("hall %s: %w", h.id, err)
		}
	}
	return nil
}

// address returns the next address of this machine.
func (c *city) address() (string, error) {
	if c.next == 0 {
		return freeport.Address()
	}
	c.next++
	return fmt.Sprintf("127.0.0.1:%d", c.next-1), nil
}

func (c *city) centreDir() string { return filepath.Join(c.o.state, "centre") }

func (c *city) program(name string) (string, error) {
	if c.o.programs != "" {
		return filepath.Join(c.o.programs, name), nil
	}
	self, err := os.Executable()
	return filepath.Join(filepath.Dir(self), name), err
}

// openCentre writes the centre's configuration, lets one person in and starts it.
func (c *city) openCentre(ctx context.Context) (err error) {
	if c.boxes, err = c.address(); err != nil {
		return err
	}
	if c.page, err = c.address(); err != nil {
		return err
	}
	if err := os.MkdirAll(c.centreDir(), 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf("state = %q\n[boxes]\nlisten = %q\naddress = %q\nnames = [\"127.0.0.1\"]\n[pages]\nlisten = %q\n", c.centreDir(), c.boxes, c.boxes, c.page)
	if err := os.WriteFile(c.centreConf(), []byte(text), 0o600); err != nil {
		return err
	}
	kept := filepath.Join(c.centreDir(), "password-of-admin")
	if text, err := os.ReadFile(kept); err == nil {
		c.password = strings.TrimSpace(string(text))
	} else {
		if c.password, err = c.tool(ctx, "user", "admin", "city"); err != nil {
			return err
		}
		if err := os.WriteFile(kept, []byte(c.password+"\n"), 0o600); err != nil {
			return err
		}
	}
	return c.start(ctx, "centrald", c.page, "run", "-config", c.centreConf())
}

func (c *city) centreConf() string { return filepath.Join(c.centreDir(), "centrald.toml") }

// tool runs one of the centre's own commands and returns what it prints.
func (c *city) tool(ctx context.Context, args ...string) (string, error) {
	program, err := c.program("centrald")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, program, append([]string{args[0], "-config", c.centreConf()}, args[1:]...)...)
	cmd.Stderr = c.errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("centrald %s: %w: build it with make build", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// start runs a program until the city closes, and again when it ended because it
// was ordered to; it returns when the program answers.
func (c *city) start(ctx context.Context, program, page string, args ...string) error {
	path, err := c.program(program)
	if err != nil {
		return err
	}
	d := &daemon{program: path, args: args, errs: c.errs}
	if err := d.start(); err != nil {
		return err
	}
	c.started = append(c.started, d)
	c.watch.Go(func() { c.restart(ctx, d) })
	if !answers(ctx, "http://"+page+"/healthz") {
		return ctx.Err()
	}
	return nil
}

// restart is the service manager of a program.
func (c *city) restart(ctx context.Context, d *daemon) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if ctx.Err() == nil && d.ended() {
			if err := d.start(); err != nil {
				c.failed <- err
				return
			}
		}
	}
}

// openHall writes the documents of a hall, plugs its hardware in, enrols its
// boxes and starts them.
func (c *city) openHall(ctx context.Context, h simHall) error {
	dir := filepath.Join(c.o.state, h.id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(c.o.halls, "small", "hall.toml"))
	if err != nil {
		return err
	}
	doc := strings.NewReplacer(`id = "small"`, fmt.Sprintf("id = %q", h.id), "龙城便民服务中心", h.zh, "Longcheng Service Centre", h.en).Replace(string(text))
	if err := os.WriteFile(filepath.Join(dir, "hall.toml"), []byte(doc), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "\n%s (%s)\n\n", h.zh, h.id)
	at, err := c.address() // of the host, for the others
	if err != nil {
		return err
	}
	var host *station
	for _, doc := range boxesOfHall {
		box, err := c.station(dir, doc, at)
		if err != nil {
			return err
		}
		if host == nil {
			host = box
		}
		if err := c.openBox(ctx, box, host); err != nil {
			return err
		}
	}
	return nil
}

// station writes the document of a box, and plugs its devices in.
func (c *city) station(dir, doc, host string) (*station, error) {
	text, err := os.ReadFile(filepath.Join(c.o.halls, doc))
	if err != nil {
		return nil, err
	}
	page, err := c.address()
	if err != nil {
		return nil, err
	}
	is := strings.NewReplacer("../small/hall.toml", "hall.toml", "127.0.0.1:8443", host).Replace(string(text))
	if doc == boxesOfHall[0] {
		is += fmt.Sprintf("\n[centre]\naddress = %q\n", c.boxes)
	}
	file := filepath.Join(dir, filepath.Base(doc))
	if err := os.WriteFile(file, []byte(is), 0o644); err != nil {
		return nil, err
	}
	s, err := newStation(file, "")
	if err != nil {
		return nil, err
	}
	s.state, s.Web.Listen = filepath.Join(dir, s.Device), page
	run, _, err := plug([]*station{s})
	if err == nil {
		c.work.Go(func() { run(c.devices) })
	}
	return s, err
}

// openBox enrols a box, the host at the centre and the others at their host, and
// starts it.
func (c *city) openBox(ctx context.Context, box, host *station) (err error) {
	if box == host {
		err = c.enrolHost(ctx, box)
	} else {
		err = box.enrol(ctx, host)
	}
	if err != nil {
		return err
	}
	if err := c.start(ctx, "kioskd", box.Web.Listen, "run", "-config", box.file, "-state", box.state, "-listen", box.Web.Listen); err != nil {
		return err
	}
	box.announce(c.out, true)
	return nil
}

// enrolHost gets a host its pass of the centre, when it has none.
func (c *city) enrolHost(ctx context.Context, s *station) error {
	dir := config.CentrePass(s.state)
	if _, err := central.OpenPass(dir, time.Now); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	code, err := c.tool(ctx, "enrol-code", s.Hall.ID, s.Device, central.RoleHost)
	if err == nil {
		_, err = central.Enrol(ctx, dir, code, time.Now)
	}
	return err
}

// close stops everything, the centre last.
func (c *city) close(ctx context.Context) (err error) {
	for i := len(c.started) - 1; i >= 0; i-- {
		err = errors.Join(err, c.started[i].stop(ctx))
	}
	http.DefaultClient.CloseIdleConnections()
	return err
}
