//go:build bighall

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/device"
	"longcheng/kiosk"
	"longcheng/kiosk/hall"
	"longcheng/kiosk/sqlite"
)

var bigHall = flag.Duration("bighall", time.Minute, "how long a host with 212 windows, 20 kiosks and 300 displays is worked")

const (
	bigWindows, bigKiosks, bigDisplays = 212, 20, 300
	bigQueues                          = 12
	bigService                         = 8 * time.Minute // of one citizen at a window
	bigHaste                           = 20              // times the real load
)

// bigDocuments writes the documents of a host; without boxes when listen is empty.
func bigDocuments(t *testing.T, dir, listen string) (conf string) {
	t.Helper()
	small, err := os.ReadFile("../../deploy/halls/three/host.toml")
	if err != nil {
		t.Fatal(err)
	}
	users := string(small[strings.Index(string(small), "[[user]]"):strings.Index(string(small), "# Copies")])
	var h, d strings.Builder
	h.WriteString("id = \"big\"\nname = { zh = \"大厅\", en = \"Big hall\" }\n[[department]]\nid = \"d\"\nname = { zh = \"局\" }\n")
	for q := range bigQueues {
		fmt.Fprintf(&h, "[[zone]]\nid = \"z%d\"\nname = { zh = \"区\" }\nfloor = 1\n[[queue]]\nid = \"q%d\"\nname = { zh = \"业务\" }\nprefix = \"%c\"\nzone = \"z%d\"\nservice = \"8m\"\n", q, q, "ABCDEFGHJKLM"[q], q)
		fmt.Fprintf(&h, "[[item]]\nid = \"i%d\"\ndepartment = \"d\"\nqueue = \"q%d\"\nname = { zh = \"事项\" }\ntype = \"20\"\ncase = \"immediate\"\n", q, q)
	}
	for i := range bigWindows {
		fmt.Fprintf(&h, "[[window]]\nid = \"%d\"\nnumber = %d\nname = { zh = \"窗口\" }\nzone = \"z%d\"\ngroups = [[\"q%d\"]]\n", i+1, i+1, i%bigQueues, i%bigQueues)
	}
	fmt.Fprintf(&d, "device = \"host\"\nhall = \"hall.toml\"\n[web]\nlisten = \"127.0.0.1:1\"\n%s", users)
	d.WriteString("[[touch]]\nname = \"desk\"\n")
	if listen != "" {
		fmt.Fprintf(&d, "[host]\nlisten = %q\naddress = %q\n", listen, listen)
	}
	for name, text := range map[string]string{"hall.toml": h.String(), "host.toml": d.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "host.toml")
}

// times are how long people waited for answers.
type times struct {
	mu   sync.Mutex
	list []time.Duration
}

func (x *times) since(begun time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = append(x.list, time.Since(begun))
}

