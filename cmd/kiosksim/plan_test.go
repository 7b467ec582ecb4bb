package main

import (
	"reflect"
	"testing"

	"longcheng/cmd/internal/config"
)

func hallConfig(t *testing.T, hall string) *config.Config {
	t.Helper()
	c, found := config.Load("../../deploy/halls/" + hall + "/kioskd.toml")
	if config.Broken(found) {
		t.Fatal(found[0])
	}
	return c
}

// The same seed plans the same people and faults; another seed plans others.
func TestASeedIsAPlan(t *testing.T) {
	for _, hall := range []string{"small", "changzhou"} {
		c := hallConfig(t, hall)
		o := options{hall: hall, tickets: 60, windows: 12, seed: 7}
		if err := o.check(c); err != nil {
			t.Fatal(err)
		}
		first := makePlan(c, o)
		if again := makePlan(hallConfig(t, hall), o); !reflect.DeepEqual(again, first) {
			t.Errorf("%s: seed 7 planned two different days", hall)
		}
		o.seed = 8
		if other := makePlan(c, o); reflect.DeepEqual(other.citizens, first.citizens) {
			t.Errorf("%s: seeds 7 and 8 planned the same people", hall)
		}
		if first.unplug >= first.replug {
			t.Errorf("%s: plugged in before %d, pulled before %d", hall, first.replug, first.unplug)
		}
	}
}

// Everybody of a plan can be served, and comes by a way that the hall has.
func TestAPlanFitsItsHall(t *testing.T) {
	for seed := range uint64(20) {
		c := hallConfig(t, "small")
		o := options{hall: "small", tickets: 40, windows: 1, seed: seed}
		ways := map[way]int{}
		for _, p := range makePlan(c, o).citizens {
			ways[p.way]++
			d := drawer{c: c, served: servedBy(openWindows(c, o))}
			if !d.served[d.queue(p.item)] {
				t.Fatalf("seed %d: citizen %d wants %s, which no open window serves", seed, p.no, p.item)
			}
		}
		if ways[byCard] > maxCards || ways[byTouch] == 0 || len(ways) < 3 {
			t.Errorf("seed %d: ways %v", seed, ways)
		}
	}
	c := hallConfig(t, "changzhou")
	touches := map[int]bool{}
	for _, p := range makePlan(c, options{tickets: 60, windows: 12, seed: 1}).citizens {
		touches[p.touch] = true
		if p.way == byButton || p.way == byCode {
			t.Errorf("citizen %d comes by %s, and the hall has none", p.no, p.way)
		}
	}
	if len(touches) != len(c.Touches) {
		t.Errorf("%d of %d kiosks are used", len(touches), len(c.Touches))
	}
}

func TestADayThatCannotBeIsRefused(t *testing.T) {
	c := hallConfig(t, "small")
	for _, o := range []options{{tickets: 0, windows: 1}, {tickets: 1, windows: 0}, {tickets: -3, windows: 2}} {
		if o.check(c) == nil {
			t.Errorf("%d tickets at %d windows were accepted", o.tickets, o.windows)
		}
	}
}
