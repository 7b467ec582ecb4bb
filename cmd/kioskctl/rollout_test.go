package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/store"
)

// A centre is the real centrald, with a copy of the machine's depot.
type centre struct {
	m         *machine
	dir, conf string
	boxes     string
}

func newCentre(m *machine) *centre {
	m.t.Helper()
	c := &centre{m: m, dir: filepath.Join(m.dir, "centre"), boxes: freePort(m.t)}
	pages := freePort(m.t)
	m.ok(os.Mkdir(c.dir, 0o755))
	if _, err := os.Stat(filepath.Join(m.bin, "centrald")); err != nil {
		m.build("centrald", "1.0", m.bin)
	}
	c.conf = filepath.Join(c.dir, "centrald.toml")
	m.ok(os.WriteFile(c.conf, fmt.Appendf(nil, "state = %q\n[boxes]\nlisten = %q\naddress = %q\nnames = [\"127.0.0.1\"]\n[pages]\nlisten = %q\n[releases]\ndirectory = %q\n",
		c.dir, c.boxes, c.boxes, pages, filepath.Join(m.dir, "depot")), 0o600))
	var log bytes.Buffer
	cmd := exec.Command(filepath.Join(m.bin, "centrald"), "run", "-config", c.conf)
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	m.ok(cmd.Start())
	m.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it runs until then
		_ = cmd.Wait()
		if m.t.Failed() {
			m.t.Logf("centrald said:\n%s", log.String())
		}
	})
	m.until("the centre", func() bool {
		res, err := http.Get("http://" + pages + "/healthz")
		if err != nil {
			return false
		}
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
	return c
}

func (m *machine) until(what string, is func() bool) {
	m.t.Helper()
	deadline := time.Now().Add(4 * time.Minute)
	for !is() {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(m.dir, "log"))
			m.t.Fatalf("waited too long for %s\n%s", what, log)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// tool runs one of the centre's own commands.
func (c *centre) tool(command string, args ...string) string {
	c.m.t.Helper()
	said, err := exec.Command(filepath.Join(c.m.bin, "centrald"), append([]string{command, "-config", c.conf}, args...)...).CombinedOutput()
	if err != nil {
		c.m.t.Fatalf("centrald %s %v: %v: %s", command, args, err, said)
	}
	return strings.TrimSpace(string(said))
}

// enrol makes a machine a box of the centre, which takes its releases from there.
func (c *centre) enrol(b *machine, name string) {
	b.t.Helper()
	etc, state := filepath.Join(b.dir, "etc"), filepath.Join(b.dir, "state")
	text := strings.Replace(fmt.Sprintf(boxDocument, b.addr), "kiosk-1", name, 1)
	b.ok(os.WriteFile(filepath.Join(etc, "kioskd.toml"), fmt.Appendf(nil, "%s[centre]\naddress = %q\n", text, c.boxes), 0o644))
	b.ok(os.WriteFile(filepath.Join(etc, "update.toml"), []byte(`source = "centre"`), 0o644))
	b.must1("enrol", c.tool("enrol-code", "small", name, "box"), "--config", filepath.Join(etc, "kioskd.toml"), "--state", state)
}

// another is one more box of the centre.
func (c *centre) another(name string) *machine {
	c.m.t.Helper()
	b := newMachine(c.m.t)
	const root = "etc/releases-root.json"
	text, err := os.ReadFile(filepath.Join(c.m.dir, root))
	b.ok(err)
	b.ok(os.WriteFile(filepath.Join(b.dir, root), text, 0o644))
	c.enrol(b, name)
	return b
}

// says is what the centre knows of the box.
func (c *centre) says() (is central.Status) {
	c.m.t.Helper()
	s, err := store.Open(c.m.t.Context(), store.Options{DSN: filepath.Join(c.dir, "centre.db")})
	c.m.ok(err)
	defer s.Close()
	all, err := s.Statuses(c.m.t.Context(), "small")
	c.m.ok(err)
	return all[store.Device{Hall: "small", Device: "kiosk-1"}].Is
}

// hears waits until the box has told the centre which release it runs, and what it
// says of releases that were given up.
func (c *centre) hears(version, givenUp string) {
	c.m.t.Helper()
	c.m.until(fmt.Sprintf("the centre to hear of %s, and %q", version, givenUp), func() bool {
		is, part := c.says(), ""
		for _, p := range is.Parts {
			if p.Name == "release" && p.State != "ready" {
				part = p.State
			}
		}
		return is.Version == version && strings.Contains(part, givenUp) && (part == "") == (givenUp == "")
	})
}

// closed gives the hall hours of one minute, half a day from now.
func (m *machine) closed() {
	m.t.Helper()
	file := filepath.Join(m.dir, "etc", "hall.toml")
	text, err := os.ReadFile(file)
	m.ok(err)
	place, err := time.LoadLocation("Asia/Shanghai")
	m.ok(err)
	now := time.Now().In(place)
	at := (now.Hour()*60 + now.Minute() + 12*60) % (24 * 60) / 2 * 2
	clock := func(n int) string { return fmt.Sprintf("%02d:%02d", n/60, n%60) }
	m.ok(os.WriteFile(file, fmt.Appendf(text, "\n[[hours.band]]\ndays = \"mon-sun\"\nfrom = %q\nto = %q\n", clock(at), clock(at+1)), 0o644))
}

const brokenProgram = `#!/bin/sh
# A release that looks well and does not run.
case $1 in version) echo 1.2 ;; run) exit 1 ;; esac
`

// TestARolloutOfTheCentre: the real centre offers releases to a real box, hall by
// hall. The box fetches at any time, takes them in a pause, and tells the centre
// what became of them.
func TestARolloutOfTheCentre(t *testing.T) {
	t.Parallel() // it mostly waits
	m := newMachine(t)
	broken := filepath.Join(m.dir, "broken")
	m.ok(os.Mkdir(broken, 0o755))
	m.ok(os.WriteFile(filepath.Join(broken, "kioskd"), []byte(brokenProgram), 0o755))
	m.publish("1.0", 1700000000, broken) // nobody unpacks it: the box has 1.0
	m.publishNext()
	m.publish("1.2", 1900000000, broken)
	c := newCentre(m)
	c.enrol(m, "kiosk-1")
	m.ok(exec.Command(filepath.Join(m.dir, "shim", "systemctl")).Run())
	run := func(want string, more ...string) string {
		t.Helper()
		said, _ := m.ctl(t.Context(), append([]string{"update", "run"}, more...)...).CombinedOutput() // a release that is given up is an error
		if got := m.starts(); got != want {
			t.Fatalf("%s runs, want %s: %s", got, want, said)
		}
		return string(said)
	}

	c.tool("rollout", "1.1", "100", "another-hall")
	if said := run("1.0"); said != "" {
		t.Errorf("what is offered to another hall: %s", said)
	}
	c.tool("rollout", "1.1", "100", "small")
	if said := run("1.0"); !strings.Contains(said, "fetching release 1.1") {
		t.Errorf("while the hall is open: %s", said)
	}
	m.closed()
	if said := run("1.1"); strings.Contains(said, "fetching") {
		t.Errorf("it was fetched twice: %s", said)
	}
	c.hears("1.1", "")

	c.tool("rollout", "1.2", "100")
	if said := run("1.1", "--within", "3s"); !strings.Contains(said, "release 1.2 was given up") {
		t.Errorf("a broken release: %s", said)
	}
	c.hears("1.1", "release 1.2 was given up: not healthy")
	if said := run("1.1"); !strings.Contains(said, "was given up before") {
		t.Errorf("a broken release, again: %s", said)
	}
	c.tool("rollout", "1.2", "0")
	c.tool("rollout", "1.0", "100")
	run("1.0")
	if said := m.must("update", "status"); !strings.Contains(said, "given up: 1.1: somebody went back to") {
		t.Errorf("after the way back: %s", said)
	}
}

// TestARolloutReachesItsShare: of eight real boxes, half a rollout reaches some and
// the whole one the others, too; who has it does not fetch it again.
func TestARolloutReachesItsShare(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	program := filepath.Join(m.dir, "program")
	m.ok(os.Mkdir(program, 0o755))
	m.ok(os.WriteFile(filepath.Join(program, "kioskd"), []byte(brokenProgram), 0o755)) // the halls are open: nobody starts it
	m.publish("1.2", 1900000000, program)
	c := newCentre(m)
	var boxes []*machine
	for n := range 8 {
		boxes = append(boxes, c.another(fmt.Sprint("kiosk-", n+1)))
	}
	fetch := func(percent string) (n int) {
		c.tool("rollout", "1.2", percent, "small")
		for _, b := range boxes {
			n += strings.Count(b.must("update", "run"), "fetching release 1.2")
		}
		return n
	}
	half := fetch("50")
	if half == 0 || half == len(boxes) {
		t.Errorf("half a rollout reached %d of %d boxes", half, len(boxes))
	}
	if again := fetch("50"); again != 0 {
		t.Errorf("the same share again reached %d more", again)
	}
	if rest := fetch("100"); half+rest != len(boxes) {
		t.Errorf("%d boxes with half a rollout and %d with the whole one, of %d", half, rest, len(boxes))
	}
}
