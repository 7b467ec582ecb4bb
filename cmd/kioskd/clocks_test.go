package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
)

// clock is the file by which the box's clock is set while it runs.
func (m *member) clock() string { return filepath.Join(m.state, "clock") }

// jump sets the clock of a running box.
func (m *member) jump(step time.Duration) {
	m.t.Helper()
	if err := central.WriteFile(m.clock(), []byte(step.String()), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// set starts a box again with another clock.
func (m *member) set(offset time.Duration) *member {
	m.t.Helper()
	m.stop()
	m.offset = offset
	return m.start()
}

// The clocks of a hall jump over midnight and back, a kiosk's before the host's,
// with the host there and away. Every paper is in the journal once, no number
// comes twice on a day, and nobody is sent to the desk.
func TestClocksJumpOverMidnightAndBack(t *testing.T) {
	h := newSeveralHall(t)
	over := h.midnight() + 30*time.Minute
	k1, k2 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2")
	a, n := &audit{}, 0
	take := func(boxes ...*member) {
		t.Helper()
		for _, m := range boxes {
			for range 2 {
				n++
				a.hold(m.device, m.take(fmt.Sprint(n)))
			}
		}
	}
	take(k1, k2)
	k1.set(over).joined()
	take(k1, k2)
	h.host.kill()
	take(k1, k2)
	h.host.offset = over
	h.host.start().healthy()
	k1.joined()
	k2.joined()
	take(k1, k2)
	h.host.set(0).healthy()
	k1.set(0).joined()
	k2.joined()
	take(k1, k2)
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, h.host} {
		m.stop()
	}
	known := a.days(t, h.host.journal())
	t.Logf("%d papers, %d events of tickets, clocks %s ahead and back", len(a.papers), known, over.Round(time.Minute))
}

// The clocks of host and kiosks are set while all of them run and citizens come: to
// the last second of the day, over midnight, and back, in any order. Nobody's number
// comes twice on a day, and every paper is in the journal.
func TestClocksAreSetUnderARunningHall(t *testing.T) {
	h := newSeveralHall(t)
	k1, k2 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2")
	for _, k := range []*member{k1, k2} { // at the desk nobody is slowed down
		k.signIn()
	}
	a, boxes := &audit{}, []*member{h.host, k1, k2}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var people sync.WaitGroup
	a.rush(ctx, &people, k1)
	a.rush(ctx, &people, k2)
	for range 12 {
		box := boxes[dice.IntN(len(boxes))]
		box.jump([]time.Duration{0, h.midnight() - time.Second, h.midnight() + 30*time.Minute}[dice.IntN(3)])
		n1, n2 := a.count(k1.device)+2, a.count(k2.device)+2
		k1.until("more tickets", func() bool { return a.count(k1.device) >= n1 && a.count(k2.device) >= n2 })
	}
	for _, m := range boxes {
		m.jump(0)
	}
	end()
	people.Wait()
	for _, m := range boxes[1:] {
		m.joined()
	}
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, h.host} {
		m.stop()
	}
	events := h.host.journal()
	days := map[kiosk.Day]bool{}
	for _, p := range a.papers {
		days[p.day] = true
	}
	t.Logf("%d papers of %d days, %d tickets in the journal", len(a.papers), len(days), a.days(t, events))
}

// midnight is how far the next one is from the clocks of the hall.
func (h *severalHall) midnight() time.Duration {
	c, _ := config.Load(h.host.conf)
	now := time.Now().In(c.Hall.Location())
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location()).Sub(now) - awayFromMidnight()
}
