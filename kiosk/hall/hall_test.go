package hall

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

func document() *kiosk.Hall {
	return &kiosk.Hall{
		ID: "test", Zones: []kiosk.Zone{{ID: "here"}, {ID: "there"}},
		Queues:  []kiosk.Queue{{ID: "a", Prefix: "A", Zone: "here"}, {ID: "b", Prefix: "B", Zone: "there"}},
		Items:   []kiosk.Item{{ID: "x", Queue: "a"}, {ID: "y", Queue: "b"}},
		Windows: []kiosk.Window{{ID: "1", Number: 1, Zone: "here", Groups: [][]string{{"a"}}}, {ID: "2", Number: 2, Zone: "there", Groups: [][]string{{"b"}}}},
	}
}

func open(t testing.TB, dir, name string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(dir, name+".db"), Hall: document(), Origin: name, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A wire carries requests of one device; it can be cut, and can lose answers.
type wire struct {
	device string
	cut    atomic.Bool
	deaf   atomic.Bool // requests arrive, answers do not
	under  http.Transport
}

// RoundTrip stands for the certificate by a header.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.cut.Load() {
		return nil, errors.New("cut")
	}
	r = r.Clone(r.Context())
	r.Header.Set("Device", w.device)
	res, err := w.under.RoundTrip(r)
	if err == nil && w.deaf.Load() {
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		return nil, errors.New("the answer got lost")
	}
	return res, err
}

// A rig is a host and its boxes in one process, with real stores.
type rig struct {
	t      testing.TB
	dir    string
	store  *sqlite.Store
	host   *Host
	server *httptest.Server
	places sync.Map
}

