package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// A member is one box of a hall of several, as a real process.
type member struct {
	*process
	device, conf, state string
	offset              time.Duration
	at                  *namespace // nil: this machine's own network
}

// A severalHall is the three-box sample with real processes and certificates on
// this machine.
type severalHall struct {
	t      *testing.T
	dir    string
	at     string // of the host, for boxes
	then   string // of the stand-in, once it hosts
	host   *member
	places map[string]*namespace // by device; none: all on this machine's own network
}

// document copies one of the sample's documents with what differs here.
func (h *severalHall) document(sample, device string) string {
	h.t.Helper()
	text, err := os.ReadFile("../../deploy/halls/three/" + sample)
	if err != nil {
		h.t.Fatal(err)
	}
	hall, _ := filepath.Abs("../../deploy/halls/small/hall.toml")
	s := strings.NewReplacer(
		"../small/hall.toml", hall, "127.0.0.1:8443", h.at, "127.0.0.1:8444", h.then,
		`device = "kiosk-1"`, `device = "`+device+`"`,
		"printer = \"printer-1\"\n", "", "reader = \"reader-1\"\n", "", // no paper here
	).Replace(string(text))
	path := filepath.Join(h.dir, device+".toml")
	if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

func newSeveralHall(t *testing.T) *severalHall {
	h := &severalHall{t: t, dir: t.TempDir(), at: freePort(t), then: freePort(t)}
	h.host = h.box("host.toml", "host").start()
	h.host.healthy()
	return h
}

func (h *severalHall) box(sample, device string) *member {
	h.t.Helper()
	m := &member{device: device, conf: h.document(sample, device), state: filepath.Join(h.dir, device), at: h.places[device]}
	m.process = &process{t: h.t}
	if err := os.MkdirAll(filepath.Join(m.state, "ports"), 0o755); err != nil {
		h.t.Fatal(err)
	}
	return m
}

// start runs the box as systemd does.
func (m *member) start() *member {
	m.t.Helper()
	bin, err := program()
	if err != nil {
		m.t.Fatal(err)
	}
	listen := m.at.address(m.t, 8080)
	d := &process{t: m.t, url: "http://" + listen, done: make(chan struct{}), http: m.at.client()}
	d.cmd = exec.Command(bin, "run", "-config", m.conf, "-state", m.state, "-listen", listen, "-clock-offset", (m.offset + awayFromMidnight()).String(), "-clock-steps", m.clock())
	d.cmd.Stderr = &d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	m.at.in(func() { err = d.cmd.Start() })
	if err != nil {
		m.t.Fatal(err)
	}
	go func() { d.err = d.cmd.Wait(); close(d.done) }()
	m.t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // it has usually ended
		<-d.done
		d.http.CloseIdleConnections()
		if m.t.Failed() {
			m.t.Logf("%s said:\n%s", m.device, d.log.String())
		}
	})
	m.process = d
	return m
}

func (m *member) kill() {
	m.t.Helper()
	m.signal(syscall.SIGKILL)
	<-m.done
	m.http.CloseIdleConnections()
}

// join enrols a box with a code of the host and starts it.
func (h *severalHall) join(sample, device string) *member {
	h.t.Helper()
	m := h.box(sample, device)
	h.enrol(m)
	m.start().joined()
	return m
}

