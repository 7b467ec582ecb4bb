//go:build cluster

// Package cluster builds the whole set-up of this folder on loopback addresses,
// from Debian's packages, and kills the leader of the database under load.
package cluster

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/centraltest"
	"longcheng/central/store"
)

const (
	password = "only-for-this-test"
	boxes    = 4
	rounds   = 2
)

// Every machine has an address of its own on loopback, and the ports of the real
// thing.
var address = map[string]string{
	"node1": "127.0.71.1", "node2": "127.0.71.2", "node3": "127.0.71.3",
	"centre1": "127.0.71.4", "centre2": "127.0.71.5", "balancer": "127.0.71.6",
}

type site struct {
	t   *testing.T
	dir string
	as  *syscall.Credential
	bin string // centrald

	mu      sync.Mutex
	running map[string]*exec.Cmd
}

func newSite(t *testing.T) *site {
	dir, err := os.MkdirTemp("", "longcheng-cluster")
	must(t, err)
	s := &site{t: t, dir: dir, running: map[string]*exec.Cmd{}, bin: filepath.Join(dir, "centrald")}
	t.Cleanup(s.end)
	must(t, os.Chmod(dir, 0o755))
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		must(t, err)
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	out, err := exec.Command("go", "build", "-o", s.bin, "longcheng/cmd/centrald").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return s
}

func (s *site) end() {
	for name := range address {
		s.kill(name + "-patroni")
		s.killPostgres(name)
	}
	for name := range s.running {
		s.kill(name)
	}
	if s.t.Failed() {
		logs, _ := filepath.Glob(s.dir + "/*.log")
		for _, l := range logs {
			b, _ := os.ReadFile(l)
			s.t.Logf("%s: …%s", l, b[max(0, len(b)-1500):])
		}
	}
	os.RemoveAll(s.dir)
}

// file writes a file of this folder with the values of one machine.
func (s *site) file(machine, name string) string {
	s.t.Helper()
	text, err := os.ReadFile(name)
	must(s.t, err)
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(bins) == 0 {
		s.t.Fatal("PostgreSQL is missing: apt-get install postgresql patroni etcd-server haproxy")
	}
	values := map[string]string{
		"NAME": machine, "ADDR": address[machine], "DATA": s.data(machine), "BIN": filepath.Dir(bins[len(bins)-1]), "PASSWORD": password,
		"NODE1": address["node1"], "NODE2": address["node2"], "NODE3": address["node3"], "NETWORK": "127.0.0.0/8", "WATCHDOG": "off",
		"CENTRE1": address["centre1"], "CENTRE2": address["centre2"], "BALANCER": address["balancer"],
	}
	full := os.Expand(string(text), func(k string) string {
		v, ok := values[k]
		if !ok {
			s.t.Fatalf("%s: nobody knows $%s", name, k)
		}
		return v
	})
	path := filepath.Join(s.data(machine), name)
	must(s.t, os.WriteFile(path, []byte(full), 0o644))
	return path
}

// data is the directory of a machine.
func (s *site) data(machine string) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, machine)
	must(s.t, os.MkdirAll(dir, 0o700))
	if s.as != nil {
		must(s.t, os.Chown(dir, int(s.as.Uid), int(s.as.Gid)))
	}
	return dir
}

