package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
	"longcheng/kiosk/rehearsal"
	"longcheng/kiosk/sqlite"
)

// A rehearsed is a day as it was and as it would have been.
type rehearsed struct {
	Day   kiosk.Day        `json:"day"`
	Lines []rehearsal.Line `json:"lines"`
}

// rehearseCommand tries changed rules on a day that has been.
func rehearseCommand(t *tool) *cobra.Command {
	hall, day := "", ""
	c := &cobra.Command{
		Use: "rehearse STORE", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if hall == "" {
				return told{errors.New("rehearse: name the changed hall document with --hall"), "用 --hall 写明改动后的大厅文档"}
			}
			h, found := config.LoadHall(hall)
			if config.Broken(found) {
				return fmt.Errorf("rehearse: %w", found[0])
			}
			var r rehearsal.Read
			if err := sqlite.ReadEvents(c.Context(), args[0], r.Event); err != nil {
				return err
			}
			d, err := dayOf(r.Days(), kiosk.Day(day))
			if err != nil {
				return err
			}
			done := rehearsed{d.Day, d.Play(h)}
			return t.tell(done, func(w io.Writer) error { return t.writeRehearsed(w, h, done) })
		},
	}
	c.Flags().StringVar(&hall, "hall", "", "")
	c.Flags().StringVar(&day, "day", "", "")
	return c
}

// dayOf is the day that was named, or the last but one: the last may not be over.
func dayOf(all []*rehearsal.Day, named kiosk.Day) (*rehearsal.Day, error) {
	for _, d := range all {
		if d.Day == named {
			return d, nil
		}
	}
	switch {
	case named != "":
		return nil, told{fmt.Errorf("rehearse: the journal has no day %s", named), "日志中没有这一天"}
	case len(all) == 0:
		return nil, told{errors.New("rehearse: the journal has no day"), "日志中还没有营业日"}
	}
	return all[max(0, len(all)-2)], nil
}

func (t *tool) writeRehearsed(w io.Writer, h *kiosk.Hall, r rehearsed) error {
	fmt.Fprintf(w, words()["rehearsed"].In(t.lang)+"\n", r.Day)
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, words()["rehearsed-head"].In(t.lang))
	for _, l := range r.Lines {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s → %s\t%s → %s\t%s → %s\n", t.nameOf(h, l), l.Was.Called, l.Would.Called,
			clock(l.Was.Mean), clock(l.Would.Mean), clock(l.Was.P90), clock(l.Would.P90), clock(l.Was.Longest), clock(l.Would.Longest))
	}
	return table.Flush()
}

// nameOf is who a line is about.
func (t *tool) nameOf(h *kiosk.Hall, l rehearsal.Line) string {
	for _, q := range h.Queues {
		if q.ID == l.Queue {
			return q.Name.In(t.lang)
		}
	}
	for _, k := range h.Classes {
		if k.ID == l.Class {
			return k.Name.In(t.lang)
		}
	}
	if l == (rehearsal.Line{Was: l.Was, Would: l.Would}) {
		return words()["everybody"].In(t.lang)
	}
	return l.Queue + l.Class
}

// clock is a wait as 12:34.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
