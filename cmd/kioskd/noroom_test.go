package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inMemory puts a rig's state directory into memory, where only processes see it that
// are started there: a disk that can be filled. The rig finds it by another name.
func (r *rig) inMemory(options string) (start func(conf string, env ...string) *process) {
	r.t.Helper()
	there := r.state
	keeper := exec.Command("unshare", "-m", "sh", "-c", `mount -t tmpfs -o "$1" kioskd "$2" && echo && exec sleep infinity`, "sh", options, there)
	keeper.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := keeper.StdoutPipe()
	if err = errors.Join(err, keeper.Start()); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _, _ = keeper.Process.Kill(), keeper.Wait() }) // it has no end of its own
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		r.t.Fatalf("mount: %v: run the tests as root", err)
	}
	bin, err := program()
	own := filepath.Join(r.t.TempDir(), "kioskd")
	script := fmt.Sprintf("#!/bin/sh\nexec nsenter -t %d -m %s \"$@\"\n", keeper.Process.Pid, bin)
	if err = errors.Join(err, os.WriteFile(own, []byte(script), 0o700)); err != nil {
		r.t.Fatal(err)
	}
	r.state = fmt.Sprintf("/proc/%d/root%s", keeper.Process.Pid, there)
	return func(conf string, env ...string) *process {
		d := &process{t: r.t, name: "kioskd", bin: own, listen: freePort(r.t), http: &http.Client{Transport: &http.Transport{}}}
		return d.run(nil, env, "-config", conf, "-state", there, "-clock-offset", awayFromMidnight().String())
	}
}

// films is what fills the disk.
func (r *rig) films() string { return filepath.Join(r.state, "films") }

// fill leaves no room on the disk.
func (r *rig) fill() {
	r.t.Helper()
	f, err := os.OpenFile(r.films(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	for size := 1 << 20; err == nil && size > 0; size /= 2 {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		if errors.Is(err, unix.ENOSPC) {
			err = nil
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		r.t.Fatal(err)
	}
}

// exhaust gives tickets until there is no room for one. It returns the last number.
func (d *process) exhaust(last string) string {
	d.t.Helper()
	for {
		status, text := d.answer("POST", "/api/v1/tickets", "", map[string]any{"kiosk": "touch-1", "item": "social-card"})
		switch {
		case status == http.StatusOK || status == http.StatusCreated:
			last = numberIn(d.t, text)
		case status == http.StatusServiceUnavailable && strings.Contains(string(text), `"disk_full"`):
			return last
		default:
			d.t.Fatalf("a full disk answered %d %s", status, text)
		}
	}
}

func numberIn(t testing.TB, answer []byte) string {
	t.Helper()
	var given struct {
		Visit struct{ Number string }
	}
	if err := json.Unmarshal(answer, &given); err != nil || given.Visit.Number == "" {
		t.Fatalf("no number in %s: %v", answer, err)
	}
	return given.Visit.Number
}

// The disk is full and nothing is kept in reserve: tickets are refused with the reason,
// also while crumbs of room come and go, and the daemon lives. A start on the full disk
// tells people, programs and the technician, and goes on by itself when there is room,
// where it was.
func TestAFullDisk(t *testing.T) {
	r := &rig{t: t, state: t.TempDir()}
	conf, _ := edited(t, "kioskd.toml", "[[touch]]", `printer = "printer-1"`, "")
	start := r.inMemory("size=30m")
	d := start(conf).healthy()
	d.open("1") // at the desk nobody is slowed down
	r.fill()
	last := d.exhaust("")
	for range 12 {
		s, err := os.Stat(r.films())
		if err = errors.Join(err, os.Truncate(r.films(), s.Size()-4096)); err != nil {
			t.Fatal(err)
		}
		last = d.exhaust(last)
	}
	d.stop()

	r.fill()
	d = start(conf)
	d.until("somebody who tells", func() bool { return strings.Contains(d.health(), "device  disk") })
	if said := d.health(); !strings.HasPrefix(said, "failing\n") || !strings.Contains(said, "make room") {
		t.Errorf("the technician is told %s", said)
	}
	status, page := d.answer("GET", "/kiosk/touch-1", "text/html", nil)
	if status != http.StatusServiceUnavailable || !strings.Contains(string(page), "系统存储已满") || !strings.Contains(string(page), "the disk is full") {
		t.Errorf("people are told %d %s", status, page)
	}
	d.exhaust("") // is told so at once
	if err := os.Remove(r.films()); err != nil {
		t.Fatal(err)
	}
	d.healthy()
	d.open("1")
	status, text := d.answer("POST", "/api/v1/tickets", "", map[string]any{"kiosk": "touch-1", "item": "social-card"})
	var was, is int
	_, err1 := fmt.Sscanf(last[1:], "%d", &was)
	_, err2 := fmt.Sscanf(numberIn(t, text)[1:], "%d", &is)
	if err := errors.Join(err1, err2); err != nil || is != was+1 {
		t.Errorf("after %s came %d %s: %v", last, status, text, err)
	}
}

// A start finds the disk full, and its ballast: that is what it is kept for.
func TestTheBallastOpensTheStore(t *testing.T) {
	r := &rig{t: t, state: t.TempDir()}
	conf, _ := edited(t, "kioskd.toml", "[[touch]]", `printer = "printer-1"`, "")
	start := r.inMemory("size=60m")
	ballast := filepath.Join(r.state, "ballast")
	size := func() int64 {
		s, err := os.Stat(ballast)
		if err != nil {
			return -1
		}
		return s.Size()
	}
	d := start(conf).healthy()
	d.until("a ballast", func() bool { return size() == ballastSize })
	d.stop()
	r.fill()
	d = start(conf).healthy()
	if got := size(); got != 0 {
		t.Errorf("the ballast has %d bytes", got)
	}
	d.stop()
}
