package sqlite

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"longcheng/kiosk"
)

// written returns how many bytes this process has handed to write calls, and how
// many the kernel has marked for a disk, in whole pages of 4 KiB.
func written(t testing.TB) (calls, disk int64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]*int64{"\nwchar: ": &calls, "\nwrite_bytes: ": &disk} {
		_, rest, _ := strings.Cut(string(b), name)
		if _, err := fmt.Sscan(rest, n); err != nil {
			t.Fatal(err)
		}
	}
	return calls, disk
}

// live takes one ticket through its whole life, each step a commit of its own:
// the worst case, a hall in which nothing else happens.
func live(t testing.TB, s *Store, n int) {
	t.Helper()
	id := func(what string) string { return fmt.Sprintf("%s-0192f0c1-7b5e-%012d", what, n) }
	i := take(t, s, kiosk.Intent{Request: id("i"), Kiosk: "k1", Channel: kiosk.ByTouch, Item: "x", Printer: "p"})
	for _, st := range []kiosk.JobState{kiosk.JobPrinting, kiosk.JobPrinted} {
		if err := s.SetJob(t.Context(), i.Job, st, ""); err != nil {
			t.Fatal(err)
		}
	}
	surfaces := []string{"strip:1", "wall:main", "voice:hall"}
	c := must[kiosk.Call](t)(s.Call(t.Context(), kiosk.CallRequest{Request: id("c"), Window: "1", By: "li", Surfaces: surfaces}))
	for _, name := range surfaces {
		if err := s.Deliver(t.Context(), kiosk.Delivered{Surface: name, Calls: []int64{c.Seq}}); err != nil {
			t.Fatal(err)
		}
		s.depart()
	}
	for _, a := range []kiosk.Action{kiosk.DoStart, kiosk.DoDone} {
		must[kiosk.Leg](t)(s.Act(t.Context(), kiosk.ActRequest{Request: id(string(a)), Window: "1", Action: a, By: "li"}))
	}
}

// A ticket's whole life writes at most 64 KiB, checkpoints included.
func TestBytesOfALife(t *testing.T) {
	const tickets, budget = 300, 64 << 10
	s := openAt(t, t.TempDir()+"/hall.db", &clock{t: morning})
	must[kiosk.WindowState](t)(s.SetWindow(t.Context(), kiosk.WindowRequest{Window: "1", By: "li", Desk: kiosk.Open}))
	calls, disk := written(t)
	for n := range tickets {
		live(t, s, n)
	}
	callsAfter, diskAfter := written(t)
	each := (callsAfter - calls) / tickets
	t.Logf("%d bytes per ticket written, %d with every touched block of the file system counted whole", each, (diskAfter-disk)/tickets)
	if each < 1000 || each > budget {
		t.Errorf("a ticket writes %d bytes, want at most %d", each, budget)
	}
	same(t, s)
}

// BenchmarkOpen opens a store with a day of 5 000 tickets, half of them served,
// and gives the next ticket. Budget: 300 ms.
func BenchmarkOpen(b *testing.B) {
	s, c := begin(b)
	fill(b, s, c, 2500)
	for range 2500 {
		callAt(b, s, "1")
		act(b, s, "1", kiosk.DoDone)
	}
	fill(b, s, c, 2500)
	path := s.path
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := openAt(b, path, c)
		take(b, s, kiosk.Intent{Item: "x", Printer: "p"})
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
