package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
)

// enrolCodeCommand makes a code on the host of a hall.
func enrolCodeCommand(out io.Writer) *cobra.Command {
	var file, state string
	standin := false
	c := &cobra.Command{
		Use: "enrol-code DEVICE", Args: cobra.ExactArgs(1),
		Short: "On the host of a hall: make a code that lets one box in, once, within 15 minutes",
		Long: "On the host of a hall: make a code that lets one box in, once, within 15 minutes.\n" +
			"DEVICE is the box's name in its own configuration. Run it as the daemon's user.",
		RunE: func(_ *cobra.Command, args []string) error {
			conf, found := config.Load(file)
			if config.Broken(found) {
				return fmt.Errorf("make code: %s has mistakes: kioskd check -config %s lists them", file, file)
			}
			at := conf.Host
			if at.Listen == "" {
				at = conf.Standin // if it hosts the hall now, it has the keys
			}
			if at.Listen == "" || conf.Host.Listen == "" && !door.HasKeys(state) {
				return errors.New("make code: this box hosts no hall that others can join: set host.listen and host.address")
			}
			d, err := door.Open(state, conf.Hall.ID, door.Names(at.Address), time.Now)
			if err != nil {
				return err
			}
			role := "box"
			if standin {
				role = door.StandinRole
			}
			code, err := d.NewCode(at.Address, args[0], role)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(out, code)
			return err
		},
	}
	c.Flags().BoolVar(&standin, "standin", false, "the box may take the host's place: it gets a copy of everything, the keys of the hall too")
	c.Flags().StringVar(&file, "config", "/etc/longcheng/kioskd.toml", "the host's configuration")
	c.Flags().StringVar(&state, "state", defaultState, "the host's state directory")
	return c
}

// turnOutCommand takes a box's welcome away.
func turnOutCommand(out io.Writer) *cobra.Command {
	var state string
	c := &cobra.Command{
		Use: "turn-out DEVICE", Args: cobra.ExactArgs(1),
		Short: "On the host of a hall: turn a box out whose certificate shall no longer be good",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := door.TurnOut(state, args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(out, "%s is out; what it still reads ends within seconds\n", args[0])
			return err
		},
	}
	c.Flags().StringVar(&state, "state", defaultState, "the host's state directory")
	return c
}

// promoteCommand makes a stand-in the host of its hall.
func promoteCommand(out io.Writer) *cobra.Command {
	var file, state string
	c := &cobra.Command{
		Use: "promote", Args: cobra.NoArgs,
		Short: "On a stand-in: take the host's place, now",
		Long: "On a stand-in: take the host's place, now. Switch the old host off first, if it is not dead: what it\n" +
			"decides after this moment is lost as soon as it hears of the new one. Run it as the daemon's user.",
		RunE: func(*cobra.Command, []string) error {
			conf, found := config.Load(file)
			if config.Broken(found) {
				return fmt.Errorf("promote: %s has mistakes: kioskd check -config %s lists them", file, file)
			}
			if conf.Standin.Listen == "" {
				return fmt.Errorf("promote: %s has no [standin]: this box was not set up to take the host's place", file)
			}
			if err := central.WriteFile(config.PromoteFile(state), nil, 0o600); err != nil {
				return fmt.Errorf("promote: %w: run it as the daemon's user", err)
			}
			_, err := fmt.Fprintln(out, "kioskd takes the host's place within a second, or says in its log why it cannot; the other boxes find it at", conf.Standin.Address)
			return err
		},
	}
	c.Flags().StringVar(&file, "config", "/etc/longcheng/kioskd.toml", "the stand-in's configuration")
	c.Flags().StringVar(&state, "state", defaultState, "the stand-in's state directory")
	return c
}
