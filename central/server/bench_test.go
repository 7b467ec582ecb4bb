package server

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/ca"
	"longcheng/central/centraltest"
	"longcheng/central/store"
	"longcheng/central/store/storetest"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

const (
	benchBoxes  = 4
	benchEvents = 10_000 // of each box
)

// BenchmarkWholePath ships the journals of real stores of boxes over mutual TLS
// until the centre has committed and said so: outbox, gzip, TLS, chain, commit,
// answer, outbox. The ratio is to inserting the same rows, in batches of 500 and
// as many at once, into an empty table of the same engine, with nothing around
// it. Boxes and centre share this machine.
func BenchmarkWholePath(b *testing.B) {
	journals := make([]*sqlite.Store, benchBoxes)
	for i := range journals {
		journals[i] = filled(b, fmt.Sprint("k", i), benchEvents)
	}
	for _, e := range storetest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) {
			for range b.N {
				raw := rawInsert(b, e.New(b))
				path := wholePath(b, e.New(b), journals)
				b.ReportMetric(path, "events/s")
				b.ReportMetric(raw, "raw-events/s")
				b.ReportMetric(path/raw, "of-raw")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// filled opens the store of a box and notes n events in it.
func filled(b *testing.B, device string, n int) *sqlite.Store {
	b.Helper()
	s, err := sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "hall.db"), Hall: &kiosk.Hall{ID: "h1"}, Origin: device})
	must(b, err)
	b.Cleanup(func() { s.Close() })
	body := kiosk.Signed{User: "li", Window: "12", What: "in", Session: strings.Repeat("ABCDEFGHIJ", 35)} // as long as a call
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range n / 50 {
				if err := s.Note(context.Background(), kiosk.KindSigned, body); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return s
}

func wholePath(b *testing.B, dsn string, journals []*sqlite.Store) float64 {
	b.Helper()
	c := &centre{t: b, dir: b.TempDir(), addr: "127.0.0.1:0"}
	authority, err := ca.Open(c.dir, time.Now)
	must(b, err)
	c.o = Options{CA: authority, Address: "centre.example.cn:8443", Names: []string{"127.0.0.1"}, Rate: 1e6, OnError: func(_ string, err error) { b.Error(err) }}
	c.upAt(dsn)
	defer func() { c.stop() }()
	var clients []*central.Client
	for i := range journals {
		clients = append(clients, c.client(c.box("h1", fmt.Sprint("k", i), "box"), nil))
	}
	begun := time.Now()
	total := int64(0)
	var boxes []*central.Outbox
	for i, j := range journals {
		boxes = append(boxes, ship(b, j, clients[i]))
		total += benchEvents
	}
	for _, x := range boxes {
		soon(b, "the last event", func() bool { return x.Shipping().Through >= benchEvents })
	}
	return float64(total) / time.Since(begun).Seconds()
}

