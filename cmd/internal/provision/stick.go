package provision

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// stickAt is where a stick is mounted that nobody else has mounted.
const stickAt = "/run/longcheng/stick"

// Sticks lists the folders in which a stick may be: where desktops mount them, and
// where this program mounts the first partition of the first removable disk,
// read-only and without anything to execute. Mounting needs root.
func Sticks() []string {
	var all []string
	for _, pattern := range []string{"/media/*", "/media/*/*", "/run/media/*/*"} {
		found, _ := filepath.Glob(pattern) // the pattern is good
		all = append(all, found...)
	}
	if mountStick() {
		all = append(all, stickAt)
	}
	return all
}

// mountStick reports whether a stick is mounted at its place now.
func mountStick() bool {
	disks, _ := filepath.Glob("/sys/block/sd*/removable") // the pattern is good
	for _, d := range disks {
		if b, err := os.ReadFile(d); err != nil || strings.TrimSpace(string(b)) != "1" {
			continue
		}
		parts, _ := filepath.Glob(filepath.Join(filepath.Dir(d), "sd*")) // the pattern is good
		for _, p := range parts {
			if mounted(filepath.Join("/dev", filepath.Base(p))) {
				return true
			}
		}
	}
	_ = unix.Unmount(stickAt, unix.MNT_DETACH) // it was pulled out, or none was there
	return false
}

func mounted(node string) bool {
	if table, err := os.ReadFile("/proc/self/mounts"); err == nil && strings.Contains(string(table), node+" "+stickAt+" ") {
		return true
	}
	if os.MkdirAll(stickAt, 0o700) != nil {
		return false
	}
	for _, kind := range []string{"vfat", "exfat", "ext4"} {
		if unix.Mount(node, stickAt, kind, unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "") == nil {
			return true
		}
	}
	return false
}
