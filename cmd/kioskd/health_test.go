package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/cmd/internal/config"
	standing "longcheng/cmd/internal/status"
	"longcheng/device"
	"longcheng/device/tty"
	"longcheng/kiosk"
)

// A change is one line in the log and one event in the journal; the same again
// is none, and the end tells how long it took.
func TestEachChangeIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var noted []string
		h := newHealth(slog.New(slog.NewTextHandler(&log, nil)), time.Now, func(_ context.Context, kind kiosk.Kind, body any) error {
			a := body.(kiosk.Alarm)
			noted = append(noted, fmt.Sprint(kind, " ", a.Source, ": ", a.State))
			return nil
		})
		notes := start("health notes", quiet, []part{{name: "health notes", run: h.run}})
		h.say("reader r", ready)
		for range 5 {
			h.say("reader r", "unplugged: check its cable")
		}
		time.Sleep(4 * time.Minute)
		h.over("reader r")
		h.over("lamp l") // of which nothing was said
		if err := notes.stop(time.Minute); err != nil {
			t.Error(err)
		}
		h.say("reader r", "the daemon ends")
		want := "alarm reader r: ready|alarm reader r: unplugged: check its cable|alarm reader r: ready"
		if got := strings.Join(noted, "|"); got != want {
			t.Errorf("noted %q", got)
		}
		if n := strings.Count(log.String(), "unplugged"); n != 1 || !strings.Contains(log.String(), "after=4m0s faults=1") || strings.Contains(log.String(), "the daemon ends") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

// What is still waiting when the notes are stopped reaches the journal.
func TestNotesAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noted, open := 0, make(chan struct{})
		h := newHealth(quiet, time.Now, func(context.Context, kiosk.Kind, any) error { <-open; noted++; return nil })
		notes := start("health notes", quiet, []part{{name: "health notes", run: h.run}})
		for i := range 50 {
			h.say(fmt.Sprint("strip:", i), "card is silent")
		}
		go func() { time.Sleep(time.Second); close(open) }()
		if err := notes.stop(time.Minute); err != nil {
			t.Error(err)
		}
		if noted != 50 {
			t.Errorf("%d of 50 changes in the journal", noted)
		}
	})
}

// healthz names the loop that hangs, with 503, for eyes and for machines.
func TestHealthzNamesTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, hung := &pulse{name: "reader r", within: time.Hour}, &pulse{name: "printer p", within: deviceSilence}
		b := &box{
			conf: &config.Config{Device: "kiosk-1", Hall: &kiosk.Hall{ID: "small"}}, health: newHealth(quiet, time.Now, nil),
			check: &selfCheck{pulses: []*pulse{good, hung}, every: time.Hour, ready: true, last: time.Now()},
		}
		b.health.say("line l", "unplugged: check its cable")
		for _, p := range b.check.pulses {
			p.begin()
			p.beat()
		}
		ask := func(accept string) *httptest.ResponseRecorder {
			rec, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/healthz", nil)
			r.Header.Set("Accept", accept)
			b.healthz(rec, r)
			return rec
		}
		if rec := ask(""); rec.Code != 200 || !strings.HasPrefix(rec.Body.String(), "ok\n") || !strings.Contains(rec.Body.String(), "unplugged: check its cable") {
			t.Errorf("a good hall: %d\n%s", rec.Code, rec.Body)
		}
		time.Sleep(2 * deviceSilence)
		if rec := ask(""); rec.Code != 503 || !strings.HasPrefix(rec.Body.String(), "failing\n") || !strings.Contains(rec.Body.String(), "loop printer p: no sign of life for 1m0s: restart kioskd") {
			t.Errorf("a hanging loop: %d\n%s", rec.Code, rec.Body)
		}
		var d diagnosis
		if err := json.Unmarshal(ask("application/json").Body.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		strict := json.NewDecoder(ask("application/json").Body)
		strict.DisallowUnknownFields()
		if err := strict.Decode(new(standing.Status)); err != nil {
			t.Errorf("the technician's tool does not know all of it: %v", err)
		}
		if d.State != "failing" || d.Loops[0].Hangs || !d.Loops[1].Hangs || d.Devices[0].Device != "line l" {
			t.Errorf("diagnosis: %+v", d)
		}
	})
}

// Every error of a port comes with what to do about it.
func TestAdvice(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fs.ErrNotExist, "plug the device in"},
		{fs.ErrPermission, "group dialout"},
		{device.ErrTimeout, "switched on"},
		{device.ErrGone, "check its cable"},
		{errors.New("input/output error"), "check the port"},
	} {
		if got := advice(&device.Wire{Op: "open", Port: "/dev/x", Err: c.err}); !strings.Contains(got, c.want) {
			t.Errorf("%v: advice %q, want %q", c.err, got, c.want)
		}
	}
	if got := advice(tty.ErrBusy); got != "" {
		t.Errorf("a busy port says itself what to do, not %q", got)
	}
}
