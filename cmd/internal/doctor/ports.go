package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device/evdev"
	"longcheng/device/hotplug"
	"longcheng/device/tty"
	"longcheng/device/usblp"
)

// ports looks at the file behind every port of the configuration, and opens it
// when no daemon has it.
func (e *exam) ports() {
	if e.conf == nil {
		return
	}
	seen := map[uint64]string{}
	for _, p := range e.conf.Ports() {
		if p.Network() {
			continue
		}
		if n, ok := parts.DeviceNumber(e.port(p.File)); ok {
			if other := seen[n]; other != "" {
				e.find("port-doubled", p.File, p.Key+" and "+other)
				continue
			}
			seen[n] = p.Key
		}
		e.name(p.Key, p.File)
		e.mode(p.Key, p.File)
		e.holders(p.Key, p.File)
		if e.Status != nil {
			continue // the daemon holds it, and says how it stands
		}
		if err := parts.TryPort(e.ctx, e.State, e.here(p)); err != nil {
			e.find(OfPort(err), p.File, p.Key+": "+err.Error())
		}
	}
}

// here is a port as it is found below the patient's root.
func (e *exam) here(p config.Port) config.Port {
	if filepath.IsAbs(p.File) {
		p.File = e.path(p.File)
	}
	return p
}

// name finds names that go to another device after a restart.
func (e *exam) name(key, file string) {
	if hotplug.Stable(file) {
		return
	}
	said := key
	for _, d := range (hotplug.Tree{Root: e.Root}).List() {
		if d.Node == file && len(d.Links) > 0 {
			said += ": now " + d.Links[0]
		}
	}
	e.find("port-unstable", file, said)
}

// mode finds device files that the groups of kioskd may not use.
func (e *exam) mode(key, file string) {
	at, err := filepath.EvalSymlinks(e.port(file))
	if err != nil || strings.HasPrefix(at, "/dev/pts/") { // a simulated device
		return
	}
	s, err := os.Stat(at)
	if err != nil {
		return
	}
	own, ok := s.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	group, known := e.group(own.Gid)
	if s.Mode().Perm()&0o060 == 0o060 && (group || !known) || s.Mode().Perm()&0o006 == 0o006 {
		return
	}
	e.find("port-denied", file, fmt.Sprintf("%s: mode %s, group %d", key, s.Mode().Perm(), own.Gid))
}

// deviceGroups are those that the unit of kioskd belongs to.
var deviceGroups = []string{"dialout", "lp", "input", "longcheng", "uucp"}

// group reports whether a group is one of kioskd's, and whether anything is known
// about groups here.
func (e *exam) group(gid uint32) (ours, known bool) {
	for line := range strings.Lines(e.text("/etc/group")) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 3 {
			continue
		}
		for _, g := range deviceGroups {
			if f[0] == g {
				known = true
				ours = ours || f[2] == strconv.FormatUint(uint64(gid), 10)
			}
		}
	}
	return ours, known
}

// holders finds programs beside kioskd that have the port open.
func (e *exam) holders(key, file string) {
	for _, h := range parts.Holders(e.Root, e.port(file)) {
		if h.Name != "kioskd" && h.PID != os.Getpid() {
			e.find("port-busy", file, fmt.Sprintf("%s: %s, process %d", key, h.Name, h.PID))
		}
	}
}

// OfPort is the fault behind an error of opening a port.
func OfPort(err error) string {
	switch {
	case errors.Is(err, tty.ErrBusy), errors.Is(err, usblp.ErrBusy), errors.Is(err, evdev.ErrBusy):
		return "port-busy"
	case errors.Is(err, fs.ErrNotExist):
		return "port-missing"
	case errors.Is(err, fs.ErrPermission):
		return "port-denied"
	case errors.Is(err, unix.ENOTTY):
		return "port-not-serial"
	}
	return OfDevice(err)
}
