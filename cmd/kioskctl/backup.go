package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/backup"
)

func backupCommand(t *tool) *cobra.Command {
	to, recipient := "", ""
	c := &cobra.Command{
		Use: "backup", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := t.conf()
			if err != nil {
				return err
			}
			if to, err = target(to); err != nil {
				return err
			}
			if recipient == "" {
				recipient = conf.Support.Recipient
			}
			dir, m, err := backup.Make(c.Context(), backup.Options{Config: conf, State: t.state, To: to, Recipient: recipient, Version: version, Now: time.Now()})
			if err != nil {
				return err
			}
			made := struct {
				Dir string `json:"dir"`
				backup.Manifest
			}{dir, m}
			return t.tell(made, func(io.Writer) error {
				t.say(words()["backed-up"], dir, m.Events, len(m.Files))
				if !m.Secrets {
					t.say(words()["no-secrets"])
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&to, "to", "", "")
	c.Flags().StringVar(&recipient, "recipient", "", "")
	return c
}

// sticks are where desktops and our image mount what is plugged in.
var sticks = []string{"/media/", "/run/media/", "/mnt/"}

// target is the directory that was named, or the one stick that is mounted.
func target(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	text, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", err
	}
	return stick(string(text))
}

// stick finds the one stick among the mounts.
func stick(mounts string) (string, error) {
	var found []string
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		for _, s := range sticks {
			if len(f) > 1 && strings.HasPrefix(f[1], s) {
				found = append(found, strings.ReplaceAll(f[1], `\040`, " "))
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("back up: %w", errNoStick)
	}
	return "", fmt.Errorf("back up: %w: %s", errSticks, strings.Join(found, ", "))
}

var (
	errNoStick = errors.New("no stick is mounted below /media or /mnt: plug one in, or name a directory with --to")
	errSticks  = errors.New("several sticks are mounted: name one with --to")
)

// restoreFlags are what restore and replace are told.
type restoreFlags struct {
	documents bool
	identity  string
}

func (f *restoreFlags) add(c *cobra.Command) { c.Flags().StringVar(&f.identity, "identity", "", "") }

func restoreCommand(t *tool) *cobra.Command {
	var f restoreFlags
	c := &cobra.Command{
		Use: "restore BACKUP", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			done, err := t.restore(c, args[0], f)
			if err != nil {
				return err
			}
			return t.tell(done, func(io.Writer) error { t.told(done); return nil })
		},
	}
	c.Flags().BoolVar(&f.documents, "documents", false, "")
	f.add(c)
	return c
}

func (t *tool) restore(c *cobra.Command, dir string, f restoreFlags) (backup.Restored, error) {
	o := backup.Restoring{Dir: dir, Document: t.config, State: t.state, Documents: f.documents, Now: time.Now()}
	if f.identity != "" {
		text, err := os.ReadFile(f.identity)
		if err != nil {
			return backup.Restored{}, fmt.Errorf("restore: identity: %w", err)
		}
		o.Identity = string(text)
	}
	return backup.Restore(c.Context(), o)
}

// told says what was restored and what it means.
func (t *tool) told(done backup.Restored) {
	s := done.Store
	t.say(words()["restored"], s.Events, s.Last.Local().Format(time.DateTime), s.Is.Epoch)
	for _, p := range sorted(s.Numbers) {
		t.say(words()["numbers"], p, s.Numbers[p])
	}
	if done.Aside != "" {
		t.say(words()["aside"], done.Aside)
	}
	if !done.Manifest.Secrets || done.Secrets == 0 {
		t.say(words()["secrets-missing"])
	}
	t.say(words()["start"])
}

// hasDocument reports whether the box has a configuration.
func (t *tool) hasDocument() bool { _, err := os.Stat(t.config); return err == nil }