func newRig(t testing.TB) *rig {
	r := &rig{t: t, dir: t.TempDir()}
	r.store = open(t, r.dir, "host")
	host, err := NewHost(t.Context(), HostOptions{
		Store: r.store, Snapshot: r.store.Snapshot, Persons: []byte("the hall's key"), Program: kiosk.Program{Version: "v2", Made: 2},
		Who:     func(q *http.Request) (string, bool) { d := q.Header.Get("Device"); return d, d != "" },
		Places:  func(device string, p []kiosk.Place) { r.places.Store(device, p) },
		OnError: func(device string, err error) { t.Logf("host: %s: %v", device, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.host = host
	r.server = httptest.NewServer(host)
	ctx, end := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() { _ = host.Run(ctx) })
	t.Cleanup(func() {
		host.Close()
		r.server.CloseClientConnections()
		r.server.Close()
		end()
		loop.Wait()
	})
	return r
}

type joined struct {
	*Box
	store *sqlite.Store
	wire  *wire
	links chan Link
	taken chan kiosk.Taken
	key   atomic.Value // for identity numbers
}

// join starts a box and waits until it is connected and has its reserve.
func (r *rig) join(name string, places ...kiosk.Place) *joined {
	r.t.Helper()
	j := &joined{store: open(r.t, r.dir, name), wire: &wire{device: name}, links: make(chan Link, 64), taken: make(chan kiosk.Taken, 64)}
	j.Box = NewBox(BoxOptions{
		Store: j.store, Hall: document(), Addresses: []string{r.server.URL}, Client: &http.Client{Transport: j.wire}, Now: time.Now, Patience: 5 * time.Second,
		Persons: func(key []byte) error { j.key.Store(string(key)); return nil },
		Save:    func(kiosk.Standing) error { return nil }, OnChange: func(l Link) { j.links <- l }, OnTaken: func(k kiosk.Taken) { j.taken <- k },
	})
	for _, p := range places {
		j.Add(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { j.Run(ctx) })
	wg.Go(func() {
		for ctx.Err() == nil {
			j.Tend(ctx)
		}
	})
	r.t.Cleanup(func() { cancel(); wg.Wait(); j.wire.under.CloseIdleConnections() })
	until(r.t, name+" is connected and has numbers", func() bool { return j.Link().Up && j.Link().Full })
	return j
}

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick, late := time.NewTicker(2*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited two minutes in vain: %s", what)
		}
	}
}

func (j *joined) take(t testing.TB, request string) kiosk.Issued {
	t.Helper()
	got, err := j.Issue(t.Context(), kiosk.Intent{Request: request, Kiosk: "touch", Channel: kiosk.ByTouch, Item: "x", Printer: "p"}, nil)
	if err != nil {
		t.Fatalf("take %s: %v", request, err)
	}
	return got
}

func (j *joined) settled() bool {
	_, owed, err := j.store.Owed(context.Background(), 1)
	return err == nil && owed == 0
}

func (r *rig) waiting() (numbers []string) {
	r.t.Helper()
	legs, err := r.store.Waiting(r.t.Context(), "a")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, l := range legs {
		numbers = append(numbers, l.Number)
	}
	return numbers
}

// A box knows what its host runs, and whether that is newer.
func TestABoxKnowsWhatItsHostRuns(t *testing.T) {
	got := newRig(t).join("k1").Host()
	if got.Version != "v2" || !(kiosk.Program{Made: 1}).Older(got) || (kiosk.Program{Made: 2}).Older(got) || (kiosk.Program{}).Older(got) {
		t.Errorf("%+v", got)
	}
}

// While the wire is cut the kiosk gives numbers of its own; when it is whole again
// the host gives, and everybody waits in the order in which they came.
// The reserve is filled while the other loop still writes down that the host is there:
// what is told last is what is so.
func TestTheReserveIsFullBeforeTheHostIsToldOf(t *testing.T) {
	var b *Box
	var told Link
	b = NewBox(BoxOptions{
		Store: open(t, t.TempDir(), "kiosk-1"), Hall: document(), Addresses: []string{"https://host"}, Now: time.Now,
		Save: func(kiosk.Standing) error {
			b.filled()
			return nil
		},
		OnChange: func(l Link) { told = l },
	})
	if err := b.receive(State{}); err != nil {
		t.Fatal(err)
	}
	if !told.Up || !told.Full || told != b.Link() {
		t.Errorf("told %+v, the link is %+v", told, b.Link())
	}
}

func TestAKioskGoesOnWithoutItsHost(t *testing.T) {
	r := newRig(t)
	k := r.join("k1")
	var want []string
	for _, request := range []string{"1", "2"} {
		want = append(want, k.take(t, request).Visit.Number)
	}
	k.wire.cut.Store(true)
	for _, request := range []string{"3", "4", "5"} {
		want = append(want, k.take(t, request).Visit.Number)
	}
	if again := k.take(t, "2"); again.Visit.Number != want[1] {
		t.Errorf("asked again without the host, request 2 got %s, before %s", again.Visit.Number, want[1])
	}
	k.wire.cut.Store(false)
	until(t, "the hand-in", k.settled)
	want = append(want, k.take(t, "6").Visit.Number)
	if got := r.waiting(); fmt.Sprint(got) != fmt.Sprint(want) || want[0] != "A001" || want[2] != "A501" || want[5] != "A003" {
		t.Errorf("waiting %v, taken %v", got, want)
	}
}

// The host decided and its answer got lost: one ticket, the one on paper.
func TestALostAnswerLeavesOneTicket(t *testing.T) {
	r := newRig(t)
	k := r.join("k1")
	k.wire.deaf.Store(true)
	paper := k.take(t, "1").Visit.Number
	k.wire.deaf.Store(false)
	if voided := <-k.taken; voided.Voids != "A001" {
		t.Errorf("told of %+v, want that A001 was voided", voided)
	}
	if got := r.waiting(); len(got) != 1 || got[0] != paper {
		t.Errorf("waiting %v, the paper says %s", got, paper)
	}
}

// A display of another box is owed the call, sees it in its next state, and what
// it showed is in the host's journal.
func TestADisplayOfAnotherBoxProvesWhatItShowed(t *testing.T) {
	r := newRig(t)
	name := Named("d1", "strip:1")
	d := r.join("d1", kiosk.Place{Name: name, Window: "1"})
	if p, _ := r.places.Load("d1"); fmt.Sprint(p) != fmt.Sprint([]kiosk.Place{{Name: name, Window: "1"}}) {
		t.Errorf("the host knows the surfaces %v", p)
	}
	d.take(t, "1")
	ctx := t.Context()
	if _, err := r.store.SetWindow(ctx, kiosk.WindowRequest{Request: "w", Window: "1", By: "c", Desk: kiosk.Open}); err != nil {
		t.Fatal(err)
	}
	c, err := r.store.Call(ctx, kiosk.CallRequest{Request: "c", Window: "1", By: "c", Surfaces: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	owed := func() []kiosk.Call { list, _ := d.Undelivered(ctx, name); return list }
	until(t, "the call", func() bool { return len(owed()) == 1 })
	if err := d.Deliver(ctx, kiosk.Delivered{Surface: name, Calls: []int64{c.Seq}}); err != nil {
		t.Fatal(err)
	}
	if len(owed()) != 0 {
		t.Error("what was proven is still owed")
	}
	until(t, "the proof in the journal", func() bool {
		events, err := r.store.Journal(ctx, 0, 1000)
		return err == nil && strings.Contains(string(bodies(events)), `"surface":"`+name)
	})
	d.wire.cut.Store(true)
	r.server.CloseClientConnections()
	until(t, "the display to notice", func() bool { _, err := d.Snapshot(ctx); return err != nil })
	if last, l := d.Last(); len(last.Calls) != 1 || l.Up {
		t.Errorf("the last state has %d calls, link %+v", len(last.Calls), l)
	}
}

func bodies(events []kiosk.Event) (all []byte) {
	for _, e := range events {
		all = append(all, e.Body...)
	}
	return all
}

// Nobody speaks for somebody else, and nobody at all without a certificate.
func TestABoxSpeaksForItselfOnly(t *testing.T) {
	r := newRig(t)
	k := r.join("k1")
	other := kiosk.Origin{Device: "k2", Epoch: 1}
	client := &http.Client{Transport: &wire{device: "k1"}}
	defer client.CloseIdleConnections()
	for path, v := range map[string]any{
		pathHello:     kiosk.Hello{Joined: kiosk.Joined{Box: other}},
		pathTake:      kiosk.Intent{Request: "1", Kiosk: "k2/touch", Item: "x"},
		pathReserve:   wanted{"1", other, nil},
		pathHandIn:    kiosk.HandIn{Box: other},
		pathDelivered: kiosk.Delivered{Surface: "k2/strip:1"},
	} {
		var own *errHost
		if err := k.ask(t.Context(), time.Minute, path, v, nil); !errors.As(err, &own) || own.status != http.StatusForbidden {
			t.Errorf("%s as another: %v", path, err)
		}
	}
	res, err := http.Post(r.server.URL+Base+pathTake, "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("without a certificate: %s", res.Status)
	}
	for _, body := range []string{"", "{", strings.Repeat("[", 100), `{"item":"` + strings.Repeat("x", maxAsk) + `"}`} {
		res, err := client.Post(r.server.URL+Base+pathTake, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("%.20q: %s", body, res.Status)
		}
	}
}

// After a restart the host gives nothing until those who know it have spoken, or
// the time is over.
func TestAHostWaitsForItsBoxes(t *testing.T) {
	r := newRig(t)
	r.join("k1")
	again := func(wait time.Duration) *Host {
		t.Helper()
		h, err := NewHost(t.Context(), HostOptions{Store: r.store, Snapshot: r.store.Snapshot, Wait: wait, Places: func(string, []kiosk.Place) {}})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	in := kiosk.Intent{Request: "1", Kiosk: "host", Item: "x"}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := again(time.Hour).Issue(ctx, in, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a number was given before the kiosk had spoken: %v", err)
	}
	if _, err := again(time.Millisecond).Issue(t.Context(), in, nil); err != nil {
		t.Errorf("no number after the time was over: %v", err)
	}
	if _, err := r.host.Issue(t.Context(), in, nil); err != nil {
		t.Errorf("no number after the kiosk had spoken: %v", err)
	}
}

// work lets a citizen come to a window and go, and one more wait.
func (r *rig) work(window, item string, n int) {
	r.t.Helper()
	ctx, key := r.t.Context(), fmt.Sprint(window, "-", n)
	_, err := r.store.SetWindow(ctx, kiosk.WindowRequest{Request: key + "-open", Window: window, By: "c", Desk: kiosk.Open})
	for i := range 2 {
		if err == nil {
			_, err = r.host.Issue(ctx, kiosk.Intent{Request: fmt.Sprint(key, "-", i), Kiosk: "host", Channel: kiosk.ByTouch, Item: item}, nil)
		}
	}
	if err == nil {
		_, err = r.store.Call(ctx, kiosk.CallRequest{Request: key + "-call", Window: window, By: "c"})
	}
	for _, what := range []kiosk.Action{kiosk.DoStart, kiosk.DoDone} {
		if err == nil {
			_, err = r.store.Act(ctx, kiosk.ActRequest{Request: key + "-" + string(what), Action: what, Window: window, By: "c"})
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// What a box has after many changes is its share of what the store says: a strip's
// window, a wall's zone, a kiosk's whole hall.
func TestABoxKnowsItsShareOfTheHall(t *testing.T) {
	r := newRig(t)
	boxes := map[*joined]func(place string) bool{
		r.join("k1"): func(string) bool { return true },
		r.join("d1", kiosk.Place{Name: Named("d1", "strip"), Window: "2"}):            func(p string) bool { return p == "2" },
		r.join("d2", kiosk.Place{Name: Named("d2", "wall"), Zones: []string{"here"}}): func(p string) bool { return p == "1" || p == "a" },
	}
	for n := range 20 {
		r.work("1", "x", n)
		r.work("2", "y", n)
	}
	for box, mine := range boxes {
		until(t, box.device+" has its share", func() bool {
			want, err := r.store.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want.Windows = slices.DeleteFunc(want.Windows, func(w kiosk.WindowState) bool { return !mine(w.Window) })
			want.Queues = slices.DeleteFunc(want.Queues, func(q kiosk.QueueState) bool { return !mine(q.Queue) })
			want.Calls = slices.DeleteFunc(want.Calls, func(c kiosk.Call) bool { return !mine(c.Window) })
			got, _ := box.Last()
			return len(want.Calls) > 0 && text(t, got) == text(t, want)
		})
	}
}

// text is v as it would be sent; no list is an empty one.
func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), ":null", ":[]")
}

// A box hears what has changed of its share, and no more; one that was made before
// there were steps gets the whole hall every time.
func TestAStreamTellsWhatHasChanged(t *testing.T) {
	r := newRig(t)
	client := &http.Client{Transport: &wire{device: "d1"}}
	defer client.CloseIdleConnections()
	listen := func(query string) func() State {
		res, err := client.Get(r.server.URL + Base + pathState + query)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, maxSaid)
		return func() (s State) {
			for lines.Scan() {
				if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
					if err := json.Unmarshal(data, &s); err != nil {
						t.Fatal(err)
					}
					return s
				}
			}
			t.Fatalf("the stream ended: %v", lines.Err())
			return s
		}
	}
	strip, before := listen("?steps=1&window=2"), listen("")
	if s := strip(); s.Since != 0 || len(s.Snapshot.Windows) != 1 || len(s.Snapshot.Queues) != 0 {
		t.Errorf("a strip is told first: %+v", s)
	}
	before()
	r.work("1", "x", 1)
	r.work("2", "y", 1)
	for told, done := false, false; !done; {
		s := strip()
		if len(s.Snapshot.Queues) > 0 || slices.ContainsFunc(s.Snapshot.Windows, func(w kiosk.WindowState) bool { return w.Window != "2" }) {
			t.Errorf("a strip is told then: %+v", s)
		}
		step := s.Since > 0
		done = step && told && len(s.Snapshot.Windows) == 0 // nothing but a sign of life
		told = told || step && len(s.Snapshot.Windows) > 0
	}
	if s := before(); s.Since != 0 || len(s.Snapshot.Windows) != 2 || len(s.Snapshot.Queues) != 2 {
		t.Errorf("an old box is told: %+v", s)
	}
}

// A host that tells nonsense is left, and asked anew.
func TestStepsThatDoNotFitAreRefused(t *testing.T) {
	last := State{Telling: 3}
	for _, s := range []State{{Telling: 5, Since: 4}, {Telling: 4, Since: 3, Latest: []int64{7}}} {
		if _, err := s.onto(last); err == nil {
			t.Errorf("%+v was taken over", s)
		}
	}
}

// What comes down the stream is hostile until it has been read.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"standing":{"term":1},"snapshot":{"seq":4}}`))
	f.Add(409, []byte(`{"refusal":{"code":"closed_hours","text":{"zh":"x"}}}`))
	f.Add(502, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		var s State
		err := readSaid(&http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(body))}, &s)
		if status/100 != 2 && err == nil {
			t.Errorf("status %d is no success", status)
		}
	})
}

// Every box hashes identity numbers with the hall's key.
func TestBoxesGetTheHallsKey(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"k1", "k2"} {
		if key := r.join(name).key.Load(); key != "the hall's key" {
			t.Errorf("%s has the key %v", name, key)
		}
	}
}
