// Package update takes releases into use on a box: on trial, only while the hall
// is closed, and back to what ran before when the box is not healthy with them.
//
// A release is a directory that is complete before it has its name; which one
// runs is one symbolic link. So whatever moment the power is cut, the link names
// programs that are whole: those of before or those of after.
//
// It does not know who signs releases (package release) or how a daemon is
// started (deploy/units).
package update

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"longcheng/central"
	"longcheng/cmd/internal/release"
)

// A Home is the directory that holds the releases of a box:
//
//	releases/VERSION/   the programs, and release.json
//	current             a link to the one that runs, or to the packaged programs
//	trial.json          while a release is on trial: see Trial
//	before/             the configuration as it was before the trial
//	state.json          what ran before, and which releases were given up
//	lists/              the signed lists that were seen
type Home struct {
	Dir      string
	Packaged string // where Debian's package puts the programs: /usr/bin
}

const (
	currentLink  = "current"
	trialFile    = "trial.json"
	stateFile    = "state.json"
	releaseFile  = "release.json"
	configBefore = "before"
	daemonName   = "kioskd"
)

// Limits of an archive: more is no program of ours.
const (
	maxProgram = 256 << 20
	maxFiles   = 16
)

// Lists is where the signed lists that were seen are kept.
func (h Home) Lists() string { return filepath.Join(h.Dir, "lists") }

func (h Home) path(parts ...string) string {
	return filepath.Join(append([]string{h.Dir}, parts...)...)
}

// prepare makes the directory; a box without a link runs the packaged programs.
func (h Home) prepare() error {
	for _, d := range []string{h.path("releases"), h.Lists()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("prepare %s: %w", h.Dir, err)
		}
	}
	if _, err := os.Lstat(h.path(currentLink)); errors.Is(err, os.ErrNotExist) {
		return h.link(h.Packaged)
	}
	return nil
}

// link makes current name the programs in dir, at once and lastingly.
func (h Home) link(dir string) error {
	fresh := h.path(currentLink + ".new")
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("change to %s: %w", dir, err)
	}
	err := os.Symlink(dir, fresh)
	if err == nil {
		err = os.Rename(fresh, h.path(currentLink))
	}
	if err == nil {
		err = syncDir(h.Dir)
	}
	if err != nil {
		return fmt.Errorf("change to %s: %w", dir, err)
	}
	return nil
}

// Runs returns the version whose programs the link names; Packaged for those of
// the package.
func (h Home) Runs() (string, error) {
	to, err := os.Readlink(h.path(currentLink))
	if errors.Is(err, os.ErrNotExist) || err == nil && to == h.Packaged {
		return Packaged, nil
	}
	return filepath.Base(to), err
}

// Packaged is the name of the programs that Debian's package brought.
const Packaged = "packaged"

func (h Home) programs(version string) string {
	if version == Packaged {
		return h.Packaged
	}
	return h.path("releases", version)
}

// Describe reads what is known of the programs of a version.
func (h Home) Describe(version string) (r release.Release, err error) {
	at := h.path("releases", version, releaseFile)
	if version == Packaged {
		at = h.path(Packaged + ".json")
	}
	text, err := os.ReadFile(at)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("describe release %s: %w", version, err)
	}
	return r, nil
}

// note keeps the description of a release that this directory does not hold.
func (h Home) note(r release.Release) error {
	if err := os.MkdirAll(h.path("releases", r.Version), 0o755); err != nil {
		return err
	}
	return writeJSON(h.path("releases", r.Version, releaseFile), r)
}

// unpack makes a release's directory from its file. It has its name only when
// everything in it is on the disk.
func (h Home) unpack(file string, r release.Release) error {
	fresh := h.path("releases", "."+r.Version+".new")
	err := os.RemoveAll(fresh)
	if err == nil {
		err = os.Mkdir(fresh, 0o755)
	}
	if err == nil {
		err = untar(file, fresh)
	}
	if err == nil {
		err = writeJSON(filepath.Join(fresh, releaseFile), r)
	}
	if _, missing := os.Stat(filepath.Join(fresh, daemonName)); err == nil && missing != nil {
		err = fmt.Errorf("there is no %s in it", daemonName)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("unpack release %s: %w", r.Version, err), os.RemoveAll(fresh))
	}
	if err := os.RemoveAll(h.path("releases", r.Version)); err != nil {
		return err
	}
	if err := errors.Join(syncDir(fresh), os.Rename(fresh, h.path("releases", r.Version))); err != nil {
		return fmt.Errorf("unpack release %s: %w", r.Version, err)
	}
	return syncDir(h.path("releases"))
}

func untar(file, into string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	archive := tar.NewReader(io.LimitReader(zip, maxProgram))
	for n := 0; ; n++ {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == maxFiles {
			return errors.New("there are too many files in it")
		}
		if head.Typeflag != tar.TypeReg || strings.ContainsRune(head.Name, '/') || strings.HasPrefix(head.Name, ".") {
			return fmt.Errorf("%q is no plain file", head.Name)
		}
		if err := writeProgram(filepath.Join(into, head.Name), archive); err != nil {
			return err
		}
	}
}

func writeProgram(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Sync(), f.Close())
}

// prune removes releases that neither run nor may be gone back to.
func (h Home) prune(keep ...string) error {
	entries, err := os.ReadDir(h.path("releases"))
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	for _, k := range keep {
		kept[k] = true
	}
	for _, e := range entries {
		if !kept[e.Name()] {
			err = errors.Join(err, os.RemoveAll(h.path("releases", e.Name())))
		}
	}
	return err
}

func writeJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return central.WriteFile(path, append(text, '\n'), 0o644)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
