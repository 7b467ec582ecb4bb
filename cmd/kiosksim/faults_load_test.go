package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"longcheng/device"
	"longcheng/kiosk/sqlite"
)

func garbage(t *testing.T) {
	o := options{tickets: 14, windows: 2, seed: 4}
	d := testDay(t, o)
	d.plan.never = true
	rng := rand.New(rand.NewPCG(4, 4))
	for name, cable := range d.hw.cables {
		share := 0.001 // a hundredth of the frames of ten bytes
		if d.hw.readers[name] != nil {
			share = 0.0002 // a quarter of the cards, of 1295 bytes
		}
		cable.Noise(share, 4)
	}
	d.more = func(ctx context.Context) error {
		for range 300 {
			for _, cable := range d.hw.cables {
				b := make([]byte, 1+rng.IntN(40))
				for i := range b {
					b[i] = byte(rng.UintN(256))
				}
				_, _ = cable.Write(b) // nobody reads: lost, as on a line
			}
			if device.Sleep(ctx, 10*time.Millisecond) != nil {
				return nil
			}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	if err := d.play(ctx, o); err != nil {
		t.Fatal(err)
	}
	judge(t, d)
}

func flood(t *testing.T) {
	r := newRig(t)
	body := map[string]any{"code": "YY000001", "item": "id-card", "at": r.now()}
	if err := r.boss.post(r.ctx, "/api/v1/appointments", body, nil); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(r.ctx)
	var flooding sync.WaitGroup
	codes := 0
	flooding.Go(func() {
		for n := 0; device.Sleep(ctx, time.Millisecond) == nil; n++ {
			if code := []string{"YY000001", fmt.Sprintf("NO%06d", n/2)}[n%2]; r.hw.scanners["scanner-1"].Scan(code) == nil {
				codes++
			}
		}
	})
	slowest := time.Duration(0)
	for range 8 {
		begun := time.Now()
		r.ticket()
		slowest = max(slowest, time.Since(begun))
		_ = device.Sleep(r.ctx, 200*time.Millisecond)
	}
	stop()
	flooding.Wait()
	e := r.close()
	t.Logf("%d codes; the slowest touch took %s", codes, slowest.Round(time.Millisecond))
	if n := len(e.ledger.numbers); n != 9 {
		t.Errorf("%d tickets: want 8 by touch and 1 by the code", n)
	}
}

func killed(t *testing.T) {
	r := newRig(t)
	slowest := time.Duration(0)
	for range 10 {
		slowest = max(slowest, r.restart())
		r.ticket()
	}
	e := r.close()
	t.Logf("answering again within %s", slowest.Round(time.Millisecond))
	if len(e.ledger.numbers) != 10 {
		t.Errorf("%d tickets, 10 were promised", len(e.ledger.numbers))
	}
}

var goroutine = regexp.MustCompile(`(?m)^goroutine \d+ `)

// remains ends kioskd with a dump and counts its goroutines.
func (r *rig) remains() int {
	r.t.Helper()
	before, err := os.ReadFile(r.daemon.log)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.daemon.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		r.t.Fatal(err)
	}
	r.wait("the dump", r.daemon.ended)
	after, err := os.ReadFile(r.daemon.log)
	if err != nil {
		r.t.Fatal(err)
	}
	return len(goroutine.FindAll(after[len(before):], -1))
}

func (r *rig) files() int {
	r.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", r.daemon.cmd.Process.Pid))
	if err != nil {
		r.t.Fatal(err)
	}
	return len(list)
}

// Rows 31 and 32: neither goroutines nor files grow.
func pulled(t *testing.T) {
	r := newRig(t)
	r.ticket()
	r.settle()
	r.tap.http.CloseIdleConnections()
	goroutines := r.remains()
	if err := r.daemon.start(); err != nil {
		t.Fatal(err)
	}
	r.up()
	r.ready(true)
	r.ticket()
	r.settle()
	files := r.files()
	for range 12 {
		for _, c := range r.hw.cables {
			c.Unplug()
		}
		r.ready(false)
		for _, c := range r.hw.cables {
			if err := c.Replug(); err != nil {
				t.Fatal(err)
			}
		}
		r.ready(true)
		r.ticket()
	}
	r.settle()
	r.tap.http.CloseIdleConnections()
	r.wait("files to be closed", func() bool { return r.files() <= files+5 })
	filesAfter := r.files()
	goroutinesAfter := r.remains()
	t.Logf("12 times all %d cables: %d files before, %d after; %d goroutines in a fresh daemon, %d after", len(r.hw.cables), files, filesAfter, goroutines, goroutinesAfter)
	if goroutinesAfter > goroutines+5 {
		t.Errorf("goroutines grew from %d to %d", goroutines, goroutinesAfter)
	}
}

func hangs(t *testing.T) {
	r := newRig(t)
	r.cable.Hang(true)
	n, err := r.ask("hang")
	if err == nil {
		r.promise(n)
	}
	r.ready(false)
	if _, err := r.ask("hang-2"); err == nil {
		t.Error("a ticket was given that a hanging printer cannot print")
	}
	r.cable.Hang(false)
	r.ready(true)
	r.ticket()
	r.close()
}

// tickets takes n tickets and tells how long each took, the fastest first.
func (r *rig) tickets(n int) (took []time.Duration) {
	r.t.Helper()
	for range n {
		begun := time.Now()
		r.ticket()
		took = append(took, time.Since(begun).Round(100*time.Microsecond))
	}
	slices.Sort(took)
	return took
}

// Somebody reads the whole journal again and again while tickets are given.
func reader(t *testing.T) {
	r := newRig(t)
	quiet := r.tickets(10)
	ctx, stop := context.WithCancel(r.ctx)
	var reading sync.WaitGroup
	readings := 0
	reading.Go(func() {
		for ctx.Err() == nil {
			report, err := sqlite.Verify(ctx, filepath.Join(r.state, r.conf.Store.File))
			if ctx.Err() != nil {
				return
			}
			if err != nil || len(report.Faults) > 0 {
				t.Errorf("verify under load: %v %s", err, strings.Join(report.Faults, "; "))
				return
			}
			readings++
		}
	})
	loud := r.tickets(10)
	stop()
	reading.Wait()
	t.Logf("a ticket took %s, the slowest %s; during %d whole readings %s, the slowest %s", quiet[5], quiet[9], readings, loud[5], loud[9])
	if e := r.close(); len(e.ledger.numbers) != 20 {
		t.Errorf("%d tickets, want 20", len(e.ledger.numbers))
	}
}

// The box stands still for longer than a page waits: the same request again is
// the same ticket.
func stalls(t *testing.T) {
	r := newRig(t)
	for i := range 3 {
		process := r.daemon.cmd.Process
		if err := process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		key, first := fmt.Sprintf("stalled-%d", i), make(chan string, 4)
		var asking sync.WaitGroup
		for range 4 {
			asking.Go(func() {
				if n, err := r.ask(key); err == nil {
					first <- n
				}
			})
		}
		_ = device.Sleep(r.ctx, 700*time.Millisecond)
		if err := process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		asking.Wait()
		close(first)
		n := <-first
		for other := range first {
			if other != n {
				t.Errorf("one request got %s and %s", n, other)
			}
		}
		if again, err := r.ask(key); err != nil || n != "" && again != n {
			t.Errorf("asked again: %q, %v, before %q", again, err, n)
		}
	}
	if e := r.close(); len(e.ledger.numbers) != 3 {
		t.Errorf("%d tickets for 3 requests", len(e.ledger.numbers))
	}
}
