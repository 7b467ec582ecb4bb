package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/modbusio"
	"longcheng/cmd/kiosksim/sim/onbon"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/device/glyph"
	"longcheng/kiosk"
	"longcheng/kiosk/freeport"
)

func TestMain(m *testing.M) {
	if enrolled() {
		return
	}
	dir, err := os.MkdirTemp("", "kioskd-test-")
	if err != nil {
		panic(err)
	}
	os.Setenv("KIOSKD_TEST_BIN", dir)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// program builds the daemon as a hall runs it, without the race detector.
var program = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(os.Getenv("KIOSKD_TEST_BIN"), "kioskd")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build kioskd: %w: %s", err, out)
	}
	return bin, nil
})

const smallHall = "../../deploy/halls/small/kioskd.toml"

// awayFromMidnight is added to the clocks of all daemons: in the last half hour of
// the hall's day an hour less, so that no day ends in a test.
var awayFromMidnight = sync.OnceValue(func() time.Duration {
	if now := time.Now().In((&kiosk.Hall{}).Location()); now.Hour() == 23 && now.Minute() >= 30 {
		return -time.Hour
	}
	return 0
})

// The faces are unpacked once for all tests: they are only read.
var (
	face16 = sync.OnceValue(glyph.Face16)
	face24 = sync.OnceValue(glyph.Face24)
)

// A rig is the small hall's hardware, simulated, and a state directory.
type rig struct {
	t       testing.TB
	state   string
	cables  map[string]*port.Port
	printer *escpos.Printer
	reader  *sam.Reader
	board   *modbusio.Board
	line    *onbon.Line
	taps    tap
	offset  time.Duration // of the daemon's clock, beside awayFromMidnight
}

// newRig plugs the hardware in; the printer's paper moves at speed mm/s.
func newRig(t testing.TB, speed float64) *rig {
	t.Helper()
	r := &rig{t: t, state: t.TempDir(), cables: map[string]*port.Port{}}
	if err := os.Mkdir(filepath.Join(r.state, "ports"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"printer-1", "reader-1", "scanner-1", "board-1", "line-1"} {
		cable, err := port.Open(filepath.Join(r.state, "ports", name))
		if err != nil {
			t.Fatal(err)
		}
		r.cables[name] = cable
	}
	r.printer = escpos.New(escpos.Config{Dots: 576, SpeedMM: speed, Font: escpos.FaceFont(face24())}, r.cables["printer-1"])
	r.reader = sam.New(r.cables["reader-1"])
	r.board = modbusio.New(1, r.cables["board-1"])
	r.line = onbon.New(r.cables["line-1"], face16(),
		onbon.Config{Name: "1", Address: 1, Width: 192, Height: 32}, onbon.Config{Name: "2", Address: 2, Width: 192, Height: 32})
	r.run()
	return r
}

func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for name, receive := range map[string]func(context.Context, []byte){
		"printer-1": r.taps.before(r.printer.Receive), "reader-1": r.reader.Receive, "board-1": r.board.Receive, "line-1": r.line.Receive,
		"scanner-1": func(context.Context, []byte) {},
	} {
		wg.Go(func() { _ = r.cables[name].Run(ctx, receive) })
	}
	wg.Go(func() { _ = r.printer.Run(ctx) })
	r.t.Cleanup(func() {
		cancel()
		wg.Wait()
		for _, c := range r.cables {
			c.Close()
		}
	})
}

// A tap listens on a printer's wire: it notes when the last byte of a slip
// passed, and counts the queries after it. A slip is longer than a query, and
// ends with the request for its mark, GS ( H.
type tap struct {
	mu      sync.Mutex
	last    time.Time
	queries int
}

func (w *tap) before(receive func(context.Context, []byte)) func(context.Context, []byte) {
	return func(ctx context.Context, b []byte) {
		w.mu.Lock()
		if len(b) > 16 || bytes.Contains(b, []byte("\x1d(H")) {
			w.last, w.queries = time.Now(), 0
		} else {
			w.queries += bytes.Count(b, []byte("\x10\x04"))
		}
		w.mu.Unlock()
		receive(ctx, b)
	}
}

func (w *tap) lastByte() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// idle reports whether the last slip is settled: two queries prove it, two more
// are the next look for work.
func (w *tap) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queries >= 4
}

