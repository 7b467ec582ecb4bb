package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"longcheng/cmd/internal/release"
	"longcheng/cmd/internal/update"
)

// rootLoader is the boot loader of a box that was written from the image; see
// deploy/image. Units of the image write the root and restart the box, so that the
// updater itself needs no devices.
type rootLoader struct{}

const (
	imageFile   = "/etc/longcheng-image" // says which release the root is
	slotFile    = "/run/longcheng-slot"  // "a BOOT": longcheng-slot.service writes it at each start
	bootEntries = "/efi/loader/entries"
	nextUpdate  = "/data/update/next.update" // longcheng-update.service takes it
)

// imageRelease describes the root that runs; fs.ErrNotExist on a box of packages.
func imageRelease() (r release.Release, err error) {
	text, err := os.ReadFile(imageFile)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return r, fmt.Errorf("which root runs: %s: %w", imageFile, err)
	}
	return r, nil
}

// slot returns which root runs, and the name of this start.
func (rootLoader) slot() (slot, boot string, err error) {
	text, err := os.ReadFile(slotFile)
	if err != nil {
		return "", "", fmt.Errorf("which root runs: %w: see systemctl status longcheng-slot", err)
	}
	slot, boot, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	if !ok || slot != "a" && slot != "b" {
		return "", "", fmt.Errorf("which root runs: %s says %q: see systemctl status longcheng-slot", slotFile, text)
	}
	return slot, boot, nil
}

// Boot names this start of the machine.
func (l rootLoader) Boot() (string, error) {
	_, boot, err := l.slot()
	return boot, err
}

func (l rootLoader) dir() (update.Loaderdir, error) {
	slot, _, err := l.slot()
	return update.Loaderdir{Dir: bootEntries, Slot: slot}, err
}

// Entries says how the two roots stand.
func (l rootLoader) Entries() (update.Entries, error) {
	d, err := l.dir()
	if err != nil {
		return update.Entries{}, err
	}
	return d.Entries()
}

// Write has the file written by the unit that may do so.
func (rootLoader) Write(ctx context.Context, file string) error {
	if err := os.Remove(nextUpdate); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(file, nextUpdate); err != nil {
		return err
	}
	return tellSystemd(ctx, "start", "longcheng-update.service")
}

// Spurn makes the loader take the other root.
func (l rootLoader) Spurn() error {
	d, err := l.dir()
	if err != nil {
		return err
	}
	return d.Spurn()
}

// Restart starts the machine again.
func (rootLoader) Restart(ctx context.Context) error { return tellSystemd(ctx, "reboot") }

func tellSystemd(ctx context.Context, args ...string) error {
	said, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(said))
	}
	return nil
}
