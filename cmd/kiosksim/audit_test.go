package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/kiosk"
)

// goodDay is a small day on which every promise was kept: A001 printed once,
// B001 torn by a power cut and copied, both called and shown, A001 twice.
func goodDay() *evidence {
	l := newLedger()
	l.numbers = map[string]string{"v1": "A001", "v2": "B001"}
	l.jobs = map[int64]kiosk.Job{
		1: {ID: 1, Visit: "v1", State: kiosk.JobPrinted}, 2: {ID: 2, Visit: "v2", State: kiosk.JobUnknown},
		3: {ID: 3, Visit: "v2", Copy: 1, State: kiosk.JobPrinted},
	}
	meant := []kiosk.Delivery{{Surface: "strip:1", At: time.Unix(1, 0)}, {Surface: "wall:main", At: time.Unix(1, 0)}, {Surface: "voice:hall", At: time.Unix(1, 0)}}
	l.calls = map[int64]kiosk.Call{
		1: {Seq: 1, Leg: 1, Number: "A001", Window: "w1", Delivery: meant},
		2: {Seq: 2, Leg: 1, Number: "A001", Window: "w1", Recall: 1, Delivery: meant},
		3: {Seq: 3, Leg: 2, Number: "B001", Window: "w1", Delivery: meant},
	}
	for seq := range l.calls {
		l.delivered[seq] = map[string]bool{"strip:1": true, "wall:main": true, "voice:hall": true}
	}
	l.firsts = map[int64]int{1: 1, 2: 1}
	return &evidence{
		ledger: l, promised: []string{"A001", "B001"}, windows: map[string]int{"w1": 1},
		slips: map[string][]escpos.Slip{"p": {slip("A001", true), slip("B001", false), slip("B001", true, "补打")}},
		surfaces: map[string][]string{
			"strip:1": {"欢迎光临", "请A001", "B001办理"}, "wall:main": {"A001 → 1", "B001 → 1"},
			"voice:hall": {"♪ 请A 零零幺号，到一号窗口", "♪ 请B 零零幺号，到一号窗口"},
		},
	}
}

func slip(number string, complete bool, more ...string) escpos.Slip {
	return escpos.Slip{Text: append([]string{"排队号票", "  " + number}, more...), Complete: complete}
}

// Every broken promise is found and named, and ends the day with status 1; a
// kept one does not.
func TestTheAuditCanFail(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*evidence)
		want string // empty: no fault
	}{
		{"nothing", func(*evidence) {}, ""},
		{"a slip is lost", func(e *evidence) { e.slips["p"] = e.slips["p"][1:] }, "ticket A001 is on no whole slip"},
		{"the copy is torn too", func(e *evidence) { e.slips["p"][2].Complete = false }, "ticket B001 is on no whole slip"},
		{"a roll's end took a finished slip", func(e *evidence) { e.slips["p"][2] = slip("B001", false, "补打", "2026-11-24 10:00   touch-1") }, ""},
		{"paper twice", func(e *evidence) { e.slips["q"] = []escpos.Slip{slip("A001", true)} }, "ticket A001 is on 2 slips that are not marked"},
		{"the copy is not marked", func(e *evidence) { e.slips["p"][1].Complete = true; e.slips["p"][2] = slip("B001", true) }, "ticket B001 is on 2 slips"},
		{"paper that nobody promised", func(e *evidence) { e.slips["p"] = append(e.slips["p"], slip("Z099", true)) }, "ticket Z099 is on paper and not in the journal"},
		{"a ticket is lost", func(e *evidence) { delete(e.ledger.numbers, "v1") }, "ticket A001 was promised and is not in the journal"},
		{"a number is given twice", func(e *evidence) { e.ledger.numbers["v3"] = "A001" }, "number A001 was given 2 times"},
		{"a slip is still to come", func(e *evidence) { e.ledger.jobs[4] = kiosk.Job{ID: 4, Visit: "v1", State: kiosk.JobPrinting} }, "A001 is not printed yet"},
		{"called twice", func(e *evidence) { e.ledger.firsts[1] = 2 }, "ticket A001 was called 2 times"},
		{"not acknowledged", func(e *evidence) { delete(e.ledger.delivered[3], "wall:main") }, "wall:main has not shown call 3 of B001"},
		{"a strip never showed it", func(e *evidence) { e.surfaces["strip:1"] = []string{"欢迎光临", "请A001"} }, "strip:1 never showed the call of B001"},
		{"the wall showed another window", func(e *evidence) { e.surfaces["wall:main"][1] = "B001 → 11" }, "wall:main never showed the call of B001 to window 1"},
		{"the voice kept silent", func(e *evidence) { e.surfaces["voice:hall"] = nil }, "voice:hall never showed the call of A001"},
		{"the voice said another number", func(e *evidence) { e.surfaces["voice:hall"][1] = "♪ 请B 零幺零号，到一号窗口" }, "voice:hall never showed the call of B001"},
		{"the journal is broken", func(e *evidence) { e.journal = []string{"event 7: hash does not follow"} }, "event 7: hash does not follow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, said := goodDay(), &bytes.Buffer{}
			c.do(e)
			code := status(said, e.audit())
			if c.want == "" && (code != 0 || said.Len() > 0) {
				t.Fatalf("status %d, %s", code, said)
			}
			if c.want != "" && (code != 1 || !strings.Contains(said.String(), c.want)) {
				t.Fatalf("status %d, said %q, want 1 and %q", code, said, c.want)
			}
		})
	}
}
