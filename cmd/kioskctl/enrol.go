package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/provision"
)

// enrolCommand uses a code: of the centre, or of the host of the hall.
func enrolCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "enrol CODE", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := passDir(t.config, t.state, args[0])
			if err != nil {
				return err
			}
			p, err := central.Enrol(c.Context(), dir, args[0], time.Now)
			if err != nil {
				return err
			}
			id := p.Identity()
			return t.done(enrolled{id.Device, id.Hall, p.Ends()}, words()["enrolled"], id.Device, id.Hall, p.Ends().Format(time.DateOnly))
		},
	}
}

// enrolled is what a certificate says of this box.
type enrolled struct {
	Device string    `json:"device"`
	Hall   string    `json:"hall"`
	Ends   time.Time `json:"ends"`
}

// passDir is where the pass goes that a code brings.
func passDir(file, state, code string) (string, error) {
	if _, err := central.ParseCode(code); err != nil {
		return "", err
	}
	conf, found := config.Load(file)
	if config.Broken(found) {
		return "", fmt.Errorf("enrol: %w", mistakes(file))
	}
	return provision.PassDir(conf, state, code)
}
