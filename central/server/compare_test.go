package server

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// sides takes both texts out of a comparison that shows every line.
func sides(list []change) (from, to []string) {
	for _, c := range list {
		if c.Class != "come" {
			from = append(from, c.Text)
		}
		if c.Class != "gone" {
			to = append(to, c.Text)
		}
	}
	return from, to
}

func TestCompare(t *testing.T) {
	got := compare("a\nb\nc\nd\ne\nf\ng\nh\ni\n", "a\nb\nc\nd\nE\nf\ng\nh\ni\n")
	want := []change{{Class: "cut"}, {2, 2, "", "b"}, {3, 3, "", "c"}, {4, 4, "", "d"}, {5, 0, "gone", "e"}, {0, 5, "come", "E"}, {6, 6, "", "f"}, {7, 7, "", "g"}, {8, 8, "", "h"}, {Class: "cut"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if got := compare("same\n", "same\n"); len(got) != 1 || got[0].Class != "cut" {
		t.Errorf("the same text: %v", got)
	}
}

// What a comparison shows is both texts, and no way from one to the other that
// is longer than needed for single edits.
func TestCompareIsTrue(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		a, b := someLines(r), someLines(r)
		from, to := sides(middle(a, b))
		if !slices.Equal(from, a) || !slices.Equal(to, b) {
			t.Fatalf("%q and %q became %q and %q", a, b, from, to)
		}
		if n := edits(middle(a, b)); n != shortest(a, b) {
			t.Fatalf("%q and %q: %d edits, want %d", a, b, n, shortest(a, b))
		}
	}
	long := strings.Repeat("x\n", 5000)
	if got := middle(strings.Split(long, "\n"), strings.Split(strings.ReplaceAll(long, "x", "y"), "\n")); edits(got) < 10000 {
		t.Errorf("two strange texts: %d edits", edits(got))
	}
}

func someLines(r *rand.Rand) []string {
	l := make([]string, r.IntN(9))
	for i := range l {
		l[i] = string(rune('a' + r.IntN(3)))
	}
	return l
}

func edits(list []change) (n int) {
	for _, c := range list {
		if c.Class != "" {
			n++
		}
	}
	return n
}

// shortest is the length of the shortest way by the textbook's table.
func shortest(a, b []string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range b {
			next[j+1] = 1 + min(row[j+1], next[j])
			if a[i] == b[j] {
				next[j+1] = row[j]
			}
		}
		row = next
	}
	return row[len(b)]
}
