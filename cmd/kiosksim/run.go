package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"longcheng/cmd/kiosksim/sim/bench"
)

// walkingPrinter is the speed of the simulated printers in mm/s.
const walkingPrinter = 150

// run simulates one hall until ctx is done.
func run(ctx context.Context, o options, out, errs io.Writer) error {
	dir, err := filepath.Abs(filepath.Join(o.state, o.hall))
	if err != nil {
		return err
	}
	all, err := stations(o, dir)
	if err != nil {
		return fmt.Errorf("hall %s: %w", o.hall, err)
	}
	work, devices, err := plug(all)
	if err != nil {
		return err
	}
	page, err := net.Listen("tcp", o.bench)
	if err != nil {
		return fmt.Errorf("bench page: %w: choose another address with -bench", err)
	}
	server := &http.Server{Handler: bench.New(devices), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(page) }()
	plugged, unplug := context.WithCancel(context.WithoutCancel(ctx)) // devices outlive the daemons, which say goodbye to them
	defer unplug()
	go work(plugged)
	offset := rehearsal(dir, o, all[0].Config, time.Now())
	if offset != 0 {
		fmt.Fprintf(out, "The hall is closed at this hour: its clock is moved by %s.\n", offset)
	}
	told, quiet := context.WithCancel(ctx)
	defer quiet()
	go announce(told, out, all, o.bench)
	err = live(ctx, all, func(s *station) *daemon {
		return &daemon{name: s.Device, program: o.kioskd, errs: errs, args: []string{"run", "-config", s.file, "-state", s.state, "-listen", s.Web.Listen, "-clock-offset", offset.String()}}
	})
	server.Close()
	return errors.Join(tidy(err), tidy(<-ended))
}

// tidy drops the errors that a wanted end brings.
func tidy(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// answers waits until a page is there; false when ctx ended first.
func answers(ctx context.Context, url string) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if answered(ctx, url) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

func answered(ctx context.Context, url string) bool {
	in, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	r, err := http.DefaultClient.Do(in)
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}
