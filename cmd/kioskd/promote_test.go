package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk"
)

// hasHall wants the centre to have what the hall's journal says, chapter by
// chapter: of what was written while the box stopped it may know later.
func (c *testCentre) hasHall(m *member) {
	c.t.Helper()
	for _, j := range m.hallChapters() {
		got := c.events(j.origin)
		for i, e := range j.events {
			switch {
			case i < len(got) && !bytes.Equal(e.Hash, got[i].Hash):
				c.t.Errorf("event %d of %s epoch %d differs at the centre", e.Seq, j.origin.Device, j.origin.Epoch)
				return
			case i >= len(got) && (e.Kind == kiosk.KindIssued || e.Kind == kiosk.KindCalled):
				c.t.Errorf("%s %d of %s epoch %d is not at the centre, which has %d", e.Kind, e.Seq, j.origin.Device, j.origin.Epoch, len(got))
			}
		}
	}
}

// The host dies while citizens take tickets and a clerk calls. The centre orders
// the stand-in to take its place, which it hears without the host. The hall goes
// on; what was decided before and after is at the centre, and so is the state of
// the hall; what the centre sends to the hall is taken by the box that hosts it.
func TestTheCentrePromotesAStandIn(t *testing.T) {
	c := newCentre(t)
	h := reportingHall(t, c)
	k1 := h.join("kiosk.toml", "kiosk-1")
	d1 := h.box("display.toml", "display-1")
	d1.reportTo(c)
	h.enrol(d1)
	d1.start().joined()
	d1.until("the stand-in to be in step", func() bool { return d1.stands(standinName) == ready })
	h.host.until("the host to know that", func() bool { return h.host.stands(standinName) == ready })
	k1.signIn()
	a := &audit{}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wg sync.WaitGroup
	a.rush(ctx, &wg, k1)
	told := map[string]bool{}
	h.host.open("1")
	for range 3 {
		h.host.until("a call", func() bool {
			status, visit, _ := h.host.callNext()
			if status/100 == 2 {
				told[visit] = true
			}
			return status/100 == 2
		})
		h.host.must("windows/1/start", map[string]any{})
		h.host.must("windows/1/done", map[string]any{})
	}
	inStep := h.host.stands(standinName) == ready
	h.host.kill()
	c.send("display-1", central.CommandPromote, `{}`)
	asked := time.Now()
	d1.until("the box to begin again as the host", func() bool { return d1.stands(standinName) == "" && d1.hostState() == ready })
	d1.clerk("1")
	d1.until("a call at the stand-in", func() bool {
		status, visit, _ := d1.callNext()
		if status/100 == 2 {
			told[visit] = true
		}
		return status/100 == 2
	})
	t.Logf("%s from the order of the centre to the next call", time.Since(asked).Round(time.Millisecond))
	at := time.Now().AddDate(0, 0, 2).UTC()
	c.sendDocument("display-1", central.NameAppointments, fmt.Sprintf(`{"day":%q,"list":[{"code":"LCABCDEF","item":"no-such-item","at":%q}]}`, at.Format(time.DateOnly), at.Format(time.RFC3339)))
	more := a.count("kiosk-1") + 5
	k1.until("more tickets", func() bool { return a.count("kiosk-1") >= more })
	d1.until("the answers", func() bool { return ackedOf(c.sent("display-1")) == 2 })
	for _, m := range c.sent("display-1") {
		if m.Name == central.NameAppointments && !strings.Contains(m.Text, "1 of 1 appointments") || m.Name == central.CommandPromote && !m.OK {
			t.Errorf("%s: %v %q", m.Name, m.OK, m.Text)
		}
	}
	end()
	wg.Wait()
	k1.until("the hand-in", func() bool { return k1.owed() == 0 })
	d1.sent()
	k1.sent()
	d1.until("the state of the hall at the centre", func() (known bool) {
		c.look(func(s *store.Store) error {
			all, err := s.Statuses(t.Context(), "small")
			known = all[store.Device{Hall: "small", Device: "display-1"}].Is.Hall != nil
			return err
		})
		return known
	})
	if _, page := d1.answer("GET", "/metrics", "", nil); !bytes.Contains(page, []byte("longcheng_windows_open 1")) {
		t.Error("the metrics of the box that hosts the hall say nothing of it")
	}
	for _, m := range []*member{k1, d1} {
		m.stop()
	}
	events := d1.hallJournal()
	a.check(t, events)
	if inStep {
		callsOnce(t, events, told)
	}
	c.hasHall(d1)
	c.same(k1.state, k1.conf)
	c.same(d1.state, d1.conf)
}

func ackedOf(list []store.Sent) (n int) {
	for _, m := range list {
		if !m.Acked.IsZero() {
			n++
		}
	}
	return n
}
