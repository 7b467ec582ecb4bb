package printer_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/kiosk"
	"longcheng/printer"
)

// pair plugs in two printers of one kiosk, p and q, each the other's spare.
func pair(t *testing.T, jobs int) (p, q *rig) {
	t.Helper()
	p, q = newRig(t, named(t, "generic80"), jobs), newRig(t, named(t, "generic58"), 0)
	q.name, q.store = "q", p.store
	q.newSpool()
	for _, err := range []error{p.spool.SetSpare(q.spool), q.spool.SetSpare(p.spool)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return p, q
}

// together runs both for a virtual time.
func together(d time.Duration, a, b *rig) {
	ctx, cancel := context.WithTimeout(a.t.Context(), d)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- b.spool.Run(ctx) }()
	for _, err := range []error{a.spool.Run(ctx), <-done} {
		if err != nil {
			a.t.Errorf("run: %v", err)
		}
	}
	synctest.Wait()
}

// Two printers print each its own jobs, in their order.
func TestTwoPrinters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, q := pair(t, 4)
		defer p.stopDev()
		defer q.stopDev()
		p.store.jobs[1].Printer, p.store.jobs[3].Printer = "q", "q"
		together(30*time.Second, p, q)
		p.wantGood("A001", "A003")
		q.wantGood("A002", "A004")
	})
}

// Without paper the waiting jobs go to the spare, and citizens may go on taking
// tickets; a slip that was torn is copied there as well.
func TestSpareTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, q := pair(t, 3)
		defer p.stopDev()
		defer q.stopDev()
		p.dev.PaperOutAfter(700) // inside the second
		p.after(20*time.Second, func() {
			if err := p.spool.Ready(); err != nil {
				t.Errorf("ready with a spare: %v", err)
			}
		})
		p.after(60*time.Second, p.dev.NewRoll)
		together(3*time.Minute, p, q)
		good := map[string]int{}
		for _, g := range append(p.good(), q.good()...) {
			good[g]++
		}
		if good["A001"] != 1 || good["A002"]+good["A002 copy"] != 1 || good["A003"] != 1 || p.store.busy() {
			t.Errorf("p has %q, q has %q; journal %q", p.good(), q.good(), p.store.story())
		}
		if len(q.good()) == 0 {
			t.Error("the spare was given nothing")
		}
	})
}

// Two broken printers keep their jobs and do not throw them at each other.
func TestNoSpareIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, q := pair(t, 2)
		defer p.stopDev()
		defer q.stopDev()
		p.dev.PaperOutAfter(0)
		q.dev.Cover(true)
		together(30*time.Second, p, q)
		if len(p.store.story()) != 0 || p.spool.Ready() == nil {
			t.Errorf("journal %q", p.store.story())
		}
	})
}

// A paused printer finishes the slip in hand, refuses new ones, keeps its jobs,
// and goes on where it was.
func TestPause(t *testing.T) {
	test(t, "generic80", 2, func(r *rig) {
		r.wire.set(func() { r.wire.strike, r.wire.fault = 100, r.spool.Pause })
		r.after(20*time.Second, func() {
			if got := r.store.story(); len(got) != 2 {
				r.t.Errorf("while paused: %q", got)
			}
			if err := r.spool.Ready(); err == nil || r.spool.Status().Status&printer.Paused == 0 {
				r.t.Errorf("ready while paused: %v", err)
			}
			r.spool.Resume()
		})
		r.run(60 * time.Second)
		r.wantLog("1 printing", "1 printed", "2 printing", "2 printed")
		r.wantGood("A001", "A002")
	})
}

// A copy that staff asked for is marked, and comes in its turn.
func TestStaffCopy(t *testing.T) {
	test(t, "generic80", 2, func(r *rig) {
		r.store.jobs[1].Visit, r.store.jobs[1].Copy = "a001", 1
		r.store.jobs[1].Reason = "citizen lost it"
		r.run(30 * time.Second)
		r.wantGood("A001", "A001 copy")
	})
}

// A spare needs a store that can move jobs.
func TestSpareNeedsAMover(t *testing.T) {
	test(t, "generic80", 0, func(r *rig) {
		hall := &kiosk.Hall{}
		type jobs struct{ printer.Jobs }
		o := r.options(hall)
		o.Jobs = jobs{r.store}
		s, err := printer.NewSpool(o)
		if err != nil {
			r.t.Fatal(err)
		}
		if err := s.SetSpare(r.spool); err == nil {
			r.t.Error("a store that cannot move jobs was given a spare")
		}
	})
}

// The clerk is told how many tickets a low roll still holds.
func TestTicketsLeft(t *testing.T) {
	test(t, "epson-t88", 3, func(r *rig) {
		r.dev.NearEnd(true)
		r.run(40 * time.Second)
		s := r.spool.Status()
		if s.Left < 36 || s.Left > 38 || s.Clerk().EN != "paper nearly out, about "+strconv.Itoa(s.Left)+" tickets left: have a roll at hand" {
			r.t.Errorf("%d left: %s", s.Left, s.Clerk().EN)
		}
	})
}
