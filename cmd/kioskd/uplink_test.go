package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

var centrald = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(os.Getenv("KIOSKD_TEST_BIN"), "centrald")
	out, err := exec.Command("go", "build", "-o", bin, "../centrald").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build centrald: %w: %s", err, out)
	}
	return bin, nil
})

// A testCentre is the real centrald in a process of its own.
type testCentre struct {
	t            testing.TB
	state        string
	depot        string // of releases; empty
	boxes, pages string
	at           *namespace // nil: this machine's own network
	http         *http.Client
	log          lockedBuffer
	cmd          *exec.Cmd
}

func newCentre(t testing.TB) *testCentre { return newCentreAt(t, nil) }

func newCentreAt(t testing.TB, at *namespace) *testCentre {
	t.Helper()
	c := &testCentre{t: t, state: t.TempDir(), depot: t.TempDir(), boxes: at.address(t, 8443), pages: at.address(t, 8480), at: at, http: at.client()}
	name, _, _ := net.SplitHostPort(c.boxes)
	text := fmt.Sprintf("state = %q\n[boxes]\nlisten = %q\naddress = %q\nnames = [%q]\n[pages]\nlisten = %q\n[releases]\ndirectory = %q\n", c.state, c.boxes, c.boxes, name, c.pages, c.depot)
	if err := os.WriteFile(c.conf(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.up()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("centrald said:\n%s", c.log.String())
		}
	})
	return c
}

func (c *testCentre) conf() string { return filepath.Join(c.state, "centrald.toml") }

func (c *testCentre) up() {
	c.t.Helper()
	bin, err := centrald()
	if err != nil {
		c.t.Fatal(err)
	}
	c.cmd = commandWith(bin, &c.log, "run", "-config", c.conf())
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.at.in(func() { err = c.cmd.Start() })
	if err != nil {
		c.t.Fatal(err)
	}
	eventually(c.t, "centrald", c.well)
}

