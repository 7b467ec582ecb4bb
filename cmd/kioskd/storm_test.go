package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"longcheng/device"
	"longcheng/kiosk"
)

// A fact is what somebody was told: a citizen that the visit has the number, or a
// clerk (called) that it is called.
type fact struct {
	number, visit string
	called        bool
}

// oneTicket is the specification for one number: it is given once, and then
// called once at most, to whoever holds it. A number whose answer got lost may be
// called before its kiosk has said so, and is never given then.
func oneTicket() porcupine.Model {
	return porcupine.Model{
		Partition: func(all []porcupine.Operation) (parts [][]porcupine.Operation) {
			at := map[string]int{}
			for _, o := range all {
				n := o.Input.(fact).number
				if _, ok := at[n]; !ok {
					at[n] = len(parts)
					parts = append(parts, nil)
				}
				parts[at[n]] = append(parts[at[n]], o)
			}
			return parts
		},
		Init: func() any { return fact{} },
		Step: func(state, in, _ any) (bool, any) {
			s, f := state.(fact), in.(fact)
			if !f.called {
				return s == fact{}, f
			}
			return s == fact{} || s == fact{number: f.number, visit: f.visit}, f
		},
	}
}

// A witness notes what people were told, and when they had asked first.
type witness struct {
	begun time.Time
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (w *witness) note(client int, f fact, asked time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops = append(w.ops, porcupine.Operation{ClientId: client, Input: f, Call: asked.Sub(w.begun).Nanoseconds(), Return: time.Since(w.begun).Nanoseconds()})
}

// citizens come to a kiosk one after the other.
func (w *witness) citizens(ctx context.Context, client int, m *member, a *audit) {
	next := time.NewTicker(100 * time.Millisecond)
	defer next.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		w.citizen(client, m, a, fmt.Sprintf("%s-%d", m.device, i))
		<-next.C
	}
}

func (w *witness) citizen(client int, m *member, a *audit, key string) {
	asked := time.Now()
	got := m.take(key)
	w.note(client, fact{got.Visit.Number, got.Visit.ID, false}, asked)
	a.hold(m.device, got)
}

// A console is a clerk's own computer, somewhere in the hall's network.
type console struct {
	window string
	desk   *member // the client and the address of the host; it is no box
}

// ask repeats one request until there is an answer, as a console does.
func (c console) ask(ctx context.Context, path, key string, body any) (status int, text []byte) {
	for ctx.Err() == nil {
		if status, text = c.desk.post(path, key, body); status != 0 && status < 500 {
			break
		}
		_ = device.Sleep(ctx, 20*time.Millisecond)
	}
	return status, text
}

// work calls one citizen after the other. Who is called is somebody whom the
// clerk was told of.
func (w *witness) work(ctx context.Context, client int, c console) {
	c.open(ctx, c.window)
	for i := 0; ctx.Err() == nil; i++ {
		key := fmt.Sprintf("%s-%d", c.window, i)
		if w.next(context.WithoutCancel(ctx), client, c, key) {
			c.finish(ctx, key)
		}
		_ = device.Sleep(ctx, 100*time.Millisecond)
	}
}

// open signs the clerk in.
func (c console) open(ctx context.Context, key string) {
	c.ask(ctx, "session", key+"-in", map[string]any{"user": "1001", "secret": "1234", "window": c.window})
	c.ask(ctx, "windows/"+c.window+"/state", key+"-open", map[string]any{"desk": "open"})
}

// finish serves whoever has been called.
func (c console) finish(ctx context.Context, key string) {
	c.ask(ctx, "windows/"+c.window+"/start", key+"-start", map[string]any{})
	c.ask(ctx, "windows/"+c.window+"/done", key+"-done", map[string]any{})
}

// next calls a citizen; false when nobody waits.
func (w *witness) next(ctx context.Context, client int, c console, key string) bool {
	asked := time.Now()
	status, text := c.ask(ctx, "windows/"+c.window+"/next", key, map[string]any{})
	var k kiosk.Call
	called := status/100 == 2 && json.Unmarshal(text, &k) == nil
	if called {
		w.note(client, fact{k.Number, k.Visit, true}, asked)
	}
	return called
}

// calls is how many calls clerks were told of so far.
func (w *witness) calls() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.ops {
		if o.Input.(fact).called {
			n++
		}
	}
	return n
}

