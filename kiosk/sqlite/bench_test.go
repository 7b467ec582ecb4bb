package sqlite

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/kiosk"
)

const (
	rounds = 21                     // windows of each kind in one measurement
	window = 100 * time.Millisecond // of each
)

// A disk is the baseline: what the same file system does at best in the same
// moment. Its sync is one pwrite of 4 120 bytes, which is one frame of a
// write-ahead log (a header of 24 and a page of 4 096), in place in a file that
// has been written before, as SQLite reuses its log, and one fdatasync.
type disk struct {
	f  *os.File
	at int64
}

const frame = 24 + 4096

func newDisk(b *testing.B) *disk {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	d := &disk{f: f}
	for range 1000 {
		d.write(b)
	}
	d.sync(b)
	return d
}

func (d *disk) write(b *testing.B) {
	if _, err := d.f.WriteAt(make([]byte, frame), d.at); err != nil {
		b.Fatal(err)
	}
	d.at = (d.at + frame) % (1000 * frame)
}

func (d *disk) sync(b *testing.B) {
	d.write(b)
	if err := unix.Fdatasync(int(d.f.Fd())); err != nil {
		b.Fatal(err)
	}
}

// rate is how often per second f can be done in one window.
func rate(clients int, f func()) float64 {
	var n atomic.Int64
	start := time.Now()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for time.Since(start) < window {
				f()
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(start).Seconds()
}

// busy is the processor time that this program has used.
func busy(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// newRequest is an id as the pages' requests have: random, behind the time.
func newRequest(at time.Time) string {
	ms := at.UnixMilli()
	return fmt.Sprintf("web-%08x-%04x%s", ms>>16, ms&0xffff, rand.Text()+rand.Text()[:6])
}

// BenchmarkTicket compares durable tickets with the raw syncs of the windows
// beside theirs: the median over the rounds of tickets/s divided by syncs/s. The
// hall's clock goes on meanwhile: ids and keys begin with the time.
// Budgets: 0.45 with one client, 2 with 64.
func BenchmarkTicket(b *testing.B) {
	for _, clients := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			for b.Loop() {
				s, c := begin(b)
				d := newDisk(b)
				begun := time.Now()
				var n atomic.Int64
				var ratios, tickets, raws []float64
				var cpu time.Duration
				for range rounds {
					raw := rate(1, func() { d.sync(b) })
					cpu -= busy(b)
					ticket := rate(clients, func() {
						c.set(morning.Add(time.Since(begun)))
						n.Add(1)
						in := kiosk.Intent{Request: newRequest(c.now()), Item: "x", Printer: "p"}
						if _, err := s.Issue(context.Background(), in, nil); err != nil {
							b.Error(err)
						}
					})
					cpu += busy(b)
					raw = (raw + rate(1, func() { d.sync(b) })) / 2
					ratios, tickets, raws = append(ratios, ticket/raw), append(tickets, ticket), append(raws, raw)
				}
				b.ReportMetric(median(ratios), "x_raw")
				b.ReportMetric(median(tickets), "tickets/s")
				b.ReportMetric(median(raws), "raw_syncs/s")
				b.ReportMetric(float64(cpu.Microseconds())/float64(n.Load()), "us-cpu") // what other programs do not change
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// BenchmarkCall must not depend on how many wait: the three halls are called in
// turn, and each reports its median time as a multiple of the first's. Budget:
// 1.5.
func BenchmarkCall(b *testing.B) {
	halls := []int{10, 1000, 100_000}
	for b.Loop() {
		var stores []*Store
		for _, n := range halls {
			s, c := begin(b)
			fill(b, s, c, n)
			stores = append(stores, s)
		}
		times := make([][]float64, len(halls))
		for range 400 {
			for i, s := range stores {
				start := time.Now()
				callAt(b, s, "1")
				times[i] = append(times[i], float64(time.Since(start)))
				act(b, s, "1", kiosk.DoDone)
				take(b, s, kiosk.Intent{Item: "x"})
			}
		}
		base := median(times[0])
		for i, n := range halls {
			b.ReportMetric(median(times[i])/base, fmt.Sprintf("x_with_%d", n))
		}
		b.ReportMetric(base/1000, "us/call")
		b.ReportMetric(0, "ns/op")
	}
}

// fill puts people into the queue through the journal, in few transactions.
func fill(b testing.TB, s *Store, c *clock, n int) {
	b.Helper()
	err := s.do(b.Context(), func(t *tx) error {
		for range n {
			t.head.legs++
			id := t.head.legs
			v := kiosk.Visit{ID: newID(time.Now()), Day: t.head.day, Number: kiosk.Number("A", int(id)), Item: "x", Legs: []kiosk.Leg{{
				ID: id, Number: kiosk.Number("A", int(id)), Item: "x", Queue: "a", State: kiosk.Waiting, Arrival: c.now(), Virtual: c.now().Add(time.Duration(id)), Since: c.now(),
			}}}
			v.Legs[0].Visit = v.ID
			if err := t.append(kiosk.KindIssued, t.time(), issuedBody{Issued: kiosk.Issued{Visit: v}, Prefix: "A", N: int(id)}, "", nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
