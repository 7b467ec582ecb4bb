package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"
)

// maxAside is how many damaged files may lie beside the store: a disk that
// damages one after another needs a technician, not another copy.
const maxAside = 3

// damaged says that pages of the file are not what was written.
type damaged struct{ error }

func (d damaged) Unwrap() error { return d.error }

// Damaged reports whether an error of Open says that the file is damaged.
func Damaged(err error) bool {
	var said sqlite3.Error
	return errors.As(err, new(damaged)) || errors.As(err, &said) && (said.Code == sqlite3.ErrCorrupt || said.Code == sqlite3.ErrNotADB)
}

// Mend makes a new store out of the journal of a damaged one, in its place, and
// keeps the damaged file aside. It does so only if the journal is whole to the
// event at which the state stands; else the file stays as it was. What it makes
// is a restored store: see Restore. A power cut at any moment leaves the damaged
// file or the new one, never none.
func Mend(ctx context.Context, o Options) (aside string, done Restored, err error) {
	old, _ := filepath.Glob(o.Path + ".damaged-*")
	if len(old) >= 2*maxAside { // each with its log
		return "", done, fmt.Errorf("mend %s: it was damaged %d times: replace the disk, then remove the damaged files", o.Path, maxAside)
	}
	fresh := o.Path + ".mending"
	if err := removeStore(fresh); err != nil {
		return "", done, fmt.Errorf("mend %s: %w", o.Path, err)
	}
	now := o.Now().UTC()
	if done, err = Restore(ctx, Restoring{From: o.Path, To: fresh, Hall: o.Hall, Now: now}); err != nil {
		return "", done, errors.Join(fmt.Errorf("mend %s: %w", o.Path, err), removeStore(fresh))
	}
	aside = o.Path + ".damaged-" + now.Format("20060102T150405.000")
	for _, part := range []string{"", "-wal"} {
		if err := os.Link(o.Path+part, aside+part); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", done, fmt.Errorf("mend %s: keep the damaged file: %w", o.Path, err)
		}
	}
	if err := os.Rename(fresh, mendedName(o.Path)); err != nil {
		return "", done, fmt.Errorf("mend %s: %w", o.Path, err)
	}
	return aside, done, finishMend(o.Path)
}

func mendedName(path string) string { return path + ".mended" }

// finishMend puts a store that was made whole into its place. The log of the
// damaged one goes first: it must never be read into the new file.
func finishMend(path string) error {
	if _, err := os.Stat(mendedName(path)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	err := errors.Join(syncFile(mendedName(path)), remove(path+"-wal"), remove(path+"-shm"))
	if err == nil {
		err = os.Rename(mendedName(path), path)
	}
	if err == nil {
		err = syncFile(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("put the mended store into its place: %w", err)
	}
	return nil
}

func removeStore(path string) error {
	return errors.Join(remove(path), remove(path+"-wal"), remove(path+"-shm"))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
