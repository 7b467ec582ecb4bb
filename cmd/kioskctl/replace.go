package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"longcheng/central"
	"longcheng/cmd/internal/backup"
	"longcheng/cmd/internal/config"
)

// A replaced is what was done to make this box the one that died.
type replaced struct {
	Restored *backup.Restored `json:"restored,omitempty"`
	Enrolled string           `json:"enrolled,omitempty"` // the device that the certificate names
	Ends     time.Time        `json:"ends,omitzero"`
}

func replaceCommand(t *tool) *cobra.Command {
	f, from, code := restoreFlags{documents: true}, "", ""
	c := &cobra.Command{
		Use: "replace", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if from == "" && code == "" {
				return told{errors.New("replace: give the dead box's backup with --from, an enrolment code with --code, or both"), "用 --from 写明坏设备的备份，用 --code 写明注册码，或两者"}
			}
			var done replaced
			if err := t.replace(c, from, code, f, &done); err != nil {
				return err
			}
			return t.tell(done, func(io.Writer) error { t.say(words()["replace-next"]); return nil })
		},
	}
	c.Flags().StringVar(&from, "from", "", "")
	c.Flags().StringVar(&code, "code", "", "")
	f.add(c)
	return c
}

// replace explains each step before it takes it.
func (t *tool) replace(c *cobra.Command, from, code string, f restoreFlags, done *replaced) error {
	t.say(words()["replace-begin"])
	if from == config.FromCentre {
		t.say(words()["replace-fetch"])
		dir, err := t.fetchByCode(c.Context(), code)
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		from = dir
	}
	switch {
	case from != "":
		m, err := backup.Read(from)
		if err != nil {
			return err
		}
		t.say(words()["replace-restore"], m.Device, m.Made.Local().Format(time.DateTime))
		r, err := t.restore(c, from, f)
		if err != nil {
			return err
		}
		done.Restored = &r
		t.told(r)
	case !t.hasDocument():
		return fmt.Errorf("replace: there is no %s and no backup: write it after the sample in /usr/share/doc/longcheng, with the name of the dead box as device", t.config)
	}
	if code == "" {
		t.say(words()["replace-no-code"])
		return nil
	}
	t.say(words()["replace-enrol"])
	dir, err := passDir(t.config, t.state, code)
	if err != nil {
		return err
	}
	if err := setAside(dir); err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	pass, err := t.pass(c.Context(), dir, code)
	if err != nil {
		return err
	}
	done.Enrolled, done.Ends = pass.Identity().Device, pass.Ends()
	t.say(words()["replace-enrolled"], done.Enrolled, done.Ends.Local().Format(time.DateOnly))
	return nil
}

// pass puts the box's certificate into its place: the one with which its backup was
// fetched, or the one that the code brings now.
func (t *tool) pass(ctx context.Context, dir, code string) (*central.Pass, error) {
	err := os.Rename(t.freshPass(), dir)
	if errors.Is(err, os.ErrNotExist) {
		return central.Enrol(ctx, dir, code, time.Now)
	}
	if err != nil {
		return nil, fmt.Errorf("replace: %w", err)
	}
	return central.OpenPass(dir, time.Now)
}

// setAside keeps the pass of the box that was: its key may be in other hands.
func setAside(dir string) error {
	err := os.Rename(dir, dir+".before-"+time.Now().UTC().Format("20060102T150405Z"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
