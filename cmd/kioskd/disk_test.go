package main

import (
	"os"
	"slices"
	"testing"
)

// The ballast is kept while there is room, given up when there is none, and kept
// again; what is said changes three times and no more.
func TestBallast(t *testing.T) {
	const total = 1 << 30
	free, said := uint64(total/2), []string(nil)
	d := disk{dir: t.TempDir(), room: func(string) (uint64, uint64, error) { return free, total, nil }}
	d.say = func(fault, _ string) {
		if len(said) == 0 || said[len(said)-1] != fault {
			said = append(said, fault)
		}
	}
	for _, step := range []struct {
		free uint64
		held bool
	}{{total / 2, true}, {total / 25, true}, {total / 2, true}, {total / 30, true}, {1 << 20, false}, {1 << 20, false}, {total / 19, false}, {total / 2, true}} {
		free = step.free
		d.look()
		if d.held() != step.held {
			t.Errorf("with %d MB free the ballast is kept: %v, want %v", free>>20, d.held(), step.held)
		}
	}
	if st, err := os.Stat(d.ballast()); err != nil || st.Size() != ballastSize {
		t.Errorf("ballast: %v, %v", st, err)
	}
	if want := []string{"", "disk-filling", "", "disk-filling", "disk-full", ""}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

// A disk without room to spare, and one that is only just larger, get no ballast.
func TestNoBallastOnASmallDisk(t *testing.T) {
	for _, total := range []uint64{6 << 20, 30 << 20} {
		d := disk{dir: t.TempDir(), say: func(string, string) {}, room: func(string) (uint64, uint64, error) { return total - total/8, total, nil }}
		d.look()
		if d.held() {
			t.Errorf("a ballast on a disk of %d MB", total>>20)
		}
	}
}
