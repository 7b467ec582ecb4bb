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
func enrolCodeCommand(t *tool) *cobra.Command {
	standin := false
	c := &cobra.Command{
		Use: "enrol-code DEVICE", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			role := "box"
			if standin {
				role = door.StandinRole
			}
			code, err := t.enrolCode(args[0], role)
			if err != nil {
				return err
			}
			return t.tell(map[string]string{"device": args[0], "role": role, "code": code.String()}, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, code)
				return err
			})
		},
	}
	c.Flags().BoolVar(&standin, "standin", false, "")
	return c
}

// enrolCode makes a code for a box of the hall that this box hosts, now or for good.
func (t *tool) enrolCode(device, role string) (central.Code, error) {
	conf, found := config.Load(t.config)
	if config.Broken(found) {
		return central.Code{}, fmt.Errorf("make code: %w", mistakes(t.config))
	}
	at := conf.Host
	if at.Listen == "" {
		at = conf.Standin // if it hosts the hall now, it has the keys
	}
	if at.Listen == "" || conf.Host.Listen == "" && !door.HasKeys(t.state) {
		return central.Code{}, told{errors.New("make code: this box hosts no hall that others can join: set host.listen and host.address"), "本机不是供其他设备加入的大厅主机：在主机上执行，或在配置中写 host.listen 和 host.address"}
	}
	d, err := door.Open(t.state, conf.Hall.ID, door.Names(at.Address), time.Now)
	if err != nil {
		return central.Code{}, err
	}
	return d.NewCode(at.Address, device, role)
}

// turnOutCommand takes a box's welcome away.
func turnOutCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "turn-out DEVICE", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := door.TurnOut(t.state, args[0]); err != nil {
				return err
			}
			return t.done(map[string]string{"device": args[0]}, words()["turned-out"], args[0])
		},
	}
}

// promoteCommand makes a stand-in the host of its hall.
func promoteCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "promote", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			conf, found := config.Load(t.config)
			if config.Broken(found) {
				return fmt.Errorf("promote: %w", mistakes(t.config))
			}
			if conf.Standin.Listen == "" {
				return told{fmt.Errorf("promote: %s has no [standin]: this box was not set up to take the host's place", t.config), "本机的配置没有 [standin]：它不是替补主机"}
			}
			if err := central.WriteFile(config.PromoteFile(t.state), nil, 0o600); err != nil {
				return fmt.Errorf("promote: %w: run it as the daemon's user", err)
			}
			return t.done(map[string]string{"address": conf.Standin.Address}, words()["promoted"], conf.Standin.Address)
		},
	}
}
