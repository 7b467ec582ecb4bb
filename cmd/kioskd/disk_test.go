package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/apart"
)

// The ballast is kept while there is room, given up when there is none, and kept
// again; what is said changes with the room and no more often.
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
		if _, held := d.held(); held != step.held {
			t.Errorf("with %d MB free the ballast is kept: %v, want %v", free>>20, held, step.held)
		}
	}
	if st, err := os.Stat(d.ballast()); err != nil || st.Size() != ballastSize {
		t.Errorf("ballast: %v, %v", st, err)
	}
	if want := []string{"", "disk-filling", "", "disk-filling", "disk-full", "disk-filling", ""}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

// A disk without room to spare, and one that is only just larger, get no ballast.
func TestNoBallastOnASmallDisk(t *testing.T) {
	for _, total := range []uint64{6 << 20, 30 << 20} {
		d := disk{dir: t.TempDir(), say: func(string, string) {}, room: func(string) (uint64, uint64, error) { return total - total/8, total, nil }}
		d.look()
		if _, held := d.held(); held {
			t.Errorf("a ballast on a disk of %d MB", total>>20)
		}
	}
}

// On a disk that is hardly larger than its ballast the alarm stands until there is
// room: what was given up is none, also after a start.
func TestBallastIsNoRoom(t *testing.T) {
	said := ""
	d := disk{dir: apart.Mounted(t, apart.InMemory("size=100m")), room: roomOf, say: func(fault, _ string) { said = fault }}
	looks := func(want string, held bool) {
		t.Helper()
		for range 3 {
			d.look()
			if _, is := d.held(); is != held || said != want {
				t.Fatalf("the ballast is kept: %v, want %v; said %q, want %q", is, held, said, want)
			}
		}
	}
	looks("", true)
	films := filepath.Join(d.dir, "films")
	fill := func(left int64) { // leaves so many bytes
		t.Helper()
		free, _, err := d.room(d.dir)
		f, bad := os.OpenFile(films, os.O_CREATE|os.O_WRONLY, 0o600)
		if err = errors.Join(err, bad); err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if s, err := f.Stat(); err != nil || unix.Fallocate(int(f.Fd()), 0, s.Size(), int64(free)-left) != nil {
			t.Fatal("no films")
		}
	}
	fill(1 << 20)
	looks("disk-full", false)
	d = disk{dir: d.dir, room: roomOf, say: d.say}
	looks("disk-full", false)
	fill(ballastSize - 1<<20) // tickets go on
	looks("disk-full", false)
	if err := os.Truncate(films, 60<<20); err != nil {
		t.Fatal(err)
	}
	looks("", true)
}
