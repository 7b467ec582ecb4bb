package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/ca"
	"longcheng/central/centraltest"
	"longcheng/central/store"
	"longcheng/kiosk"
	"longcheng/kiosk/freeport"
)

// centre is a centre on a real socket, with mutual TLS.
type centre struct {
	t     testing.TB
	dir   string
	addr  string
	store *store.Store
	srv   *Server
	stop  func()
	o     Options
	day   kiosk.Day // that aDay has put in
}

// zone is that of the halls: not that of the machine, if that stands in UTC or in Europe.
var zone = time.FixedZone("CST", 8*60*60)

func newCentre(t *testing.T, change ...func(*Options)) *centre {
	t.Helper()
	c := &centre{t: t, dir: t.TempDir()}
	var err error
	c.addr, err = freeport.Address()
	must(t, err)
	authority, err := ca.Open(c.dir, time.Now)
	must(t, err)
	c.o = Options{CA: authority, Zone: zone, Address: "centre.example.cn:8443", Names: []string{"127.0.0.1"}, Rate: 1e6, OnError: func(id string, err error) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("request %s: %v", id, err)
		}
	}}
	for _, f := range change {
		f(&c.o)
	}
	c.up("centre.db")
	t.Cleanup(func() { c.stop() })
	return c
}

// up serves the database of that name, after a stop on the same port as before.
func (c *centre) up(name string) {
	c.t.Helper()
	c.upAt(filepath.Join(c.dir, name))
}

func (c *centre) upAt(dsn string) {
	c.t.Helper()
	var err error
	c.store, err = store.Open(context.Background(), store.Options{DSN: dsn, Now: c.o.Now, Zone: c.o.Zone})
	must(c.t, err)
	c.o.Store = c.store
	c.srv, err = New(context.Background(), c.o)
	must(c.t, err)
	l, err := net.Listen("tcp", c.addr)
	must(c.t, err)
	c.addr = l.Addr().String()
	h, err := c.srv.Boxes()
	must(c.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	requests := &requests{to: h.Handler}
	h.Handler = requests
	wg.Go(func() { c.srv.Run(ctx) })
	wg.Go(func() { h.ServeTLS(l, "", "") })
	c.stop = sync.OnceFunc(func() {
		cancel()
		h.Close()
		wg.Wait()
		requests.end(func() { c.store.Close() })
	})
}

// requests are those under way: a server that is closed does not wait for them.
type requests struct {
	to    http.Handler
	mu    sync.RWMutex
	ended bool
}

func (r *requests) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !r.ended {
		r.to.ServeHTTP(w, q)
	}
}

// end does something when no request is under way, and lets none come after it.
func (r *requests) end(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	do()
}

// code makes an enrolment code.
func (c *centre) code(hall, device, role string) string {
	c.t.Helper()
	secret := central.NewSecret()
	must(c.t, c.store.AddCode(c.t.Context(), secret, store.Code{Device: store.Device{Hall: hall, Device: device}, Role: role, Maker: "test", Ends: time.Now().Add(10 * time.Minute)}))
	return central.Code{At: c.addr, Secret: secret, Root: c.o.CA.Fingerprint()}.String()
}

// box enrols a box.
func (c *centre) box(hall, device, role string) *central.Pass {
	c.t.Helper()
	p, err := central.Enrol(c.t.Context(), c.t.TempDir(), c.code(hall, device, role), time.Now)
	must(c.t, err)
	return p
}

func (c *centre) client(p *central.Pass, wrap func(http.RoundTripper) http.RoundTripper) *central.Client {
	c.t.Helper()
	tr := p.Transport()
	c.t.Cleanup(tr.CloseIdleConnections)
	var rt http.RoundTripper = tr
	if wrap != nil {
		rt = wrap(tr)
	}
	client, err := central.NewClient(p.Address(), rt)
	must(c.t, err)
	return client
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func soon(t testing.TB, what string, come func() bool) {
	t.Helper()
	tick, late := time.NewTicker(2*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for !come() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited two minutes for %s", what)
		}
	}
}

// ship runs an outbox until the test ends.
func ship(t testing.TB, j central.Journal, client *central.Client) *central.Outbox {
	t.Helper()
	x, err := central.NewOutbox(central.OutboxOptions{
		Journal: j, Client: client, Backoff: func(int) time.Duration { return time.Millisecond },
		Rate: 1e6, Linger: time.Millisecond, Stubborn: 20 * time.Millisecond,
	})
	must(t, err)
	run(t, x.Run)
	return x
}

