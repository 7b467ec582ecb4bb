package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/faults"
	"longcheng/cmd/internal/status"
)

// errUnwell ends status with exit status 1 after it was printed.
var errUnwell = errors.New("the box is not well: run kioskctl doctor")

func statusCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "status", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := t.conf()
			if err != nil {
				return err
			}
			s, err := status.Ask(c.Context(), conf.Web.Listen)
			if err != nil {
				return err
			}
			if err := t.tell(s, func(w io.Writer) error { return writeStatus(w, s, t.lang) }); err != nil {
				return err
			}
			if s.State != "ok" {
				return errUnwell
			}
			return nil
		},
	}
}

// writeStatus tells how a box stands, a line for each thing.
func writeStatus(w io.Writer, s *status.Status, lang string) error {
	word := func(key string) string { return words()[key].In(lang) }
	fmt.Fprintf(w, "%s  %s  kioskd %s  %s %s\n", word(s.State), s.Device, s.Version, word("hall"), s.Hall)
	if s.Store != "ok" {
		fmt.Fprintf(w, "%s  %s\n", word("store"), s.Store)
	}
	if s.Alarm != "" {
		fmt.Fprintf(w, "%s  %s\n", word("alarm"), s.Alarm)
	}
	for _, d := range s.Devices {
		writeDevice(w, d, lang)
	}
	for _, l := range s.Loops {
		if l.Hangs || !l.Beaten {
			fmt.Fprintf(w, "  ✗ %-24s %s\n", l.Loop, fmt.Sprintf(word("hangs"), l.Silent.Round(time.Second)))
		}
	}
	for _, q := range s.Queues {
		fmt.Fprintf(w, "    %-24s %s\n", q.Queue, fmt.Sprintf(word("waiting"), q.Waiting, q.Windows))
	}
	if c := s.Centre; c != nil {
		fmt.Fprintf(w, "    %-24s %s\n", word("centre"), fmt.Sprintf(word("events"), c.Address+" "+c.State, c.Through, c.Waiting))
	}
	if s.Owed != nil {
		fmt.Fprintf(w, "    %s\n", fmt.Sprintf(word("owed"), *s.Owed))
	}
	return nil
}

func writeDevice(w io.Writer, d status.Device, lang string) {
	since := d.Since.Local().Format(time.DateTime)
	switch {
	case d.State == status.Ready:
		fmt.Fprintf(w, "  ✓ %-24s %s  (%s)\n", d.Device, words()["ready"].In(lang), since)
	case d.Fault != "":
		f := faults.Named(d.Fault)
		fmt.Fprintf(w, "  %s %-24s %s  (%s)\n      %s\n      %s\n", signs()[f.Level], d.Device, f.Name.In(lang), since, d.State, f.Remedy.In(lang))
	default:
		fmt.Fprintf(w, "  ✗ %-24s %s  (%s)\n", d.Device, d.State, since)
	}
}

// signs mark what is wrong: a fault, and what is only to be noted.
func signs() map[faults.Level]string {
	return map[faults.Level]string{faults.Bad: "✗", faults.Warn: "!"}
}
