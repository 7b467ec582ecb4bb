package main

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"longcheng/device"
)

// killings is how often the daemon dies in TestKill.
const killings = 30

// kioskd is killed again and again at random moments of a busy day, often while
// it is still starting. Whatever was promised holds: no number twice, no ticket
// lost, on paper once or honestly marked as a copy, every call shown.
func TestKill(t *testing.T) {
	noLeaks(t)
	o := options{tickets: 60, windows: 2, seed: 5}
	d := testDay(t, o)
	d.plan.never = true // the kills are fault enough
	d.plan.apart = 100 * time.Millisecond
	d.hw.slow(600) // so that many of them hit a slip under way
	for i := range d.plan.citizens {
		d.plan.citizens[i].way = byTouch // others wait for a device to be found again
	}
	rng, kills := rand.New(rand.NewPCG(o.seed, 2)), 0
	d.more = func(ctx context.Context) error {
		for kills < killings {
			if err := device.Sleep(ctx, time.Duration(rng.IntN(400))*time.Millisecond); err != nil {
				return nil
			}
			if err := d.daemon.restart(); err != nil {
				return err
			}
			kills++
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	if err := d.play(ctx, o); err != nil {
		t.Fatal(err)
	}
	e := judge(t, d)
	copies := 0
	for _, s := range e.slips["printer-1"] {
		if readSheet(s).copied {
			copies++
		}
	}
	t.Logf("%d kills, %d starts in the journal, %d tickets, %d marked copies", kills, e.ledger.boots, len(e.ledger.numbers), copies)
	if kills < killings || len(e.ledger.numbers) != o.tickets {
		t.Errorf("%d kills, %d tickets: want %d and exactly %d", kills, len(e.ledger.numbers), killings, o.tickets)
	}
}