// Host, two kiosks, display and centre, each in a network of its own, with real
// certificates, while packets are lost, late and out of order, and places are cut
// off from each other. What citizens and clerks were told has to be a history of a
// hall that gives every number once and calls nobody twice, and all of it is in
// the journals, at the host and at the centre.
func TestAHallInAStorm(t *testing.T) {
	w, at := newWeather(t, 6)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	centre, host, kiosk1, kiosk2, display, desk := at[0], at[1], at[2], at[3], at[4], at[5]
	c := newCentreAt(t, centre)
	h := &severalHall{t: t, dir: t.TempDir(), at: host.address(t, 8443), then: display.address(t, 8443),
		places: map[string]*namespace{"host": host, "kiosk-1": kiosk1, "kiosk-2": kiosk2, "display-1": display}}
	h.host = h.box("host.toml", "host")
	h.host.reportTo(c)
	h.host.start().healthy()
	k1, k2, d1 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2"), h.join("display.toml", "display-1")
	k1.signIn()
	k2.signIn()

	seen, a := &witness{begun: time.Now()}, &audit{}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var people sync.WaitGroup
	people.Go(func() { seen.citizens(ctx, 1, k1, a) })
	people.Go(func() { seen.citizens(ctx, 2, k2, a) })
	clerks := []console{{window: "1"}, {window: "2"}}
	for i := range clerks {
		d := &process{t: t, url: h.host.url, http: desk.client(), done: make(chan struct{})}
		d.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
		d.http.Timeout = 3 * time.Second
		t.Cleanup(d.http.CloseIdleConnections)
		clerks[i].desk = &member{process: d}
		people.Go(func() { seen.work(ctx, 3+i, clerks[i]) })
	}
	w.set(0.05, 30*time.Millisecond)
	cuts := []func(bool){
		func(cut bool) { w.part(cut, host, kiosk1) },
		func(cut bool) { w.part(cut, host, kiosk2, display) },
		func(cut bool) { w.part(cut, host, kiosk1, kiosk2, display, centre, desk) },
		func(cut bool) { w.part(cut, centre, host) },
		func(cut bool) { w.part(cut, host, desk) },
	}
	dice.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
	for _, strike := range cuts {
		w.set(0.05+dice.Float64()*0.1, time.Millisecond+time.Duration(dice.IntN(60))*time.Millisecond)
		cut, calls := w.cut.Load(), seen.calls()
		strike(true)
		_ = device.Sleep(ctx, time.Second+time.Duration(dice.IntN(2500))*time.Millisecond)
		k1.until("a packet to be cut off", func() bool { return w.cut.Load() > cut })
		strike(false)
		_ = device.Sleep(ctx, time.Duration(dice.IntN(1500))*time.Millisecond)
		k1.until("a call since the cut", func() bool { return seen.calls() > calls })
	}
	k1.until("a storm", func() bool { return w.lost.Load() > 0 && w.late.Load() > 0 })
	w.set(0, 0)
	end()
	people.Wait()
	for _, m := range []*member{k1, k2, d1} {
		m.joined()
	}
	seen.citizen(1, k1, a, "last")
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	last := clerks[0] // waits for a citizen who is called, until everybody has heard it
	last.open(t.Context(), "last")
	last.finish(t.Context(), "last-but-one")
	for i := 0; !seen.next(t.Context(), 3, last, fmt.Sprint("last-", i)); i++ {
		_ = device.Sleep(t.Context(), 100*time.Millisecond)
	}
	d1.until("the voice", func() bool {
		said, err := os.ReadFile(filepath.Join(d1.state, "voice-hall.txt"))
		return err == nil && len(said) > 0
	})
	all := []*member{h.host, k1, k2, d1}
	for _, m := range all {
		m.sent()
	}
	for _, m := range all {
		m.stop()
	}
	events := h.host.journal()
	for _, v := range a.compare(t, events) {
		if !seen.told()[v.ID] {
			t.Errorf("%s is in the journal, on no paper, and was not called", v.Number)
		}
	}
	callsOnce(t, events, seen.told())
	deliveredOnly(t, events)
	if r := porcupine.CheckOperationsTimeout(oneTicket(), seen.ops, 5*time.Minute); r != porcupine.Ok {
		t.Errorf("what people were told is no history of a hall: %s", r)
	}
	for _, m := range all {
		c.same(m.state, m.conf)
	}
	t.Logf("%d papers, %d calls told of; packets: %d at once, %d late, %d lost, %d cut off",
		len(a.papers), len(seen.told()), w.carried.Load(), w.late.Load(), w.lost.Load(), w.cut.Load())
}

// told are the visits that clerks were told of.
func (w *witness) told() map[string]bool {
	all := map[string]bool{}
	for _, o := range w.ops {
		if f := o.Input.(fact); f.called {
			all[f.visit] = true
		}
	}
	return all
}

// deliveredOnly wants nothing delivered that was not called before.
func deliveredOnly(t *testing.T, events []kiosk.Event) {
	t.Helper()
	called := map[int64]bool{}
	for _, e := range events {
		var c kiosk.Call
		var d kiosk.Delivered
		switch e.Kind {
		case kiosk.KindCalled:
			if json.Unmarshal(e.Body, &c) == nil {
				called[c.Seq] = true
			}
		case kiosk.KindDelivered:
			if json.Unmarshal(e.Body, &d) != nil {
				t.Errorf("a delivery cannot be read: %s", e.Body)
			}
			for _, n := range d.Calls {
				if !called[n] {
					t.Errorf("%s has shown call %d, which was never made", d.Surface, n)
				}
			}
		}
	}
}
