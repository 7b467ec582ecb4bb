package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longcheng/central"
	"longcheng/cmd/internal/backup"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
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
			o := backup.Options{Config: conf, State: t.state, To: to, Recipient: cmp.Or(recipient, conf.Support.Recipient), Version: version, Now: time.Now()}
			if to == config.FromCentre {
				k, m, err := t.sendBackup(c.Context(), o)
				return t.backedUp(err, backupMade{Centre: &k, Manifest: m}, words()["backed-up-centre"], k.Name, m.Events, len(m.Files), k.Bytes>>10)
			}
			if o.To, err = target(to); err != nil {
				return err
			}
			dir, m, err := backup.Make(c.Context(), o)
			return t.backedUp(err, backupMade{Dir: dir, Manifest: m}, words()["backed-up"], dir, m.Events, len(m.Files))
		},
	}
	c.Flags().StringVar(&to, "to", "", "")
	c.Flags().StringVar(&recipient, "recipient", "", "")
	return c
}

// backupMade is what backup prints.
type backupMade struct {
	Dir    string        `json:"dir,omitempty"`
	Centre *central.Kept `json:"centre,omitempty"`
	backup.Manifest
}

func (t *tool) backedUp(err error, m backupMade, text kiosk.Text, args ...any) error {
	if err != nil {
		return err
	}
	return t.tell(m, func(io.Writer) error {
		t.say(text, args...)
		if !m.Secrets {
			t.say(words()["no-secrets"])
		}
		return nil
	})
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
			if len(f) > 1 && strings.HasPrefix(f[1]+"/", s) {
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
			from := args[0]
			if from == config.FromCentre {
				var err error
				if from, err = t.fetchOwn(c.Context()); err != nil {
					return err
				}
				defer os.RemoveAll(from)
			}
			done, err := t.restore(c, from, f)
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

// fetchOwn brings this box's newest backup from the centre.
func (t *tool) fetchOwn(ctx context.Context) (string, error) {
	conf, err := t.conf()
	if err != nil {
		return "", err
	}
	w, err := wayToCentre(conf, t.state)
	if err != nil {
		return "", fmt.Errorf("fetch backup: %w", err)
	}
	return t.fetchBackup(ctx, w.client, conf.Device)
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
