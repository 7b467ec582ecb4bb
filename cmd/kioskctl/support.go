package main

import (
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/sealed"
	"longcheng/cmd/internal/support"
)

// logLines is how much of the log goes into a bundle.
const logLines = "2000"

func supportCommand(t *tool) *cobra.Command {
	to, recipient := ".", ""
	c := &cobra.Command{
		Use: "support-bundle", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, cancel := timeout(c, examineWithin)
			defer cancel()
			conf, _ := config.Load(t.config) // a box with a broken document needs help most
			if recipient == "" {
				recipient = conf.Support.Recipient
			}
			if recipient == "" {
				return support.ErrNoRecipient
			}
			files := support.Collect(ctx, support.Options{Patient: t.patient(ctx), Log: t.log(ctx)})
			file := filepath.Join(to, support.Name(conf.Device, time.Now()))
			if err := sealed.WriteFile(file, recipient, time.Now(), files); err != nil {
				return err
			}
			return t.tell(map[string]any{"file": file, "files": names(files)}, func(io.Writer) error {
				t.say(words()["bundled"], file, len(files))
				return nil
			})
		},
	}
	c.Flags().StringVar(&to, "to", ".", "")
	c.Flags().StringVar(&recipient, "recipient", "", "")
	return c
}

func names(files []sealed.File) (all []string) {
	for _, f := range files {
		all = append(all, f.Name)
	}
	return all
}

// log is the end of the daemon's log, or why there is none.
func (t *tool) log(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "journalctl", "--no-pager", "-q", "-u", "kioskd.service", "-n", logLines).Output()
	if err == nil && len(out) > 0 {
		return string(out)
	}
	text, none := tail(filepath.Join(t.state, "kioskd.log"), 2000)
	if none != nil {
		return "no log can be read: run it as root\n"
	}
	return text
}