func (h *severalHall) enrol(m *member) {
	h.t.Helper()
	d, err := door.Open(h.host.state, "small", door.Names(h.at), time.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	role := "box"
	if m.device == "display-1" {
		role = door.StandinRole
	}
	code, err := d.NewCode(h.at, m.device, role)
	if err != nil {
		h.t.Fatal(err)
	}
	m.at.enrol(h.t, door.PassDir(m.state), code.String())
}

// host says how the hall's host stands, in the box's own words.
func (m *member) hostState() string {
	_, text := m.answer("GET", "/healthz", "application/json", nil)
	var d diagnosis
	if json.Unmarshal(text, &d) != nil {
		return ""
	}
	for _, r := range d.Devices {
		if r.Device == hostAway {
			return r.State
		}
	}
	return ""
}

func (m *member) joined() {
	m.t.Helper()
	m.until("the host and a full reserve", func() bool { return m.hostState() == ready })
}

// take takes a ticket, however often it has to ask with the same key.
func (m *member) take(key string) kiosk.Issued {
	m.t.Helper()
	var got kiosk.Issued
	m.until("ticket "+key, func() bool {
		status, text := m.post("tickets", key, map[string]any{"kiosk": "touch-1", "item": "social-card"})
		if status/100 == 2 {
			if err := json.Unmarshal(text, &got); err != nil {
				m.t.Fatal(err)
			}
		} else if status == http.StatusConflict && !bytes.Contains(text, []byte("no_reserve")) {
			m.t.Fatalf("%s refuses ticket %s: %s", m.device, key, text)
		}
		return status/100 == 2
	})
	return got
}

func (m *member) post(path, key string, body any) (int, []byte) {
	b, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(m.t.Context(), "POST", m.url+"/api/v1/"+path, bytes.NewReader(b))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := m.http.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		return 0, nil
	}
	return res.StatusCode, text.Bytes()
}

// journal stops nothing: it reads a store whose daemon has ended.
func (m *member) journal() (events []kiosk.Event) {
	m.t.Helper()
	if r, err := sqlite.Verify(context.Background(), filepath.Join(m.state, "hall.db")); err != nil || len(r.Faults) > 0 {
		m.t.Fatalf("%s: verify: %v %v", m.device, err, r.Faults)
	}
	c, _ := config.Load(m.conf)
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(m.state, "hall.db"), Hall: c.Hall, Origin: m.device, Version: "audit"})
	if err != nil {
		m.t.Fatal(err)
	}
	defer s.Close()
	for {
		page, err := s.Journal(context.Background(), int64(len(events)), 10_000)
		if err != nil {
			m.t.Fatal(err)
		}
		if events = append(events, page...); len(page) == 0 {
			return events
		}
	}
}

// A paper is a ticket that somebody holds.
type paper struct {
	id, number, box string
	day             kiosk.Day
	taken           time.Time
}

// An audit compares papers with the host's journal.
type audit struct {
	mu     sync.Mutex
	papers []paper
}

func (a *audit) hold(box string, i kiosk.Issued) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.papers = append(a.papers, paper{i.Visit.ID, i.Visit.Number, box, i.Visit.Day, i.Visit.TakenAt})
}

func (a *audit) count(box string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.papers {
		if p.box == box {
			n++
		}
	}
	return n
}

// check wants every paper in the journal once, with its number and time, no
// number on two papers, and nobody waiting whose number is on no paper.
func (a *audit) check(t *testing.T, events []kiosk.Event) {
	t.Helper()
	for _, v := range a.compare(t, events) {
		t.Errorf("%s is in the journal and on no paper", v.Number)
	}
}