// rawInsert measures the same rows, without anything else.
func rawInsert(b *testing.B, dsn string) float64 {
	b.Helper()
	driver, writers := "pgx", benchBoxes
	if !strings.HasPrefix(dsn, "postgres") {
		driver, writers, dsn = "sqlite3", 1, "file:"+dsn+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"
	}
	db, err := sql.Open(driver, dsn)
	must(b, err)
	defer db.Close()
	db.SetMaxOpenConns(writers)
	_, err = db.Exec("CREATE TABLE raw (origin BIGINT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL, hash BYTEA NOT NULL, PRIMARY KEY (origin, seq))")
	must(b, err)
	events := centraltest.NewJournal("k", 1, central.MaxEvents).Slice(1, central.MaxEvents)
	begun := time.Now()
	var wg sync.WaitGroup
	for box := range benchBoxes {
		wg.Go(func() {
			for at := 0; at < benchEvents; at += len(events) {
				if err := rawBatch(db, driver, box, at, events); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return benchBoxes * benchEvents / time.Since(begun).Seconds()
}

func rawBatch(db *sql.DB, driver string, box, at int, events []kiosk.Event) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if driver == "pgx" {
		err = rawArrays(tx, box, at, events)
	} else {
		err = rawRows(tx, box, at, events)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

func rawRows(tx *sql.Tx, box, at int, events []kiosk.Event) error {
	s, err := tx.Prepare("INSERT INTO raw VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
	if err != nil {
		return err
	}
	defer s.Close()
	for i, e := range events {
		if _, err := s.Exec(box, at+i, e.At.UnixMilli(), string(e.Kind), string(e.Body), e.Request, string(e.Answer), e.Hash); err != nil {
			return err
		}
	}
	return nil
}

func rawArrays(tx *sql.Tx, box, at int, events []kiosk.Event) error {
	n := len(events)
	seq, when, hash := make([]int64, n), make([]int64, n), make([][]byte, n)
	kind, body, request, answer := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, e := range events {
		seq[i], when[i], hash[i] = int64(at+i), e.At.UnixMilli(), e.Hash
		kind[i], body[i], request[i], answer[i] = string(e.Kind), string(e.Body), e.Request, string(e.Answer)
	}
	_, err := tx.Exec(`INSERT INTO raw SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])`,
		box, seq, when, kind, body, request, answer, hash)
	return err
}

// BenchmarkCatchUp lets a box send what a week without the centre has left, with
// the default settings, while it goes on writing. The ratio is of the 99th
// percentile of a write then and a write with nothing to send.
func BenchmarkCatchUp(b *testing.B) {
	const week = 40_000
	for range b.N {
		j := filled(b, "k0", week)
		alone := notes(b, j, 500)
		c := &centre{t: b, dir: b.TempDir(), addr: "127.0.0.1:0"}
		authority, err := ca.Open(c.dir, time.Now)
		must(b, err)
		c.o = Options{CA: authority, Address: "centre.example.cn:8443", Names: []string{"127.0.0.1"}}
		c.up("centre.db")
		x, err := central.NewOutbox(central.OutboxOptions{Journal: j, Client: c.client(c.box("h1", "k0", "box"), nil), Backoff: func(int) time.Duration { return time.Second }})
		must(b, err)
		begun := time.Now()
		stop := run(b, x.Run)
		soon(b, "the beginning", func() bool { return x.Shipping().Through > 0 })
		during := notes(b, j, 500)
		for x.Shipping().Through < week {
			<-time.After(50 * time.Millisecond)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s-for-a-week")
		b.ReportMetric(float64(during.Microseconds()), "p99-us")
		b.ReportMetric(float64(during)/float64(alone), "of-p99-alone")
		b.ReportMetric(0, "ns/op")
		stop()
		c.stop()
	}
}

// notes writes n events, one after the other, and returns the 99th percentile.
func notes(b *testing.B, s *sqlite.Store, n int) time.Duration {
	b.Helper()
	took := make([]time.Duration, n)
	for i := range took {
		begun := time.Now()
		must(b, s.Note(b.Context(), kiosk.KindSigned, kiosk.Signed{User: "li", What: "in"}))
		took[i] = time.Since(begun)
		<-time.After(5 * time.Millisecond)
	}
	slices.Sort(took)
	return took[n*99/100]
}

// BenchmarkStatuses has 64 boxes say how they are without a pause. The ratio is to
// the same boxes saying it one after the other, so that each is a transaction of
// its own.
func BenchmarkStatuses(b *testing.B) {
	for _, e := range storetest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) {
			s, err := store.Open(b.Context(), store.Options{DSN: e.New(b)})
			must(b, err)
			defer s.Close()
			for range b.N {
				var one sync.Mutex
				alone := statuses(b, func(d store.Device, is central.Status) error {
					one.Lock()
					defer one.Unlock()
					return s.SaveStatus(b.Context(), d, is)
				})
				together := statuses(b, func(d store.Device, is central.Status) error { return s.SaveStatus(b.Context(), d, is) })
				b.ReportMetric(together, "statuses/s")
				b.ReportMetric(alone, "alone-statuses/s")
				b.ReportMetric(together/alone, "of-alone")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// statuses counts how many a second are stored within three seconds.
func statuses(b *testing.B, save func(store.Device, central.Status) error) float64 {
	b.Helper()
	is := central.Status{Version: "1.2", Parts: make([]central.Part, 6)}
	for i := range is.Parts {
		is.Parts[i] = central.Part{Name: fmt.Sprint("strip:", i), State: "ready", Since: time.Now()}
	}
	var n atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for box := range 64 {
		wg.Go(func() {
			for time.Since(begun) < 3*time.Second {
				if err := save(store.Device{Hall: "h1", Device: fmt.Sprint("k", box)}, is); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(begun).Seconds()
}
