package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/sealed"
	"longcheng/cmd/internal/status"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// ErrRunning says that the daemon has the store.
var ErrRunning = errors.New("kioskd is running: systemctl stop kioskd first")

// Restoring says what comes back, and where to.
type Restoring struct {
	Dir       string // the backup
	Document  string // the device's document, such as /etc/longcheng/kioskd.toml
	State     string
	Documents bool   // the configuration and hall documents come back, too
	Identity  string // text of the age identity that opens the secrets; empty leaves them
	Now       time.Time
}

// A Restored is what came of it.
type Restored struct {
	Manifest Manifest        `json:"manifest"`
	Store    sqlite.Restored `json:"store"`
	Aside    string          `json:"aside,omitempty"` // where the old store was moved to
	Secrets  int             `json:"secrets"`         // files
}

// Restore makes a box of a backup. It refuses while the daemon runs. The old
// store is moved aside, never overwritten.
func Restore(ctx context.Context, o Restoring) (done Restored, err error) {
	if done.Manifest, err = Read(o.Dir); err != nil {
		return done, err
	}
	hall, c, err := hallOf(o.inForce(done.Manifest))
	if err != nil {
		return done, fmt.Errorf("restore: %w", err)
	}
	if c.Device != done.Manifest.Device {
		return done, fmt.Errorf("restore: the backup is of device %q, this document is of %q: use kioskctl replace", done.Manifest.Device, c.Device)
	}
	store := config.Resolve(o.State, c.Store.File)
	if err := free(ctx, c.Web.Listen, store); err != nil {
		return done, fmt.Errorf("restore: %w", err)
	}
	if err := os.MkdirAll(o.State, 0o750); err != nil {
		return done, fmt.Errorf("restore: %w", err)
	}
	done.Store, done.Aside, err = put(ctx, store, sqlite.Restoring{From: filepath.Join(o.Dir, storeName), Hall: hall, Now: o.Now})
	if err != nil {
		return done, err
	}
	if err := o.documents(&done); err != nil {
		return done, fmt.Errorf("restore: %w", err)
	}
	return done, config.Own(o.State, o.State)
}

// Anew makes a store go on with what it remembers under a new epoch: it turned out
// to be an old copy, put there without Restore. Nobody may have it open. host is
// the device that decides with it.
func Anew(ctx context.Context, store string, hall *kiosk.Hall, host string, now time.Time) (done sqlite.Restored, aside string, err error) {
	return put(ctx, store, sqlite.Restoring{From: store, Hall: hall, Host: host, Now: now})
}

// put restores a store into the place of the one that is there, which is kept.
func put(ctx context.Context, store string, r sqlite.Restoring) (done sqlite.Restored, aside string, err error) {
	r.To = store + ".restored"
	if err := os.RemoveAll(r.To); err != nil { // of an attempt that was cut off
		return done, "", err
	}
	if done, err = sqlite.Restore(ctx, r); err != nil {
		return done, "", err
	}
	if aside, err = swap(store, r.To, r.Now); err != nil {
		err = fmt.Errorf("restore: %w", err)
	}
	return done, aside, err
}

// inForce is the document that the box will run with.
func (o Restoring) inForce(m Manifest) string {
	if o.Documents {
		return filepath.Join(o.Dir, etcDir, m.Document)
	}
	return o.Document
}

// free finds whoever has the store.
func free(ctx context.Context, listen, store string) error {
	if _, err := status.Ask(ctx, listen); err == nil {
		return ErrRunning
	}
	used, err := sqlite.InUse(ctx, store)
	if err == nil && used {
		err = ErrRunning
	}
	return err
}

// swap puts the fresh store into the place of the old one, which is kept.
func swap(store, fresh string, now time.Time) (aside string, err error) {
	if _, err := os.Stat(store); err == nil {
		aside = store + ".before-" + now.UTC().Format("20060102T150405Z")
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Rename(store+end, aside+end); err != nil && !errors.Is(err, os.ErrNotExist) {
				return "", err
			}
		}
	}
	return aside, os.Rename(fresh, store)
}

// documents brings back what was asked for beside the store.
func (o Restoring) documents(done *Restored) error {
	if err := copyIf(filepath.Join(o.Dir, stateDir), o.State); err != nil {
		return err
	}
	if o.Documents {
		if err := copyIf(filepath.Join(o.Dir, etcDir), filepath.Dir(o.Document)); err != nil {
			return err
		}
	}
	if o.Identity == "" || !done.Manifest.Secrets {
		return nil
	}
	f, err := os.Open(filepath.Join(o.Dir, secretsName))
	if err != nil {
		return err
	}
	defer f.Close()
	files, err := sealed.Read(f, o.Identity)
	if err != nil {
		return err
	}
	for _, s := range files {
		if !secret(s.Name) {
			continue
		}
		to := filepath.Join(o.State, s.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), central.WriteFile(to, s.Body, 0o600)); err != nil {
			return err
		}
		done.Secrets++
	}
	return nil
}

func copyIf(from, to string) error {
	if _, err := os.Stat(from); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return copyTree(from, to, func(string) bool { return true })
}
