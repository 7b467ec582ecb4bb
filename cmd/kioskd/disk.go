package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"longcheng/device"

	"golang.org/x/sys/unix"
)

// A disk watches how much room the state directory has. It keeps a ballast there,
// a file that is nothing but room: when the disk runs full, whoever fills it, the
// ballast is given up, and tickets go on while staff hear of it.
type disk struct {
	dir    string
	say    func(fault, state string) // what a technician should know; ready when all is well
	room   func(dir string) (free, total uint64, err error)
	barred bool // no ballast can be kept here: do not try again
}

const (
	ballastSize = 8 << 20 // some hundred tickets
	diskLook    = time.Second
)

// roomOf asks the file system what an ordinary user may still write.
func roomOf(dir string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}

// run looks until ctx ends.
func (d *disk) run(ctx context.Context) error {
	for {
		d.look()
		if device.Sleep(ctx, diskLook) != nil {
			return nil
		}
	}
}

func (d *disk) look() {
	free, total, err := d.room(d.dir)
	if err != nil || total == 0 { // the self-check says more about such a disk
		return
	}
	held := d.held()
	switch {
	case held && free < ballastSize/4:
		_ = os.Remove(d.ballast()) // what cannot be removed is not held back either
	case !held && !d.barred && free > 4*ballastSize && free > total/20+2*ballastSize:
		d.barred = d.fill() != nil
	}
	switch left := fmt.Sprintf("%d MB of %d MB left in %s", free>>20, total>>20, d.dir); {
	case free < ballastSize/4:
		d.say("disk-full", "disk is full: "+left+": make room now")
	case free < total/20:
		d.say("disk-filling", "disk is nearly full: "+left+": remove old backups and logs")
	case free > total/20+total/100: // not back and forth at the limit
		d.say("", ready)
	}
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

func (d *disk) held() bool {
	_, err := os.Stat(d.ballast())
	return err == nil
}

// fill makes the ballast of real blocks, not of a hole.
func (d *disk) fill() (err error) {
	f, err := os.OpenFile(d.ballast(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = errors.Join(unix.Fallocate(int(f.Fd()), 0, 0, ballastSize), f.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(d.ballast()))
	}
	return err
}
