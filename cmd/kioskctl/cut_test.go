package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"longcheng/cmd/internal/release"
	"longcheng/kiosk/freeport"
	"longcheng/kiosk/sqlite"
)

// A machine is a directory with everything that a box of Debian packages has: the
// real programs in two versions, their configuration, a depot, and a systemctl that
// does what systemd does with kioskd.service.
type machine struct {
	t              *testing.T
	dir, bin, addr string
	shelf          *release.Depot
	stick          bool // releases come from the depot itself
}

// systemctl stands for systemd: the end of what runs, ExecStartPre, then the program
// that the link names. What it starts outlives the updater that is killed.
const systemctl = `#!/bin/sh
set -e
if [ -e DIR/pid ]; then
	kill -9 $(cat DIR/pid) 2>/dev/null || true
	while [ -e /proc/$(cat DIR/pid)/exe ]; do sleep 0.02; done
fi
DIR/bin/kioskctl update settle FLAGS || true
setsid DIR/home/current/kioskd run -config DIR/etc/kioskd.toml -state DIR/state -releases DIR/home >>DIR/log 2>&1 &
echo $! >DIR/pid
`

const boxDocument = `device = "kiosk-1"
hall = "hall.toml"
[web]
listen = "%s"
[[user]]
name = "supervisor"
hash = '$argon2id$v=19$m=19456,t=2,p=1$GVozDp0CEWJh84fs424HAw$NrhuC7Iq6XOt8rCe5XSsLALo+LUgN0WrvkYfN7MHs0o'
roles = ["supervisor"]
[[touch]]
name = "touch-1"
`

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := bareMachine(t)
	m.build("kioskd", "1.0", m.bin)
	m.build("kioskctl", "1.0", m.bin)
	m.must("update", "adopt")
	return m
}

// bareMachine has no programs yet.
func bareMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, dir: t.TempDir(), addr: freePort(t)}
	m.bin = filepath.Join(m.dir, "bin")
	for _, d := range []string{"bin", "next", "etc", "state", "home", "shim"} {
		m.ok(os.Mkdir(filepath.Join(m.dir, d), 0o755))
	}
	hall, err := os.ReadFile("../../deploy/halls/small/hall.toml")
	m.ok(err)
	m.ok(os.WriteFile(filepath.Join(m.dir, "etc", "hall.toml"), hall, 0o644))
	m.ok(os.WriteFile(filepath.Join(m.dir, "etc", "kioskd.toml"), fmt.Appendf(nil, boxDocument, m.addr), 0o644))
	shim := strings.NewReplacer("DIR", m.dir, "FLAGS", strings.Join(m.flags(), " ")).Replace(systemctl)
	m.ok(os.WriteFile(filepath.Join(m.dir, "shim", "systemctl"), []byte(shim), 0o755))
	m.depot()
	t.Cleanup(m.stop)
	return m
}

func freePort(t *testing.T) string {
	t.Helper()
	at, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (m *machine) ok(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "kioskctl-test-*")
	if err != nil {
		panic(err)
	}
	os.Setenv("KIOSKCTL_TEST_BIN", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var building sync.Mutex // tests run side by side

// build puts a program into a directory; each is built once for all tests.
func (m *machine) build(program, version, into string) {
	m.t.Helper()
	building.Lock()
	defer building.Unlock()
	built := filepath.Join(os.Getenv("KIOSKCTL_TEST_BIN"), program+"-"+version)
	if _, err := os.Stat(built); err != nil {
		flags := "-s -w -X main.version=" + version + " -X main.made=1700000000"
		if said, err := exec.Command("go", "build", "-ldflags", flags, "-o", built, "longcheng/cmd/"+program).CombinedOutput(); err != nil {
			m.t.Fatalf("%v: %s", err, said)
		}
	}
	m.ok(os.Symlink(built, filepath.Join(into, program)))
}

// depot makes the depot of a maintainer whom the box trusts.
func (m *machine) depot() {
	m.t.Helper()
	keys := release.Keys{}
	for _, role := range release.Roles() {
		keys[role] = release.NewKey()
	}
	dir := filepath.Join(m.dir, "depot")
	d, err := release.NewDepot(dir, keys, time.Now)
	m.ok(err)
	m.shelf = d
	root, err := os.ReadFile(filepath.Join(dir, "1.root.json"))
	m.ok(err)
	m.ok(os.WriteFile(filepath.Join(m.dir, "etc", "releases-root.json"), root, 0o644))
}

// publish releases the daemon of a directory; its tool would only take long to pack.
func (m *machine) publish(version string, serial int64, dir string) {
	m.t.Helper()
	file := filepath.Join(m.dir, "program.tar.gz")
	m.ok(bundle(file, []string{filepath.Join(dir, "kioskd")}, time.Unix(serial, 0)))
	schema, err := sqlite.Newest()
	m.ok(err)
	m.ok(m.shelf.Add(file, release.Release{Version: version, Serial: serial, Kind: release.Program, Arch: debianArch(), Schema: schema}))
	m.ok(m.shelf.Publish(release.MaxFresh))
}

// publishNext releases 1.1, which is newer than the 1.0 that the box has.
func (m *machine) publishNext() {
	m.t.Helper()
	next := filepath.Join(m.dir, "next")
	m.build("kioskd", "1.1", next)
	m.publish("1.1", 1800000000, next)
}

// flags are those of the box; a test of its source leaves --from out.
func (m *machine) flags() []string {
	f := []string{"--etc", m.dir + "/etc", "--state", m.dir + "/state", "--home", m.dir + "/home", "--packaged", m.bin, "--good", "300ms"}
	if m.stick {
		f = append(f, "--from", m.dir+"/depot")
	}
	return f
}

func (m *machine) ctl(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(m.bin, "kioskctl"), append(args, m.flags()...)...)
	c.Env = append(os.Environ(), "PATH="+filepath.Join(m.dir, "shim")+":"+os.Getenv("PATH"))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// cut kills an update at a random moment before whole, and returns when systemctl,
// which outlives it, has ended too.
func (m *machine) cut(whole time.Duration) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), rand.N(whole))
	defer cancel()
	c := m.ctl(ctx, "update", "apply")
	said, err := c.CombinedOutput()
	if err != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		m.t.Fatalf("%v: %s", err, said)
	}
	if c.Process != nil {
		m.gone("systemctl", func() bool { return !groupRuns(c.Process.Pid) })
	}
}

