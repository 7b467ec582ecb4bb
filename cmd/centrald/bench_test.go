package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central"
)

const benchStreams = 5000

// BenchmarkConnected holds 5000 boxes connected to the real program and measures
// what that costs it: memory, and processor time while nothing happens. The
// boxes' certificates are one host's, who may listen for every box of its hall.
func BenchmarkConnected(b *testing.B) {
	c := newCentre(b, program(b), filepath.Join(b.TempDir(), "centre.db"))
	p, err := central.Enrol(b.Context(), b.TempDir(), c.tool("enrol-code", "h1", "hub", "host"), time.Now)
	must(b, err)
	before := rss(b, c.cmd.Process.Pid)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	b.Cleanup(func() { cancel(); wg.Wait() })
	begin := make(chan struct{}, 16) // handshakes at once
	for i := range benchStreams {
		begin <- struct{}{}
		wg.Go(func() {
			client, err := p.Client()
			if err != nil {
				b.Error(err)
			}
			time.AfterFunc(50*time.Millisecond, func() { <-begin })
			client.Stream(ctx, fmt.Sprint("box", i), central.Position{}, time.Hour, func(central.Message) error { return nil })
		})
	}
	soon(b, "5000 boxes", func() bool {
		return strings.Contains(c.get("/metrics"), fmt.Sprintf("longcheng_boxes_connected %d\n", benchStreams))
	})
	for range b.N {
		used, begun := cpu(b, c.cmd.Process.Pid), time.Now()
		<-time.After(20 * time.Second)
		idle := (cpu(b, c.cmd.Process.Pid) - used).Seconds() / time.Since(begun).Seconds()
		now := rss(b, c.cmd.Process.Pid)
		b.ReportMetric(float64(now)/(1<<20), "MiB")
		b.ReportMetric(float64(now-before)/benchStreams/1024, "KiB/box")
		b.ReportMetric(100*idle, "%CPU-idle")
		b.ReportMetric(0, "ns/op")
	}
}

// rss is the resident memory of a process, in bytes.
func rss(b *testing.B, pid int) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	must(b, err)
	n, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	must(b, err)
	return n * int64(os.Getpagesize())
}

// cpu is the processor time a process has used.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(b, err)
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	must(b, err1)
	must(b, err2)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}
