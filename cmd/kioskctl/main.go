// Kioskctl is the technician's tool. It works on a box's files while the daemon
// is stopped or running; it never writes into a live store.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"longcheng/kiosk/sqlite"
)

// version is set by the linker.
var version = "unknown"

func main() {
	t := &tool{in: os.Stdin, out: os.Stdout}
	c := t.root()
	if err := c.ExecuteContext(context.Background()); err != nil {
		_ = c.ParseFlags(os.Args[1:]) // for the language: an unknown command is told before flags are read
		t.fail(os.Stderr, err)
		os.Exit(1)
	}
}

// root is the table of the commands.
func (t *tool) root() *cobra.Command {
	c := &cobra.Command{Use: "kioskctl", Version: version, SilenceUsage: true, SilenceErrors: true}
	c.SetOut(t.out)
	t.flags(c)
	c.AddCommand(statusCommand(t), doctorCommand(t), logsCommand(t))
	c.AddCommand(backupCommand(t), restoreCommand(t), replaceCommand(t), supportCommand(t))
	c.AddCommand(printPreviewCommand(t), storeLogoCommand(t))
	c.AddCommand(verifyCommand(t), rebuildCommand(t), rehearseCommand(t))
	c.AddCommand(commissionCommands(t)...)
	c.AddCommand(provisionCommand(t))
	c.AddCommand(updateCommand(t), releaseCommand(t))
	c.AddCommand(manualCommand(t), completionCommand(t))
	c.AddCommand(enrolCodeCommand(t), enrolCommand(t), turnOutCommand(t), promoteCommand(t))
	t.speak(c)
	translate(c, t.lang) // what a shell shows while it completes
	return c
}

// errFaults ends verify with exit status 1 after the faults were printed.
var errFaults = errors.New("the journal is not whole: keep the file and restore the last backup")

func verifyCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "verify STORE", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := sqlite.Verify(c.Context(), args[0])
			if err != nil {
				return err
			}
			err = t.tell(verified(r), func(w io.Writer) error { return report(w, r) })
			if len(r.Faults) > 0 {
				return errors.Join(err, errFaults)
			}
			return err
		},
	}
}

// verified is a report as backup and support-bundle name its parts.
func verified(r sqlite.Report) map[string]any {
	return map[string]any{
		"device": r.Origin.Device, "epoch": r.Origin.Epoch, "events": r.Events, "head": fmt.Sprintf("%x", r.Hash), "faults": append([]string{}, r.Faults...),
	}
}

func report(out io.Writer, r sqlite.Report) error {
	for _, f := range r.Faults {
		fmt.Fprintln(out, f)
	}
	_, err := fmt.Fprintf(out, "%s epoch %d: %d events, %d faults, head %x\n", r.Origin.Device, r.Origin.Epoch, r.Events, len(r.Faults), r.Hash)
	return err
}

func rebuildCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "rebuild STORE NEW", Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if err := sqlite.Rebuild(c.Context(), args[0], args[1]); err != nil {
				return err
			}
			return t.done(map[string]string{"store": args[1], "from": args[0]}, words()["rebuilt"], args[1], args[0])
		},
	}
}
