// Package storetest runs tests on both engines of the centre's store. It starts
// a PostgreSQL of its own from the programs of Debian's package postgresql.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// An Engine makes empty databases.
type Engine struct {
	Name string
	New  func(testing.TB) string // a DSN for store.Open
}

// Engines returns both engines; its PostgreSQL ends with the test.
func Engines(t testing.TB) []Engine {
	t.Helper()
	return []Engine{SQLite(), Postgres(t)}
}

// SQLite makes databases that are files.
func SQLite() Engine {
	return Engine{"SQLite", func(t testing.TB) string { return filepath.Join(t.TempDir(), "centre.db") }}
}

// Postgres starts a PostgreSQL in a folder of its own, reached by a Unix socket,
// with fsync on.
func Postgres(t testing.TB) Engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "longcheng-pg")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	as := unprivileged(t, dir)
	data := filepath.Join(dir, "data")
	initdb := program(t, "initdb", as, "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C", "-U", "centre", "--no-sync", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	server := program(t, "postgres", as, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=on", "-c", "max_connections=60")
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	server.Stdout, server.Stderr = log, log
	must(t, server.Start())
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGQUIT)
		server.Wait()
		log.Close()
	})
	dsn := func(name string) string {
		return fmt.Sprintf("postgres://centre@/%s?host=%s&sslmode=disable", name, dir)
	}
	admin := await(t, dsn("postgres"), log.Name())
	var n atomic.Int64
	return Engine{"PostgreSQL", func(t testing.TB) string {
		name := fmt.Sprint("t", n.Add(1))
		_, err := admin.Exec("CREATE DATABASE " + name)
		must(t, err)
		return dsn(name)
	}}
}

func await(t testing.TB, dsn, log string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for db.PingContext(ctx) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			said, _ := os.ReadFile(log)
			t.Fatalf("PostgreSQL did not start within two minutes: %s", said)
		}
	}
	return db
}

// unprivileged returns whom to run PostgreSQL as, which refuses root.
func unprivileged(t testing.TB, dir string) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("there is no user postgres: %v: install Debian's package postgresql", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	must(t, os.Chown(dir, uid, gid))
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func program(t testing.TB, name string, as *syscall.Credential, args ...string) *exec.Cmd {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		t.Fatalf("%s is missing: install Debian's package postgresql", name)
	}
	c := exec.Command(found[len(found)-1], args...)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGKILL}
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