// compare checks the papers, and returns the visits that are on none.
func (a *audit) compare(t *testing.T, events []kiosk.Event) (ghosts []kiosk.Visit) {
	t.Helper()
	type entry struct {
		Visit kiosk.Visit `json:"visit"`
		Voids []struct{ Leg kiosk.Leg }
	}
	known, voided, byNumber := map[string]kiosk.Visit{}, map[string]bool{}, map[string]string{}
	for _, e := range events {
		if e.Kind != kiosk.KindIssued {
			continue
		}
		var b entry
		if err := json.Unmarshal(e.Body, &b); err != nil {
			t.Fatal(err)
		}
		known[b.Visit.ID] = b.Visit
		for _, v := range b.Voids {
			voided[v.Leg.Visit] = true
		}
	}
	for _, p := range a.papers {
		v, ok := known[p.id]
		switch {
		case !ok:
			t.Errorf("paper %s of %s is not in the journal", p.number, p.box)
		case voided[p.id]:
			t.Errorf("paper %s of %s was voided", p.number, p.box)
		case v.Number != p.number || v.TakenAt.Sub(p.taken).Abs() > time.Millisecond || !v.Legs[0].Arrival.Equal(v.TakenAt):
			t.Errorf("paper %s of %s, taken %s, is %s, taken %s, arrived %s in the journal", p.number, p.box, p.taken, v.Number, v.TakenAt, v.Legs[0].Arrival)
		}
		if other, twice := byNumber[p.number]; twice && other != p.id {
			t.Errorf("number %s is on two papers", p.number)
		}
		byNumber[p.number] = p.id
		delete(known, p.id)
	}
	for id, v := range known {
		if !voided[id] {
			ghosts = append(ghosts, v)
		}
	}
	return ghosts
}

// rush lets citizens come to a kiosk until the context ends, faster than anybody
// can read a screen, but not so fast that a reserve is gone before it is noticed.
func (a *audit) rush(ctx context.Context, wg *sync.WaitGroup, m *member) {
	for c := range 2 {
		wg.Go(func() {
			next := time.NewTicker(100 * time.Millisecond)
			defer next.Stop()
			for i := 0; ctx.Err() == nil; i++ {
				a.hold(m.device, m.take(fmt.Sprintf("%s-%d-%d", m.device, c, i)))
				<-next.C
			}
		})
	}
}

// A whole hall on four real processes. The host is killed under load, the kiosks
// go on, it comes back, and is killed again while it is taking the tickets over.
// Every paper is in its journal once, in the order of time.
func TestAHallSurvivesItsHost(t *testing.T) {
	h := newSeveralHall(t)
	k1, k2, d1 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2"), h.join("display.toml", "display-1")
	a := &audit{}
	for _, k := range []*member{k1, k2} { // at the desk nobody is slowed down
		k.signIn()
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wg sync.WaitGroup
	a.rush(ctx, &wg, k1)
	a.rush(ctx, &wg, k2)
	more := func(n int) {
		t.Helper()
		n1, n2 := a.count("kiosk-1")+n, a.count("kiosk-2")+n
		k1.until("more tickets", func() bool { return a.count("kiosk-1") >= n1 && a.count("kiosk-2") >= n2 })
	}
	more(20)
	h.host.kill()
	more(4)
	k1.until("the kiosk to say that its host is away", func() bool { return strings.HasPrefix(k1.hostState(), "away") })
	h.host.start().healthy()
	k1.joined()
	k2.joined()
	more(1)
	h.host.kill()
	more(3)
	h.host.start().healthy()
	more(10)
	end()
	wg.Wait()
	for _, m := range []*member{k1, k2, d1} {
		m.joined()
	}
	h.host.open("1")
	called, _ := h.host.post("windows/1/next", "call-1", map[string]any{})
	if called/100 != 2 {
		t.Errorf("call: %d", called)
	}
	d1.until("the voice of the display box", func() bool {
		said, err := os.ReadFile(filepath.Join(d1.state, "voice-hall.txt"))
		return err == nil && len(said) > 0
	})
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, d1, h.host} {
		m.stop()
	}
	events := h.host.journal()
	a.check(t, events)
	if !slices.ContainsFunc(events, func(e kiosk.Event) bool {
		return e.Kind == kiosk.KindDelivered && bytes.Contains(e.Body, []byte(`"surface":"display-1/voice:hall"`))
	}) {
		t.Error("what the display box said is not in the host's journal")
	}
	reserve := slices.DeleteFunc(slices.Clone(a.papers), func(p paper) bool { return p.number < "B500" })
	if len(reserve) < 8 {
		t.Errorf("only %d of %d tickets came from the reserve", len(reserve), len(a.papers))
	}
	t.Logf("%d papers, %d from the reserve, %d events", len(a.papers), len(reserve), len(events))
}

