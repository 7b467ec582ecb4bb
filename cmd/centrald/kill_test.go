package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/centraltest"
	"longcheng/central/store"
	"longcheng/central/store/storetest"
	"longcheng/kiosk/freeport"
)

// The real program, built once.
func TestProgram(t *testing.T) {
	bin := program(t)
	t.Run("killed", func(t *testing.T) { killed(t, bin) })
	t.Run("stopped", func(t *testing.T) { stopped(t, bin) })
}

// program builds the real centrald.
func program(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "centrald")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return bin
}

// centre is a centrald in a process of its own.
type centre struct {
	t            testing.TB
	bin          string
	args         []string
	boxes, pages string
	cmd          *exec.Cmd
	log          bytes.Buffer
}

func newCentre(t testing.TB, bin, dsn string) *centre {
	t.Helper()
	c := &centre{t: t, bin: bin, boxes: freePort(t), pages: freePort(t)}
	c.args = []string{"-state", t.TempDir(), "-boxes", c.boxes, "-pages", c.pages, "-database", dsn}
	conf := filepath.Join(t.TempDir(), "centrald.toml")
	must(t, os.WriteFile(conf, fmt.Appendf(nil, "[boxes]\naddress = %q\nnames = [\"127.0.0.1\"]\nrate = 100000\n", c.boxes), 0o600))
	c.args = append(c.args, "-config", conf)
	c.up()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("centrald said: %s", c.log.String())
		}
	})
	return c
}

func freePort(t testing.TB) string {
	t.Helper()
	at, err := freeport.Address()
	must(t, err)
	return at
}

func (c *centre) tool(args ...string) string {
	c.t.Helper()
	out, err := exec.Command(c.bin, append(append([]string{args[0]}, c.args...), args[1:]...)...).Output()
	must(c.t, err)
	return strings.TrimSpace(string(out))
}

// up starts the program and waits until it answers.
func (c *centre) up() {
	c.t.Helper()
	c.cmd = exec.Command(c.bin, append([]string{"run"}, c.args...)...)
	c.cmd.Stderr = &c.log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(c.t, c.cmd.Start())
	soon(c.t, "centrald", func() bool {
		res, err := http.Get("http://" + c.pages + "/healthz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == 200
	})
}

func (c *centre) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

func (c *centre) get(path string) string {
	c.t.Helper()
	res, err := http.Get("http://" + c.pages + path)
	must(c.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(c.t, err)
	return string(b)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func soon(t testing.TB, what string, come func() bool) {
	t.Helper()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(3*time.Minute)
	defer tick.Stop()
	for !come() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited three minutes for %s", what)
		}
	}
}

// A box ships while the test goes on.
func (c *centre) ship(device string, j *centraltest.Journal) *central.Outbox {
	c.t.Helper()
	p, err := central.Enrol(context.Background(), c.t.TempDir(), c.tool("enrol-code", "h1", device, "box"), time.Now)
	must(c.t, err)
	client, err := p.Client()
	must(c.t, err)
	x, err := central.NewOutbox(central.OutboxOptions{
		Journal: j, Client: client, Rate: 1e6, Linger: time.Millisecond, Backoff: func(int) time.Duration { return 5 * time.Millisecond },
	})
	must(c.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { x.Run(ctx) })
	c.t.Cleanup(func() { cancel(); wg.Wait() })
	return x
}

// The real program is killed at random moments under load, with either engine:
// journals stay contiguous, nothing is doubled, and nothing that was
// acknowledged is lost.
func killed(t *testing.T, bin string) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dsn := e.New(t)
			c := newCentre(t, bin, dsn)
			var journals []*centraltest.Journal
			var boxes []*central.Outbox
			for i := range 4 {
				j := centraltest.NewJournal(fmt.Sprint("k", i), 7, 500)
				journals, boxes = append(journals, j), append(boxes, c.ship(fmt.Sprint("k", i), j))
			}
			for range 5 {
				most := int64(0)
				for i, j := range journals {
					j.Fill(400)
					most = max(most, boxes[i].Shipping().Through)
				}
				soon(t, "progress", func() bool { return boxes[rand.IntN(4)].Shipping().Through > most })
				<-time.After(time.Duration(rand.IntN(20)) * time.Millisecond) // any moment of a commit
				c.kill()
				acked := boxes[0].Shipping().Through
				c.up()
				journals[0].Fill(50)
				soon(t, "more than was acknowledged", func() bool { return boxes[0].Shipping().Through > acked })
			}
			for i, x := range boxes {
				soon(t, "the rest", func() bool { return x.Shipping().Through == int64(journals[i].Len()) })
			}
			verify(t, dsn, journals)
		})
	}
}

