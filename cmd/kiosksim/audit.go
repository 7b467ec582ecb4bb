package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// quiet waits until nothing is on its way any more: all paper settled and cut,
// every call shown and spoken.
func (d *day) quiet(ctx context.Context, boss *client) error {
	d.ledger = newLedger()
	var last error
	err := until(ctx, "the day to settle", func() bool {
		last = d.ledger.read(ctx, boss)
		return last == nil && len(d.ledger.open()) == 0 && d.hw.idle()
	})
	if err != nil {
		return errors.Join(err, last, errors.New(strings.Join(d.ledger.open(), "\n")))
	}
	return nil
}

// evidence is all that can be seen of a day from outside: what came out of the
// printers and was on the glass, beside what the journal says of it.
type evidence struct {
	ledger   *ledger
	promised []string                 // numbers that citizens were told
	slips    map[string][]escpos.Slip // by printer
	surfaces map[string][]string      // what each strip, wall and voice brought, in order
	windows  map[string]int           // the number of a window as shown
	journal  []string                 // what is wrong with the stored journal
	events   int64                    // in it
}

// evidence gathers what can be seen after the day; kioskd has ended.
func (d *day) evidence(ctx context.Context) (*evidence, error) {
	e := &evidence{ledger: d.ledger, promised: d.promised, slips: map[string][]escpos.Slip{}, surfaces: map[string][]string{}, windows: map[string]int{}}
	for name, p := range d.hw.printers {
		e.slips[name] = p.Slips()
	}
	for _, s := range d.conf.Strips {
		texts := []string{}
		for _, h := range d.hw.lines[s.Line].signs[s.Name].History() {
			texts = append(texts, strings.TrimSpace(h.Text))
		}
		e.surfaces["strip:"+s.Name] = texts
	}
	for _, w := range d.walls {
		e.surfaces["wall:"+strings.TrimPrefix(w.path, "/wall/")] = w.seen()
	}
	for _, v := range d.conf.Voices {
		said, err := os.ReadFile(filepath.Join(d.state, "voice-"+v.Name+".txt"))
		if err != nil {
			return nil, err
		}
		e.surfaces["voice:"+v.Name] = strings.Split(strings.TrimSpace(string(said)), "\n")
	}
	for _, w := range d.conf.Hall.Windows {
		e.windows[w.ID] = w.Number
	}
	report, err := sqlite.Verify(ctx, filepath.Join(d.state, d.conf.Store.File))
	if err != nil {
		return nil, err
	}
	e.journal, e.events = report.Faults, int64(report.Events)
	return e, nil
}

// audit compares what was seen with what was promised.
func (e *evidence) audit() error {
	bad := slices.Concat(e.ledger.faults(e.promised), e.paperFaults(), e.shownFaults(), e.journal)
	if len(bad) > 0 {
		return fmt.Errorf("the day broke %d promises:\n  %s", len(bad), strings.Join(bad, "\n  "))
	}
	return nil
}

var (
	numberLine = regexp.MustCompile(`^[A-Z]{1,3}[0-9]{3,}$`)
	lastLine   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}`)
)

// A sheet is what one slip says of itself.
type sheet struct {
	number string
	copied bool
	whole  bool // all of it can be read, be it cut off or taken out with the end of a roll
}

func readSheet(s escpos.Slip) sheet {
	r := sheet{whole: s.Complete}
	for _, line := range s.Text {
		if line = strings.TrimSpace(line); numberLine.MatchString(line) {
			r.number = line
		}
		r.copied = r.copied || strings.Contains(line, "补打")
		r.whole = r.whole || r.number != "" && lastLine.MatchString(line)
	}
	return r
}

// paperFaults checks that every ticket is on paper, whole, once as an original;
// what is there twice must say that it is a copy. Nothing else may be on paper.
func (e *evidence) paperFaults() (bad []string) {
	originals, whole := map[string]int{}, map[string]int{}
	for _, slips := range e.slips {
		for _, s := range slips {
			r := readSheet(s)
			if r.number == "" || !r.whole {
				continue
			}
			whole[r.number]++
			if !r.copied {
				originals[r.number]++
			}
		}
	}
	for _, n := range e.ledger.numbers {
		if whole[n] == 0 {
			bad = append(bad, fmt.Sprintf("ticket %s is on no whole slip", n))
		}
		if originals[n] > 1 {
			bad = append(bad, fmt.Sprintf("ticket %s is on %d slips that are not marked as copies", n, originals[n]))
		}
	}
	known := slices.Collect(maps.Values(e.ledger.numbers))
	for n := range whole {
		if !slices.Contains(known, n) {
			bad = append(bad, fmt.Sprintf("ticket %s is on paper and not in the journal", n))
		}
	}
	slices.Sort(bad)
	return bad
}

// shownFaults checks that every call was on every surface it was meant for.
func (e *evidence) shownFaults() (bad []string) {
	for _, c := range e.ledger.calls {
		for _, s := range c.Delivery {
			if !slices.ContainsFunc(e.surfaces[s.Surface], func(text string) bool { return e.tells(s.Surface, text, c) }) {
				bad = append(bad, fmt.Sprintf("%s never showed the call of %s to window %d", s.Surface, c.Number, e.windows[c.Window]))
			}
		}
	}
	slices.Sort(bad)
	return slices.Compact(bad)
}

// tells reports whether a text of a surface tells a call.
func (e *evidence) tells(surface, text string, c kiosk.Call) bool {
	kind, _, _ := strings.Cut(surface, ":")
	switch kind {
	case "wall":
		return text == row(c.Number, e.windows[c.Window])
	case "voice":
		return strings.Contains(strings.ReplaceAll(text, " ", ""), spoken(c.Number)+"号")
	}
	return strings.Contains(text, c.Number)
}

// row is a call on a wall.
func row(number string, window int) string { return fmt.Sprintf("%s → %d", number, window) }

// spoken is a number as it is read out, digit by digit.
func spoken(number string) string {
	return strings.NewReplacer("0", "零", "1", "幺", "2", "二", "3", "三", "4", "四", "5", "五", "6", "六", "7", "七", "8", "八", "9", "九").Replace(number)
}

// show prints the paper, the strips, the walls and the voices, and the sum.
func (e *evidence) show(out io.Writer) {
	count := 0
	for _, name := range slices.Sorted(maps.Keys(e.slips)) {
		fmt.Fprintf(out, "\nPaper of %s:\n", name)
		e.showPaper(out, e.slips[name])
		count += len(e.slips[name])
	}
	fmt.Fprintln(out)
	for _, name := range slices.Sorted(maps.Keys(e.surfaces)) {
		fmt.Fprintf(out, "%s: %s\n", name, strings.Join(e.surfaces[name], " · "))
	}
	fmt.Fprintf(out, "\n%d tickets, %d slips, %d calls, %d events in the journal\n",
		len(e.ledger.numbers), count, len(e.ledger.calls), e.events)
}

func (e *evidence) showPaper(out io.Writer, slips []escpos.Slip) {
	last := -1
	for i, s := range slips {
		r := readSheet(s)
		mark := ""
		if r.copied {
			mark = " 补打"
		}
		if !r.whole {
			mark += " (torn)"
		} else {
			last = i
		}
		fmt.Fprintf(out, "  %3d  %-6s%s\n", s.No, r.number, mark)
	}
	if last < 0 {
		return
	}
	fmt.Fprintf(out, "Slip %d reads:\n", slips[last].No)
	for _, line := range slips[last].Text {
		fmt.Fprintln(out, "  |", line)
	}
}