// signIn makes requests come from the desk.
func (m *member) signIn() {
	m.t.Helper()
	m.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	m.must("session", map[string]any{"user": "supervisor", "secret": "1234"})
}

// owed is how many tickets the box still has to hand in.
func (m *member) owed() int {
	_, text := m.answer("GET", "/healthz", "application/json", nil)
	var d diagnosis
	if json.Unmarshal(text, &d) != nil || d.Owed == nil {
		return -1
	}
	return *d.Owed
}

// The host's card is replaced by a copy of an hour ago; later a kiosk gets a new
// card. No number comes twice.
func TestOldAndNewCardsGiveNoNumberTwice(t *testing.T) {
	h := newSeveralHall(t)
	k1, k2 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2")
	a := &audit{}
	n := 0
	take := func(m *member, times int) {
		t.Helper()
		for range times {
			n++
			a.hold(m.device, m.take(fmt.Sprint(n)))
		}
	}
	take(k1, 3)
	h.host.stop()
	db := filepath.Join(h.host.state, "hall.db")
	old, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	h.host.start().healthy()
	k1.joined()
	k2.joined()
	take(k1, 3)
	take(k2, 2)
	k1.until("the kiosk to have seen it", func() bool { return k1.sees(n-2) && k2.sees(n-2) })
	h.host.kill()
	for _, f := range []string{"-wal", "-shm"} {
		_ = os.Remove(db + f) // it may not be there
	}
	if err := os.WriteFile(db, old, 0o600); err != nil {
		t.Fatal(err)
	}
	h.host.start().healthy()
	k1.joined()
	k2.joined()
	take(k1, 2)
	take(k2, 2)

	k1.kill() // a new card: the store and what it had seen are gone
	for _, f := range []string{"hall.db", "hall.db-wal", "hall.db-shm", "hall-seen.json"} {
		_ = os.Remove(filepath.Join(k1.state, f)) // it may not be there
	}
	h.enrol(k1)
	k1.start().joined()
	take(k1, 2)
	h.host.kill()
	take(k1, 3)
	take(k2, 3)
	h.host.start().healthy()
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, h.host} {
		m.stop()
	}
	numbers := map[string]string{}
	for _, p := range a.papers {
		if other, twice := numbers[p.number]; twice {
			t.Errorf("%s was given by %s and %s", p.number, other, p.box)
		}
		numbers[p.number] = p.box
	}
	terms := 0
	for _, e := range h.host.journal() {
		if e.Kind == kiosk.KindTerm {
			terms++
		}
	}
	if terms == 0 {
		t.Error("the host never learned that it had been set back")
	}
	t.Logf("%d papers: %v", len(a.papers), slices.SortedFunc(maps.Keys(numbers), cmp.Compare[string]))
}

// sees reports whether the box knows of at least so many online numbers.
func (m *member) sees(numbers int) bool {
	s, err := readSeen(m.state)
	return err == nil && s.Numbers["B"] >= numbers
}

// clock is the file by which the box's clock is set while it runs.
func (m *member) clock() string { return filepath.Join(m.state, "clock") }

