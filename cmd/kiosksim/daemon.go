package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"longcheng/cmd/internal/config"
)

// A daemon is the kioskd under test: a process of its own, found beside this
// program.
type daemon struct {
	name    string // of the box, in messages
	program string // empty: kioskd beside this program
	args    []string
	errs    io.Writer
	log     string // file for its log; empty means errs

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan error
}

// start starts the process.
func (d *daemon) start() error {
	program := d.program
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		program = filepath.Join(filepath.Dir(self), "kioskd")
	}
	cmd := exec.Command(program, d.args...)
	cmd.Stderr = d.errs
	if d.log != "" {
		f, err := os.OpenFile(d.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		cmd.Stderr = f
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM} // Ctrl-C is ours to pass on, once
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w: build it with make build", filepath.Base(program), err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cmd, d.done = cmd, done
	return nil
}

// kill ends the process as a power cut would: without a word.
func (d *daemon) kill() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.cmd.Process.Kill()
	d.done <- <-d.done // for whoever asks next
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// restart kills the process and starts it again.
func (d *daemon) restart() error { return errors.Join(d.kill(), d.start()) }

// stop asks the process to end and waits until it has.
func (d *daemon) stop(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case err := <-d.done:
		d.done <- err
		return err
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("kioskd does not stop: killed"), d.cmd.Process.Kill())
	case <-ctx.Done():
		return errors.Join(ctx.Err(), d.cmd.Process.Kill())
	}
}

// ended reports whether the process is no more.
func (d *daemon) ended() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case err := <-d.done:
		d.done <- err
		return true
	default:
		return false
	}
}

// run starts the process and waits for its end; ctx ends it with SIGTERM.
func (d *daemon) run(ctx context.Context) error {
	if err := d.start(); err != nil {
		return err
	}
	select {
	case err := <-d.done:
		return d.epitaph(err)
	case <-ctx.Done():
		return d.stop(context.WithoutCancel(ctx))
	}
}

// epitaph tells somebody at a terminal why the hall is over, and how it goes on.
func (d *daemon) epitaph(err error) error {
	how, why := "exit status 0", "somebody stopped it"
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if how, why = err.Error(), "its last lines say why"; !exit.Exited() {
			why = "somebody killed it, which loses nothing that was promised"
		}
	}
	return fmt.Errorf("kioskd of %s ended (%s): %s: give the same command again (make run) and the day continues", d.name, how, why)
}

// lastWords returns the end of the log, for a day that went wrong.
func (d *daemon) lastWords() error {
	b, err := os.ReadFile(d.log)
	if err != nil {
		return err
	}
	return fmt.Errorf("kioskd's log ends:\n%s", b[max(0, len(b)-4000):])
}

// rehearsal returns by how much the hall's clock must be moved to be open now.
// The offset is kept in the state directory and never shrinks, because the
// business day of a store only moves forward.
func rehearsal(state string, o options, c *config.Config, now time.Time) time.Duration {
	if o.real {
		return 0
	}
	file := filepath.Join(state, "clock-offset")
	var kept time.Duration
	if b, err := os.ReadFile(file); err == nil {
		kept, _ = time.ParseDuration(string(b)) // an unreadable offset is none
	}
	then := now.Add(kept).In(c.Hall.Location())
	open, ok := c.Hall.Hours.Next(then)
	if !ok || open.Equal(then) {
		return kept
	}
	offset := kept + open.Sub(then).Truncate(time.Second) + time.Second
	if err := os.WriteFile(file, []byte(offset.String()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "kiosksim: keep the clock's offset:", err)
	}
	return offset
}
