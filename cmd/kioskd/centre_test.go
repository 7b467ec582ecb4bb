package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
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

// signIn lets the test see the centre's pages.
func (c *testCentre) signIn() {
	c.t.Helper()
	c.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	c.submit("/sign-in", url.Values{"name": {"admin"}, "secret": {c.tool("user", "admin", "city")}})
}

// submit sends a form, and wants it taken.
func (c *testCentre) submit(path string, form url.Values) {
	c.t.Helper()
	res, err := c.http.PostForm("http://"+c.pages+path, form)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		c.t.Fatalf("POST %s: %d %s", path, res.StatusCode, text)
	}
}

// page returns a page in English.
func (c *testCentre) page(path string) string {
	c.t.Helper()
	res, err := c.http.Get("http://" + c.pages + path + "?lang=en")
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// number returns one of the centre's metrics.
func (c *testCentre) number(name string) string {
	c.t.Helper()
	return regexp.MustCompile(`(?m)^` + name + ` (.*)$`).FindStringSubmatch(c.page("/metrics"))[1]
}

// events returns what the centre has of a journal.
func (c *testCentre) events(o kiosk.Origin) (list []kiosk.Event) {
	c.t.Helper()
	c.look(func(s *store.Store) (err error) {
		list, err = s.Events(context.Background(), store.Origin{Hall: "small", Origin: o}, 0, 10_000)
		return err
	})
	return list
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

// A reporter is the small hall's hardware whose daemon reports to a centre.
type reporter struct {
	*rig
	centre *testCentre
	conf   string
	box    *config.Config
}

// newReporter starts a centre that the box has no certificate of yet.
func newReporter(t testing.TB) *reporter {
	t.Helper()
	r := &reporter{rig: newRig(t, 3000), centre: newCentre(t), conf: filepath.Join(t.TempDir(), "kioskd.toml")}
	text, err := os.ReadFile(smallHall)
	if err != nil {
		t.Fatal(err)
	}
	hall, err := filepath.Abs(filepath.Join(filepath.Dir(smallHall), "hall.toml"))
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Replace(string(text), `hall = "hall.toml"`, fmt.Sprintf("hall = %q", hall), 1) + fmt.Sprintf("\n[centre]\naddress = %q\n", r.centre.boxes)
	if err := os.WriteFile(r.conf, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	r.box, _ = config.Load(r.conf) // the daemon says what is wrong with it
	return r
}

// enrol gives the box a certificate of the centre.
func (r *reporter) enrol() {
	r.t.Helper()
	code := r.centre.tool("enrol-code", "small", r.box.Device, "host")
	if _, err := central.Enrol(r.t.Context(), config.CentrePass(r.state), code, time.Now); err != nil {
		r.t.Fatal(err)
	}
}

// work starts the daemon.
func (r *reporter) work() *process {
	r.t.Helper()
	return r.start(r.conf).healthy()
}
