package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manualCommand writes the manual page: the text around the commands comes from
// deploy/man, the commands from the tool itself, so that none is missing.
func manualCommand(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "manual", Short: "Print the commands for the manual page", Args: cobra.NoArgs, Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintln(out, ".Bl -tag -width Ds")
			for _, sub := range c.Root().Commands() {
				describe(out, sub)
			}
			_, err := fmt.Fprintln(out, ".El")
			return err
		},
	}
}

// describe writes one command, its flags and the commands below it.
func describe(out io.Writer, c *cobra.Command) {
	if c.Hidden || c.Name() == "help" {
		return
	}
	words := strings.Fields(strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" "))
	fmt.Fprintf(out, ".It Cm %s", roff(strings.Join(words, " ")))
	if _, args, ok := strings.Cut(c.Use, " "); ok {
		fmt.Fprintf(out, " Ar %s", roff(strings.ToLower(args)))
	}
	fmt.Fprintf(out, "\n%s.\n", roff(c.Short))
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			fmt.Fprintf(out, ".Fl -%s :\n%s.\n", f.Name, roff(f.Usage))
		}
	})
	for _, sub := range c.Commands() {
		describe(out, sub)
	}
}

// roff keeps a text from being taken for a request.
func roff(s string) string {
	s = strings.ReplaceAll(s, `\`, `\e`)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
