package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/cmd/kiosksim/sim/bench"
)

// A station is one box of a simulated hall: its configuration, its state
// directory, and the devices on its cables.
type station struct {
	*config.Config
	file, state string
	hardware    *hardware
}

// stations reads the boxes of a hall: the one of kioskd.toml, or in a hall of
// several boxes the host of host.toml and those of the files beside it. The host
// comes first. Each keeps its state below dir.
func stations(o options, dir string) ([]*station, error) {
	at := filepath.Join(o.halls, o.hall)
	one := filepath.Join(at, "kioskd.toml")
	if _, err := os.Stat(filepath.Join(at, "host.toml")); errors.Is(err, fs.ErrNotExist) {
		s, err := newStation(one, dir)
		if err == nil && o.listen != "" {
			s.Web.Listen = o.listen
		}
		return []*station{s}, err
	}
	files, err := filepath.Glob(filepath.Join(at, "*.toml"))
	if err != nil {
		return nil, err
	}
	var all []*station
	for _, f := range files {
		s, err := newStation(f, "")
		if err != nil {
			return nil, err
		}
		s.state = filepath.Join(dir, s.Device)
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b *station) int { return len(a.Join.Host) - len(b.Join.Host) }) // the host has joined nobody
	return all, nil
}

func newStation(file, state string) (*station, error) {
	c, found := config.Load(file)
	if config.Broken(found) {
		return nil, fmt.Errorf("configuration of a box: %w", found[0])
	}
	return &station{Config: c, file: file, state: state}, nil
}

// plug gives every box its devices.
func plug(all []*station) (run func(context.Context), b bench.Bench, err error) {
	for _, s := range all {
		if err := os.MkdirAll(s.state, 0o755); err != nil {
			return nil, b, fmt.Errorf("state directory: %w", err)
		}
		if s.hardware, err = plugIn(s.Config, s.state, walkingPrinter); err != nil {
			return nil, b, err
		}
		b.Add(workbench(s.Config, s.hardware))
	}
	return func(ctx context.Context) {
		var wg sync.WaitGroup
		for _, s := range all {
			wg.Go(func() { _ = s.hardware.Run(ctx) }) // the hall is over
		}
		wg.Wait()
	}, b, nil
}

// enrol lets a box into its host's hall as a technician does, once.
func (s *station) enrol(ctx context.Context, host *station) error {
	pass := door.PassDir(s.state)
	if _, err := central.OpenPass(pass, time.Now); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d, err := door.Open(host.state, host.Hall.ID, door.Names(host.Host.Address), time.Now)
	if err != nil {
		return err
	}
	role := "box"
	if s.Standin.Listen != "" {
		role = door.StandinRole
	}
	code, err := d.NewCode(host.Host.Address, s.Device, role)
	if err == nil {
		_, err = central.Enrol(ctx, pass, code.String(), time.Now)
	}
	if err != nil {
		return fmt.Errorf("enrol %s: %w", s.Device, err)
	}
	return nil
}

// admit enrols and starts the boxes that join, once their host answers.
func admit(ctx context.Context, all []*station, start func(*station)) error {
	if len(all) == 1 || !answers(ctx, "http://"+all[0].Web.Listen+"/healthz") {
		return nil
	}
	for _, s := range all[1:] {
		if err := s.enrol(ctx, all[0]); err != nil {
			return err
		}
		start(s)
	}
	return nil
}

// live runs the daemons of all boxes until ctx ends or one of them does. The host
// is there before the others start, and stops last.
func live(ctx context.Context, all []*station, command func(*station) *daemon) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	life, stopHost := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHost()
	var host, others sync.WaitGroup
	ended := make(chan error, len(all)+1)
	work := func(ctx context.Context, wg *sync.WaitGroup, s *station) {
		wg.Go(func() { defer end(); ended <- command(s).run(ctx) })
	}
	work(life, &host, all[0])
	if err := admit(ctx, all, func(s *station) { work(ctx, &others, s) }); err != nil && ctx.Err() == nil {
		ended <- err
		end()
	}
	<-ctx.Done()
	others.Wait()
	stopHost()
	host.Wait()
	close(ended)
	var errs []error
	for err := range ended {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// announce waits until every box answers and prints the addresses.
func announce(ctx context.Context, out io.Writer, all []*station, at string) {
	for _, s := range all {
		if !answers(ctx, s.url()+"/healthz") {
			return
		}
	}
	fmt.Fprintf(out, "\n%s is open.\n\n", all[0].Hall.Name.ZH)
	for _, s := range all {
		s.announce(out, len(all) > 1)
	}
	fmt.Fprintf(out, "  the bench    http://%s/   paper, strips, lamp; cards, codes, faults\n\nCtrl-C ends it; started again it continues the same day.\n", at)
}

func (s *station) url() string { return "http://" + s.Web.Listen }

func (s *station) announce(out io.Writer, several bool) {
	if several {
		fmt.Fprintf(out, "%s  (%s)\n", s.Device, s.url())
	}
	for _, t := range s.Touches {
		fmt.Fprintf(out, "  touch page   %s/kiosk/%s\n", s.url(), t.Name)
	}
	if !s.Joined() {
		fmt.Fprintf(out, "  console      %s/console\n", s.url())
	}
	for _, w := range s.Walls {
		fmt.Fprintf(out, "  wall         %s/wall/%s/\n", s.url(), w.Name)
	}
	fmt.Fprintf(out, "  the API      %s/api/v1/docs\n", s.url())
}
