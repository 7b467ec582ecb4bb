// Package release knows what a release of the programs is, how its maintainer
// signs it, and how a box finds and checks one: at the centre, at a web address
// or on a USB stick. Signatures, key changes and protection against old and
// frozen releases are The Update Framework's (TUF).
//
// It does not know how a box takes a release into use: that is package update.
package release

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Kinds of releases.
const (
	Program = "program" // a tar.gz of the programs, for a box of Debian packages
	Image   = "image"   // a whole root, for a box that was written from the image
)

// A Release is one file that a box can take into use, as its maintainer signed it.
type Release struct {
	Version string `json:"version"` // for people
	Serial  int64  `json:"serial"`  // newer is higher: the time of the commit, in seconds
	Kind    string `json:"kind"`
	Arch    string `json:"arch"`   // as Debian names it: amd64, arm64, armhf
	Schema  int64  `json:"schema"` // of the store, after this program has opened it

	Bytes int64 `json:"bytes,omitzero"` // of the file; told by the signed list
}

var (
	versions = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+~-]{0,63}$`)
	arches   = regexp.MustCompile(`^(amd64|arm64|armhf)$`)
)

// Check refuses what is no release: versions become names of directories.
func (r Release) Check() error {
	switch {
	case !versions.MatchString(r.Version):
		return fmt.Errorf("version %q: 1 to 64 letters, digits, dots, dashes, plus signs and tildes are allowed", r.Version)
	case r.Serial <= 0 || r.Schema <= 0:
		return fmt.Errorf("release %s: serial or schema is missing", r.Version)
	case r.Kind != Program && r.Kind != Image:
		return fmt.Errorf("release %s: kind %q is not %s or %s", r.Version, r.Kind, Program, Image)
	case !arches.MatchString(r.Arch):
		return fmt.Errorf("release %s: architecture %q is not amd64, arm64 or armhf", r.Version, r.Arch)
	}
	return nil
}

// File is the name of a release's file in the list.
func (r Release) File() string {
	end := ".tar.gz"
	if r.Kind == Image {
		end = ".update"
	}
	return strings.Join([]string{r.Kind, r.Arch, r.Version}, "_") + end
}

// ErrNone means that a source has no release for this box.
var ErrNone = errors.New("there is no release for this box")
