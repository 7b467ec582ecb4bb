//go:build compat

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"longcheng/central"
)

var before = flag.String("before", "", "directory with kioskd, kioskctl and centrald of an earlier release; make test-compat builds them")

// TestTwoReleasesWorkTogether: a box of before at a centre of now, and the other way
// round; then the box changes its release and changes it back. Nothing that it
// wrote is lost, and the centre reaches it each time.
func TestTwoReleasesWorkTogether(t *testing.T) {
	if *before == "" {
		t.Fatal("needs the programs of an earlier release: make test-compat")
	}
	now := t.TempDir()
	builder := &machine{t: t}
	for _, program := range []string{"kioskd", "kioskctl", "centrald"} {
		builder.build(program, "now", now)
	}
	for name, c := range map[string]struct{ box, centre, then string }{
		"an old box at a new centre": {*before, now, now},
		"a new box at an old centre": {now, *before, *before},
	} {
		t.Run(name, func(t *testing.T) { together(t, c.box, c.centre, c.then) })
	}
}

func together(t *testing.T, box, centreOf, then string) {
	m := bareMachine(t)
	m.ok(os.Symlink(filepath.Join(centreOf, "centrald"), filepath.Join(m.bin, "centrald")))
	m.has(box)
	m.publish("9.9", 2000000000, box)
	c := newCentre(m)
	c.enrol(m, "kiosk-1")
	c.tool("rollout", "9.9", "100")
	for i, programs := range []string{box, then, box} {
		m.has(programs)
		stop := m.runs()
		for n := range 3 {
			m.ticket(fmt.Sprintf("t-%d-%d", i, n))
		}
		c.announces(i + 1)
		m.until("the centre to have everything", m.sent)
		if said := m.must("update", "check"); !strings.Contains(said, "9.9") {
			t.Errorf("offered: %s", said)
		}
		stop()
		m.must1("verify", filepath.Join(m.dir, "state", "hall.db"))
	}
}

// has gives the box other programs.
func (m *machine) has(programs string) {
	m.t.Helper()
	for _, p := range []string{"kioskd", "kioskctl"} {
		_ = os.Remove(filepath.Join(m.bin, p)) // of before
		m.ok(os.Symlink(filepath.Join(programs, p), filepath.Join(m.bin, p)))
	}
	m.must("update", "adopt")
}

// runs starts the daemon; the function stops it in order.
func (m *machine) runs() (stop func()) {
	m.t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(filepath.Join(m.bin, "kioskd"), "run", "-config", filepath.Join(m.dir, "etc", "kioskd.toml"), "-state", filepath.Join(m.dir, "state"))
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	m.ok(cmd.Start())
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = cmd.Process.Signal(syscall.SIGTERM) // it runs
		if err := cmd.Wait(); err != nil || m.t.Failed() {
			m.t.Errorf("kioskd ended with %v:\n%s", err, log.String())
		}
	}
	m.t.Cleanup(stop)
	m.until("the hall", func() bool {
		res, err := http.Get("http://" + m.addr + "/healthz")
		return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
	return stop
}

func (m *machine) ticket(key string) {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, "http://"+m.addr+"/api/v1/tickets", strings.NewReader(`{"kiosk":"touch-1","item":"social-card"}`))
	m.ok(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(req)
	m.ok(err)
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		m.t.Fatalf("ticket %s: %s", key, res.Status)
	}
}

// sent reports whether the centre has everything that the box wrote, in the words of
// the box's daemon.
func (m *machine) sent() bool {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, "http://"+m.addr+"/healthz", nil)
	m.ok(err)
	req.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(req)
	m.ok(err)
	defer res.Body.Close()
	var said struct {
		Centre struct {
			State            string
			Through, Waiting int64
		}
	}
	m.ok(json.NewDecoder(res.Body).Decode(&said))
	return said.Centre.State == central.ShipCurrent && said.Centre.Through > 0 && said.Centre.Waiting == 0
}

// announces gives the box the n-th message and waits until it shows it.
func (c *centre) announces(n int) {
	c.m.t.Helper()
	file, text := filepath.Join(c.m.dir, "announce.json"), fmt.Sprintf("第%d条", n)
	c.m.ok(os.WriteFile(file, fmt.Appendf(nil, `[{"zh":%q}]`, text), 0o644))
	c.tool("send", "small", "kiosk-1", "commands", "announce", file)
	c.m.until("the box to take the message", func() bool {
		shown, _ := os.ReadFile(filepath.Join(c.m.dir, "state", "announce.json")) // none yet
		return strings.Contains(string(shown), text)
	})
}
