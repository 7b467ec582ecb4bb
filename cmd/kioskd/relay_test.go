package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central/store"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/release"
)

// reportingHall is the three-box sample whose host reports to a centre.
func reportingHall(t *testing.T, c *testCentre) *severalHall {
	h := &severalHall{t: t, dir: t.TempDir(), at: freePort(t), then: freePort(t)}
	h.host = h.box("host.toml", "host")
	h.host.reportTo(c)
	h.host.start().healthy()
	return h
}

// reportTo makes a box speak to the centre itself.
func (m *member) reportTo(c *testCentre) {
	m.t.Helper()
	f, err := os.OpenFile(m.conf, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(f, "\n[centre]\naddress = %q\n", c.boxes)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.at.enrol(m.t, config.CentrePass(m.state), c.tool("enrol-code", "small", m.device, "host"))
}

// A hall of three boxes, of which the host alone reaches the centre, while
// citizens take tickets. The centre, the host and a kiosk are killed without a
// word at random moments. In the end the centre has what each box wrote, once.
func TestAHallReportsThroughItsHost(t *testing.T) {
	c := newCentre(t)
	h := reportingHall(t, c)
	k1, k2, d1 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2"), h.join("display.toml", "display-1")
	all := []*member{h.host, k1, k2, d1}
	for _, m := range all {
		m.sent()
	}
	k1.signIn()
	a := &audit{}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wg sync.WaitGroup
	a.rush(ctx, &wg, k1)
	more := func(n int) {
		n += a.count("kiosk-1")
		k1.until("more tickets", func() bool { return a.count("kiosk-1") >= n })
	}
	victims := []func(){
		func() { c.kill(); more(rand.IntN(8)); c.up() },
		func() { h.host.kill(); more(rand.IntN(4)); h.host.start() },
		func() { k2.kill(); more(rand.IntN(4)); k2.start() },
		func() { c.kill(); h.host.kill(); more(rand.IntN(4)); h.host.start(); c.up() },
	}
	rand.Shuffle(len(victims), func(i, j int) { victims[i], victims[j] = victims[j], victims[i] })
	for _, strike := range victims {
		more(rand.IntN(8))
		strike()
	}
	end()
	wg.Wait()
	for _, m := range all {
		m.joinedOrHost(h.host)
		m.sent()
	}
	c.send(d1.device, "announce", `[{"zh":"你好"}]`)
	d1.until("the message", func() bool {
		text, err := os.ReadFile(filepath.Join(d1.state, announceFile))
		return err == nil && strings.Contains(string(text), "你好")
	})
	d1.until("the state of every box", func() bool {
		known := 0
		c.look(func(s *store.Store) error {
			all, err := s.Statuses(t.Context(), "small")
			known = len(all)
			return err
		})
		return known == len(all)
	})
	for _, m := range all {
		m.kill()
	}
	for _, m := range all {
		c.same(m.state, m.conf)
	}
}

func (m *member) joinedOrHost(host *member) {
	m.t.Helper()
	if m != host {
		m.joined()
	}
}

// A box that reaches the host alone hears through it which release the centre
// offers to it, fetches that through it, and gives the centre its backup; kioskctl is
// the real one.
func TestABoxIsUpdatedThroughItsHost(t *testing.T) {
	c := newCentre(t)
	root := publish(t, c.depot, "1.1")
	k := reportingHall(t, c).join("kiosk.toml", "kiosk-1")
	tool := filepath.Join(t.TempDir(), "kioskctl")
	if said, err := exec.Command("go", "build", "-ldflags", "-X main.version=1.0 -X main.made=1700000000", "-o", tool, "../kioskctl").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	etc, home := t.TempDir(), t.TempDir()
	err := errors.Join(os.Symlink(k.conf, filepath.Join(etc, "kioskd.toml")), os.WriteFile(filepath.Join(etc, "releases-root.json"), root, 0o600),
		os.WriteFile(filepath.Join(etc, "update.toml"), []byte(`source = "centre"`), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	ctl := func(args ...string) string {
		t.Helper()
		said, err := exec.Command(tool, append(args, "--etc", etc, "--home", home, "--state", k.state, "--packaged", filepath.Dir(tool))...).CombinedOutput()
		if err != nil {
			t.Fatalf("kioskctl %v: %v: %s", args, err, said)
		}
		return string(said)
	}
	ctl("update", "adopt")
	if said := ctl("update", "check"); !strings.Contains(said, "nothing newer") {
		t.Error(said)
	}
	c.tool("rollout", "1.1", "100", "small")
	if said := ctl("update", "check"); !strings.HasPrefix(said, "1.1,") {
		t.Error(said)
	}
	ctl("update", "run") // fetches; the hall never closes, so it takes nothing
	if got, _ := os.ReadFile(filepath.Join(home, "incoming-program_"+arch()+"_1.1.tar.gz")); string(got) != "programs of 1.1" {
		t.Errorf("fetched %q", got)
	}
	if said, err := exec.Command(tool, "backup", "--to", "centre", "--lang", "en", "--config", k.conf, "--state", k.state).CombinedOutput(); err != nil || !strings.Contains(string(said), "the centre keeps the backup") {
		t.Errorf("kioskctl backup: %v: %s", err, said)
	}
}

// publish makes a depot with one release and returns whom boxes must trust.
func publish(t *testing.T, dir, version string) []byte {
	t.Helper()
	keys := release.Keys{}
	for _, role := range release.Roles() {
		keys[role] = release.NewKey()
	}
	file := filepath.Join(t.TempDir(), "file")
	err := os.WriteFile(file, []byte("programs of "+version), 0o600)
	d, err2 := release.NewDepot(dir, keys, time.Now)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	err = d.Add(file, release.Release{Version: version, Serial: 1800000000, Kind: release.Program, Arch: arch(), Schema: 1})
	if err := errors.Join(err, d.Publish(release.MaxFresh)); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(dir, "1.root.json"))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func arch() string {
	if runtime.GOARCH == "arm" {
		return "armhf"
	}
	return runtime.GOARCH
}

// A box speaks through its host for itself only, and a hall without a centre says
// that it has none.
func TestRelaySpeaksForItsCaller(t *testing.T) {
	var up *uplink
	r := newRelay(func(q *http.Request) (string, bool) { d := q.Header.Get("Who"); return d, d != "" }, func() *uplink { return up })
	defer r.end()
	at := r.before(http.NotFoundHandler())
	ask := func(who, path string) (int, string) {
		q := httptest.NewRequest("GET", path, nil)
		q.Header.Set("Who", who)
		said := httptest.NewRecorder()
		at.ServeHTTP(said, q)
		return said.Code, said.Body.String()
	}
	for _, x := range []struct {
		who, path, want string
		status          int
	}{
		{"", "/sync/v1/journals/k1/7", "device", 403},
		{"k2", "/sync/v1/journals/k1/7", "device", 403},
		{"k2", "/sync/v1/messages/k1", "device", 403},
		{"k2", "/sync/v1/status/k1", "device", 403},
		{"k2", "/sync/v1/release/k1", "device", 403},
		{"", "/sync/v1/releases/timestamp.json", "device", 403},
		{"k1", "/sync/v1/releases/timestamp.json", codeNoCentre, 404},
		{"k1", "/sync/v1/journals/k1/7", codeNoCentre, 404},
		{"k1", "/hall/v1/anything", "", 404},
	} {
		if status, text := ask(x.who, x.path); status != x.status || !strings.Contains(text, x.want) {
			t.Errorf("%s asks %s: %d %s", x.who, x.path, status, text)
		}
	}
	up = &uplink{address: "127.0.0.1:1", pass: config.CentrePass(t.TempDir())}
	if status, text := ask("k1", "/sync/v1/journals/k1/7"); status != 503 || !strings.Contains(text, "not enrolled") {
		t.Errorf("before the host is enrolled: %d %s", status, text)
	}
}
