package update

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"longcheng/central"
)

// maxConfig bounds a file of the configuration: longer ones are pictures or
// films, which no release changes.
const maxConfig = 4 << 20

// saveConfig copies the files of a directory, so that a copy is whole or not
// there.
func saveConfig(from, to string) error {
	fresh := to + ".new"
	err := os.RemoveAll(fresh)
	if err == nil {
		err = os.MkdirAll(fresh, 0o700)
	}
	if err == nil {
		err = eachFile(from, func(name string, f fs.FileInfo, text []byte) error {
			at := filepath.Join(fresh, name)
			if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
				return err
			}
			return central.WriteFile(at, text, f.Mode().Perm())
		})
	}
	if err == nil {
		err = os.RemoveAll(to)
	}
	if err == nil {
		err = errors.Join(os.Rename(fresh, to), syncDir(filepath.Dir(to)))
	}
	if err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	return nil
}

// restoreConfig puts back every file that differs from its copy. Files that came
// since stay: nothing but the trial is undone. A file keeps its owner; one that was
// removed gets the directory's.
func restoreConfig(from, to string) error {
	err := eachFile(from, func(name string, f fs.FileInfo, text []byte) error {
		at := filepath.Join(to, name)
		if now, err := os.ReadFile(at); err == nil && bytes.Equal(now, text) {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		owner, err := os.Stat(at)
		if err != nil {
			owner, err = os.Stat(filepath.Dir(at))
		}
		if err != nil {
			return err
		}
		return writeFor(at, text, f.Mode().Perm(), owner)
	})
	if err != nil {
		return fmt.Errorf("put the configuration back: %w", err)
	}
	return nil
}

func writeFor(path string, text []byte, mode fs.FileMode, owner fs.FileInfo) error {
	if err := central.WriteFile(path, text, mode); err != nil {
		return err
	}
	if s, ok := owner.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Chown(path, int(s.Uid), int(s.Gid))
	}
	return nil
}

// eachFile walks the plain files of a directory; one that does not exist has none.
func eachFile(dir string, f func(name string, info fs.FileInfo, text []byte) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return fs.SkipAll
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxConfig {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return f(name, info, text)
	})
}
