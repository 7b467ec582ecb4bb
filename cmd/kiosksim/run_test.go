package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
	"longcheng/kiosk/freeport"
)

// A hall in the browser: its pages answer, Ctrl-C ends it without a word of
// trouble, and started again it continues the same day.
func TestRun(t *testing.T) {
	noLeaks(t)
	o := options{hall: "small", halls: "../../deploy/halls", state: t.TempDir(), kioskd: kioskd(t)}
	awayFromMidnight(t, filepath.Join(o.state, o.hall))
	if first, second := oneRun(t, o), oneRun(t, o); first != "A001" || second != "A002" {
		t.Errorf("the first run gave %s, the second %s: want A001 and A002", first, second)
	}
}

// A daemon that cannot start ends the run, which says so: make sees it, too.
func TestRunFailsWithItsDaemon(t *testing.T) {
	noLeaks(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := options{hall: "small", halls: "../../deploy/halls", state: t.TempDir(), kioskd: kioskd(t), listen: taken.Addr().String(), bench: "127.0.0.1:0"}
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	said := &bytes.Buffer{}
	if err := run(ctx, o, io.Discard, &turns{w: said}); err == nil || ctx.Err() != nil || !strings.Contains(said.String(), "change web.listen") {
		t.Errorf("it ended with %v and said %s", err, said)
	}
}

// A daemon that ended leaves word of what became of it, and of what to do.
func TestAnEndedDaemonIsTold(t *testing.T) {
	for script, want := range map[string]string{
		"kill -9 $$": "kioskd of box-1 ended (signal: killed): somebody killed it",
		"exit 1":     "kioskd of box-1 ended (exit status 1): its last lines say why",
		"exit 0":     "kioskd of box-1 ended (exit status 0): somebody stopped it",
	} {
		d := &daemon{name: "box-1", program: "/bin/sh", args: []string{"-c", script}}
		if err := d.run(t.Context()); err == nil || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "(make run) and the day continues") {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// oneRun runs a hall until a ticket was taken, and presses Ctrl-C.
func oneRun(t *testing.T, o options) (number string) {
	t.Helper()
	var err error
	if o.listen, err = freeport.Address(); err != nil {
		t.Fatal(err)
	}
	if o.bench, err = freeport.Address(); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	out, errs, ended := &bytes.Buffer{}, &bytes.Buffer{}, make(chan error, 1)
	said := &turns{w: errs}
	go func() { ended <- run(ctx, o, out, said) }()
	patience, cancel := context.WithTimeout(ctx, 6*time.Minute)
	defer cancel()
	for _, page := range []string{"/healthz", "/kiosk/touch-1", "/console", "/wall/main/", "/api/v1/docs"} {
		if !answers(patience, "http://"+o.listen+page) {
			t.Errorf("%s does not answer", page)
		}
	}
	if !answers(patience, "http://"+o.bench+"/") {
		t.Error("the bench does not answer")
	}
	c := newClient("http://" + o.listen)
	defer c.http.CloseIdleConnections()
	defer http.DefaultClient.CloseIdleConnections()
	var issued kiosk.Issued
	if err := until(patience, "a ticket", func() bool {
		return c.once(patience, "POST", "/api/v1/tickets", "run-"+o.listen, map[string]any{"kiosk": "touch-1", "item": "id-card", "print": true}, &issued) == nil
	}); err != nil {
		t.Error(err)
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	for _, line := range strings.Split(errs.String(), "\n") {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "kiosksim:") || strings.Contains(line, "panic") {
			t.Errorf("it said %s", line)
		}
	}
	return issued.Visit.Number
}

// A hall of three boxes: the host is there first, the others are enrolled and join
// it, a ticket of the kiosk has the host's number, and after Ctrl-C and a second
// start they are the same boxes.
func TestRunThree(t *testing.T) {
	noLeaks(t)
	o := options{hall: "three", halls: t.TempDir(), state: t.TempDir(), kioskd: kioskd(t)}
	awayFromMidnight(t, filepath.Join(o.state, o.hall))
	at := copyThree(t, &o)
	for i, want := range []string{"A001", "A002"} {
		ctx, interrupt := context.WithTimeout(context.Background(), 6*time.Minute)
		var errs bytes.Buffer
		ended := make(chan error, 1)
		go func() { ended <- run(ctx, o, &bytes.Buffer{}, &turns{w: &errs}) }()
		if got := joinedTicket(ctx, t, at, fmt.Sprint(i)); got != want {
			t.Errorf("ticket %s, want %s", got, want)
		}
		interrupt()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		if strings.Contains(errs.String(), "level=ERROR") {
			t.Errorf("it said %s", errs.String())
		}
	}
}

// joinedTicket waits until the kiosk has joined, and takes a ticket there.
func joinedTicket(ctx context.Context, t *testing.T, at, request string) string {
	t.Helper()
	c := newClient("http://" + at)
	defer c.http.CloseIdleConnections()
	defer http.DefaultClient.CloseIdleConnections()
	var issued kiosk.Issued
	err := until(ctx, "the kiosk to join", func() bool { return joined(ctx, at) })
	if err == nil {
		err = until(ctx, "a ticket", func() bool {
			return c.once(ctx, "POST", "/api/v1/tickets", request, map[string]any{"kiosk": "touch-1", "item": "id-card", "print": true}, &issued) == nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return issued.Visit.Number
}

// joined reports whether a box has its host and a full reserve.
func joined(ctx context.Context, at string) bool {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+at+"/healthz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return err == nil && regexp.MustCompile(`(?m)^device +hall host .*: ready$`).Match(text)
}

// copyThree copies the sample to free ports, and returns the kiosk's pages.
func copyThree(t *testing.T, o *options) (kioskPages string) {
	t.Helper()
	ports := []string{"127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8443", "127.0.0.1:8444"}
	var pairs []string
	for _, p := range ports {
		free, err := freeport.Address()
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p, free)
	}
	var err error
	if o.bench, err = freeport.Address(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(o.halls, os.DirFS("../../deploy/halls")); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(o.halls, "three", "*.toml")) // the pattern is good
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(f, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return pairs[3]
}
