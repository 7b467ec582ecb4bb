package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// systemd is the service manager's socket; heard returns what was said so far.
func systemd(t *testing.T) (env string, heard func() []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var said []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			mu.Lock()
			said = append(said, string(b[:n]))
			mu.Unlock()
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
	return "NOTIFY_SOCKET=" + path, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), said...)
	}
}

func says(all []string, word string) bool {
	for _, s := range all {
		if s == word {
			return true
		}
	}
	return false
}

// The real daemon tells systemd: READY once, after a good self-check, then pats
// its watchdog, and STOPPING before it ends.
func TestSystemd(t *testing.T) {
	env, heard := systemd(t)
	d := newRig(t, 3000).start(smallHall, env, "WATCHDOG_USEC=600000")
	d.until("READY", func() bool { return says(heard(), "READY=1") })
	if h := d.health(); !strings.HasPrefix(h, "ok\n") || !strings.Contains(h, "store   ok") {
		t.Errorf("ready, but not healthy:\n%s", h)
	}
	n := len(heard())
	d.until("the watchdog's pats", func() bool { return len(heard()) > n+3 })
	d.stop()
	all := heard()
	if all[0] != "READY=1" || !says(all, "STOPPING=1") || strings.Count(strings.Join(all, " "), "READY=1") != 1 {
		t.Errorf("systemd heard %q", all)
	}
}

// Without a single device the daemon is as ready as with all of them: loops
// beat whether their devices are there or not.
func TestReadyWithoutDevices(t *testing.T) {
	r := newRig(t, 3000)
	for _, c := range r.cables {
		c.Unplug()
	}
	d := r.start(smallHall).healthy()
	for _, device := range []string{"printer printer-1", "reader reader-1", "scanner scanner-1", "board board1", "line line-1", "strip:1"} {
		d.until(device+" in healthz", func() bool { return strings.Contains(d.health(), device) })
	}
	d.stop()
	if n := d.logged(`device="reader reader-1"`, "plug the device in"); n != 1 {
		t.Errorf("%d lines about the reader, want 1", n)
	}
}

// A slip in hand is finished before the end, and known to be printed.
func TestStopFinishesTheSlip(t *testing.T) {
	r := newRig(t, 60)
	d := r.start(smallHall).healthy()
	d.ticket(true)
	d.until("the first line", func() bool { return len(r.printer.Hanging().Rows) > 0 })
	d.stop()
	if n := len(r.printer.Slips()); n != 1 {
		t.Errorf("%d slips", n)
	}
	if got := r.jobs(); got != "0 printed" {
		t.Errorf("jobs: %s", got)
	}
}

// A slip that cannot be finished is parked: unknown, with a marked copy that the
// next start prints.
func TestStopParksTheSlip(t *testing.T) {
	r := newRig(t, 300)
	d := r.start(smallHall).healthy()
	r.printer.PaperOutAfter(200)
	d.ticket(true)
	d.until("the printer to be out of paper", func() bool { return strings.Contains(d.health(), "out of paper") })
	d.stop()
	if got := r.jobs(); got != "0 unknown, 1 pending" {
		t.Errorf("jobs after the stop: %s", got)
	}
	r.printer.NewRoll()
	d = r.start(smallHall).healthy()
	d.slips(r, 1)
	d.stop()
	if got := r.jobs(); got != "0 unknown, 1 printed" {
		t.Errorf("jobs after the next start: %s", got)
	}
}

// jobs reads the print jobs from the journal, as a stranger would.
func (r *rig) jobs() string {
	r.t.Helper()
	c, _ := config.Load(smallHall)
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(r.state, "hall.db"), Hall: c.Hall, Origin: c.Device})
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	last := map[int64]kiosk.Job{}
	events, err := s.Journal(context.Background(), 0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range events {
		var j kiosk.Job
		switch e.Kind {
		case kiosk.KindIssued:
			var i struct{ Job int64 }
			err = json.Unmarshal(e.Body, &i)
			j = kiosk.Job{ID: i.Job, State: kiosk.JobPending}
		case kiosk.KindJob:
			err = json.Unmarshal(e.Body, &j)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		if j.ID > 0 {
			last[j.ID] = j
		}
	}
	var list []string
	for id := int64(1); id <= int64(len(last)); id++ {
		list = append(list, fmt.Sprintf("%d %s", last[id].Copy, last[id].State))
	}
	return strings.Join(list, ", ")
}

// The strips do not keep a number that means nothing while nobody is there.
func TestStopMarksTheStrips(t *testing.T) {
	r := newRig(t, 3000)
	d := r.start(smallHall).healthy()
	d.until("the strips", func() bool { return r.line.Card("1").Text() != "" && r.line.Card("2").Text() != "" })
	d.stop()
	for _, card := range []string{"1", "2"} {
		if text := r.line.Card(card).Text(); text != textStopped.ZH {
			t.Errorf("strip %s says %q", card, text)
		}
	}
}

// halfRequest begins a request that never ends.
func halfRequest(t *testing.T, d *process) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Write([]byte("POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	// The server says so when it begins to read the body: the request is in hand.
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server answered %q, %v", line, err)
	}
}

// A client that does not let go is cut off: the stop is bounded and good.
func TestStopIsBoundedByItself(t *testing.T) {
	d := newRig(t, 3000).start(smallHall).healthy()
	halfRequest(t, d)
	begun := time.Now()
	d.stop()
	if took := time.Since(begun); took > 25*time.Second {
		t.Errorf("the stop took %s", took)
	}
	if d.logged("requests in hand are cut off") != 1 {
		t.Error("nothing was said about the request")
	}
}

// The second signal ends the process at once, by the signal.
func TestSecondSignal(t *testing.T) {
	env, heard := systemd(t)
	d := newRig(t, 3000).start(smallHall, env).healthy()
	halfRequest(t, d)
	d.signal(syscall.SIGTERM)
	d.until("STOPPING", func() bool { return says(heard(), "STOPPING=1") })
	d.signal(syscall.SIGTERM)
	if status, sig := d.exit(); sig != syscall.SIGTERM {
		t.Errorf("exit status %d, signal %v", status, sig)
	}
	if d.logged("msg=closed") != 0 {
		t.Error("the second signal was waited for")
	}
}

// A configuration with mistakes starts nothing: each is one line of the error.
func TestStartRefusesMistakes(t *testing.T) {
	conf, line := edited(t, "kioskd.toml", "[[printer]]", `"escpos"`, `"epson"`)
	state := filepath.Join(t.TempDir(), "state")
	d := &process{t: t, name: "kioskd", listen: freePort(t), http: &http.Client{}}
	d.run(nil, nil, "-config", conf, "-state", state)
	want := fmt.Sprintf(`%s:%d: printer[0].driver: there is no printer driver "epson": write escpos`, conf, line)
	if status, _ := d.exit(); status != 1 || d.logged(want) != 1 {
		t.Errorf("status %d, log:\n%s", status, d.log.String())
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("the state directory was made all the same")
	}
}

// A daemon that cannot serve its pages says so, and leaves nothing half open.
func TestListenTaken(t *testing.T) {
	r := newRig(t, 3000)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := &process{t: t, name: "kioskd", listen: l.Addr().String(), http: &http.Client{}}
	d.run(nil, nil, "-config", smallHall, "-state", r.state)
	if status, _ := d.exit(); status != 1 || d.logged("serve pages on", "address already in use", "stop the other program") != 1 {
		t.Errorf("status %d, log:\n%s", status, d.log.String())
	}
	if _, err := os.Stat(filepath.Join(r.state, "hall.db-wal")); err == nil {
		t.Error("the store was not closed")
	}
}