func (c *testCentre) well() bool {
	res, err := c.http.Get("http://" + c.pages + "/healthz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (c *testCentre) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	c.http.CloseIdleConnections()
}

// tool runs one of the centre's own commands.
func (c *testCentre) tool(args ...string) string {
	c.t.Helper()
	bin, _ := centrald()
	out, err := exec.Command(bin, append([]string{args[0], "-config", c.conf()}, args[1:]...)...).Output()
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// send gives the box a command.
func (c *testCentre) send(device, name, body string) {
	c.t.Helper()
	c.message(device, central.Commands, name, body)
}

// sendDocument gives the box a document.
func (c *testCentre) sendDocument(device, name, body string) {
	c.t.Helper()
	c.message(device, central.Documents, name, body)
}

func (c *testCentre) message(device, stream, name, body string) {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.tool("send", "small", device, stream, name, file)
}

// look opens the centre's store beside the program.
func (c *testCentre) look(f func(*store.Store) error) {
	c.t.Helper()
	s, err := store.Open(c.t.Context(), store.Options{DSN: filepath.Join(c.state, "centre.db")})
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	if err := f(s); err != nil {
		c.t.Fatal(err)
	}
}

// sent returns what became of the box's messages, the newest first.
func (c *testCentre) sent(device string) (list []store.Sent) {
	c.t.Helper()
	c.look(func(s *store.Store) (err error) {
		list, err = s.Sent(c.t.Context(), store.Device{Hall: "small", Device: device})
		return err
	})
	return list
}

// reporting writes the small hall's document with a centre.
func reporting(t testing.TB, centre string) string {
	t.Helper()
	text, err := os.ReadFile(smallHall)
	if err != nil {
		t.Fatal(err)
	}
	hall, err := filepath.Abs(filepath.Join(filepath.Dir(smallHall), "hall.toml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kioskd.toml")
	doc := strings.Replace(string(text), `hall = "hall.toml"`, fmt.Sprintf("hall = %q", hall), 1) + fmt.Sprintf("\n[centre]\naddress = %q\n", centre)
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// same wants the centre to have what the box wrote, and no conflict.
func (c *testCentre) same(state, conf string) {
	c.t.Helper()
	c.has(state, conf)
	c.look(func(centre *store.Store) error {
		list, err := centre.Conflicts(c.t.Context())
		if len(list) > 0 {
			return fmt.Errorf("conflicts: %+v", list)
		}
		return err
	})
}

// has compares what the centre has with what the box wrote.
func (c *testCentre) has(state, conf string) {
	c.t.Helper()
	box, _ := config.Load(conf)
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(state, "hall.db"), Hall: box.Hall, Origin: box.Device})
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	want, err := s.Journal(c.t.Context(), 0, 10_000)
	if err != nil {
		c.t.Fatal(err)
	}
	want = want[:len(want)-1] // this very look booted
	c.look(func(centre *store.Store) error {
		got, err := centre.Events(c.t.Context(), store.Origin{Hall: box.Hall.ID, Origin: s.Origin()}, 0, 10_000)
		if err != nil {
			return err
		}
		if len(got) > len(want) {
			return fmt.Errorf("the centre has %d events, the box wrote %d", len(got), len(want))
		}
		tickets := 0
		for i, e := range got {
			if e.Seq != int64(i+1) || !bytes.Equal(e.Hash, want[i].Hash) {
				return fmt.Errorf("event %d differs", i+1)
			}
			if e.Kind == kiosk.KindIssued {
				tickets++
			}
		}
		if tickets != c.tickets(want) {
			return fmt.Errorf("the centre has %d tickets, the box gave %d", tickets, c.tickets(want))
		}
		return nil
	})
}

func (c *testCentre) tickets(events []kiosk.Event) (n int) {
	for _, e := range events {
		if e.Kind == kiosk.KindIssued {
			n++
		}
	}
	return n
}

func (c *testCentre) enrol(state, device string) {
	c.t.Helper()
	if _, err := central.Enrol(c.t.Context(), config.CentrePass(state), c.tool("enrol-code", "small", device, "host"), time.Now); err != nil {
		c.t.Fatal(err)
	}
}

// The real daemon reports to the real centre. Either is killed without a word:
// tickets are given all the same, and in the end the centre has every event once.
func TestReportsToTheCentre(t *testing.T) {
	c, r := newCentre(t), newRig(t, 3000)
	conf := reporting(t, c.boxes)
	box, _ := config.Load(conf)
	d := r.start(conf).healthy()
	d.until("healthz to ask for a code", func() bool { return strings.Contains(d.health(), "kioskctl enrol CODE") })
	d.ticket(false)
	c.enrol(r.state, box.Device)
	current := func() { d.until("the centre", func() bool { return strings.Contains(d.health(), "current since") }) }
	current()
	for range 2 {
		c.kill()
		d.ticket(false)
		d.until("healthz to say that the centre is away", func() bool {
			h := d.health()
			return strings.HasPrefix(h, "ok\n") && strings.Contains(h, "away since") && !strings.Contains(h, " 0 events waiting")
		})
		d.ticket(false)
		d.signal(syscall.SIGKILL)
		<-d.done
		d = r.start(conf).healthy()
		d.ticket(false)
		c.up()
		current()
	}
	if n := d.logged("device needs attention", "device=centre", "away"); n != 1 {
		t.Errorf("the log says %d times that the centre is away, want 1", n)
	}
	d.ticket(false)
	d.until("the last ticket", func() bool { return strings.Contains(d.health(), " 0 waiting") })
	d.stop()
	c.same(r.state, conf)
}

// What the centre orders is done once, and what became of it is reported.
func TestOrdersOfTheCentre(t *testing.T) {
	c, r := newCentre(t), newRig(t, 3000)
	conf := reporting(t, c.boxes)
	box, _ := config.Load(conf)
	c.enrol(r.state, box.Device)
	d := r.start(conf).healthy()
	acked := func(n int) {
		d.until(fmt.Sprintf("%d answers", n), func() bool {
			done := 0
			for _, m := range c.sent(box.Device) {
				if !m.Acked.IsZero() {
					done++
				}
			}
			return done == n
		})
	}
	c.send(box.Device, "announce", `[{"zh":"今日提前下班","en":"We close early today"}]`)
	c.send(box.Device, "announce", `{"zh":"not a list"}`)
	c.send(box.Device, "fly", `{}`)
	acked(3)
	d.ticket(true)
	d.slips(r, 1)
	d.until("the printer to be free", r.taps.idle)
	c.send(box.Device, central.CommandTestTicket, `{"printer":"printer-1"}`)
	c.send(box.Device, central.CommandTestTicket, `{"printer":"printer-9"}`)
	acked(5)
	d.slips(r, 2)
	c.send(box.Device, "restart", `{}`)
	if status, _ := d.exit(); status != 1 || d.logged("the centre ordered a restart") == 0 {
		t.Errorf("ended with %d", status)
	}
	d = r.start(conf).healthy()
	acked(6)
	want := map[int64]string{1: "", 2: "cannot unmarshal", 3: `knows no commands "fly"`, 4: "", 5: `no printer "printer-9"`, 6: ""}
	for _, m := range c.sent(box.Device) {
		if said := want[m.Number]; m.OK != (said == "") || !strings.Contains(m.Text, said) {
			t.Errorf("%s %d: %v %q", m.Name, m.Number, m.OK, m.Text)
		}
	}
	text, err := os.ReadFile(filepath.Join(r.state, announceFile))
	if err != nil || !strings.Contains(string(text), "今日提前下班") {
		t.Errorf("announcements: %s, %v", text, err)
	}
	d.stop()
}

// Every number that a rule or a panel names is one that a program gives.
func TestMetricsThatAreNamedExist(t *testing.T) {
	c, r := newCentre(t), newRig(t, 3000)
	conf := reporting(t, c.boxes)
	box, _ := config.Load(conf)
	c.enrol(r.state, box.Device)
	d := r.start(conf).healthy()
	d.ticket(true)
	d.until("the centre", func() bool { return strings.Contains(d.health(), "current since") })
	d.slips(r, 1)
	_, page := d.answer("GET", "/metrics", "", nil)
	given := string(page) + "\nlongcheng_paper_left_tickets" // a roll is known after a few metres
	res, err := http.Get("http://" + c.pages + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	given += string(text)
	named := regexp.MustCompile(`\b(?:longcheng|process|go)_[a-z_]+[a-z]`)
	n := 0
	for _, file := range []string{"grafana.json", "alerts.yml"} {
		text, err := os.ReadFile("../../deploy/observability/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named.FindAllString(string(text), -1) {
			n++
			if !regexp.MustCompile(`(?m)^` + name + `\b`).MatchString(given) {
				t.Errorf("%s names %s, which no program gives", file, name)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d names found: the test looks in the wrong place", n)
	}
	d.until("its status at the centre", func() bool {
		known := false
		c.look(func(s *store.Store) error {
			all, err := s.Statuses(t.Context(), box.Hall.ID)
			is := all[store.Device{Hall: box.Hall.ID, Device: box.Device}].Is
			known = is.Hall != nil && len(is.Hall.Windows) == len(box.Hall.Windows) && len(is.Parts) > 3 && is.Config != ""
			return err
		})
		return known
	})
	d.stop()
}

// Numbers are for programs of this machine.
func TestMetricsAreLocal(t *testing.T) {
	for addr, want := range map[string]int{"127.0.0.1:5": 200, "[::1]:5": 200, "192.168.1.9:5": 403, "nonsense": 403} {
		q := httptest.NewRequest("GET", "/metrics", nil)
		q.RemoteAddr = addr
		said := httptest.NewRecorder()
		localOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(said, q)
		if said.Code != want {
			t.Errorf("%s: %d", addr, said.Code)
		}
	}
}

// The file of a box is replaced by an old copy of itself. The centre knows more of
// its journal: the box begins a new one, no number of an event comes twice, and
// what it does from then on is at the centre, too.
func TestAnOldCopyBeginsANewJournal(t *testing.T) {
	c, r := newCentre(t), newRig(t, 3000)
	conf := reporting(t, c.boxes)
	box, _ := config.Load(conf)
	c.enrol(r.state, box.Device)
	sent := func(d *process) {
		t.Helper()
		d.until("the centre to have it", func() bool {
			h := d.health()
			return strings.Contains(h, "current since") && strings.Contains(h, " 0 waiting")
		})
	}
	d := r.start(conf).healthy()
	d.ticket(false)
	sent(d)
	d.stop()
	db := filepath.Join(r.state, "hall.db")
	old, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	was, err := sqlite.OriginOf(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	d = r.start(conf).healthy()
	for range 3 {
		d.ticket(false)
	}
	sent(d)
	d.signal(syscall.SIGKILL)
	<-d.done
	before := len(c.events(was))
	for _, f := range []string{"-wal", "-shm"} {
		_ = os.Remove(db + f) // it may not be there
	}
	if err := os.WriteFile(db, old, 0o600); err != nil {
		t.Fatal(err)
	}
	d = r.start(conf)
	d.until("a new journal", func() bool {
		o, err := sqlite.OriginOf(t.Context(), db)
		return err == nil && o.Epoch > was.Epoch
	})
	d.healthy().ticket(false)
	sent(d)
	d.stop()
	if n := len(c.events(was)); n != before {
		t.Errorf("the old journal has %d events at the centre, and had %d", n, before)
	}
	c.same(r.state, conf)
	last := c.lastNumber(was)
	if is, err := sqlite.OriginOf(t.Context(), db); err != nil || c.lastNumber(is) <= last {
		t.Errorf("after the old journal's %s the new one gave %s, %v", last, c.lastNumber(is), err)
	}
}

// The centre's file is replaced by a backup of it, made while it ran. What came
// since then is sent again by the hall, and is there once.
func TestARestoredCentreIsFilledAgain(t *testing.T) {
	c, r := newCentre(t), newRig(t, 3000)
	conf := reporting(t, c.boxes)
	box, _ := config.Load(conf)
	c.enrol(r.state, box.Device)
	d := r.start(conf).healthy()
	d.ticket(false)
	d.sent()
	at, backup := c.through(box), filepath.Join(t.TempDir(), "backup.db")
	file := filepath.Join(c.state, "centre.db")
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "VACUUM INTO ?", backup); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		d.ticket(false)
	}
	d.sent()
	c.kill()
	for _, f := range []string{"-wal", "-shm"} {
		_ = os.Remove(file + f) // it may not be there
	}
	if err := os.Rename(backup, file); err != nil {
		t.Fatal(err)
	}
	if back := c.through(box); back != at {
		t.Errorf("the backup stands at %d, and was made at %d", back, at)
	}
	c.up()
	d.ticket(false)
	d.until("the hall to fill the centre", func() bool { return c.through(box) > at+5 })
	d.sent()
	d.stop()
	c.same(r.state, conf)
}

// through is how far the centre has the journal of the box.
func (c *testCentre) through(box *config.Config) (n int64) {
	c.t.Helper()
	c.look(func(s *store.Store) error {
		all, err := s.Boxes(c.t.Context(), box.Hall.ID)
		for _, b := range all {
			if b.Device == box.Device {
				n = b.Through
			}
		}
		return err
	})
	return n
}

// lastNumber is the number of the last ticket of a journal.
func (c *testCentre) lastNumber(o kiosk.Origin) (number string) {
	c.t.Helper()
	for _, e := range c.events(o) {
		var i kiosk.Issued
		if e.Kind == kiosk.KindIssued && json.Unmarshal(e.Body, &i) == nil {
			number = i.Visit.Number
		}
	}
	return number
}
