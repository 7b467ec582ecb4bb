package printer_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/kiosk"
	"longcheng/printer"
)

const (
	ready     = "ready"
	noPaper   = "printer is out of paper: put in a new roll"
	coverOpen = "cover is open: close it"
	jammed    = "cutter jammed: open the cover, free the blade, close it"
	dumb      = "printer does not answer: check that it is switched on"
	unplugged = "printer is not connected: check its power and cable"
)

func test(t *testing.T, profile string, jobs int, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, named(t, profile), jobs)
		defer r.stopDev()
		f(r)
	})
}

// The state is durable before the first byte, and printed after the mark; jobs
// come in their order.
func TestPrinted(t *testing.T) {
	for _, p := range printer.Profiles() {
		t.Log(p.Name)
		test(t, p.Name, 2, func(r *rig) {
			defer r.takers()()
			r.run(30 * time.Second)
			r.wantLog("1 printing", "1 printed", "2 printing", "2 printed")
			if p.Cut == "feed" {
				r.wantGood("A001", "A002")
			}
			r.wantStates(ready)
			if err := r.spool.Ready(); err != nil {
				r.t.Errorf("%s: ready: %v", p.Name, err)
			}
		})
	}
}

// A slip that nobody takes is drawn back after the profile's time, so that the next
// citizen does not find it, and the journal says so; one that was taken is not.
func TestASlipNotTakenIsDrawnBack(t *testing.T) {
	for _, name := range []string{"custom-kpm216", "citizen-ppu700"} {
		p := named(t, name)
		p.Cut, p.CutFeed = "feed", 1
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, p, 2)
			defer r.stopDev()
			r.after(15*time.Second, func() {
				if !r.dev.Presented() {
					t.Errorf("%s: no slip hangs in the mouth", name)
				}
			})
			r.after(40*time.Second, r.dev.Take) // the second
			r.run(time.Minute)
			r.wantLog("1 printing", "1 printed: not taken", "2 printing", "2 printed")
			if s := r.sheets(); len(s) != 2 || !s[0].binned || s[1].binned || r.dev.Presented() {
				t.Errorf("%s: paper %+v", name, s)
			}
		})
	}
}

// A job that comes while the spool idles is printed within a tick, unannounced.
func TestFindsWorkWithoutWake(t *testing.T) {
	test(t, "generic80", 1, func(r *rig) {
		r.store.jobs[0].State = kiosk.JobPrinted
		r.after(3*time.Second, func() { r.store.mu.Lock(); r.store.jobs[0].State = kiosk.JobPending; r.store.mu.Unlock() })
		r.run(7 * time.Second)
		r.wantGood("A001")
	})
}

// Without paper nothing is sent and the job waits; with paper it is printed.
func TestPaperOutBefore(t *testing.T) {
	test(t, "generic80", 1, func(r *rig) {
		r.dev.PaperOutAfter(0)
		r.after(9*time.Second, func() {
			if err := r.spool.Ready(); !errors.Is(err, &kiosk.Refusal{Code: "printer_not_ready"}) {
				r.t.Errorf("ready without paper: %v", err)
			}
			if len(r.store.story()) > 0 {
				r.t.Errorf("without paper: %q", r.store.story())
			}
			r.dev.NewRoll()
		})
		r.run(20 * time.Second)
		r.wantGood("A001")
		r.wantStates(noPaper, ready)
	})
}

// Nobody refills for an hour: the slip is unknown after the profile's patience,
// and its copy waits for paper.
func TestPaperOutForLong(t *testing.T) {
	test(t, "generic80", 1, func(r *rig) {
		r.dev.PaperOutAfter(200)
		r.after(time.Hour, r.dev.NewRoll)
		r.run(2 * time.Hour)
		r.wantLog("1 printing", "1 unknown: interrupted: "+noPaper, "copy of 1", "2 printing", "2 printed")
		r.wantGood("A001 copy")
	})
}

// A blade that stays stuck for longer than the profile waits: the whole but
// uncut slip is voided, because its citizen has gone to the desk.
func TestJamForLong(t *testing.T) {
	test(t, "generic80", 1, func(r *rig) {
		r.dev.JamCutter()
		r.after(time.Hour, r.dev.ClearJam)
		r.run(2 * time.Hour)
		r.wantLog("1 printing", "1 unknown: interrupted: "+jammed, "copy of 1", "2 printing", "2 printed")
		r.wantGood("A001 copy")
	})
}

// A printer that never answers gets no job, zeros once, and its port reopened; it is
// told of, for it is why no ticket is given.
func TestNeverAnswers(t *testing.T) {
	test(t, "generic80", 1, func(r *rig) {
		r.dev.Silence(true)
		r.run(60 * time.Second)
		r.wantStates(dumb)
		if err := r.spool.Ready(); !errors.Is(err, &kiosk.Refusal{Code: "printer_not_ready"}) {
			r.t.Errorf("ready: %v", err)
		}
		if r.opens < 3 || r.spool.Status().Status != printer.Silent || len(r.store.story()) > 0 {
			r.t.Errorf("%d opens, %v, %q", r.opens, r.spool.Status(), r.store.story())
		}
	})
}

