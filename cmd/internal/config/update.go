package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An Update is the document update.toml: where a box looks for releases.
type Update struct {
	Source string `toml:"source"` // "centre", https://..., http://..., or a directory; empty: sticks only
	Trust  string `toml:"trust"`  // the maintainer's root list, relative to the document
}

// FromCentre names the centre as the source of releases, and as the keeper of backups.
const FromCentre = "centre"

// RollbackWanted is a file in the state directory with which the technician's page
// asks the updater for the release of before.
const RollbackWanted = "rollback-wanted"

// LoadUpdate reads update.toml; a box without one is updated from sticks.
func LoadUpdate(path string) (u Update, err error) {
	u.Trust = filepath.Join(filepath.Dir(path), "releases-root.json")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return u, nil
	}
	lines := newIndex(path)
	if found := read(path, &u, lines); found != nil {
		return u, joined(found)
	}
	if s := u.Source; s != "" && s != FromCentre && !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") && !filepath.IsAbs(s) {
		p := lines.at("source")
		return u, Finding{File: p.file, Line: p.line, Text: "source: this is no place of releases", Remedy: `write "centre", an address that begins with https:// or http://, or the whole path of a directory`}
	}
	if !filepath.IsAbs(u.Trust) {
		u.Trust = filepath.Join(filepath.Dir(path), u.Trust)
	}
	return u, nil
}

func joined(found []Finding) error {
	var all []error
	for _, f := range found {
		all = append(all, f)
	}
	return errors.Join(all...)
}
