package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/device"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// syncTime is what one write and fdatasync of a page costs on the disk of dir:
// the baseline of everything durable.
func syncTime(b testing.TB, dir string, n int) time.Duration {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "baseline"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	begun := time.Now()
	for i := range n {
		if _, err := f.WriteAt(page, int64(i)*4096); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begun) / time.Duration(n)
}

// From the tap, a POST of the touch page, to the last byte of the slip at the
// pseudo-terminal, with the real daemon: what is above the durable answer and
// the wire's own time at the port's speed. A pseudo-terminal has no speed, so
// nothing is taken off for the wire. Bound: 20 ms.
func BenchmarkTapToLastByte(b *testing.B) {
	r := newRig(b, 100000)
	raw := syncTime(b, r.state, 200)
	d := r.start(smallHall).healthy()
	d.ticket(true)
	d.slips(r, 1)
	var durable, all time.Duration
	n := 1
	for b.Loop() {
		d.until("the slip before to be settled", r.taps.idle)
		tapped, answered := d.tap()
		n++
		d.slips(r, n)
		durable += answered.Sub(tapped)
		all += r.taps.lastByte().Sub(tapped)
	}
	each := func(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(each(durable), "ms-durable")
	b.ReportMetric(each(all), "ms-last-byte")
	b.ReportMetric(max(0, each(all-durable)), "ms-beyond")
	b.ReportMetric(float64(raw.Microseconds())/1000, "ms-fdatasync")
	b.ReportMetric(each(all)/(float64(raw.Microseconds())/1000), "fdatasyncs")
}

// tap takes a ticket and tells when it was asked for and when the answer came. A
// page that asks faster than fingers can is told to wait, and does.
func (d *process) tap() (tapped, answered time.Time) {
	d.t.Helper()
	for {
		tapped = time.Now()
		status, text := d.answer("POST", "/api/v1/tickets", "", map[string]any{"kiosk": "touch-1", "item": "social-card", "print": true})
		switch status / 100 {
		case 2:
			return tapped, time.Now()
		case 4:
			if err := device.Sleep(d.t.Context(), 500*time.Millisecond); err != nil {
				d.t.Fatal(err)
			}
		default:
			d.t.Fatalf("POST tickets: %d %s", status, text)
		}
	}
}

// From the start of the process to the first ticket on a day that has 5 000
// already. Bound: 300 ms.
func BenchmarkStartToFirstTicket(b *testing.B) {
	r := newRig(b, 100000)
	fillDay(b, r, 5000)
	raw := syncTime(b, r.state, 200)
	if _, err := program(); err != nil {
		b.Fatal(err)
	}
	var took, cpu time.Duration
	for b.Loop() {
		begun := time.Now()
		d := r.start(smallHall)
		d.ticket(true)
		took += time.Since(begun)
		b.StopTimer()
		d.signal(os.Kill)
		<-d.done
		cpu += d.cmd.ProcessState.UserTime() + d.cmd.ProcessState.SystemTime()
		b.StartTimer()
	}
	ms := float64(took.Microseconds()) / 1000 / float64(b.N)
	b.ReportMetric(ms, "ms-to-ticket")
	b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "ms-cpu") // what other programs on the machine do not change
	b.ReportMetric(float64(raw.Microseconds())/1000, "ms-fdatasync")
}

// fillDay gives n tickets of today, most of the day over, in few commits.
func fillDay(b testing.TB, r *rig, n int) {
	b.Helper()
	c, found := config.Load(smallHall)
	if config.Broken(found) {
		b.Fatal(found)
	}
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(r.state, "hall.db"), Hall: c.Hall, Origin: c.Device})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	items := []string{"id-card", "social-card", "estate-query"}
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := g; i < n; i += 64 {
				in := kiosk.Intent{Request: fmt.Sprint("fill-", i), Kiosk: "touch-1", Channel: kiosk.ByTouch, Item: items[i%3]}
				if _, err := s.Issue(context.Background(), in, func() error { return nil }); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// eightDevices are the small hall's printer, card reader, scanner, button board and
// two strips, and two readers more.
const eightDevices = `
[[reader]]
name = "tags"
driver = "em4100"
port = "ports/tags"
[[reader]]
name = "passports"
driver = "mrz"
port = "ports/passports"
`

// What the daemon takes of a core while nobody comes, with eight devices at hand,
// the wall and a touch page open: processor seconds of the process over half a
// minute of wall time, after its first ten seconds. Bound: 1 %.
func BenchmarkIdle(b *testing.B) {
	r := newRig(b, 3000)
	for _, name := range []string{"tags", "passports"} {
		cable, err := port.Open(filepath.Join(r.state, "ports", name))
		if err != nil {
			b.Fatal(err)
		}
		defer cable.Close()
	}
	d := r.start(r.document(eightDevices)).healthy()
	d.streams(2)
	time.Sleep(10 * time.Second)
	var cpu, wall time.Duration
	for b.Loop() {
		was, begun := used(b, d.cmd.Process.Pid), time.Now()
		time.Sleep(30 * time.Second)
		cpu += used(b, d.cmd.Process.Pid) - was
		wall += time.Since(begun)
	}
	b.ReportMetric(100*cpu.Seconds()/wall.Seconds(), "%core")
}

// document returns the small hall's device document with more in it.
func (r *rig) document(more string) string {
	r.t.Helper()
	dir := r.t.TempDir()
	for name, add := range map[string]string{"hall.toml": "", "kioskd.toml": more} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(smallHall), name))
		if err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), append(text, add...), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	return filepath.Join(dir, "kioskd.toml")
}

// used is the processor time that a process has taken, in hundredths of a second.
func used(t testing.TB, pid int) time.Duration {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), ") ") // the name may have spaces
	f := strings.Fields(rest)
	var ticks int
	for _, s := range f[11:13] { // utime, stime
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// resident is how much memory a process has, in MiB.
func resident(t testing.TB, pid int) float64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kib, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	t.Fatal("no VmRSS in /proc")
	return 0
}

// streams opens the pages of a working hall: touch pages, walls, consoles.
func (d *process) streams(n int) {
	d.t.Helper()
	for i := range n {
		path := []string{"/kiosk/touch-1/events", "/wall/main/events", "/api/v1/stream"}[i%3]
		req, err := http.NewRequestWithContext(d.t.Context(), "GET", d.url+path, nil)
		if err != nil {
			d.t.Fatal(err)
		}
		res, err := d.http.Do(req)
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { res.Body.Close() })
		if res.StatusCode != http.StatusOK {
			d.t.Fatalf("%s: %s", path, res.Status)
		}
	}
}

// A hall at work, with every simulated device, its pages open, tickets printed
// and called, stays below 40 MiB. The daemon is built as for a hall, without
// the race detector.
func TestMemory(t *testing.T) {
	r := newRig(t, 3000)
	d := r.start(smallHall).healthy()
	d.streams(6)
	d.open("2")
	const tickets = 12
	for i := range tickets {
		d.ticket(true)
		d.slips(r, i+1)
		d.must("windows/2/next", map[string]any{})
		d.must("windows/2/start", map[string]any{})
		d.must("windows/2/done", map[string]any{})
	}
	rss := resident(t, d.cmd.Process.Pid)
	t.Logf("resident: %.1f MiB after %d tickets, on %d processors", rss, tickets, runtime.NumCPU())
	if rss > 40 {
		t.Errorf("resident: %.1f MiB, want at most 40", rss)
	}
}
