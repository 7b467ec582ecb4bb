package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"longcheng/kiosk/sqlite"
)

const (
	leastSpace = 100 << 20 // bytes; below it a day may not fit beside logs and the write-ahead log
	goodSpace  = 1 << 30   // bytes; a year of a busy hall
	leastFiles = 100
)

func statfs(dir string) (s unix.Statfs_t, err error) { return s, unix.Statfs(dir, &s) }

// disk finds a state directory that cannot keep a promise.
func (e *exam) disk() {
	if s, err := os.Stat(e.State); err != nil || !s.IsDir() {
		e.find("state-missing", e.State, reason(err))
		return
	}
	s, err := e.Statfs(e.State)
	if err != nil {
		e.find("state-missing", e.State, err.Error())
		return
	}
	free, all := int64(s.Bavail)*int64(s.Bsize), int64(s.Blocks)*int64(s.Bsize) // 32 bits wide on some machines
	said := fmt.Sprintf("%d MiB of %d MiB are free", free>>20, all>>20)
	switch {
	case s.Flags&unix.ST_RDONLY != 0:
		e.find("disk-readonly", e.State, "mounted ro")
	case unwritable(e.State):
		e.find("disk-readonly", e.State, "mounted rw, and nothing can be written")
	case free < leastSpace || s.Files > 0 && s.Ffree < leastFiles:
		e.find("disk-full", e.State, said)
	case free < min(goodSpace, all/10):
		e.find("disk-filling", e.State, said)
	}
}

func reason(err error) string {
	var p *fs.PathError
	switch {
	case err == nil:
		return "is no directory"
	case errors.As(err, &p):
		return p.Err.Error()
	}
	return err.Error()
}

// unwritable reports whether a file system has stopped taking anything. Since Linux
// 6.12, and with it in Debian's 6.1, ext4 does so after an error and its mount does not
// say ro any more. The file has no name, and is gone when it is closed.
func unwritable(dir string) bool {
	f, err := os.OpenFile(dir, os.O_RDWR|unix.O_TMPFILE, 0o600)
	if err == nil {
		f.Close()
	}
	return errors.Is(err, unix.EROFS)
}

// wear finds disks that near their end and file systems that have seen errors.
func (e *exam) wear() {
	for _, dir := range e.glob("/sys/block/mmcblk*/device") {
		life, eol := e.text(dir+"/life_time"), e.text(dir+"/pre_eol_info")
		used := int64(0)
		for _, f := range strings.Fields(life) { // each counts tenths of its life that are used
			n, _ := strconv.ParseInt(f, 0, 64)
			used = max(used, n)
		}
		if n, _ := strconv.ParseInt(eol, 0, 64); used >= 9 || n >= 2 {
			e.find("disk-worn", filepath.Base(filepath.Dir(dir)), fmt.Sprintf("life_time %s, pre_eol_info %s", life, eol))
		}
	}
	for _, dir := range slices.Concat(e.glob("/sys/block/sd*"), e.glob("/sys/block/nvme*n*")) {
		if e.text(dir+"/removable") != "1" {
			e.smart(filepath.Base(dir))
		}
	}
	for _, f := range e.glob("/sys/fs/ext4/*/errors_count") {
		if n := number(e.text(f)); n > 0 {
			e.find("disk-errors", filepath.Base(filepath.Dir(f)), fmt.Sprintf("%d errors", n))
		}
	}
}

// leftOfLife are the names by which smartctl knows what a SATA disk has left of its
// life: in percent, counted down.
var leftOfLife = []string{"Media_Wearout_Indicator", "Percent_Lifetime_Remain", "Remaining_Lifetime_Perc", "SSD_Life_Left", "Wear_Leveling_Count"}

// smart asks an NVMe or SATA disk how it feels, through smartctl, which knows their
// makers' dialects. Only root may: to others, and where there is no smartctl, a disk says
// nothing.
func (e *exam) smart(disk string) {
	text, _ := e.Command(e.ctx, "smartctl", "--json=c", "--health", "--attributes", "/dev/"+disk) // its status counts illnesses
	var said struct {
		Status *struct{ Passed bool } `json:"smart_status"`
		NVMe   struct {
			Used int64 `json:"percentage_used"`
		} `json:"nvme_smart_health_information_log"`
		SATA struct {
			Table []struct {
				Name  string
				Value int64
			}
		} `json:"ata_smart_attributes"`
	}
	if json.Unmarshal([]byte(text), &said) != nil {
		return
	}
	if said.Status != nil && !said.Status.Passed {
		e.find("disk-worn", disk, "smartctl: the disk says that it is failing")
	}
	if said.NVMe.Used >= 90 {
		e.find("disk-worn", disk, fmt.Sprintf("smartctl: percentage_used %d", said.NVMe.Used))
	}
	for _, a := range said.SATA.Table {
		if a.Value <= 10 && slices.Contains(leftOfLife, a.Name) {
			e.find("disk-worn", disk, fmt.Sprintf("smartctl: %s %d", a.Name, a.Value))
		}
	}
}

// store verifies the journal; a running daemon goes on meanwhile.
func (e *exam) store() {
	file := e.storeFile()
	if _, err := os.Stat(file); err != nil || e.has("disk-readonly") {
		return // never started; or its log cannot be read without writing
	}
	r, err := sqlite.Verify(e.ctx, file)
	var full interface{ NoRoom() bool }
	switch {
	case errors.As(err, &full) && full.NoRoom(): // of it nobody can tell whether it is damaged
		if !e.has("disk-full") {
			e.find("disk-full", file, err.Error())
		}
	case err != nil && e.ctx.Err() != nil:
		e.find("interrupted", file, e.ctx.Err().Error())
	case err != nil:
		e.find("store-damaged", file, err.Error())
	case len(r.Faults) > 0:
		e.find("journal-broken", file, fmt.Sprintf("%s (%d faults)", r.Faults[0], len(r.Faults)))
	}
}
