package config

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Own gives what root has made below a directory of the state to the owner of the
// state directory, who is the daemon.
func Own(state, dir string) error {
	var owner unix.Stat_t
	if os.Geteuid() != 0 || unix.Stat(state, &owner) != nil {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	})
}