// String is the middle and the slow end.
func (x *times) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.list) == 0 {
		return "none"
	}
	slices.Sort(x.list)
	at := func(p float64) time.Duration {
		return x.list[int(p*float64(len(x.list)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("%d, median %s, p99 %s, longest %s", len(x.list), at(.5), at(.99), at(1))
}

// A bigRig is the host of a big hall, worked by this program.
type bigRig struct {
	t             *testing.T
	host          *member
	issued, calls times
	shown         times // from the answer of a call to the moment when its strip's box has it
	called        sync.Map
	load, own     float64 // shares of one processor that the host took, and this program
}

// work lets citizens come and clerks call for a while, at the pace of a full hall
// in haste. take gives the n-th citizen a ticket. Everybody has signed in before.
func (b *bigRig) work(take func(ctx context.Context, n int) error) {
	var clerks []*member
	for i := range bigWindows {
		clerks = append(clerks, b.signsIn(fmt.Sprint(i+1)))
	}
	ctx, end := context.WithTimeout(b.t.Context(), *bigHall)
	defer end()
	var pages sync.WaitGroup
	defer pages.Wait()
	for i, c := range clerks {
		pages.Go(func() { b.page(ctx, c, fmt.Sprint(i+1)) })
	}
	begun, before, own := time.Now(), b.host.processor(), processor(b.t, os.Getpid())
	b.begun(ctx, clerks, take)
	took := float64(time.Since(begun))
	b.load, b.own = float64(b.host.processor()-before)/took, float64(processor(b.t, os.Getpid())-own)/took
}

func (b *bigRig) begun(ctx context.Context, clerks []*member, take func(ctx context.Context, n int) error) {
	var all sync.WaitGroup
	pace := bigService / bigWindows / bigHaste
	all.Go(func() {
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for n := 0; ctx.Err() == nil; n++ {
			all.Go(func() {
				begun := time.Now()
				if err := take(b.t.Context(), n); err != nil {
					if ctx.Err() == nil {
						b.t.Error(err)
					}
					return
				}
				b.issued.since(begun)
			})
			<-tick.C
		}
	})
	for i, c := range clerks {
		all.Go(func() { b.clerk(ctx, c, fmt.Sprint(i+1)) })
	}
	all.Wait()
}

// signsIn opens a window.
func (b *bigRig) signsIn(w string) *member {
	jar, _ := cookiejar.New(nil) // never fails with nil options
	d := &member{process: &process{t: b.t, url: b.host.url, http: &http.Client{Jar: jar, Transport: b.host.http.Transport}}}
	d.must("session", map[string]any{"user": "1001", "secret": "1234", "window": w})
	d.must("windows/"+w+"/state", map[string]any{"desk": "open"})
	return d
}

// page is the console of a clerk, which listens.
func (b *bigRig) page(ctx context.Context, d *member, w string) {
	r, err := http.NewRequestWithContext(ctx, "GET", d.url+"/api/v1/stream?window="+w, nil)
	if err != nil {
		b.t.Error(err)
		return
	}
	res, err := (&http.Client{Jar: d.http.Jar, Transport: d.http.Transport}).Do(r) // without the other's time limit
	if err != nil || res.StatusCode != http.StatusOK {
		b.t.Errorf("the console of window %s: %v", w, err)
		return
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // until ctx ends
}

// clerk works at one window: every citizen takes a twentieth of the usual time.
func (b *bigRig) clerk(ctx context.Context, d *member, w string) {
	_ = device.Sleep(ctx, time.Duration(rand.Int64N(int64(bigService/bigHaste))))
	for i := 0; ctx.Err() == nil; i++ {
		key, begun := fmt.Sprintf("%s-%d", w, i), time.Now()
		status, text := d.post("windows/"+w+"/next", key, map[string]any{})
		var c kiosk.Call
		if status/100 == 2 && json.Unmarshal(text, &c) == nil {
			b.calls.since(begun)
			if at, early := b.called.LoadOrStore(c.Seq, time.Now()); early {
				b.note(at.(time.Time), time.Now())
			}
			d.post("windows/"+w+"/start", key+"s", map[string]any{})
			_ = device.Sleep(ctx, bigService/bigHaste)
			d.post("windows/"+w+"/done", key+"d", map[string]any{})
			continue
		}
		_ = device.Sleep(ctx, 500*time.Millisecond)
	}
}

func (b *bigRig) note(shown, answered time.Time) {
	b.shown.mu.Lock()
	defer b.shown.mu.Unlock()
	b.shown.list = append(b.shown.list, max(0, shown.Sub(answered)))
}

func (b *bigRig) report(what string) {
	b.t.Logf("%s: tickets %s; calls %s; shown after the answer %s; host resident %.0f MiB, %.0f %% of one processor; people and boxes %.0f %%",
		what, &b.issued, &b.calls, &b.shown, resident(b.t, b.host.cmd.Process.Pid), 100*b.load, 100*b.own)
}

func (m *member) processor() time.Duration { return processor(m.t, m.cmd.Process.Pid) }

// processor is how much processor time a process has used.
func processor(t testing.TB, pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
	var user, system int64
	if _, err := fmt.Sscan(f[11]+" "+f[12], &user, &system); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// A dummy is the store of a box that only shows.
type dummy struct {
	hall.BoxStore // nil: it keeps nothing
	origin        kiosk.Origin
}

func (d dummy) Origin() kiosk.Origin                                 { return d.origin }
func (d dummy) Standing(context.Context) (kiosk.Standing, error)     { return kiosk.Standing{}, nil }
func (d dummy) Ranges() []kiosk.Range                                { return nil }
func (d dummy) Hold(context.Context, kiosk.Reserved) error           { return nil }
func (d dummy) Wants(context.Context) ([]kiosk.Want, error)          { return nil, nil }
func (d dummy) Doubt(context.Context, string) error                  { return nil }
func (d dummy) Owed(context.Context, int) ([]kiosk.Owed, int, error) { return nil, 0, nil }

// join connects one more box with a certificate of its own.
func (b *bigRig) join(ctx context.Context, all *sync.WaitGroup, store hall.BoxStore, h *kiosk.Hall, at string, places ...kiosk.Place) *hall.Box {
	b.t.Helper()
	device := store.Origin().Device
	d, err := door.Open(b.host.state, "big", door.Names(at), time.Now)
	if err != nil {
		b.t.Fatal(err)
	}
	code, err := d.NewCode(at, device, "box")
	if err != nil {
		b.t.Fatal(err)
	}
	pass, err := central.Enrol(ctx, filepath.Join(b.t.TempDir(), "pass"), code.String(), time.Now)
	if err != nil {
		b.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: pass.TLS(), MaxIdleConnsPerHost: 16}
	b.t.Cleanup(transport.CloseIdleConnections)
	box := hall.NewBox(hall.BoxOptions{
		Store: store, Hall: h, Addresses: []string{"https://" + at}, Client: &http.Client{Transport: transport}, Now: time.Now,
		Save: func(kiosk.Standing) error { return nil }, OnChange: func(hall.Link) {}, OnTaken: func(kiosk.Taken) {},
	})
	for _, p := range places {
		box.Add(p)
	}
	all.Go(func() { _ = box.Run(ctx) })
	all.Go(func() { _ = box.Tend(ctx) })
	return box
}

// show acknowledges every call at once.
func (b *bigRig) show(ctx context.Context, box *hall.Box, p kiosk.Place) {
	news, stop := box.Watch()
	defer stop()
	for ctx.Err() == nil {
		calls, err := box.Undelivered(ctx, p.Name)
		if err == nil && len(calls) > 0 {
			d := kiosk.Delivered{Surface: p.Name}
			for _, c := range calls {
				d.Calls = append(d.Calls, c.Seq)
				if answered, late := b.called.LoadOrStore(c.Seq, time.Now()); late && p.Window != "" {
					b.note(time.Now(), answered.(time.Time))
				}
			}
			_ = box.Deliver(ctx, d) // it is told again with the next state
		}
		select {
		case <-news:
		case <-ctx.Done():
		}
	}
}

// The host of a very large hall, with the consoles of 212 clerks, under twenty times its load: what a ticket and a
// call take, with 320 boxes joined and with none, and what memory it needs.
func TestHostOfABigHall(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "80MiB") // of the hosts, as their unit has it
	t.Run("one box", func(t *testing.T) {
		b := newBigRig(t, "")
		desk := b.desk()
		b.work(func(_ context.Context, n int) error { return desk.issue(n) })
		b.report("no box joined")
	})
	t.Run("320 boxes", func(t *testing.T) {
		at := freePort(t)
		b := newBigRig(t, at)
		c, _ := config.Load(b.host.conf)
		joined, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		defer all.Wait()
		defer leave()
		var kiosks []*hall.Box
		for i := range bigKiosks {
			s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "hall.db"), Hall: c.Hall, Origin: fmt.Sprint("k", i), Version: "bench"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			kiosks = append(kiosks, b.join(joined, &all, s, c.Hall, at))
		}
		for i := range bigDisplays {
			device := fmt.Sprint("d", i)
			p := kiosk.Place{Name: hall.Named(device, "wall"), Zones: []string{fmt.Sprint("z", i%bigQueues)}}
			if i < bigWindows {
				p = kiosk.Place{Name: hall.Named(device, "strip"), Window: fmt.Sprint(i + 1)}
			}
			box := b.join(joined, &all, dummy{origin: kiosk.Origin{Device: device, Epoch: 1}}, c.Hall, at, p)
			all.Go(func() { b.show(joined, box, p) })
		}
		b.host.until("all boxes", func() bool {
			for _, k := range kiosks {
				if l := k.Link(); !l.Up || !l.Full {
					return false
				}
			}
			return true
		})
		b.t.Logf("before the work: host resident %.0f MiB, processor %s", resident(t, b.host.cmd.Process.Pid), b.host.processor())
		b.work(func(ctx context.Context, n int) error {
			in := kiosk.Intent{Request: fmt.Sprint("t-", n), Kiosk: "touch-1", Channel: kiosk.ByTouch, Item: fmt.Sprint("i", n%bigQueues)}
			_, err := kiosks[n%bigKiosks].Issue(ctx, in, nil)
			return err
		})
		b.report("320 boxes joined")
	})
}

func newBigRig(t *testing.T, listen string) *bigRig {
	t.Helper()
	dir := t.TempDir()
	m := &member{device: "host", conf: bigDocuments(t, dir, listen), state: filepath.Join(dir, "state"), process: &process{t: t}}
	b := &bigRig{t: t, host: m.start()}
	b.host.healthy()
	b.host.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 300
	return b
}

// desk is a kiosk's page on the host itself.
func (b *bigRig) desk() *desk {
	b.host.signIn()
	return &desk{b.host}
}

type desk struct{ m *member }

func (d *desk) issue(n int) error {
	status, text := d.m.post("tickets", fmt.Sprint("t-", n), map[string]any{"kiosk": "desk", "item": fmt.Sprint("i", n%bigQueues), "print": false})
	if status/100 != 2 {
		return fmt.Errorf("ticket %d: %d %s", n, status, text)
	}
	return nil
}