func run(t testing.TB, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f(ctx) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

func (c *centre) whole(j *centraltest.Journal) {
	c.t.Helper()
	n := j.Len()
	got, err := c.store.Events(c.t.Context(), store.Origin{Hall: "h1", Origin: j.Origin()}, 0, n+10)
	must(c.t, err)
	if len(got) != n {
		c.t.Fatalf("%d events, want %d", len(got), n)
	}
	for i, e := range j.Slice(1, n) {
		if got[i].Seq != e.Seq || string(got[i].Hash) != string(e.Hash) || string(got[i].Body) != string(e.Body) {
			c.t.Fatalf("event %d differs: %+v", e.Seq, got[i])
		}
	}
}

func shipped(t testing.TB, x *central.Outbox, n int) {
	t.Helper()
	soon(t, fmt.Sprintf("event %d, stands at %v", n, x.Shipping()), func() bool { s := x.Shipping(); return s.Through == int64(n) && s.State == central.ShipCurrent })
}

// The wire loses, doubles, delays and reorders, and the centre is restarted:
// every event arrives once and in order.
func TestEverythingArrivesOverABadWire(t *testing.T) {
	c := newCentre(t)
	for seed := range uint64(2) {
		name := fmt.Sprint("k", seed)
		j := centraltest.NewJournal(name, 7, 2000)
		var wire *centraltest.Wire
		x := ship(t, j, c.client(c.box("h1", name, "box"), func(rt http.RoundTripper) http.RoundTripper {
			wire = centraltest.NewWire(rt, seed)
			return wire
		}))
		soon(t, "half", func() bool { return x.Shipping().Through > 900 })
		c.stop()
		c.up("centre.db")
		for range 15 { // trickling now
			j.Fill(3)
			shipped(t, x, j.Len())
		}
		c.whole(j)
		if wire.Faults() < 10 {
			t.Errorf("the wire behaved well: %d faults", wire.Faults())
		}
	}
}

// The centre was restored from a backup: the boxes fill it again.
func TestRestoredCentreIsRefilled(t *testing.T) {
	c := newCentre(t)
	j := centraltest.NewJournal("k1", 7, 1500)
	x := ship(t, j, c.client(c.box("h1", "k1", "box"), nil))
	shipped(t, x, 1500)
	c.stop()
	c.up("restored.db") // of before the first event
	j.Fill(1)
	shipped(t, x, 1501)
	c.whole(j)
}

// The centre was restored from a backup, and nothing more happens in the hall: it
// is filled again all the same.
func TestRestoredCentreIsRefilledByAQuietBox(t *testing.T) {
	c := newCentre(t)
	j := centraltest.NewJournal("k1", 7, 700)
	x, err := central.NewOutbox(central.OutboxOptions{
		Journal: j, Closed: true, Client: c.client(c.box("h1", "k1", "box"), nil), Backoff: func(int) time.Duration { return time.Millisecond },
		Rate: 1e6, Ask: 20 * time.Millisecond,
	})
	must(t, err)
	run(t, x.Run)
	shipped(t, x, 700)
	c.stop()
	c.up("restored.db") // of before the first event
	soon(t, "every event", func() bool {
		a, err := c.store.Stand(t.Context(), store.Origin{Hall: "h1", Origin: j.Origin()})
		return err == nil && a.Through == 700
	})
	c.whole(j)
}

// A box was restored from a backup and goes on in the old journal: the centre
// refuses, keeps the evidence, and both sides say so.
func TestRestoredBoxIsRefused(t *testing.T) {
	c := newCentre(t)
	j := centraltest.NewJournal("k1", 7, 1200)
	client := c.client(c.box("h1", "k1", "box"), nil)
	stop := func() func() {
		x, err := central.NewOutbox(central.OutboxOptions{Journal: j, Client: client, Backoff: func(int) time.Duration { return time.Millisecond }, Rate: 1e6})
		must(t, err)
		stop := run(t, x.Run)
		shipped(t, x, 1200)
		return stop
	}()
	stop()
	j.Restore(1000)
	x := ship(t, j, client)
	soon(t, "refusal", func() bool { return x.Shipping().State == central.ShipRefused })
	for range 300 { // another past
		j.Append(kiosk.KindAlarm, kiosk.Alarm{Source: "x", State: "y"})
	}
	soon(t, "evidence", func() bool { l, err := c.store.Conflicts(t.Context()); return err == nil && len(l) == 1 })
	if s := x.Shipping(); s.State != central.ShipRefused {
		t.Errorf("shipping %v", s)
	}
	boxes, err := c.store.Boxes(t.Context(), "h1")
	if err != nil || len(boxes) != 1 || len(boxes[0].Alarms) != 1 || boxes[0].Through != 1200 {
		t.Errorf("boxes %+v, %v", boxes, err)
	}
}

// desk takes messages into memory.
type desk struct {
	mu    sync.Mutex
	at    central.Position
	taken []central.Message
	lose  int // saves that fail
}

func (d *desk) Position(context.Context) (central.Position, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at, nil
}

func (d *desk) Take(_ context.Context, m central.Message) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken = append(d.taken, m)
	if m.Name == "bad" {
		return errors.New("line 3: no such queue")
	}
	return nil
}

