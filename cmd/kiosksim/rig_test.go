package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/device"
	"longcheng/kiosk"
)

// A rig is the small hall with the real kioskd running on simulated hardware,
// for one fault.
type rig struct {
	*day
	t       *testing.T
	ctx     context.Context
	boss    *client
	tap     *client
	printer *escpos.Printer
	cable   *port.Port // the printer's
}

func newRig(t *testing.T) *rig { t.Helper(); return newRigIn(t, t.TempDir()) }

func newRigIn(t *testing.T, state string) *rig {
	t.Helper()
	return newRigOf(t, options{tickets: 1, windows: 1, seed: 1}, state)
}

func newRigOf(t *testing.T, o options, state string) *rig {
	t.Helper()
	d := testDayIn(t, o, state)
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	gone := make(chan struct{})
	go func() { defer close(gone); _ = d.hw.Run(ctx) }()
	if err := d.daemon.start(); err != nil {
		cancel()
		<-gone
		t.Fatal(err)
	}
	r := &rig{day: d, t: t, ctx: ctx, tap: newClient(d.base), printer: d.hw.printers["printer-1"], cable: d.hw.cables["printer-1"]}
	t.Cleanup(func() {
		if err := d.daemon.kill(); err != nil {
			t.Error(err)
		}
		cancel()
		<-gone
		r.tap.http.CloseIdleConnections()
	})
	r.up()
	var err error
	if r.boss, err = d.boss(ctx); err != nil {
		t.Fatal(err)
	}
	r.ready(true)
	return r
}

// up waits until kioskd answers and returns how long that took.
func (r *rig) up() time.Duration {
	r.t.Helper()
	begun := time.Now()
	if !answers(r.ctx, r.base+"/healthz") {
		r.t.Fatal("kioskd does not answer")
	}
	return time.Since(begun)
}

// restart kills kioskd and waits until it answers again.
func (r *rig) restart() time.Duration {
	r.t.Helper()
	if err := r.daemon.restart(); err != nil {
		r.t.Fatal(err)
	}
	return r.up()
}

// again stops kioskd in good order and starts it with its clock moved.
func (r *rig) again(offset time.Duration) {
	r.t.Helper()
	if err := r.daemon.stop(r.ctx); err != nil {
		r.t.Fatal(err)
	}
	r.daemon.args[len(r.daemon.args)-1] = offset.String()
	if err := r.daemon.start(); err != nil {
		r.t.Fatal(err)
	}
	r.up()
}

// wait waits for something to become true.
func (r *rig) wait(what string, f func() bool) {
	r.t.Helper()
	if err := until(r.ctx, what, f); err != nil {
		r.t.Fatal(err)
	}
}

// ready waits until the screen offers tickets, or does not any more.
func (r *rig) ready(yes bool) {
	r.t.Helper()
	r.wait("the screen to say whether tickets are given", func() bool { return r.outOfPaper(r.ctx) != yes })
}

// item is what everybody at a rig wants: it needs no card.
const rigItem = "social-card"

// ask asks for a ticket once, under a key.
func (r *rig) ask(key string) (string, error) {
	var issued kiosk.Issued
	ctx, cancel := context.WithTimeout(r.ctx, 5*time.Second)
	defer cancel()
	err := r.tap.once(ctx, http.MethodPost, "/api/v1/tickets", key, map[string]any{"kiosk": "touch-1", "item": rigItem, "print": true}, &issued)
	return issued.Visit.Number, err
}

// ticket asks until there is a ticket. A daemon that ended is started again, as
// systemd does.
func (r *rig) ticket() string {
	r.t.Helper()
	for key := rand.Text(); ; {
		n, err := r.ask(key)
		if err == nil {
			r.promise(n)
			return n
		}
		var no *refused
		if errors.As(err, &no) && no.Status < 500 && no.Status != http.StatusTooManyRequests {
			if no.Code != "printer_not_ready" {
				r.t.Fatal(err)
			}
			key = rand.Text() // a refusal stays the answer of its key
		}
		if r.daemon.ended() {
			if err := r.daemon.start(); err != nil {
				r.t.Fatal(err)
			}
		}
		if err := device.Sleep(r.ctx, 20*time.Millisecond); err != nil {
			r.t.Fatal(err)
		}
	}
}

// refusal asks for a ticket that must not be given and returns the reason. That
// the page was asked too fast is none: a quick machine uses its pace up; neither is
// that a slow one did not answer in time.
func (r *rig) refusal() *refused {
	r.t.Helper()
	for key := rand.Text(); ; {
		n, err := r.ask(key)
		var no *refused
		if err == nil {
			r.t.Fatalf("a ticket was asked for that nobody can print: number %q", n)
		}
		if errors.As(err, &no) && no.Status != http.StatusTooManyRequests {
			return no
		}
		if device.Sleep(r.ctx, 20*time.Millisecond) != nil {
			r.t.Fatal(err)
		}
	}
}

// settle waits until all paper is out.
func (r *rig) settle() {
	r.t.Helper()
	boss, err := r.day.boss(r.ctx) // the clock may have moved: sessions end
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.quiet(r.ctx, boss); err != nil {
		r.t.Fatal(err)
	}
}

// close settles, stops kioskd and audits what was seen.
func (r *rig) close() *evidence {
	r.t.Helper()
	r.settle()
	if err := r.daemon.stop(r.ctx); err != nil {
		r.t.Fatal(err)
	}
	return judge(r.t, r.day)
}

// copies counts the marked copies of a day.
func (e *evidence) copies() (n int) {
	for _, slips := range e.slips {
		for _, s := range slips {
			if strings.Contains(strings.Join(s.Text, "\n"), "补打") {
				n++
			}
		}
	}
	return n
}