// groupRuns reports whether a process of a group runs; one that nobody has waited
// for has ended.
func groupRuns(group int) bool {
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is good
	for _, file := range all {
		text, _ := os.ReadFile(file) // it may have ended meanwhile
		_, rest, _ := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); len(f) > 2 && f[0] != "Z" && f[2] == strconv.Itoa(group) {
			return true
		}
	}
	return false
}

// gone waits for the end of what is no child of ours.
func (m *machine) gone(what string, is func() bool) {
	m.t.Helper()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			m.t.Fatalf("%s does not end", what)
		}
	}
}

func (m *machine) must(args ...string) string {
	m.t.Helper()
	said, err := m.ctl(m.t.Context(), args...).CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(m.dir, "log"))
		m.t.Fatalf("kioskctl %v: %v: %s\n%s", args, err, said, log)
	}
	return string(said)
}

// starts is what a start of the box would run now.
func (m *machine) starts() string {
	m.t.Helper()
	said, err := exec.Command(filepath.Join(m.dir, "home", "current", "kioskd"), "version").CombinedOutput()
	if err != nil {
		m.t.Fatalf("the box does not start: %v: %s", err, said)
	}
	return strings.TrimSpace(string(said))
}

// stop ends the daemon, if one runs.
func (m *machine) stop() {
	file := filepath.Join(m.dir, "pid")
	text, err := os.ReadFile(file)
	if pid, err2 := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && err2 == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself
		m.gone("kioskd", func() bool { _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); return err != nil })
		m.ok(os.Remove(file))
	}
}

var cuts = flag.Int("cuts", 5, "how often an update is cut; make test-update cuts thirty times")

// TestAnUpdateIsCut: the updater is killed, as a power cut would end
// it. After each cut the box starts, with the old release or with the new one; in
// the end it has the new one, and its store is whole.
func TestAnUpdateIsCut(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.stick = true
	m.publishNext()
	begun := time.Now()
	m.must("update", "apply")
	whole := time.Since(begun)
	if got := m.starts(); got != "1.1" {
		t.Fatalf("%s runs after an update that nobody cut", got)
	}
	m.must("update", "adopt")
	seen := map[string]int{}
	for range *cuts {
		m.cut(whole)
		m.must("update", "settle") // the next start of the box
		got := m.starts()
		seen[got]++
		if kept := !strings.Contains(m.must("update", "status"), "trial"); got == "1.1" && kept {
			m.must("update", "adopt")
		}
	}
	t.Logf("an update takes %s; after %d cuts the box started with %v", whole.Round(time.Millisecond), *cuts, seen)
	if seen["1.0"]+seen["1.1"] != *cuts {
		t.Errorf("it started with %v", seen)
	}
	m.must("update", "apply")
	if got := m.starts(); got != "1.1" {
		t.Errorf("in the end %s runs: %s", got, m.must("update", "status"))
	}
	m.stop()
	m.must1("verify", filepath.Join(m.dir, "state", "hall.db"))
}

func (m *machine) must1(args ...string) {
	m.t.Helper()
	if said, err := exec.Command(filepath.Join(m.bin, "kioskctl"), args...).CombinedOutput(); err != nil {
		m.t.Errorf("kioskctl %v: %v: %s", args, err, said)
	}
}
