package config

import (
	"fmt"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

type place struct {
	file string
	line int
}

// An index remembers on which line each key stands, in the words findings use:
// "window[3].groups[0][1]". Indexes of arrays count on through all files of a
// hall, as the arrays themselves do.
type index struct {
	first  string // the main file
	places map[string]place
	counts map[string]int
	bare   []string // keys of times whose value is a bare number
}

func newIndex(file string) *index {
	return &index{first: file, places: map[string]place{}, counts: map[string]int{}}
}

// at returns where path stands, or the nearest thing around it.
func (x *index) at(path string) place {
	for p := path; p != ""; p = p[:max(strings.LastIndexByte(p, '.'), strings.LastIndexByte(p, '['), 0)] {
		if at, ok := x.places[p]; ok {
			return at
		}
	}
	return place{x.first, 1}
}

// add indexes one file that the decoder has accepted, or as far as it parses.
func (x *index) add(file string, data []byte) {
	w := &walker{index: x, file: file}
	for i, c := range data {
		if c == '\n' {
			w.ends = append(w.ends, i)
		}
	}
	p := &unstable.Parser{}
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = w.table(e)
		case unstable.KeyValue:
			w.pair(table, e)
		}
	}
}

// timed are the keys of a hall that hold a time; the decoder would take a bare
// number for nanoseconds or minutes.
var timed = map[string]bool{
	"skip_after": true, "max_clock_jump": true, "privacy_after": true, "clerk_idle": true,
	"service": true, "credit": true, "from": true, "to": true,
}

type walker struct {
	*index
	file string
	ends []int // offsets of line ends
}

func (w *walker) mark(path string, n *unstable.Node) {
	if _, ok := w.places[path]; !ok && n.Raw.Length > 0 {
		w.places[path] = place{w.file, sort.SearchInts(w.ends, int(n.Raw.Offset)) + 1}
	}
}

func (w *walker) table(e *unstable.Node) (path string) {
	for it := e.Key(); it.Next(); {
		path = join(path, string(it.Node().Data))
		if e.Kind == unstable.ArrayTable && it.IsLast() {
			w.counts[path]++
		}
		if n := w.counts[path]; n > 0 {
			w.mark(path, it.Node())
			path = fmt.Sprintf("%s[%d]", path, n-1)
		}
		w.mark(path, it.Node())
	}
	return path
}

func (w *walker) pair(path string, e *unstable.Node) {
	for it := e.Key(); it.Next(); {
		path = join(path, string(it.Node().Data))
		w.mark(path, it.Node())
	}
	w.value(path, e.Value())
}

func (w *walker) value(path string, v *unstable.Node) {
	w.mark(path, v)
	switch v.Kind {
	case unstable.Integer:
		if timed[path[strings.LastIndexByte(path, '.')+1:]] {
			w.bare = append(w.bare, path)
		}
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); i++ {
			w.value(fmt.Sprintf("%s[%d]", path, i), it.Node())
		}
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			w.pair(path, it.Node())
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
