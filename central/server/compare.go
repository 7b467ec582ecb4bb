package server

import "strings"

// A change is a line of two texts laid side by side: in both, only in the old
// one, or only in the new one. Line numbers count from 1; 0 is none.
type change struct {
	Old, New int
	Class    string // "", "gone", "come", or "cut" for lines that are left out
	Text     string
}

const (
	around   = 3    // lines that are shown around a change
	maxEdits = 1000 // beyond that many, the differing middle is shown as replaced whole
)

// compare returns what turns one text into another, with the lines around it.
func compare(from, to string) []change {
	a, b := strings.Split(strings.TrimSuffix(from, "\n"), "\n"), strings.Split(strings.TrimSuffix(to, "\n"), "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var all []change
	both := func(i, j, n int) {
		for k := range n {
			all = append(all, change{i + k + 1, j + k + 1, "", a[i+k]})
		}
	}
	both(0, 0, head)
	for _, c := range middle(a[head:len(a)-tail], b[head:len(b)-tail]) {
		c.Old, c.New = shifted(c.Old, head), shifted(c.New, head)
		all = append(all, c)
	}
	both(len(a)-tail, len(b)-tail, tail)
	return fold(all)
}

func shifted(n, by int) int {
	if n == 0 {
		return 0
	}
	return n + by
}

// middle is the shortest way from a to b, after Myers, "An O(ND) difference
// algorithm" (1986).
func middle(a, b []string) []change {
	trace, found := forward(a, b)
	if !found {
		return replaced(a, b)
	}
	var back []change
	x, y := len(a), len(b)
	for d := len(trace) - 1; d >= 0; d-- {
		v, k := trace[d], x-y
		was := k - 1
		if k == -d || k != d && at(v, d, k-1) < at(v, d, k+1) {
			was = k + 1
		}
		fromX := at(v, d, was)
		if d == 0 {
			fromX = 0
		}
		fromY := fromX - was
		for x > 0 && y > 0 && (d == 0 || x > fromX && y > fromY) {
			back = append(back, change{x, y, "", a[x-1]})
			x, y = x-1, y-1
		}
		switch {
		case d == 0:
		case x > fromX:
			back = append(back, change{x, 0, "gone", a[x-1]})
			x--
		default:
			back = append(back, change{0, y, "come", b[y-1]})
			y--
		}
	}
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	return back
}

// at is the furthest x on diagonal k before step d.
func at(v []int32, d, k int) int {
	if i := k + d; i >= 0 && i < len(v) {
		return int(v[i])
	}
	return -1
}

// forward walks from the beginning of both; trace holds, before each step d, how
// far the diagonals -d to d were reached.
func forward(a, b []string) (trace [][]int32, found bool) {
	most := min(len(a)+len(b), maxEdits)
	v := make([]int32, 2*most+3)
	mid := most + 1
	for d := 0; d <= most; d++ {
		trace = append(trace, append([]int32(nil), v[mid-d:mid+d+1]...))
		for k := -d; k <= d; k += 2 {
			x := int(v[mid+k-1]) + 1
			if k == -d || k != d && v[mid+k-1] < v[mid+k+1] {
				x = int(v[mid+k+1])
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			v[mid+k] = int32(x)
			if x >= len(a) && x-k >= len(b) {
				return trace, true
			}
		}
	}
	return nil, false
}

func replaced(a, b []string) (all []change) {
	for i, l := range a {
		all = append(all, change{i + 1, 0, "gone", l})
	}
	for i, l := range b {
		all = append(all, change{0, i + 1, "come", l})
	}
	return all
}

// fold leaves out the lines that are far from every change.
func fold(all []change) (short []change) {
	near := make([]bool, len(all))
	for i, c := range all {
		if c.Class != "" {
			for k := max(0, i-around); k <= min(len(all)-1, i+around); k++ {
				near[k] = true
			}
		}
	}
	for i, c := range all {
		switch {
		case near[i]:
			short = append(short, c)
		case i == 0 || near[i-1]:
			short = append(short, change{Class: "cut"})
		}
	}
	return short
}
