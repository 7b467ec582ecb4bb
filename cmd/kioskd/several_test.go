package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"longcheng/kiosk"
)

// A whole hall on four real processes. The host is killed under load, the kiosks
// go on, it comes back, and is killed again while it is taking the tickets over.
// Every paper is in its journal once, in the order of time.
func TestAHallSurvivesItsHost(t *testing.T) {
	h := newSeveralHall(t)
	k1, k2, d1 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2"), h.join("display.toml", "display-1")
	a := &audit{}
	for _, k := range []*member{k1, k2} { // at the desk nobody is slowed down
		k.signIn()
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wg sync.WaitGroup
	a.rush(ctx, &wg, k1)
	a.rush(ctx, &wg, k2)
	more := func(n int) {
		t.Helper()
		n1, n2 := a.count("kiosk-1")+n, a.count("kiosk-2")+n
		k1.until("more tickets", func() bool { return a.count("kiosk-1") >= n1 && a.count("kiosk-2") >= n2 })
	}
	more(20)
	h.host.kill()
	more(4)
	k1.until("the kiosk to say that its host is away", func() bool { return strings.HasPrefix(k1.hostState(), "away") })
	h.host.start().healthy()
	k1.joined()
	k2.joined()
	more(1)
	h.host.kill()
	more(3)
	h.host.start().healthy()
	more(10)
	end()
	wg.Wait()
	for _, m := range []*member{k1, k2, d1} {
		m.joined()
	}
	h.host.open("1")
	called, _ := h.host.post("windows/1/next", "call-1", map[string]any{})
	if called/100 != 2 {
		t.Errorf("call: %d", called)
	}
	d1.until("the voice of the display box", func() bool {
		said, err := os.ReadFile(filepath.Join(d1.state, "voice-hall.txt"))
		return err == nil && len(said) > 0
	})
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, d1, h.host} {
		m.stop()
	}
	events := h.host.journal()
	a.check(t, events)
	if !slices.ContainsFunc(events, func(e kiosk.Event) bool {
		return e.Kind == kiosk.KindDelivered && bytes.Contains(e.Body, []byte(`"surface":"display-1/voice:hall"`))
	}) {
		t.Error("what the display box said is not in the host's journal")
	}
	reserve := slices.DeleteFunc(slices.Clone(a.papers), func(p paper) bool { return p.number < "B500" })
	if len(reserve) < 8 {
		t.Errorf("only %d of %d tickets came from the reserve", len(reserve), len(a.papers))
	}
	t.Logf("%d papers, %d from the reserve, %d events", len(a.papers), len(reserve), len(events))
}

// The host's card is replaced by a copy of an hour ago; later a kiosk gets a new
// card. No number comes twice.
func TestOldAndNewCardsGiveNoNumberTwice(t *testing.T) {
	h := newSeveralHall(t)
	k1, k2 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2")
	a := &audit{}
	n := 0
	take := func(m *member, times int) {
		t.Helper()
		for range times {
			n++
			a.hold(m.device, m.take(fmt.Sprint(n)))
		}
	}
	take(k1, 3)
	h.host.stop()
	db := filepath.Join(h.host.state, "hall.db")
	old, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	h.host.start().healthy()
	k1.joined()
	k2.joined()
	take(k1, 3)
	take(k2, 2)
	k1.until("the kiosk to have seen it", func() bool { return k1.sees(n-2) && k2.sees(n-2) })
	h.host.kill()
	for _, f := range []string{"-wal", "-shm"} {
		_ = os.Remove(db + f) // it may not be there
	}
	if err := os.WriteFile(db, old, 0o600); err != nil {
		t.Fatal(err)
	}
	h.host.start().healthy()
	k1.joined()
	k2.joined()
	take(k1, 2)
	take(k2, 2)

	k1.kill() // a new card: the store and what it had seen are gone
	for _, f := range []string{"hall.db", "hall.db-wal", "hall.db-shm", "hall-seen.json"} {
		_ = os.Remove(filepath.Join(k1.state, f)) // it may not be there
	}
	h.enrol(k1)
	k1.start().joined()
	take(k1, 2)
	h.host.kill()
	take(k1, 3)
	take(k2, 3)
	h.host.start().healthy()
	k1.until("the hand-in", func() bool { return k1.owed() == 0 && k2.owed() == 0 })
	for _, m := range []*member{k1, k2, h.host} {
		m.stop()
	}
	numbers := map[string]string{}
	for _, p := range a.papers {
		if other, twice := numbers[p.number]; twice {
			t.Errorf("%s was given by %s and %s", p.number, other, p.box)
		}
		numbers[p.number] = p.box
	}
	terms := 0
	for _, e := range h.host.journal() {
		if e.Kind == kiosk.KindTerm {
			terms++
		}
	}
	if terms == 0 {
		t.Error("the host never learned that it had been set back")
	}
	t.Logf("%d papers: %v", len(a.papers), slices.SortedFunc(maps.Keys(numbers), cmp.Compare[string]))
}
