package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk/sqlite"
)

// The real daemon reports to the real centre. Either is killed without a word:
// tickets are given all the same, and in the end the centre has every event once.
func TestReportsToTheCentre(t *testing.T) {
	r := newReporter(t)
	c := r.centre
	d := r.work()
	d.until("healthz to ask for a code", func() bool { return strings.Contains(d.health(), "kioskctl enrol CODE") })
	d.ticket(false)
	r.enrol()
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
		d = r.work()
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
	c.same(r.state, r.conf)
}

// What the centre orders is done once, and what became of it is reported.
func TestOrdersOfTheCentre(t *testing.T) {
	r := newReporter(t)
	c := r.centre
	r.enrol()
	d := r.work()
	acked := func(n int) {
		d.until(fmt.Sprintf("%d answers", n), func() bool {
			done := 0
			for _, m := range c.sent(r.box.Device) {
				if !m.Acked.IsZero() {
					done++
				}
			}
			return done == n
		})
	}
	c.send(r.box.Device, "announce", `[{"zh":"今日提前下班","en":"We close early today"}]`)
	c.send(r.box.Device, "announce", `{"zh":"not a list"}`)
	c.send(r.box.Device, "fly", `{}`)
	acked(3)
	d.ticket(true)
	d.slips(r.rig, 1)
	d.until("the printer to be free", r.taps.idle)
	c.send(r.box.Device, central.CommandTestTicket, `{"printer":"printer-1"}`)
	c.send(r.box.Device, central.CommandTestTicket, `{"printer":"printer-9"}`)
	acked(5)
	d.slips(r.rig, 2)
	c.send(r.box.Device, "restart", `{}`)
	if status, _ := d.exit(); status != 1 || d.logged("the centre ordered a restart") == 0 {
		t.Errorf("ended with %d", status)
	}
	d = r.work()
	acked(6)
	want := map[int64]string{1: "", 2: "cannot unmarshal", 3: `knows no commands "fly"`, 4: "", 5: `no printer "printer-9"`, 6: ""}
	for _, m := range c.sent(r.box.Device) {
		if said := want[m.Number]; m.OK != (said == "") || !strings.Contains(m.Text, said) || !m.OK && !strings.Contains(m.Text, central.Between) {
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
	r := newReporter(t)
	c := r.centre
	r.enrol()
	d := r.work()
	d.ticket(true)
	d.until("the centre", func() bool { return strings.Contains(d.health(), "current since") })
	d.slips(r.rig, 1)
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
			all, err := s.Statuses(t.Context(), r.box.Hall.ID)
			is := all[store.Device{Hall: r.box.Hall.ID, Device: r.box.Device}].Is
			known = is.Hall != nil && len(is.Hall.Windows) == len(r.box.Hall.Windows) && len(is.Parts) > 3 && is.Config != ""
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
	r := newReporter(t)
	c := r.centre
	r.enrol()
	d := r.work()
	d.ticket(false)
	d.sent()
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
	d = r.work()
	for range 3 {
		d.ticket(false)
	}
	d.sent()
	d.signal(syscall.SIGKILL)
	<-d.done
	before := len(c.events(was))
	for _, f := range []string{"-wal", "-shm"} {
		_ = os.Remove(db + f) // it may not be there
	}
	if err := os.WriteFile(db, old, 0o600); err != nil {
		t.Fatal(err)
	}
	d = r.start(r.conf)
	d.until("a new journal", func() bool {
		o, err := sqlite.OriginOf(t.Context(), db)
		return err == nil && o.Epoch > was.Epoch
	})
	d.healthy().ticket(false)
	d.sent()
	d.stop()
	if n := len(c.events(was)); n != before {
		t.Errorf("the old journal has %d events at the centre, and had %d", n, before)
	}
	c.same(r.state, r.conf)
	last := c.lastNumber(was)
	if is, err := sqlite.OriginOf(t.Context(), db); err != nil || c.lastNumber(is) <= last {
		t.Errorf("after the old journal's %s the new one gave %s, %v", last, c.lastNumber(is), err)
	}
}

// The centre's file is replaced by a backup of it, made while it ran. What came
// since then is sent again by the hall, and is there once.
func TestARestoredCentreIsFilledAgain(t *testing.T) {
	r := newReporter(t)
	c := r.centre
	r.enrol()
	d := r.work()
	d.ticket(false)
	d.sent()
	at, backup := c.through(r.box), filepath.Join(t.TempDir(), "backup.db")
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
	if back := c.through(r.box); back != at {
		t.Errorf("the backup stands at %d, and was made at %d", back, at)
	}
	c.up()
	d.ticket(false)
	d.until("the hall to fill the centre", func() bool { return c.through(r.box) > at+5 })
	d.sent()
	d.stop()
	c.same(r.state, r.conf)
}
