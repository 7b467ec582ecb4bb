package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/doctor"
	"longcheng/cmd/internal/faults"
)

// errSick ends doctor with exit status 1 after the findings were printed.
var errSick = errors.New("something must be mended: see above")

// examineWithin bounds an examination; the slowest part is a silent device that
// is asked at every speed.
const examineWithin = 3 * time.Minute

func doctorCommand(t *tool) *cobra.Command {
	list := false
	c := &cobra.Command{
		Use: "doctor [FAULT]", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return faultIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case list:
				return t.tell(faults.List(), func(w io.Writer) error { return writeList(w, t.lang) })
			case len(args) == 1:
				return t.explain(args[0])
			}
			return t.examine(c)
		},
	}
	c.Flags().BoolVar(&list, "list", false, "")
	return c
}

func (t *tool) examine(c *cobra.Command) error {
	ctx, cancel := timeout(c, examineWithin)
	defer cancel()
	p := t.patient(ctx)
	if p.Status == nil {
		t.say(words()["probing"])
	}
	found := doctor.Examine(ctx, p)
	if found == nil {
		found = []doctor.Finding{} // a list in JSON, too
	}
	if err := t.tell(found, func(w io.Writer) error { return doctor.Write(w, found, t.lang) }); err != nil {
		return err
	}
	if doctor.Broken(found) {
		return errSick
	}
	return nil
}

func faultIDs() (ids []string) {
	for _, a := range faults.List() {
		for _, f := range a.Faults {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// explain tells of one fault without looking for it.
func (t *tool) explain(id string) error {
	f := faults.Named(id)
	if f.Cause.ZH == "" {
		return fmt.Errorf("doctor: there is no fault %q: kioskctl doctor --list shows all", id)
	}
	return t.tell(f, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\n%s %s\n%s %s\n", f.Name.In(t.lang), doctor.Words.Cause.In(t.lang), f.Cause.In(t.lang), doctor.Words.Remedy.In(t.lang), f.Remedy.In(t.lang))
		return err
	})
}

func writeList(w io.Writer, lang string) error {
	for _, a := range faults.List() {
		if _, err := fmt.Fprintln(w, a.Name.In(lang)); err != nil {
			return err
		}
		for _, f := range a.Faults {
			if _, err := fmt.Fprintf(w, "  %-20s %s\n", f.ID, f.Name.In(lang)); err != nil {
				return err
			}
		}
	}
	return nil
}