// A printer without any status is sent to, and never believed.
func TestNoStatusAtAll(t *testing.T) {
	p := named(t, "generic80")
	p.Dialect, p.Completion = "none", "none"
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, p, 1)
		defer r.stopDev()
		r.run(30 * time.Second)
		r.wantLog("1 printing", "1 unknown: this printer cannot say whether it printed")
		r.wantGood("A001")
	})
}

// A printer that gives no marks although its profile says so has printed most
// likely: unknown, and no copy by itself, and not at every slip anew.
func TestMarksOfAWrongProfile(t *testing.T) {
	p := named(t, "generic80")
	p.Completion = "pid"
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, p, 2)
		defer r.stopDev()
		r.wire.set(func() { r.wire.drop = 0x37 })
		r.run(60 * time.Second)
		const why = " unknown: printer is well but did not confirm the slip"
		r.wantLog("1 printing", "1"+why, "2 printing", "2"+why)
		r.wantGood("A001", "A002")
	})
}

// A copy that waits at the start finds the stub of its original and voids it.
func TestCopyAtStart(t *testing.T) {
	test(t, "generic80", 1, func(r *rig) {
		r.store.jobs[0].Copy = 1
		r.dev.Receive(r.t.Context(), []byte("half a ticket\n\x1dv0\x00\x10\x00\x20\x00...")) // and in the middle of dots
		r.run(20 * time.Second)
		r.wantGood("A001 copy")
		if s := r.sheets(); len(s) != 2 || !s[0].void {
			r.t.Errorf("paper: %+v", s)
		}
	})
}

// An outcome the store did not take is offered again by the next Run.
func TestOutcomeSurvivesStoreError(t *testing.T) {
	test(t, "generic80", 1, func(r *rig) {
		r.store.failOnce = errors.New("disk full")
		if err := r.spool.Run(r.t.Context()); err == nil || !strings.Contains(err.Error(), "disk full") {
			r.t.Fatalf("run: %v", err)
		}
		r.run(5 * time.Second)
		r.wantLog("1 printing", "1 printed")
		r.wantGood("A001")
	})
}

// A stop lets the slip in hand finish, and does not wait for paper.
func TestStop(t *testing.T) {
	for _, paper := range []bool{true, false} {
		test(t, "generic80", 1, func(r *rig) {
			ctx, cancel := context.WithCancel(r.t.Context())
			r.wire.set(func() {
				r.wire.strike, r.wire.fault = 100, func() {
					cancel()
					if !paper {
						r.dev.PaperOutAfter(0)
					}
				}
			})
			begin := time.Now()
			if err := r.spool.Run(ctx); err != nil {
				r.t.Fatal(err)
			}
			if paper {
				r.wantLog("1 printing", "1 printed")
				return
			}
			r.wantLog("1 printing", "1 unknown: stopped while waiting: "+noPaper, "copy of 1")
			if d := time.Since(begin); d > 10*time.Second {
				r.t.Errorf("stop took %s", d)
			}
		})
	}
}

// Staff were quicker with the copy: the refusal is the end of it.
func TestCopyRefused(t *testing.T) {
	test(t, "generic80", 1, func(r *rig) {
		r.store.copied = true
		r.dev.PaperOutAfter(200)
		r.after(20*time.Second, r.dev.NewRoll)
		r.run(60 * time.Second)
		r.wantLog("1 printing", "1 unknown: paper ran out in the middle")
	})
}

// Noise between two slips is never taken for an answer, however much of it and
// whatever it looks like.
func TestNoiseBetweenSlips(t *testing.T) {
	for _, p := range printer.Profiles() {
		if !p.Answers() {
			continue
		}
		t.Log(p.Name)
		test(t, p.Name, 1, func(r *rig) {
			r.run(30 * time.Second)
			rng := rand.New(rand.NewPCG(11, 11))
			for range 300 {
				b := make([]byte, 1+rng.IntN(40))
				for i := range b {
					b[i] = byte(rng.UintN(256))
				}
				r.after(time.Duration(rng.Int64N(int64(time.Minute))), func() { r.wire.set(func() { r.wire.hear(b) }) })
			}
			r.run(time.Minute + time.Second)
			r.wantStates(ready)
		})
	}
}

// Paper that ran out and came back between two queries was still reported.
func TestAutomaticStatusTears(t *testing.T) {
	test(t, "epson-t82", 1, func(r *rig) {
		r.strike(100, fault{do: func(r *rig) { r.dev.PaperOutAfter(0); r.after(300*time.Millisecond, r.dev.NewRoll) }})
		r.wantGood("A001 copy")
	})
}
