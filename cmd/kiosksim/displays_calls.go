package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"longcheng/device"
)

// openWindows signs a clerk in at every window, a few at a time, and opens it.
func (s *show) openWindows(ctx context.Context) ([]*client, error) {
	desks := make([]*client, len(s.conf.Hall.Windows))
	errs := make(chan error, len(desks))
	room := make(chan struct{}, 4)
	for i, w := range s.conf.Hall.Windows {
		desks[i] = newClient(s.base)
		go func() {
			room <- struct{}{}
			defer func() { <-room }()
			err := desks[i].post(ctx, "/api/v1/session", map[string]any{"user": "c" + w.ID, "secret": sampleSecret, "window": w.ID}, nil)
			if err == nil {
				err = desks[i].post(ctx, "/api/v1/windows/"+w.ID+"/state", map[string]any{"desk": "open"}, nil)
			}
			errs <- err
		}()
	}
	for range desks {
		if err := <-errs; err != nil {
			return nil, fmt.Errorf("open the windows: %w", err)
		}
	}
	return desks, nil
}

// makeCalls calls window after window at the rate, and lets faults come at a quarter,
// a half and three quarters of the calls.
func (s *show) makeCalls(ctx context.Context, desks []*client) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	turns := make([]chan struct{}, len(desks))
	errs := make(chan error, len(desks)+3) // a word of each clerk and each fault
	var clerks, faults sync.WaitGroup
	for i, w := range s.conf.Hall.Windows {
		turns[i] = make(chan struct{}, s.o.calls/len(desks)+2)
		clerks.Go(func() {
			for first := true; ; first = false {
				if _, more := <-turns[i]; !more {
					return
				}
				if err := s.one(ctx, desks[i], w.ID, first); err != nil {
					errs <- fmt.Errorf("window %s: %w", w.ID, err)
					stop()
					return
				}
			}
		})
	}
	tick := time.NewTicker(time.Duration(float64(time.Second) / s.o.rate))
	defer tick.Stop()
	for n := range s.o.calls {
		if s.o.faults {
			s.fault(ctx, n, &faults, errs)
		}
		select {
		case turns[n%len(desks)] <- struct{}{}:
		case <-ctx.Done():
		}
		<-tick.C
		if ctx.Err() != nil {
			break
		}
	}
	for _, t := range turns {
		close(t)
	}
	clerks.Wait()
	faults.Wait() // what they did is over, and said, before anything is reported
	select {
	case err := <-errs:
		return err
	default:
		return ctx.Err()
	}
}

// one finishes whoever is at the window and calls the next.
func (s *show) one(ctx context.Context, desk *client, window string, first bool) error {
	path := "/api/v1/windows/" + window + "/"
	if !first {
		for _, verb := range []string{"start", "done"} {
			if err := desk.post(ctx, path+verb, map[string]any{}, nil); err != nil {
				return fmt.Errorf("%s: %w", verb, err)
			}
		}
	}
	if err := desk.post(ctx, path+"next", map[string]any{}, nil); err != nil {
		return fmt.Errorf("next: %w", err)
	}
	s.mu.Lock()
	s.count++
	s.mu.Unlock()
	return nil
}

// faultTime is how long each fault lasts.
const faultTime = 3 * time.Second

// fault begins what belongs to the n-th call, as one of faults.
func (s *show) fault(ctx context.Context, n int, faults *sync.WaitGroup, errs chan<- error) {
	quarter := max(s.o.calls/4, 1)
	switch n {
	case quarter:
		faults.Go(func() { s.unplugLine(ctx, errs) })
	case 2 * quarter:
		if len(s.walls) > 0 {
			faults.Go(func() { s.stopWall(ctx) })
		}
	case 3 * quarter:
		faults.Go(func() { s.restart(errs) })
	}
}

func (s *show) unplugLine(ctx context.Context, errs chan<- error) {
	w := s.wires[0]
	done := s.outage("line "+w.name+" unplugged", "strip:")
	w.cable.Unplug()
	_ = device.Sleep(ctx, faultTime)
	if err := w.cable.Replug(); err != nil {
		errs <- err
	}
	done()
}

func (s *show) stopWall(ctx context.Context) {
	w := s.walls[0]
	done := s.outage("the screen of wall "+w.name+" stopped", "wall:"+w.name)
	w.stop()
	_ = device.Sleep(ctx, faultTime)
	w.start()
	done()
}

func (s *show) restart(errs chan<- error) {
	done := s.outage("kioskd killed and started", "")
	if err := errors.Join(s.daemon.kill(), s.daemon.start()); err != nil {
		errs <- err
	}
	_ = s.answering(context.Background())
	done()
}

func (s *show) answering(ctx context.Context) error {
	if !answers(ctx, s.base+"/healthz") {
		return errors.New("kioskd does not answer")
	}
	return nil
}

// outage notes a fault; the returned function ends it, with five seconds in which
// surfaces find their way back.
func (s *show) outage(what, prefix string) (done func()) {
	s.say("%s", what)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := len(s.down)
	s.down = append(s.down, outage{what: what, prefix: prefix, since: time.Now().Add(-time.Second), end: time.Now().Add(time.Hour)})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.down[i].end = time.Now().Add(5 * time.Second)
	}
}

// say writes a line of the report; faults speak while others go on.
func (s *show) say(form string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "  "+form+"\n", args...)
}

// openBrowsers shows the first walls in a real Chromium each.
func (s *show) openBrowsers(ctx context.Context) (stop func(), err error) {
	var all []*exec.Cmd
	stop = func() {
		for _, c := range all {
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // its helpers with it
			_ = c.Wait()
		}
	}
	for i, w := range s.walls[:s.o.browsers] {
		cmd := exec.Command("/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-component-update", "--window-size=1920,1080",
			"--user-data-dir="+filepath.Join(s.state, fmt.Sprint("browser-", i)), s.base+w.path+"/")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			return stop, fmt.Errorf("start Chromium: %w: install chromium, or choose -browsers 0", err)
		}
		all = append(all, cmd)
		w.stop = func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGSTOP) }
		w.start = func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGCONT) }
	}
	return stop, ctx.Err()
}
