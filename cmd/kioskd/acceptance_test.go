package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/internal/commission"
	"longcheng/kiosk"
)

// A sheet is in the journal once, and what was not good stands in the health until
// a better sheet comes.
func TestAcceptanceSheetsAreNoted(t *testing.T) {
	b := newBox(t, buttonsOnly)
	at := time.Now()
	keep := func(good bool) string {
		t.Helper()
		tester := &commission.Tester{Conf: b.conf, State: b.set.state, Now: func() time.Time { at = at.Add(time.Second); return at }}
		doc, err := tester.Seal(commission.Sheet{Device: "kiosk-1", Ended: at, Good: good, Box: commission.Verdict{Device: "box kiosk-1", Good: good}})
		if err != nil {
			t.Fatal(err)
		}
		file, err := tester.Keep(doc)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	events := func() int {
		t.Helper()
		all, err := b.store.Journal(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range all {
			if e.Kind == kiosk.KindAccepted {
				n++
			}
		}
		return n
	}
	before, file := events(), keep(false)
	for range 2 {
		if err := b.noteSheet(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	if n := events() - before; n != 1 {
		t.Errorf("%d events for one sheet", n)
	}
	if r := b.health.list(); len(r) != 1 || r[0].Device != "acceptance" || r[0].State == ready {
		t.Errorf("%+v", r)
	}
	if err := b.noteSheet(t.Context(), keep(true)); err != nil {
		t.Fatal(err)
	}
	if r := b.health.list(); r[0].State != ready {
		t.Errorf("%+v", r)
	}
	broken := commission.AcceptanceDir(b.set.state) + "/x.json"
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.noteSheet(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	if n := events() - before; n != 2 {
		t.Errorf("%d events after a broken sheet", n)
	}
}

// A box whose acceptance was put off says so until there is a sheet.
func TestAcceptanceThatWasPutOff(t *testing.T) {
	b := newBox(t, buttonsOnly)
	if err := commission.PutOff(b.set.state, nil); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.noteSheets(ctx) }()
	for end := time.Now().Add(time.Minute); len(b.health.list()) == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	stop()
	<-ended
	if r := b.health.list(); len(r) != 1 || r[0].Fault != "not-accepted" || !strings.Contains(r[0].State, "put off") {
		t.Errorf("%+v", r)
	}
}