// A process is kioskd as systemd runs it.
type process struct {
	t           testing.TB
	name        string // in the test's log
	bin         string // the daemon; "": that of this commit
	listen, url string
	cmd         *exec.Cmd
	log         lockedBuffer
	done        chan struct{}
	err         error // of Wait; valid after done
	http        *http.Client
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps what the daemon logs.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func freePort(t testing.TB) string {
	t.Helper()
	at, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// start starts the daemon on the rig; env adds to its environment.
func (r *rig) start(conf string, env ...string) *process {
	r.t.Helper()
	d := &process{t: r.t, name: "kioskd", listen: freePort(r.t), http: &http.Client{Transport: &http.Transport{}}}
	return d.run(nil, env, "-config", conf, "-state", r.state, "-clock-offset", (awayFromMidnight() + r.offset).String())
}

// run starts the daemon as systemd does; the end of the test ends it.
func (d *process) run(at *namespace, env []string, args ...string) *process {
	d.t.Helper()
	bin, err := d.bin, error(nil)
	if bin == "" {
		bin, err = program()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.url, d.done = "http://"+d.listen, make(chan struct{})
	d.cmd = commandWith(bin, &d.log, append([]string{"run", "-listen", d.listen}, args...)...)
	d.cmd.Env = append(os.Environ(), env...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	at.in(func() { err = d.cmd.Start() })
	if err != nil {
		d.t.Fatal(err)
	}
	go func() { d.err = d.cmd.Wait(); close(d.done) }()
	d.t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // it has usually ended
		<-d.done
		d.http.CloseIdleConnections()
		if d.t.Failed() {
			d.t.Logf("%s said:\n%s", d.name, d.log.String())
		}
	})
	return d
}

func (d *process) signal(s os.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// stop ends the daemon as systemd would, and wants a clean end.
func (d *process) stop() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	<-d.done
	if d.err != nil {
		d.t.Errorf("kioskd ended with %v", d.err)
	}
	for _, bad := range []string{"store is closed", "database is closed", "panic", "still running"} {
		if strings.Contains(d.log.String(), bad) {
			d.t.Errorf("the log says %q", bad)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(d.log.String()), "msg=closed") {
		d.t.Error("something was logged after the end, or no end was")
	}
}

// until waits for f to say yes, while the daemon lives, and far longer than even a
// busy machine needs.
func (d *process) until(what string, f func() bool) {
	d.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	long := time.NewTimer(3 * time.Minute)
	defer long.Stop()
	for !f() {
		select {
		case <-long.C:
			d.t.Fatalf("waited in vain for %s", what)
		case <-d.done:
			d.t.Fatalf("kioskd ended while waiting for %s: %v", what, d.err)
		case <-d.t.Context().Done():
			d.t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// answer sends a request; its status is 0 when nobody answered.
func (d *process) answer(method, path, accept string, body any) (int, []byte) {
	var b []byte
	if body != nil {
		b, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, bytes.NewReader(b))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", rand.Text())
	}
	res, err := d.http.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil
	}
	return res.StatusCode, text
}

func (d *process) health() string {
	_, text := d.answer("GET", "/healthz", "", nil)
	return string(text)
}

// healthy waits until the self-check is good.
func (d *process) healthy() *process {
	d.t.Helper()
	d.until("a good self-check", func() bool { return strings.HasPrefix(d.health(), "ok\n") })
	return d
}

// sent waits until the centre has everything that a box wrote.
func (d *process) sent() {
	d.t.Helper()
	d.until("the centre to have everything of "+d.name, func() bool {
		h := d.health()
		return strings.Contains(h, "current since") && strings.Contains(h, " 0 waiting")
	})
}

// ticket takes a ticket as the touch page does, as soon as the printer is ready.
func (d *process) ticket(print bool) {
	d.t.Helper()
	d.until("a ticket", func() bool {
		status, _ := d.answer("POST", "/api/v1/tickets", "", map[string]any{"kiosk": "touch-1", "item": "social-card", "print": print})
		return status == http.StatusOK || status == http.StatusCreated
	})
}

// screen returns what the touch page is told now.
func (d *process) screen() string {
	req, _ := http.NewRequestWithContext(d.t.Context(), "GET", d.url+"/kiosk/touch-1/events", nil)
	res, err := d.http.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	buf := make([]byte, 64<<10)
	n := 0
	for n < len(buf) && !bytes.Contains(buf[:n], []byte("\n\n")) {
		m, err := res.Body.Read(buf[n:])
		n += m
		if err != nil {
			break
		}
	}
	return string(buf[:n])
}

// logged counts the lines of the log that hold all of the words.
func (d *process) logged(words ...string) (n int) {
	for line := range strings.Lines(d.log.String()) {
		has := true
		for _, w := range words {
			has = has && strings.Contains(line, w)
		}
		if has {
			n++
		}
	}
	return n
}

// slips waits until n slips have come out whole.
func (d *process) slips(r *rig, n int) {
	d.t.Helper()
	d.until(fmt.Sprintf("%d slips", n), func() bool {
		whole := 0
		for _, s := range r.printer.Slips() {
			if s.Complete {
				whole++
			}
		}
		return whole >= n
	})
}

// exit returns the exit status, or the signal that ended the process.
func (d *process) exit() (status int, sig syscall.Signal) {
	<-d.done
	var e *exec.ExitError
	if !errors.As(d.err, &e) {
		return 0, 0
	}
	w := e.Sys().(syscall.WaitStatus)
	if w.Signaled() {
		return -1, w.Signal()
	}
	return w.ExitStatus(), 0
}

func commandWith(bin string, log io.Writer, args ...string) *exec.Cmd {
	cmd := exec.Command(bin, args...)
	cmd.Stderr = log
	return cmd
}

// open signs a clerk in and opens a window.
func (d *process) open(window string) {
	d.t.Helper()
	jar, _ := cookiejar.New(nil) // never fails with nil options
	d.http.Jar = jar
	d.must("session", map[string]any{"user": "1001", "secret": "1234", "window": window})
	d.must("windows/"+window+"/state", map[string]any{"desk": "open"})
}

// must posts to the API and wants it done.
func (d *process) must(path string, body any) {
	d.t.Helper()
	if status, text := d.answer("POST", "/api/v1/"+path, "", body); status/100 != 2 {
		d.t.Fatalf("POST %s: %d %s", path, status, text)
	}
}