func (d *desk) Save(_ context.Context, p central.Position) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lose--; d.lose >= 0 {
		return errors.New("the disk was full")
	}
	d.at = p
	return nil
}

func listen(t *testing.T, d *desk, client *central.Client) {
	t.Helper()
	x, err := central.NewInbox(central.InboxOptions{
		Device: "k1", Client: client, Desk: d, Quiet: 200 * time.Millisecond, Again: time.Minute,
		Backoff: func(int) time.Duration { return time.Millisecond },
	})
	must(t, err)
	run(t, x.Run)
}

func (c *centre) send(stream, name string) {
	c.t.Helper()
	_, err := c.store.Send(c.t.Context(), store.Device{Hall: "h1", Device: "k1"}, central.Message{Stream: stream, Name: name, Body: json.RawMessage(`{"x":1}`)})
	must(c.t, err)
}

// held is a proxy that holds streams back.
type held struct{ to http.RoundTripper }

func (h held) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Accept") == "text/event-stream" {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return h.to.RoundTrip(r)
}

// Messages arrive once, in order and acknowledged, by stream or by poll, over a
// bad wire too; a refusal reaches the centre.
func TestMessagesComeDown(t *testing.T) {
	wires := map[string]func(http.RoundTripper) http.RoundTripper{
		"stream":   nil,
		"poll":     func(rt http.RoundTripper) http.RoundTripper { return held{rt} },
		"bad wire": func(rt http.RoundTripper) http.RoundTripper { return centraltest.NewWire(rt, 3) },
	}
	for name, wire := range wires {
		t.Run(name, func(t *testing.T) {
			c := newCentre(t)
			p := c.box("h1", "k1", "box")
			d := &desk{lose: 2}
			c.send(central.Documents, "hall")
			listen(t, d, c.client(p, wire))
			for i := range 10 {
				c.send(central.Commands, fmt.Sprint("c", i))
			}
			c.send(central.Documents, "bad")
			at := func() central.Position { at, _ := d.Position(t.Context()); return at }
			soon(t, "messages", func() bool { return at() == central.Position{Commands: 10, Documents: 2} })
			sent, err := c.store.Sent(t.Context(), store.Device{Hall: "h1", Device: "k1"})
			must(t, err)
			for _, m := range sent {
				if m.Acked.IsZero() || m.OK != (m.Name != "bad") || !m.OK && m.Text != "line 3: no such queue" {
					t.Errorf("message %+v", m)
				}
			}
			order(t, d.taken)
		})
	}
}

// order checks that each stream was taken in order, repetitions aside.
func order(t *testing.T, list []central.Message) {
	t.Helper()
	last := central.Position{}
	for _, m := range list {
		at := last.Of(m.Stream)
		if m.Number > *at+1 {
			t.Errorf("%s %d came after %d", m.Stream, m.Number, *at)
		}
		*at = max(*at, m.Number)
	}
}

// The centre was restored from a backup of before its messages: new ones get
// numbers that the box has not seen.
func TestRestoredCentreGoesOnAfterTheBox(t *testing.T) {
	c := newCentre(t)
	p := c.box("h1", "k1", "box")
	d := &desk{at: central.Position{Commands: 5, Documents: 9}}
	listen(t, d, c.client(p, nil))
	soon(t, "the box", func() bool {
		b, err := c.store.Boxes(t.Context(), "h1")
		return err == nil && len(b) == 1 && b[0].Given.Documents == 9
	})
	c.send(central.Documents, "hall")
	soon(t, "message", func() bool { at, _ := d.Position(t.Context()); return at.Documents == 10 })
}
