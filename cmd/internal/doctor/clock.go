package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/config"
)

const (
	written   = 2026            // no clock that is set shows an earlier year
	backwards = 5 * time.Minute // less is the clocks of two file systems
)

// clock finds a clock that cannot be right.
func (e *exam) clock() {
	now := e.Now()
	if now.Year() < written {
		e.find("clock-unset", "", now.Format(time.DateTime))
		return
	}
	if s, err := os.Stat(e.storeFile()); err == nil && s.ModTime().Sub(now) > backwards {
		e.find("clock-behind", e.storeFile(), fmt.Sprintf("clock %s, store written %s", now.Format(time.DateTime), s.ModTime().Format(time.DateTime)))
	}
	if ok, known := e.Synced(); known && !ok {
		e.find("clock-unsynced", "", now.Format(time.DateTime))
	}
}

// synced asks the kernel whether a time service keeps its clock.
func synced() (ok, known bool) {
	var t unix.Timex // modes 0: only ask
	state, err := unix.Adjtimex(&t)
	return state != unix.TIME_ERROR, err == nil
}

// storeFile is the store of the configuration, or where it usually is.
func (e *exam) storeFile() string {
	if e.conf == nil {
		return filepath.Join(e.State, "hall.db")
	}
	return config.Resolve(e.State, e.conf.Store.File)
}

// zone compares the machine's time zone with the hall's by what both show now.
func (e *exam) zone() {
	link, err := os.Readlink(e.path("/etc/localtime"))
	_, name, ok := strings.Cut(link, "zoneinfo/")
	if e.conf == nil || e.conf.Hall == nil || err != nil || !ok {
		return
	}
	here, err := time.LoadLocation(name)
	if err != nil {
		return
	}
	hall := e.conf.Hall.Location()
	_, a := e.Now().In(here).Zone()
	_, b := e.Now().In(hall).Zone()
	if a != b {
		e.find("zone-wrong", "/etc/localtime", fmt.Sprintf("machine %s, hall %s", name, hall))
	}
}
