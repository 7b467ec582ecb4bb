package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"longcheng/device"

	"golang.org/x/sys/unix"
)

// A disk watches how much room the state directory has. It keeps a ballast there,
// a file that is nothing but room: when the disk runs full, whoever fills it, the
// ballast is given up, and tickets go on while staff hear of it. The file stays,
// empty: what was given up is room for tickets, and no end of the alarm.
type disk struct {
	dir    string
	say    func(fault, state string) // what a technician should know; ready when all is well
	room   func(dir string) (free, total uint64, err error)
	barred bool // no ballast can be kept here: do not try again
	full   bool // it was so at the last look
}

const (
	ballastSize = 8 << 20 // some hundred tickets
	fullBelow   = ballastSize / 4
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
	kept, held := d.held()
	switch {
	case held && free < fullBelow:
		if d.giveUp() { // what cannot be given up is not held back either
			free += ballastSize
		}
		held = false
	case !held && !d.barred && free > 4*ballastSize && free > total/20+2*ballastSize:
		d.barred = d.fill() != nil
		kept = false
	}
	if kept && !held {
		free -= min(free, ballastSize)
	}
	d.tell(free, total)
}

// tell says how much room there is. What was said last stands until there is clearly
// more: not back and forth at the limit.
func (d *disk) tell(free, total uint64) {
	d.full = free < fullBelow || d.full && free < 2*fullBelow
	switch {
	case d.full:
		d.say("disk-full", d.state("full", free, total)+": make room now")
	case free < total/20:
		d.say("disk-filling", d.state("nearly full", free, total)+": remove old backups and logs")
	case free > total/20+total/100:
		d.say("", ready)
	}
}

func (d *disk) state(how string, free, total uint64) string {
	return fmt.Sprintf("disk is %s: %d MB of %d MB left in %s", how, free>>20, total>>20, d.dir)
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// held reports whether there is a ballast, and whether it still holds its room.
func (d *disk) held() (kept, held bool) {
	s, err := os.Stat(d.ballast())
	return err == nil, err == nil && s.Size() > 0
}

// giveUp makes the ballast room for tickets; false: there is none to give.
func (d *disk) giveUp() bool {
	_, held := d.held()
	return held && os.Truncate(d.ballast(), 0) == nil
}

// fill makes the ballast of real blocks, not of a hole.
func (d *disk) fill() error {
	f, err := os.OpenFile(d.ballast(), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(unix.Fallocate(int(f.Fd()), 0, 0, ballastSize), f.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(d.ballast()))
	}
	return err
}
