package segment

import (
	"bytes"
	"errors"
	"testing"

	"longcheng/display"
)

// drawn is a cell as people see it.
func drawn(b byte) string {
	on := func(bit int, s string) string {
		if b>>bit&1 == 1 {
			return s
		}
		return " "
	}
	return on(5, "|") + on(0, "^") + on(1, "|") + "/" + on(4, "|") + on(6, "-") + on(2, "|") + "/" + on(3, "_")
}

func TestCellsLookLikeTheirCharacters(t *testing.T) {
	for r, want := range map[rune]string{
		'0': "|^|/| |/_", '1': "  |/  |/ ", '2': " ^|/|- /_", '4': "| |/ -|/ ", '7': " ^|/  |/ ", '9': "|^|/ -|/_",
		'A': "|^|/|-|/ ", 'b': "|  /|-|/_", 'C': "|^ /|  /_", 'H': "| |/|-|/ ", 'P': "|^|/|- / ", '-': "   / - / ",
	} {
		b, ok := Cell(r)
		if got := drawn(b); got != want || !ok {
			t.Errorf("%c is %q, want %q", r, got, want)
		}
	}
	for _, r := range "MWX请*" {
		if b, ok := Cell(r); ok || b != 0 {
			t.Errorf("%c is shown as %02X", r, b)
		}
	}
	if got := Cells("A012", 6); !bytes.Equal(got, []byte{0, 0, 0x77, 0x3F, 0x06, 0x5B}) {
		t.Errorf("% X", got)
	}
	if got := Cells("AB0123", 4); !bytes.Equal(got, Cells("0123", 4)) {
		t.Errorf("% X", got)
	}
}

type panel struct {
	cells []byte
	err   error
}

func (p *panel) Len() int           { return 4 }
func (p *panel) Put(c []byte) error { p.cells = c; return p.err }

func TestSign(t *testing.T) {
	p := &panel{}
	s := NewSign("strip:1", p)
	v := display.View{Calls: []int64{3}, Strip: &display.Strip{Phase: display.PhaseCalling, Number: "A012"}}
	if shown, err := s.Show(t.Context(), v); err != nil || len(shown) != 1 || !bytes.Equal(p.cells, Cells("A012", 4)) {
		t.Fatal(shown, err, p.cells)
	}
	if err := s.Blink(t.Context(), v, false); err != nil || !bytes.Equal(p.cells, make([]byte, 4)) {
		t.Fatal(err, p.cells)
	}
	if err := s.Blink(t.Context(), v, true); err != nil || p.cells[0] == 0 {
		t.Fatal(err, p.cells)
	}
	v.Strip = &display.Strip{Phase: display.PhasePaused}
	if _, err := s.Show(t.Context(), v); err != nil || !bytes.Equal(p.cells, Cells("----", 4)) {
		t.Fatal(err, p.cells)
	}
	p.err = errors.New("no")
	if shown, err := s.Show(t.Context(), v); err == nil || shown != nil {
		t.Fatal(shown, err)
	}
	if _, err := s.Show(t.Context(), display.View{}); err == nil {
		t.Error("showed a view that is not a strip's")
	}
}
