package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/ca"
	"longcheng/central/centraltest"
	"longcheng/central/store/storetest"
)

const (
	benchBoxes  = 5000
	boxesOfHall = 20
	listenFor   = 20 * time.Second
	reportEvery = time.Minute // as kioskd does
	eventBoxes  = 4
	eventsOfBox = 20_000
)

// BenchmarkConnected holds 5000 boxes, each with a certificate of its own, connected
// to the real program and measures what that costs it: memory and processor, while
// they only listen, and while each says every minute how it is, which takes a second
// connection.
func BenchmarkConnected(b *testing.B) {
	c := newCentre(b, program(b), filepath.Join(b.TempDir(), "centre.db"))
	authority, err := ca.Open(c.args[1], time.Now) // of -state
	must(b, err)
	before := rss(b, c.cmd.Process.Pid)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	b.Cleanup(func() { cancel(); wg.Wait() })
	clients := make([]*central.Client, benchBoxes)
	begin := make(chan struct{}, 16) // handshakes at once
	for i := range clients {
		begin <- struct{}{}
		clients[i] = benchClient(b, authority, "https://"+c.boxes, i)
		wg.Go(func() {
			time.AfterFunc(50*time.Millisecond, func() { <-begin })
			clients[i].Stream(ctx, boxName(i), central.Position{}, time.Hour, func(central.Message) error { return nil })
		})
	}
	soon(b, "5000 boxes", func() bool {
		return strings.Contains(c.get("/metrics"), fmt.Sprintf("longcheng_boxes_connected %d\n", benchBoxes))
	})
	for range b.N {
		c.cost(b, "listening", before, listenFor)
		var failed atomic.Int64
		for i, client := range clients {
			wg.Go(func() { report(ctx, &failed, client, i) })
		}
		<-time.After(reportEvery + 10*time.Second) // each has said it once
		c.cost(b, "reporting", before, reportEvery)
		b.ReportMetric(float64(failed.Load()), "failed-reports")
		b.ReportMetric(0, "ns/op")
	}
}

// cost reports what the boxes cost the program within a time.
func (c *centre) cost(b *testing.B, doing string, before int64, within time.Duration) {
	used, begun := cpu(b, c.cmd.Process.Pid), time.Now()
	<-time.After(within)
	share := (cpu(b, c.cmd.Process.Pid) - used).Seconds() / time.Since(begun).Seconds()
	now := rss(b, c.cmd.Process.Pid)
	b.ReportMetric(float64(now)/(1<<20), "MiB-"+doing)
	b.ReportMetric(float64(now-before)/benchBoxes/1024, "KiB/box-"+doing)
	b.ReportMetric(100*share, "%CPU-"+doing)
	b.ReportMetric(share*60_000/benchBoxes, "CPU-ms/box/min-"+doing)
}

func boxName(i int) string { return fmt.Sprint("box", i%boxesOfHall) }

// benchClient is a box with a key and a certificate of its own.
func benchClient(b *testing.B, a *ca.Authority, address string, i int) *central.Client {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(b, err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	must(b, err)
	s, err := a.Sign(csr, central.Identity{Hall: fmt.Sprint("h", i/boxesOfHall), Device: boxName(i), Role: "box"})
	must(b, err)
	block, _ := pem.Decode(s.PEM)
	client, err := central.NewClient(address, &http.Transport{IdleConnTimeout: 90 * time.Second, TLSClientConfig: &tls.Config{
		RootCAs: a.Pool(), Certificates: []tls.Certificate{{Certificate: [][]byte{block.Bytes}, PrivateKey: key}},
	}})
	must(b, err)
	return client
}

// report says every minute how a box is, and counts what was not taken; the boxes
// spread over the minute.
func report(ctx context.Context, failed *atomic.Int64, client *central.Client, i int) {
	parts := make([]central.Part, 6)
	for n := range parts {
		parts[n] = central.Part{Name: fmt.Sprint("strip:", n), State: "ready", Since: time.Now()}
	}
	wait := time.Duration(i) * reportEvery / benchBoxes
	for {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = reportEvery
		err := client.Report(ctx, boxName(i), central.Status{Sent: time.Now(), Version: "1.4.0", Config: "9f2c41d07a3e", Parts: parts})
		if err != nil && ctx.Err() == nil {
			failed.Add(1)
		}
	}
}

// BenchmarkEvent ships journals to the real program and measures what an event costs
// it: processor time of centrald, without the boxes and without PostgreSQL, and
// room in the database, indexes included.
func BenchmarkEvent(b *testing.B) {
	bin := program(b)
	for _, e := range storetest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) {
			for range b.N {
				dsn := e.New(b)
				c := newCentre(b, bin, dsn)
				empty, used := room(b, dsn), cpu(b, c.cmd.Process.Pid)
				var boxes []*central.Outbox
				for i := range eventBoxes {
					boxes = append(boxes, c.ship(fmt.Sprint("k", i), centraltest.NewJournal(fmt.Sprint("k", i), 7, eventsOfBox)))
				}
				for _, x := range boxes {
					soon(b, "the last event", func() bool { return x.Shipping().Through == eventsOfBox })
				}
				const n = eventBoxes * eventsOfBox
				b.ReportMetric(float64((cpu(b, c.cmd.Process.Pid)-used).Microseconds())/n, "CPU-us/event")
				b.ReportMetric(float64(room(b, dsn)-empty)/n, "B/event")
				b.ReportMetric(0, "ns/op")
				c.kill()
			}
		})
	}
}

// room is what a database takes on the disk, in bytes.
func room(b *testing.B, dsn string) (n int64) {
	b.Helper()
	driver, ask := "pgx", "SELECT pg_database_size(current_database())"
	if !strings.HasPrefix(dsn, "postgres") {
		driver, ask = "sqlite3", "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	}
	db, err := sql.Open(driver, dsn)
	must(b, err)
	defer db.Close()
	must(b, db.QueryRowContext(b.Context(), ask).Scan(&n))
	return n
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
