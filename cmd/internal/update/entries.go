package update

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// How a root stands with the boot loader (systemd-boot's boot counting).
const (
	Absent  = "absent"   // it has no entry: it is empty, or half written
	OnTrial = "on trial" // it has tries left
	Kept    = "kept"     // it was healthy
	Spurned = "spurned"  // it has no tries left: taken only when there is nothing else
)

// Entries says how the two roots stand.
type Entries struct{ Running, Other string }

// A Loaderdir is the directory of boot entries: longcheng-a.conf, and with
// longcheng-b+2-1.conf a root that has two tries left and used one.
type Loaderdir struct {
	Dir  string
	Slot string // a or b: the root that runs
}

var entryName = regexp.MustCompile(`^longcheng-([ab])(\+([0-9]+)(-[0-9]+)?)?\.conf$`)

// Entries reads the directory.
func (l Loaderdir) Entries() (e Entries, err error) {
	e = Entries{Absent, Absent}
	files, err := os.ReadDir(l.Dir)
	if err != nil {
		return e, fmt.Errorf("read boot entries: %w", err)
	}
	for _, f := range files {
		m := entryName.FindStringSubmatch(f.Name())
		switch {
		case m == nil || empty(f):
		case m[1] == l.Slot && m[2] != "":
			e.Running = OnTrial // also with its last try, which runs now
		case m[1] == l.Slot:
			e.Running = Kept
		default:
			e.Other = standingOf(m[2], m[3])
		}
	}
	return e, nil
}

// empty reports whether the loader passes an entry over: a check of the file system
// leaves it so when the power was cut while it got its name.
func empty(f os.DirEntry) bool {
	is, err := f.Info()
	return err != nil || is.Size() == 0
}

func standingOf(counter, left string) string {
	switch {
	case counter == "":
		return Kept
	case strings.Trim(left, "0") == "":
		return Spurned
	}
	return OnTrial
}

// Spurn takes all tries from the root that runs.
func (l Loaderdir) Spurn() error {
	e, err := l.Entries()
	if err != nil {
		return err
	}
	if e.Running != Kept || e.Other != Kept {
		return fmt.Errorf("change the boot entry: the root that runs is %s, the other one %s: both must be kept ones", e.Running, e.Other)
	}
	entry := filepath.Join(l.Dir, "longcheng-"+l.Slot)
	if err := os.Rename(entry+".conf", entry+"+0-3.conf"); err != nil {
		return fmt.Errorf("change the boot entry: %w", err)
	}
	return syncDir(l.Dir)
}
