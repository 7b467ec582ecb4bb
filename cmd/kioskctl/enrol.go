package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/provision"
)

const defaultState = "/var/lib/longcheng"

// enrolCommand uses a code: of the centre, or of the host of the hall.
func enrolCommand(out io.Writer) *cobra.Command {
	var file, state string
	c := &cobra.Command{
		Use: "enrol CODE", Args: cobra.ExactArgs(1),
		Short: "Fetch this box's certificate with a code of the place that it names",
		Long: "Fetch this box's certificate with a code of the place that it names.\n" +
			"The configuration says what the place is. Run it as the daemon's user; the daemon need not be restarted.",
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := passDir(file, state, args[0])
			if err != nil {
				return err
			}
			p, err := central.Enrol(c.Context(), dir, args[0], time.Now)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "this box is %s of hall %s until %s; the certificate renews itself\n",
				p.Identity().Device, p.Identity().Hall, p.Ends().Format(time.DateOnly))
			return err
		},
	}
	c.Flags().StringVar(&file, "config", "/etc/longcheng/kioskd.toml", "the box's configuration")
	c.Flags().StringVar(&state, "state", defaultState, "the box's state directory")
	return c
}

// passDir is where the pass goes that a code brings.
func passDir(file, state, code string) (string, error) {
	if _, err := central.ParseCode(code); err != nil {
		return "", err
	}
	conf, found := config.Load(file)
	if config.Broken(found) {
		return "", fmt.Errorf("enrol: %s has mistakes: kioskd check -config %s lists them", file, file)
	}
	return provision.PassDir(conf, state, code)
}