func (s *site) start(name string, as *syscall.Credential, prog string, args ...string) {
	s.t.Helper()
	path, err := exec.LookPath(prog)
	if err != nil {
		s.t.Fatalf("%v: apt-get install postgresql patroni etcd-server haproxy", err)
	}
	c := exec.Command(path, args...)
	log, err := os.OpenFile(filepath.Join(s.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(s.t, err)
	defer log.Close()
	c.Dir, c.Stdout, c.Stderr = "/", log, log
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
	must(s.t, c.Start())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[name] = c
}

// kill ends a program that this test started, at once.
func (s *site) kill(name string) {
	s.mu.Lock()
	c := s.running[name]
	delete(s.running, name)
	s.mu.Unlock()
	if c != nil {
		c.Process.Kill()
		c.Wait()
	}
}

// killPostgres ends the server that a machine's Patroni has started.
func (s *site) killPostgres(machine string) {
	b, err := os.ReadFile(filepath.Join(s.dir, machine, "postgres", "postmaster.pid"))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.SplitN(string(b), "\n", 2)[0])
	if err == nil && pid > 1 {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (s *site) startNode(n string) {
	s.start(n+"-patroni", s.as, "patroni", s.file(n, "patroni.yml"))
}

// members asks Patroni who does what: name to role, running ones only.
func (s *site) members() map[string]string {
	roles := map[string]string{}
	for _, n := range []string{"node1", "node2", "node3"} {
		res, err := http.Get("http://" + address[n] + ":8008/cluster")
		if err != nil {
			continue
		}
		var c struct {
			Members []struct{ Name, Role, State string }
		}
		err = json.NewDecoder(res.Body).Decode(&c)
		res.Body.Close()
		if err != nil {
			continue
		}
		for _, m := range c.Members {
			if m.State == "running" || m.State == "streaming" {
				roles[m.Name] = m.Role
			}
		}
		return roles
	}
	return roles
}

func (s *site) leader() string {
	for name, role := range s.members() {
		if role == "leader" {
			return name
		}
	}
	return ""
}

func (s *site) ready(nodes int) bool {
	m := s.members()
	sync := false
	for _, role := range m {
		sync = sync || role == "sync_standby"
	}
	return sync && len(m) >= nodes && s.leader() != ""
}

func dsn(user, db string) string {
	return fmt.Sprintf("postgres://%s:%s@%s:5432,%s:5432,%s:5432/%s?target_session_attrs=read-write&connect_timeout=3", user, password,
		address["node1"], address["node2"], address["node3"], db)
}

func (s *site) database() {
	s.t.Helper()
	db, err := sql.Open("pgx", dsn("postgres", "postgres"))
	must(s.t, err)
	defer db.Close()
	for _, q := range []string{"CREATE ROLE centre LOGIN PASSWORD '" + password + "'", "CREATE DATABASE centre OWNER centre"} {
		_, err := db.Exec(q)
		must(s.t, err)
	}
}

// centres starts both centralds, with one authority, and the balancer.
func (s *site) centres() {
	s.t.Helper()
	conf := map[string]string{}
	for _, c := range []string{"centre1", "centre2"} {
		conf[c] = s.file(c, "centrald.toml")
	}
	s.soon("the new database on every node", func() bool {
		return exec.Command(s.bin, "check", "-config", conf["centre1"], "-state", s.data("centre1")).Run() == nil
	})
	for _, f := range []string{"ca.pem", "ca-key.pem"} {
		b, err := os.ReadFile(filepath.Join(s.data("centre1"), f))
		must(s.t, err)
		must(s.t, os.WriteFile(filepath.Join(s.data("centre2"), f), b, 0o600))
	}
	for c, path := range conf {
		s.start(c, nil, s.bin, "run", "-config", path, "-state", s.data(c))
		s.soon(c, func() bool {
			res, err := http.Get("http://" + address[c] + ":8480/healthz")
			if err == nil {
				res.Body.Close()
			}
			return err == nil && res.StatusCode == 200
		})
	}
	s.start("haproxy", nil, "haproxy", "-db", "-f", s.file("balancer", "haproxy.cfg"))
	s.soon("the balancer", func() bool {
		c, err := net.Dial("tcp", address["balancer"]+":8443")
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (s *site) tool(conf map[string]string, args ...string) string {
	s.t.Helper()
	out, err := exec.Command(s.bin, append([]string{args[0], "-config", conf["centre1"], "-state", s.data("centre1")}, args[1:]...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("centrald %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s *site) box(device string, j *centraltest.Journal) *central.Outbox {
	s.t.Helper()
	code := s.tool(map[string]string{"centre1": filepath.Join(s.data("centre1"), "centrald.toml")}, "enrol-code", "h1", device, "box")
	p, err := central.Enrol(s.t.Context(), s.t.TempDir(), code, time.Now)
	must(s.t, err)
	client, err := p.Client()
	must(s.t, err)
	x, err := central.NewOutbox(central.OutboxOptions{Journal: j, Client: client, Rate: 1e6, Linger: time.Millisecond, Backoff: func(int) time.Duration { return 100 * time.Millisecond }})
	must(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { x.Run(ctx) })
	s.t.Cleanup(func() { cancel(); wg.Wait() })
	return x
}

func (s *site) soon(what string, come func() bool) {
	s.t.Helper()
	tick, late := time.NewTicker(100*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for !come() {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("waited 2 min for %s: members %v", what, s.members())
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The leader of the database, and then one centrald, die under load: nothing
// that was acknowledged is lost, and nothing is doubled.
func TestLeaderIsKilledUnderLoad(t *testing.T) {
	s := newSite(t)
	for _, n := range []string{"node1", "node2", "node3"} {
		s.start(n+"-etcd", s.as, "etcd", "--config-file", s.file(n, "etcd.yml"))
		s.startNode(n)
	}
	s.soon("three nodes", func() bool { return s.ready(3) })
	s.database()
	s.centres()
	var journals []*centraltest.Journal
	var outboxes []*central.Outbox
	for i := range boxes {
		j := centraltest.NewJournal(fmt.Sprint("k", i), 7, 2000)
		journals, outboxes = append(journals, j), append(outboxes, s.box(fmt.Sprint("k", i), j))
	}
	stop := s.load(journals)
	for range rounds {
		s.failover(outboxes)
	}
	s.kill("centre1")
	s.progress("progress without one centrald", outboxes)
	stop()
	for i, x := range outboxes {
		s.soon("the rest", func() bool { return x.Shipping().Through == int64(journals[i].Len()) })
	}
	verify(t, journals)
}

// load lets every journal grow until it is stopped.
func (s *site) load(journals []*centraltest.Journal) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				for _, j := range journals {
					j.Fill(20)
				}
			case <-done:
				return
			}
		}
	})
	stop = sync.OnceFunc(func() { close(done); wg.Wait() })
	s.t.Cleanup(stop)
	return stop
}

func (s *site) progress(what string, outboxes []*central.Outbox) {
	s.t.Helper()
	for _, x := range outboxes {
		at := x.Shipping().Through
		s.soon(what, func() bool { return x.Shipping().Through > at+500 })
	}
}

// failover kills the leader's machine and waits for the next acknowledgement.
func (s *site) failover(outboxes []*central.Outbox) {
	s.t.Helper()
	s.progress("load", outboxes)
	old := s.leader()
	s.kill(old + "-patroni")
	s.killPostgres(old)
	begun, at := time.Now(), outboxes[0].Shipping().Through+1000 // more than was on its way
	s.soon("another leader", func() bool { l := s.leader(); return l != "" && l != old })
	s.soon("the next acknowledgement", func() bool { return outboxes[0].Shipping().Through > at })
	s.t.Logf("%s was killed; %s leads; acknowledgements again after %.1f s", old, s.leader(), time.Since(begun).Seconds())
	s.startNode(old)
	s.soon("three nodes again", func() bool { return s.ready(3) })
}

func verify(t *testing.T, journals []*centraltest.Journal) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{DSN: dsn("centre", "centre")})
	must(t, err)
	defer db.Close()
	total := 0
	for _, j := range journals {
		want := j.Slice(1, j.Len())
		got, err := db.Events(t.Context(), store.Origin{Hall: "h1", Origin: j.Origin()}, 0, len(want)+10)
		must(t, err)
		if len(got) != len(want) {
			t.Fatalf("%s: %d events, want %d", j.Origin().Device, len(got), len(want))
		}
		for i := range want {
			if got[i].Seq != want[i].Seq || !bytes.Equal(got[i].Hash, want[i].Hash) {
				t.Fatalf("%s: event %d differs", j.Origin().Device, want[i].Seq)
			}
		}
		total += len(want)
	}
	if c, err := db.Conflicts(t.Context()); err != nil || len(c) > 0 {
		t.Errorf("conflicts %v, %v", c, err)
	}
	t.Logf("%d acknowledged events, %d in the database, 0 lost, 0 doubled", total, total)
}
