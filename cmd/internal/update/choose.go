package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/release"
)

// A Releases is where releases come from.
type Releases interface {
	Releases(kind, arch string) ([]release.Release, error)
	// Fetch goes on with the file where an earlier try was cut off.
	Fetch(ctx context.Context, r release.Release, to string) error
}

// A Schema tells how far the store on the disk has been migrated; 0: there is none.
type Schema func(ctx context.Context) (int64, error)

// Refusals.
var (
	errNewer    = errors.New("the store is newer than that release can read: restore the backup that was made before")
	ErrOneWay   = errors.New("the release changes the store so that the one of before cannot open it: make a backup, then allow it with --one-way")
	errNoBefore = errors.New("roll back: this box remembers no release of before: install one with update apply")
	ErrTrial    = errors.New("another release is on trial: wait until it is kept or given up")
)

// choose returns the newest release of the kind that runs which is newer and was
// not given up.
func (h Home) choose(from Releases, is release.Release, version string, again bool, say func(string, ...any)) (release.Release, error) {
	list, err := from.Releases(is.Kind, is.Arch)
	if err != nil {
		return release.Release{}, err
	}
	state, err := h.State()
	if err != nil {
		return release.Release{}, err
	}
	for _, r := range list {
		if version != "" && r.Version != version || r.Serial <= is.Serial || r.Version == is.Version {
			continue
		}
		if why := state.GivenUp[r.Version]; why != "" && !again {
			say("release %s was given up before: %s", r.Version, why)
			continue
		}
		return r, nil
	}
	return release.Release{}, release.ErrNone
}

// mayReturn refuses a release that could not be given up again.
func mayReturn(is, r release.Release, oneWay bool) error {
	if r.Schema > is.Schema && !oneWay {
		return fmt.Errorf("release %s: %w", r.Version, ErrOneWay)
	}
	return nil
}

// canReturn says whether a version can open the store as it is now.
func (h Home) canReturn(store Schema, version string) error {
	r, err := h.Describe(version)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	schema, err := store(ctx)
	if err != nil {
		return err
	}
	if schema > r.Schema {
		return fmt.Errorf("the store has schema %d, release %s knows %d: %w", schema, version, r.Schema, errNewer)
	}
	return nil
}

const (
	incoming  = "incoming-" // begins the name of a file that is being fetched
	hallsRoom = 64 << 20    // bytes of the disk that no update may take: tickets need them
)

// bring fetches a release's file, or what is missing of it, and returns its path.
func (h Home) bring(ctx context.Context, from Releases, r release.Release, say func(string, ...any)) (string, error) {
	file := h.path(incoming + r.File())
	if err := h.discard(file); err != nil {
		return "", err
	}
	var have int64
	if s, err := os.Stat(file); err == nil {
		have = s.Size()
	}
	need := 2 * r.Bytes // the file, and about as much unpacked
	if r.Kind == release.Image {
		need = r.Bytes
	}
	if free, err := room(h.Dir); err != nil || free < need-have+hallsRoom {
		return "", errors.Join(fmt.Errorf("fetch %s: %d MiB are free in %s, %d MiB are needed: remove old backups and logs", r.File(), free>>20, h.Dir, (need-have+hallsRoom)>>20), err)
	}
	if have < r.Bytes {
		say("fetching release %s, %d of %d MiB", r.Version, (r.Bytes-have)>>20, r.Bytes>>20)
	}
	return file, from.Fetch(ctx, r, file)
}

// discard removes what was fetched, but for one file.
func (h Home) discard(but string) error {
	files, err := filepath.Glob(h.path(incoming + "*"))
	for _, f := range files {
		if f != but {
			err = errors.Join(err, os.Remove(f))
		}
	}
	return err
}

func room(dir string) (int64, error) {
	var s unix.Statfs_t
	err := unix.Statfs(dir, &s)
	return int64(s.Bavail) * int64(s.Bsize), err
}

// lock keeps a second updater out; the kernel forgets it with the process.
func (h Home) lock() (func(), error) {
	if err := h.prepare(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(h.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.New("another updater is at work on this box: wait for it")
	}
	return func() { f.Close() }, nil
}