// jump sets the clock of a running box.
func (m *member) jump(step time.Duration) {
	m.t.Helper()
	if err := central.WriteFile(m.clock(), []byte(step.String()), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// set starts a box again with another clock.
func (m *member) set(offset time.Duration) *member {
	m.t.Helper()
	m.stop()
	m.offset = offset
	return m.start()
}

// The clocks of a hall jump over midnight and back, a kiosk's before the host's,
// with the host there and away. Every paper is in the journal once, no number
// comes twice on a day, and nobody is sent to the desk.
func TestClocksJumpOverMidnightAndBack(t *testing.T) {
	h := newSeveralHall(t)
	over := h.midnight() + 30*time.Minute
	k1, k2 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2")
	a, n := &audit{}, 0
	take := func(boxes ...*member) {
		t.Helper()
		for _, m := range boxes {
			for range 2 {
				n++
				a.hold(m.device, m.take(fmt.Sprint(n)))
			}
		}
	}
	take(k1, k2)
	k1.set(over).joined()
	take(k1, k2)
	h.host.kill()
	take(k1, k2)
	h.host.offset = over
	h.host.start().healthy()
	k1.joined()
	k2.joined()
	take(k1, k2)
	h.host.set(0).healthy()
	k1.set(0).joined()
	k2.joined()
	take(k1, k2)
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, h.host} {
		m.stop()
	}
	known := a.days(t, h.host.journal())
	t.Logf("%d papers, %d events of tickets, clocks %s ahead and back", len(a.papers), known, over.Round(time.Minute))
}

// days wants every paper in the journal once, no number twice on a business day, and
// nobody sent to the desk. It returns how many tickets are in the journal.
func (a *audit) days(t *testing.T, events []kiosk.Event) int {
	t.Helper()
	type entry struct {
		Visit kiosk.Visit `json:"visit"`
	}
	known, numbers := map[string]string{}, map[string]string{}
	for _, e := range events {
		var b entry
		if e.Kind == kiosk.KindIssued && json.Unmarshal(e.Body, &b) == nil {
			if known[b.Visit.ID] != "" {
				t.Errorf("%s is in the journal twice", b.Visit.Number)
			}
			known[b.Visit.ID] = b.Visit.Number
			key := string(b.Visit.Day) + " " + b.Visit.Number
			if numbers[key] != "" {
				t.Errorf("%s was given twice", key)
			}
			numbers[key] = b.Visit.ID
		}
		if bytes.Contains(e.Body, []byte("cannot be taken over")) {
			t.Errorf("somebody was sent to the desk: %s", e.Body)
		}
	}
	for _, p := range a.papers {
		if known[p.id] != p.number {
			t.Errorf("paper %s of %s is %q in the journal", p.number, p.box, known[p.id])
		}
	}
	return len(known)
}

// The clocks of host and kiosks are set while all of them run and citizens come: to
// the last second of the day, over midnight, and back, in any order. Nobody's number
// comes twice on a day, and every paper is in the journal.
func TestClocksAreSetUnderARunningHall(t *testing.T) {
	h := newSeveralHall(t)
	k1, k2 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2")
	for _, k := range []*member{k1, k2} { // at the desk nobody is slowed down
		k.signIn()
	}
	a, boxes := &audit{}, []*member{h.host, k1, k2}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var people sync.WaitGroup
	a.rush(ctx, &people, k1)
	a.rush(ctx, &people, k2)
	for range 12 {
		box := boxes[dice.IntN(len(boxes))]
		box.jump([]time.Duration{0, h.midnight() - time.Second, h.midnight() + 30*time.Minute}[dice.IntN(3)])
		n1, n2 := a.count(k1.device)+2, a.count(k2.device)+2
		k1.until("more tickets", func() bool { return a.count(k1.device) >= n1 && a.count(k2.device) >= n2 })
	}
	for _, m := range boxes {
		m.jump(0)
	}
	end()
	people.Wait()
	for _, m := range boxes[1:] {
		m.joined()
	}
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, h.host} {
		m.stop()
	}
	events := h.host.journal()
	days := map[kiosk.Day]bool{}
	for _, p := range a.papers {
		days[p.day] = true
	}
	t.Logf("%d papers of %d days, %d tickets in the journal", len(a.papers), len(days), a.days(t, events))
}

// midnight is how far the next one is from the clocks of the hall.
func (h *severalHall) midnight() time.Duration {
	c, _ := config.Load(h.host.conf)
	now := time.Now().In(c.Hall.Location())
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location()).Sub(now) - awayFromMidnight()
}
