package kiosk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// table is the rule of the domain as a hall's management would sign it: rows are
// states, columns actions, a dot means turned down.
const table = `
           call   recall start   done   skip    hold transfer requeue cancel    expire
waiting    called .      .       .      .       .    waiting  .       cancelled expired
called     .      called serving served skipped held waiting  .       cancelled expired
serving    .      .      .       served .       held waiting  .       .         served
served     .      .      .       .      .       .    .        .       .         .
held       called .      .       served .       .    waiting  .       cancelled expired
skipped    called .      .       .      .       .    .        waiting cancelled expired
cancelled  .      .      .       .      .       .    .        .       .         .
expired    .      .      .       .      .       .    .        .       .         .
`

func TestStateTable(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(table), "\n")
	actions := strings.Fields(rows[0])
	if len(rows)-1 != len(States) || len(actions) != len(Actions) {
		t.Fatalf("%d states and %d actions in the table, want %d and %d", len(rows)-1, len(actions), len(States), len(Actions))
	}
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		for i, a := range actions {
			checkMove(t, State(cells[0]), Action(a), cells[i+1])
		}
	}
}

func checkMove(t *testing.T, from State, a Action, want string) {
	t.Helper()
	to, err := from.Move(a)
	if want != "." {
		if err != nil || to != State(want) {
			t.Errorf("%s %s: %s, %v; want %s", a, from, to, err, want)
		}
		return
	}
	if !errors.Is(err, &Refusal{Code: "not_allowed"}) || to != from {
		t.Errorf("%s %s: %s, %v; want a refusal and no change", a, from, to, err)
	}
}

// A leg that is over stays over, and only open legs can be expired.
func TestOverIsOver(t *testing.T) {
	for _, s := range States {
		left := 0
		for _, a := range Actions {
			if _, err := s.Move(a); err == nil {
				left++
			}
		}
		if (left > 0) != s.Open() {
			t.Errorf("%s: open is %v, but %d actions are possible", s, s.Open(), left)
		}
		if s.AtWindow() && !s.Open() {
			t.Errorf("%s occupies a window although it is over", s)
		}
		if n := s.Name(); n.ZH == string(s) || n.EN == "" {
			t.Errorf("%s has no name", s)
		}
	}
}

func TestRefusalReadsInBothLanguages(t *testing.T) {
	_, err := Served.Move(DoCall)
	var r *Refusal
	if !errors.As(err, &r) || r.Text.ZH == "" || r.Text.EN == "" || !strings.Contains(fmt.Sprint(err), "(not_allowed)") {
		t.Errorf("refusal %v", err)
	}
	if errors.Is(err, &Refusal{Code: "other"}) || errors.Is(err, errors.New("other")) {
		t.Error("refusals of different codes are equal")
	}
}
