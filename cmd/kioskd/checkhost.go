package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/config"
)

const (
	leastSpace = 100 << 20 // bytes; below it a day may not fit beside logs and the write-ahead log
	goodSpace  = 1 << 30   // bytes; a year of a busy hall
	written    = 2026      // no clock that is set shows an earlier year
	backwards  = 5 * time.Minute
)

// clock finds a clock that cannot be right: after a night without power a board
// without battery begins in 1970, and the numbers of a day hang on the date.
func (k *checkup) clock() {
	now := k.now()
	const remedy = "set it (systemctl stop systemd-timesyncd, then timedatectl set-time), or wait until it is synchronised"
	if now.Year() < written {
		k.bad("clock", fmt.Sprintf("says %s, which is long ago", now.Format(time.DateTime)), remedy)
		return
	}
	if s, err := os.Stat(config.Resolve(k.state, k.conf.Store.File)); err == nil && s.ModTime().Sub(now) > backwards {
		k.bad("clock", fmt.Sprintf("says %s, but the store was written at %s", now.Format(time.DateTime), s.ModTime().Format(time.DateTime)), remedy)
	}
	var t unix.Timex // modes 0: only ask
	if state, err := unix.Adjtimex(&t); err == nil && state == unix.TIME_ERROR {
		k.warn("clock", "is not synchronised with a time server", "systemctl enable --now systemd-timesyncd, or name the hall's server as NTP= in /etc/systemd/network/10-longcheng.network")
	}
}

// stateDir finds a state directory that cannot keep a promise.
func (k *checkup) stateDir() {
	dir := k.state
	if s, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		k.warn("state", fmt.Sprintf("directory %s does not exist yet", dir), "kioskd makes it at its first start; systemd's StateDirectory does it with the right owner")
		for dir = filepath.Dir(dir); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if _, err := os.Stat(dir); err == nil {
				break
			}
		}
	} else if err == nil && !s.IsDir() {
		k.bad("state", dir+" is not a directory", "name a directory with -state")
		return
	}
	if err := tryWrite(dir); err != nil {
		k.bad("state", fmt.Sprintf("directory %s: %v", dir, reasonOf(err)), "make it writable for the user of kioskd: chown longcheng "+dir)
		return
	}
	k.space(dir)
}

// tryWrite writes, syncs and removes a file.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".check-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString("kioskd check\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// reasonOf strips the path, which the finding names in its own way.
func reasonOf(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (k *checkup) space(dir string) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		k.warn("state", fmt.Sprintf("free space of %s: %v", dir, err), "look with df")
		return
	}
	free := int64(s.Bavail) * int64(s.Bsize) // 32 bits wide on some machines
	text := fmt.Sprintf("%d MiB are free in %s", free>>20, dir)
	switch {
	case free < leastSpace || s.Files > 0 && s.Ffree < 100:
		k.bad("state", text, "free space: remove old backups, or use a larger disk")
	case free < goodSpace:
		k.warn("state", text, "plan for at least 1 GiB")
	}
}

// listen finds an address that the pages cannot be served on.
func (k *checkup) listen() {
	l, err := net.Listen("tcp", k.conf.Web.Listen)
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		var e *net.OpError
		if errors.As(err, &e) {
			err = e.Err
		}
		k.bad("web.listen", fmt.Sprintf("%s: %v", k.conf.Web.Listen, err), "stop kioskd before checking; else stop the other program, or choose another address")
	}
}

// voices finds programs that are not installed.
func (k *checkup) voices() {
	for i, v := range k.conf.Voices {
		program := map[string]string{"espeak": "espeak-ng", "command": v.Command}[v.Driver]
		if program == "" {
			continue
		}
		if _, err := exec.LookPath(program); err != nil {
			k.bad(fmt.Sprintf("voice[%d].driver", i), fmt.Sprintf("program %q: %v", program, reasonOf(errors.Unwrap(err))), "install it, or correct command")
		}
	}
}