// verify compares the database with the journals.
func verify(t *testing.T, dsn string, journals []*centraltest.Journal) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DSN: dsn})
	must(t, err)
	defer s.Close()
	for _, j := range journals {
		want := j.Slice(1, j.Len())
		got, err := s.Events(t.Context(), store.Origin{Hall: "h1", Origin: j.Origin()}, 0, len(want)+10)
		must(t, err)
		if len(got) != len(want) {
			t.Fatalf("%s: %d events, want %d", j.Origin().Device, len(got), len(want))
		}
		for i := range want {
			if got[i].Seq != want[i].Seq || !bytes.Equal(got[i].Hash, want[i].Hash) {
				t.Fatalf("%s: event %d differs", j.Origin().Device, want[i].Seq)
			}
		}
	}
	if c, err := s.Conflicts(t.Context()); err != nil || len(c) > 0 {
		t.Errorf("conflicts %v, %v", c, err)
	}
}

// SIGTERM ends the program within its bound, with boxes connected, and metrics
// say what was done.
func stopped(t *testing.T, bin string) {
	c := newCentre(t, bin, filepath.Join(t.TempDir(), "centre.db"))
	j := centraltest.NewJournal("k1", 7, 20)
	x := c.ship("k1", j)
	soon(t, "shipping", func() bool { return x.Shipping().Through == 20 })
	if m := c.get("/metrics"); !strings.Contains(m, "longcheng_events_total 20\n") || !strings.Contains(m, `longcheng_request_seconds_count{status="2xx",what="events"}`) {
		t.Errorf("metrics: %s", m)
	}
	p, err := central.Enrol(t.Context(), t.TempDir(), c.tool("enrol-code", "h1", "k2", "box"), time.Now)
	must(t, err)
	client, err := p.Client()
	must(t, err)
	ended, heard := make(chan error, 1), make(chan central.Message, 1)
	go func() {
		ended <- client.Stream(context.Background(), "k2", central.Position{}, time.Minute, func(m central.Message) error { heard <- m; return nil })
	}()
	file := filepath.Join(t.TempDir(), "hall.json")
	must(t, os.WriteFile(file, []byte(`{"id":"h1"}`), 0o600))
	if got := c.tool("send", "h1", "k2", "documents", "hall", file); got != "documents 1" {
		t.Errorf("sent %q", got)
	}
	select { // another process wrote it
	case m := <-heard:
		if m.Name != "hall" || string(m.Body) != `{"id":"h1"}` {
			t.Errorf("heard %+v", m)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the message does not come")
	}
	soon(t, "the stream", func() bool { return strings.Contains(c.get("/metrics"), "longcheng_boxes_connected 1\n") })
	must(t, c.cmd.Process.Signal(syscall.SIGTERM))
	done := make(chan error, 1)
	go func() { done <- c.cmd.Wait() }()
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(stopIn + 10*time.Second):
		t.Fatal("the program does not stop")
	}
	<-ended
}

// What cannot be is refused before anything is served.
func TestConfigurationIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		"sstate = \"x\"":             "settings nobody knows",
		"timezone = \"Shanghai\"":    "Asia/Shanghai",
		"[boxes]\nlisten = \"8443\"": "boxes.listen",
		"[pages]\ncert = \"a.pem\"":  "pages.cert",
		"[[hook]]\nname = \"a\"\nurl = \"https://x\"\nsecret = \"short\"":          "fewer than 16",
		"[[hook]]\nname = \"a\"\nurl = \"ftp://x\"\nsecret = \"0123456789abcdef\"": "no address",
		"[boxes]\nrate = -1": "boxes.rate",
		"[boxes":             "read configuration",
		"database = \"postgres://127.0.0.1:1/x?connect_timeout=1\"": "open store",
	} {
		path := filepath.Join(t.TempDir(), "c.toml")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		var errs bytes.Buffer
		if got := command([]string{"check", "-config", path, "-state", t.TempDir()}, io.Discard, &errs); got != 1 || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: %d %s", text, got, errs.String())
		}
	}
	var out bytes.Buffer
	if got := command([]string{"check", "-state", t.TempDir(), "-boxes", "127.0.0.1:0", "-pages", "127.0.0.1:0"}, &out, &out); got != 0 || !strings.Contains(out.String(), "good:") {
		t.Errorf("check: %d %s", got, out.String())
	}
	for _, args := range [][]string{nil, {"nothing"}, {"run", "-x"}} {
		if got := command(args, io.Discard, io.Discard); got != 2 {
			t.Errorf("%v: %d", args, got)
		}
	}
}

// The annotated configuration says the defaults, and every setting there is.
func TestAnnotatedConfiguration(t *testing.T) {
	const file = "../../deploy/centrald.toml"
	said, err := load(settings{config: file})
	must(t, err)
	plain, err := load(settings{})
	must(t, err)
	if !reflect.DeepEqual(said, plain) {
		t.Errorf("%s says %+v, the defaults are %+v", file, said, plain)
	}
	text, err := os.ReadFile(file)
	must(t, err)
	for _, key := range []string{"state", "database", "listen", "names", "address", "rate", "streams", "cert", "key", "name", "url", "secret", "directory"} {
		if !regexp.MustCompile(`(?m)^(# )?` + key + ` = `).Match(text) {
			t.Errorf("%s does not say %s", file, key)
		}
	}
}
