package web

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/kiosk"
	"longcheng/kiosk/calling"
	"longcheng/kiosk/freeport"
	"longcheng/kiosk/sqlite"
	"longcheng/kiosk/ticketing"
	"longcheng/kiosk/web/webtest"
)

// A site is a hall on a real socket with a real store: its wire can be cut, its
// first answers lost, its clock set, its paper pulled out.
type site struct {
	t     *testing.T
	o     Options
	store *sqlite.Store
	desk  *ticketing.Desk
	floor *calling.Floor
	paper *paper
	addr  string
	srv   *http.Server

	mu     sync.Mutex
	time   time.Time
	broken error
	lose   int      // answers to POST /tickets that are still to be lost
	keys   []string // of every POST /tickets
}

// paper is a printer as the desk sees one.
type paper struct {
	mu  sync.Mutex
	err error
}

func (p *paper) Ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *paper) Wake() {}

// newSite opens a hall on Monday 2 March 2026 at ten o'clock.
func newSite(t *testing.T, h *kiosk.Hall, change ...func(*Options)) *site {
	t.Helper()
	s := &site{t: t, paper: &paper{}, time: time.Date(2026, 3, 2, 10, 0, 0, 0, h.Location())}
	var err error
	if s.addr, err = freeport.Address(); err != nil {
		t.Fatal(err)
	}
	s.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "hall.db"), Hall: h, Origin: "box", Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	s.desk = ticketing.NewDesk(ticketing.Options{
		Hall: h, Store: s.store, Printers: map[string]ticketing.Printer{"p1": s.paper},
		Touches: []ticketing.Touch{{Name: "k1", Printer: "p1"}}, Now: s.now,
	})
	surfaces := []calling.Surface{{Name: "wall:main"}}
	for _, w := range h.Windows {
		surfaces = append(surfaces, calling.Surface{Name: "strip:" + w.ID, Window: w.ID})
	}
	s.floor = calling.NewFloor(h, s.store, surfaces, "p1", func(string) {})
	s.o = testOptions(newFake(h))
	s.o.Walls = []string{"main"}
	s.o.Hall, s.o.Windows, s.o.State, s.o.Touch, s.o.Now = h, s.floor, flaky{s.store, s}, Touches(s.desk), s.now
	s.o.Tickets = struct {
		*ticketing.Desk
		*sqlite.Store
	}{s.desk, s.store}
	for _, c := range change {
		c(&s.o)
	}
	s.up()
	t.Cleanup(func() { s.srv.Close() })
	return s
}

// flaky is the store, which a test may break.
type flaky struct {
	*sqlite.Store
	s *site
}

func (f flaky) Snapshot(ctx context.Context) (kiosk.Snapshot, error) {
	f.s.mu.Lock()
	err := f.s.broken
	f.s.mu.Unlock()
	if err != nil {
		return kiosk.Snapshot{}, err
	}
	return f.Store.Snapshot(ctx)
}

func (s *site) url(path string) string { return "http://" + s.addr + path }

func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time
}

// later moves the hall's clock and tells the pages.
func (s *site) later(d time.Duration) {
	s.mu.Lock()
	s.time = s.time.Add(d)
	s.mu.Unlock()
	s.desk.Changed()
}

func (s *site) breakStore(err error) {
	s.mu.Lock()
	s.broken = err
	s.mu.Unlock()
	s.desk.Changed()
}

func (s *site) pullPaper(err error) {
	s.paper.mu.Lock()
	s.paper.err = err
	s.paper.mu.Unlock()
	s.desk.Changed()
}

// up listens, after a cut on the same port as before.
func (s *site) up() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	w, err := New(s.o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.srv = w.Server(s.lossy(w))
	go s.srv.Serve(l)
}

func (s *site) cut() { s.srv.Close() }

// lossy does what was asked and then loses the answer, as a broken wire does.
func (s *site) lossy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/tickets") && s.loses(r.Header.Get("Idempotency-Key")) {
			next.ServeHTTP(nowhere{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(rw, r)
	})
}

func (s *site) loses(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, key)
	if s.lose == 0 {
		return false
	}
	s.lose--
	return true
}

type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// ticket takes a ticket for an item past the page; change may alter the wish.
func (s *site) ticket(item string, change ...func(*kiosk.Intent)) kiosk.Issued {
	s.t.Helper()
	in := kiosk.Intent{Item: item, Kiosk: "k1", Channel: kiosk.ByTouch}
	for _, c := range change {
		c(&in)
	}
	i, err := s.desk.Take(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

func (s *site) taken() (n int) {
	s.t.Helper()
	events, err := s.store.Journal(s.t.Context(), 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == kiosk.KindIssued {
			n++
		}
	}
	return n
}

// shown acknowledges the latest call on a surface, or says why not.
func (s *site) shown(surface, fault string) {
	s.t.Helper()
	calls, err := s.store.Undelivered(s.t.Context(), surface)
	if err != nil || len(calls) == 0 {
		s.t.Fatalf("calls for %s: %v, %v", surface, calls, err)
	}
	d := kiosk.Delivered{Surface: surface, Calls: []int64{calls[len(calls)-1].Seq}, Fault: fault}
	if err := s.store.Deliver(s.t.Context(), d); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) open(window string, change ...func(*kiosk.WindowRequest)) {
	s.t.Helper()
	r := kiosk.WindowRequest{Window: window, By: "li", Desk: kiosk.Open}
	for _, c := range change {
		c(&r)
	}
	if _, err := s.floor.SetWindow(s.t.Context(), r); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) window(id string) kiosk.WindowState {
	s.t.Helper()
	all, err := s.store.Snapshot(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, w := range all.Windows {
		if w.Window == id {
			return w
		}
	}
	s.t.Fatalf("no window %s in %+v", id, all.Windows)
	return kiosk.WindowState{}
}

func (s *site) next(window string) kiosk.Call {
	s.t.Helper()
	c, err := s.floor.Next(s.t.Context(), kiosk.CallRequest{Window: window, By: "li"})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *site) act(window string, a kiosk.Action) {
	s.t.Helper()
	if _, err := s.floor.Act(s.t.Context(), kiosk.ActRequest{Window: window, Action: a, By: "li"}); err != nil {
		s.t.Fatal(err)
	}
}

// touch opens the touch page and waits until it is ready.
func (s *site) touch(b *webtest.Browser) *webtest.Page {
	s.t.Helper()
	p := b.Open(s.t, s.url("/kiosk/k1"), 1080, 1920)
	p.See("请选择办事部门")
	p.See("打印机正常")
	return p
}

// signsIn types what Li signs in with, as she does: the number of her window last.
func signsIn(p *webtest.Page, secret, window string) {
	p.Type("[name=user]", "li")
	p.Type("[name=secret]", secret)
	p.Eval("document.querySelector('[name=window]').value = ''") // it may be the last one's
	p.Type("[name=window]", window+"\r")
}

// signedIn opens the console and signs Li in at window 1.
func (s *site) signedIn(b *webtest.Browser) *webtest.Page {
	s.t.Helper()
	p := b.Open(s.t, s.url("/console"), 1366, 768)
	signsIn(p, "1111", "1")
	p.See("1 号窗口")
	return p
}
