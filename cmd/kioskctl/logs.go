package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// logFlags are what logs is told.
type logFlags struct {
	unit, since, file string
	lines             int
	follow            bool
}

func logsCommand(t *tool) *cobra.Command {
	var f logFlags
	c := &cobra.Command{
		Use: "logs", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.logs(c.Context(), f) },
	}
	fs := c.Flags()
	fs.StringVar(&f.unit, "unit", "kioskd", "")
	among(c, "unit", "kioskd", "kiosk-touch", "kiosk-wall", "longcheng-first-boot", "longcheng-updater", "centrald")
	fs.StringVar(&f.since, "since", "", "")
	fs.StringVar(&f.file, "file", "", "")
	fs.IntVarP(&f.lines, "lines", "n", 200, "")
	fs.BoolVarP(&f.follow, "follow", "f", false, "")
	return c
}

func (t *tool) logs(ctx context.Context, f logFlags) error {
	if f.file == "" {
		err := t.journal(ctx, f)
		if err == nil {
			return nil
		}
		f.file = filepath.Join(t.state, f.unit+".log")
		if _, none := os.Stat(f.file); none != nil {
			return fmt.Errorf("logs: journalctl: %w, and there is no %s: run it as root or as a member of systemd-journal, or name a file with --file", err, f.file)
		}
	}
	text, err := tail(f.file, f.lines)
	if err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	return t.tell(map[string]string{"file": f.file, "text": text}, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// journal runs journalctl with what a technician wants to see.
func (t *tool) journal(ctx context.Context, f logFlags) error {
	args := []string{"--no-pager", "-u", f.unit + ".service", "-n", strconv.Itoa(f.lines)}
	if f.since != "" {
		args = append(args, "--since", f.since)
	}
	if f.follow {
		args = append(args, "-f")
	}
	if t.json {
		args = append(args, "-o", "json")
	}
	cmd := exec.CommandContext(ctx, "journalctl", args...)
	cmd.Stdout, cmd.Stderr = t.out, io.Discard
	return cmd.Run()
}

// maxTail is what is read of a log file from its end.
const maxTail = 4 << 20

// tail returns the last lines of a file.
func tail(file string, lines int) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	at := max(0, end-maxTail)
	b := make([]byte, end-at)
	if n, err := f.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	} else {
		b = b[:n]
	}
	for i := len(b) - 2; i >= 0; i-- {
		if b[i] == '\n' {
			if lines--; lines <= 0 {
				return string(b[i+1:]), nil
			}
		}
	}
	return string(b), nil
}

// timeout bounds a command.
func timeout(c *cobra.Command, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.Context(), d)
}
