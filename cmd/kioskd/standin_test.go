package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// stands says how a device of the box stands, in its own words.
func (m *member) stands(name string) string {
	_, text := m.answer("GET", "/healthz", "application/json", nil)
	var d diagnosis
	if json.Unmarshal(text, &d) != nil {
		return ""
	}
	for _, r := range d.Devices {
		if r.Device == name {
			return r.State
		}
	}
	return ""
}

// clerk signs in at the console of a box.
func (m *member) clerk(window string) {
	m.t.Helper()
	m.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	m.must("session", map[string]any{"user": "1001", "secret": "1234", "window": window})
}

// callNext calls, and returns the status, the visit and what was said. Each time it
// is another request: that nobody waits is an answer for ever, too.
func (m *member) callNext() (status int, visit string, text []byte) {
	status, text = m.post("windows/1/next", rand.Text(), map[string]any{})
	var c kiosk.Call
	_ = json.Unmarshal(text, &c) // it may be a refusal
	return status, c.Visit, text
}

// hallJournal is the whole journal of the hall as a stand-in wrote it on: all of
// its chapters.
func (m *member) hallJournal() (events []kiosk.Event) {
	m.t.Helper()
	for _, c := range m.hallChapters() {
		events = append(events, c.events...)
	}
	return events
}

// A chapterText is one chapter of a journal.
type chapterText struct {
	origin kiosk.Origin
	events []kiosk.Event
}

// hallChapters reads a store whose daemon has ended. That this look booted, too,
// is left out.
func (m *member) hallChapters() (all []chapterText) {
	m.t.Helper()
	path := filepath.Join(m.state, copyFile)
	if r, err := sqlite.Verify(context.Background(), path); err != nil || len(r.Faults) > 0 {
		m.t.Fatalf("%s: verify: %v %v", path, err, r.Faults)
	}
	c, _ := config.Load(m.conf)
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: path, Hall: c.Hall, Origin: "host", Host: m.device, Version: "audit"})
	if err != nil {
		m.t.Fatal(err)
	}
	defer s.Close()
	pasts, err := s.Pasts(context.Background())
	if err != nil {
		m.t.Fatal(err)
	}
	for _, p := range append(journals(pasts), s) {
		part, err := p.Journal(context.Background(), 0, 10_000)
		if err != nil {
			m.t.Fatal(err)
		}
		all = append(all, chapterText{p.Origin(), part})
	}
	last := &all[len(all)-1]
	last.events = last.events[:len(last.events)-1]
	return all
}

func journals(pasts []*sqlite.Past) (list []central.Journal) {
	for _, p := range pasts {
		list = append(list, p)
	}
	return list
}

// callsOnce wants every visit that a clerk was told of to be called once in the
// journal, and counts.
func callsOnce(t *testing.T, events []kiosk.Event, told map[string]bool) {
	t.Helper()
	times := map[string]int{}
	for _, e := range events {
		var c kiosk.Call
		if e.Kind == kiosk.KindCalled && json.Unmarshal(e.Body, &c) == nil && c.Recall == 0 {
			times[c.Visit]++
		}
	}
	for v, n := range times {
		if n > 1 {
			t.Errorf("visit %s was called %d times", v, n)
		}
	}
	for v := range told {
		if times[v] != 1 {
			t.Errorf("visit %s, of which a clerk was told, is called %d times in the journal", v, times[v])
		}
	}
}

// The host is killed under load; the stand-in is promoted. It goes on where the
// host was: every paper is in its journal once, nobody is called twice, and the
// old host, when it comes back, decides nothing.
func TestAStandInTakesTheHostsPlace(t *testing.T) {
	h := newSeveralHall(t)
	k1, k2, d1 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2"), h.join("display.toml", "display-1")
	d1.until("the stand-in to be in step", func() bool { return d1.stands(standinName) == ready })
	a := &audit{}
	for _, k := range []*member{k1, k2} { // at the desk nobody is slowed down
		k.signIn()
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wg sync.WaitGroup
	a.rush(ctx, &wg, k1)
	a.rush(ctx, &wg, k2)
	h.host.open("1")
	d1.clerk("1")
	told := map[string]bool{}
	for range 5 {
		var visit string
		h.host.until("a call", func() (ok bool) {
			var status int
			status, visit, _ = h.host.callNext()
			return status/100 == 2
		})
		told[visit] = true
		h.host.must("windows/1/start", map[string]any{})
		h.host.must("windows/1/done", map[string]any{})
	}
	inStep := h.host.stands(standinName) == ready
	h.host.kill()
	if err := os.WriteFile(config.PromoteFile(d1.state), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	d1.until("a call at the stand-in", func() bool {
		status, visit, _ := d1.callNext()
		if status/100 == 2 {
			told[visit] = true
		}
		return status/100 == 2
	})
	t.Logf("%s from the order to the next call", time.Since(asked).Round(time.Millisecond))
	k1.joined()
	k2.joined()
	n1, n2 := a.count("kiosk-1")+5, a.count("kiosk-2")+5
	k1.until("more tickets", func() bool { return a.count("kiosk-1") >= n1 && a.count("kiosk-2") >= n2 })

	h.host.start().until("the old host to hear that it was replaced", func() bool {
		return strings.HasPrefix(h.host.stands(hostAway), "display-1 hosts the hall now")
	})
	h.host.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	if status, text := h.host.post("session", "old", map[string]any{"user": "1001", "secret": "1234", "window": "1"}); status != http.StatusConflict || !bytes.Contains(text, []byte("replaced")) {
		t.Errorf("the old host lets a clerk in: %d %s", status, text)
	}
	if status, text := h.host.post("tickets", "old-ticket", map[string]any{"kiosk": "desk", "item": "social-card"}); status/100 == 2 {
		t.Errorf("the old host gives a ticket: %s", text)
	}
	end()
	wg.Wait()
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, h.host, d1} {
		m.stop()
	}
	events := d1.hallJournal()
	a.check(t, events)
	if inStep {
		callsOnce(t, events, told)
	}
	t.Logf("%d papers, %d events, in step when the host died: %v", len(a.papers), len(events), inStep)
}
