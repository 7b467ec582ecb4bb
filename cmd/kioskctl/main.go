// Kioskctl is the technician's tool. It works on a box's files while the daemon
// is stopped or running; it never writes into a live store.
package main

import (
	"context"
	"encoding/json"
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
	if err := root(os.Stdout).ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "kioskctl:", err)
		os.Exit(1)
	}
}

func root(out io.Writer) *cobra.Command {
	t := &tool{out: out}
	c := &cobra.Command{
		Use: "kioskctl", Short: "The technician's tool of Longcheng", Version: version,
		SilenceUsage: true, SilenceErrors: true,
	}
	c.SetOut(out)
	t.flags(c)
	c.AddCommand(statusCommand(t), doctorCommand(t), logsCommand(t))
	c.AddCommand(backupCommand(t), restoreCommand(t), replaceCommand(t), supportCommand(t))
	c.AddCommand(printPreviewCommand(out), storeLogoCommand(out))
	c.AddCommand(verifyCommand(out), rebuildCommand(out))
	c.AddCommand(commissionCommands(out, os.Stdin)...)
	c.AddCommand(provisionCommand(out, os.Stdin))
	c.AddCommand(updateCommand(out), releaseCommand(out), manualCommand(out))
	c.AddCommand(enrolCodeCommand(out), enrolCommand(out), turnOutCommand(out), promoteCommand(out))
	t.speak(c)
	translate(c, "en")
	return c
}

// errFaults ends verify with exit status 1 after the faults were printed.
var errFaults = errors.New("the journal is not whole: keep the file and restore the last backup")

func verifyCommand(out io.Writer) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "verify STORE", Args: cobra.ExactArgs(1),
		Short: "Check that nothing in a store's journal was lost, changed or given twice",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := sqlite.Verify(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(out).Encode(r)
			} else {
				err = report(out, r)
			}
			if len(r.Faults) > 0 {
				return errors.Join(err, errFaults)
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

func report(out io.Writer, r sqlite.Report) error {
	for _, f := range r.Faults {
		fmt.Fprintln(out, f)
	}
	_, err := fmt.Fprintf(out, "%s epoch %d: %d events, %d faults, head %x\n", r.Origin.Device, r.Origin.Epoch, r.Events, len(r.Faults), r.Hash)
	return err
}

func rebuildCommand(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "rebuild STORE NEW", Args: cobra.ExactArgs(2),
		Short: "Make a new store from the journal of another one alone",
		RunE: func(c *cobra.Command, args []string) error {
			if err := sqlite.Rebuild(c.Context(), args[0], args[1]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(out, "%s was rebuilt from the journal of %s\n", args[1], args[0])
			return err
		},
	}
}
