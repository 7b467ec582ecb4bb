package printer

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The ladder as the technician's page shows it.
func ladderTable() string {
	events := []event{proof, torn, noPaper, stopped, well, jammed, dead, mute, gone, late, blind, overdue, halted, taken, leftover}
	steps := []step{body, cutting, recut, mouth}
	var b strings.Builder
	b.WriteString("| event |")
	for _, s := range steps {
		fmt.Fprintf(&b, " %s |", s)
	}
	b.WriteString("\n|---|---|---|---|---|\n")
	for _, e := range events {
		fmt.Fprintf(&b, "| %s |", e)
		for _, s := range steps {
			to := string(ladder[s][e])
			switch {
			case to == string(s):
				to = "wait"
			case to == "":
				to = " "
			}
			fmt.Fprintf(&b, " %s |", to)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// The technician's page shows the ladder that is climbed.
func TestDocsShowTheLadder(t *testing.T) {
	page, err := os.ReadFile("../deploy/docs/technician/printers.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := ladderTable(); !strings.Contains(string(page), table) {
		t.Errorf("printers.md does not show this table:\n%s", table)
	}
}

// Every way up the ladder ends, and a body that was not proved is never called
// printed: that is what keeps a half ticket from leaving as a whole one.
func TestLadderEnds(t *testing.T) {
	ends := []step{printed, voided, unsure}
	for s, moves := range ladder {
		out := false
		for e, to := range moves {
			if _, ok := ladder[to]; !ok && !slices.Contains(ends, to) {
				t.Errorf("%s on %s leads to %q, which is no step", s, e, to)
			}
			out = out || to != s
			if s == body && (to == printed || to == mouth || to == cutting && e != proof && e != blind) {
				t.Errorf("%s on %s leads to %s without proof", s, e, to)
			}
			if s == cutting && to == voided && e != halted {
				t.Errorf("%s on %s voids a slip that may be whole and out", s, e)
			}
		}
		if !out {
			t.Errorf("%s has no way out", s)
		}
	}
}
