// Package backup makes copies of a box that another box can become: the store,
// the configuration with the hall's documents, and - sealed - its secrets; with
// checksums over all of it.
//
// The store is copied by SQLite itself while the daemon runs, and comes back in a
// new epoch (see sqlite.Restore). Secrets are the hall key, by which identity
// numbers are known again, and the certificates; without a recipient to seal them
// to they are left out, because a stick gets lost.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/sealed"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// The names inside a backup.
const (
	manifestName = "manifest.json"
	storeName    = "hall.db"
	secretsName  = "secrets.tar.gz.age"
	etcDir       = "etc"   // what lies beside the configuration
	stateDir     = "state" // small documents of the state directory
)

// The bounds of what is copied beside the store.
const (
	maxFiles = 500
	maxFile  = 8 << 20
)

// A Manifest says what a backup is and holds the checksum of every file.
type Manifest struct {
	Made     time.Time `json:"made"`
	Device   string    `json:"device"`
	Hall     string    `json:"hall"`
	Epoch    int64     `json:"epoch"`
	Events   int64     `json:"events"`
	Head     string    `json:"head"` // hash of the last event
	Version  string    `json:"version"`
	Document string    `json:"document"` // the device's document, below etc
	Secrets  bool      `json:"secrets"`  // they are in it, sealed
	Files    []File    `json:"files"`
}

// A File is one file of a backup.
type File struct {
	Name   string `json:"name"` // with slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Options say what is backed up, and where to.
type Options struct {
	Config    *config.Config
	State     string
	To        string // a directory; the backup is a new one inside it
	Recipient string // age public key for the secrets; empty leaves them out
	Version   string
	Now       time.Time
}

// Make makes a backup and returns the directory that it is. The daemon may run.
func Make(ctx context.Context, o Options) (dir string, m Manifest, err error) {
	dir = filepath.Join(o.To, "longcheng-"+o.Config.Device+"-"+o.Now.UTC().Format("20060102T150405Z"))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", m, fmt.Errorf("back up: %w: is the stick mounted, and writable?", err)
	}
	m = Manifest{Made: o.Now.UTC(), Device: o.Config.Device, Version: o.Version, Document: filepath.Base(o.Config.File)}
	if o.Config.Hall != nil {
		m.Hall = o.Config.Hall.ID
	}
	if err := o.fill(ctx, dir, &m); err != nil {
		return "", m, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, m, nil
}

func (o Options) fill(ctx context.Context, dir string, m *Manifest) error {
	r, err := sqlite.Backup(ctx, config.Resolve(o.State, o.Config.Store.File), filepath.Join(dir, storeName))
	if err != nil {
		return err
	}
	m.Epoch, m.Events, m.Head = r.Origin.Epoch, r.Events, hex.EncodeToString(r.Hash)
	if err := copyTree(filepath.Dir(o.Config.File), filepath.Join(dir, etcDir), func(string) bool { return true }); err != nil {
		return err
	}
	if err := copyTree(o.State, filepath.Join(dir, stateDir), document); err != nil {
		return err
	}
	if m.Secrets = o.Recipient != ""; m.Secrets {
		if err := o.seal(filepath.Join(dir, secretsName)); err != nil {
			return err
		}
	}
	if m.Files, err = sums(dir); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return central.WriteFile(filepath.Join(dir, manifestName), append(text, '\n'), 0o600)
}

// document reports whether a file of the state directory is a small document of
// ours: what was announced, what was seen of the host.
func document(name string) bool { return !strings.Contains(name, "/") && filepath.Ext(name) == ".json" }

// secret reports whether a file of the state directory is a secret of this box.
func secret(name string) bool {
	return name == "hall.key" || name == "persons.key" || strings.Count(name, "/") == 1 && slices.Contains([]string{"identity.pem", "ca.pem", "centre"}, filepath.Base(name))
}

func (o Options) seal(to string) error {
	var files []sealed.File
	err := walk(o.State, secret, func(name string) error {
		body, err := os.ReadFile(filepath.Join(o.State, name))
		files = append(files, sealed.File{Name: name, Body: body})
		return err
	})
	if err != nil {
		return fmt.Errorf("back up secrets: %w", err)
	}
	return sealed.WriteFile(to, o.Recipient, o.Now, files)
}

// walk calls f with the regular files below a directory, by name.
func walk(root string, want func(string) bool, f func(name string) error) error {
	n := 0
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || !d.Type().IsRegular() || !want(name) {
			return err
		}
		if n++; n > maxFiles {
			return fmt.Errorf("more than %d files in %s", maxFiles, root)
		}
		return f(name)
	})
}

func copyTree(from, to string, want func(string) bool) error {
	err := walk(from, want, func(name string) error { return copyFile(filepath.Join(from, name), filepath.Join(to, name)) })
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return nil
}

// copyFile copies a small file so that it is whole after a power cut.
func copyFile(from, to string) error {
	if s, err := os.Stat(from); err != nil || s.Size() > maxFile {
		return errors.Join(err, fmt.Errorf("%s has more than %d bytes", from, maxFile))
	}
	body, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return central.WriteFile(to, body, 0o640)
}

// sums lists the files of a backup with their checksums.
func sums(dir string) (all []File, err error) {
	err = walk(dir, func(name string) bool { return name != manifestName }, func(name string) error {
		f, err := sum(dir, name)
		all = append(all, f)
		return err
	})
	return all, err
}

// Read reads a backup's manifest and checks every file against it.
func Read(dir string) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, fmt.Errorf("read backup: %w: give the directory that kioskctl backup made", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read backup: %s: %w", manifestName, err)
	}
	found, err := sums(dir)
	if err != nil {
		return m, fmt.Errorf("read backup: %w", err)
	}
	for _, f := range m.Files {
		if !slices.Contains(found, f) {
			return m, fmt.Errorf("read backup: %s is missing or was changed: use another backup", f.Name)
		}
	}
	if len(found) != len(m.Files) || !slices.ContainsFunc(found, func(f File) bool { return f.Name == storeName }) {
		return m, errors.New("read backup: there are files that the manifest does not know: use another backup")
	}
	return m, nil
}

func sum(dir, name string) (File, error) {
	body, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return File{}, err
	}
	h := sha256.Sum256(body)
	return File{filepath.ToSlash(name), int64(len(body)), hex.EncodeToString(h[:])}, nil
}

// hallOf reads the hall that a backup's documents name.
func hallOf(document string) (*kiosk.Hall, *config.Config, error) {
	c, found := config.Load(document)
	if config.Broken(found) {
		errs := make([]error, len(found))
		for i, f := range found {
			errs[i] = f
		}
		return nil, nil, errors.Join(errs...)
	}
	return c.Hall, c, nil
}
