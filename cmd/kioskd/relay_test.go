package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"longcheng/central/store"
	"longcheng/cmd/internal/config"
)

// reportingHall is the three-box sample whose host reports to a centre.
func reportingHall(t *testing.T, c *testCentre) *severalHall {
	h := &severalHall{t: t, dir: t.TempDir(), at: freePort(t), then: freePort(t)}
	h.host = h.box("host.toml", "host")
	f, err := os.OpenFile(h.host.conf, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(f, "\n[centre]\naddress = %q\n", c.boxes)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	c.enrol(h.host.state, "host")
	h.host.start().healthy()
	return h
}

// sent waits until the centre has everything that a box wrote.
func (m *member) sent() {
	m.t.Helper()
	m.until("the centre to have everything of "+m.device, func() bool {
		h := m.health()
		return strings.Contains(h, "current since") && strings.Contains(h, " 0 waiting")
	})
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
