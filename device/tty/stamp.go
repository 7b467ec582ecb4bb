package tty

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Stamp names the device file at name as it is plugged in now, for
// device.Link.Stamp: its number and when the kernel, and the link that leads to
// it, were made. It is empty while there is none. It opens nothing.
func Stamp(name string) string {
	var link, node unix.Stat_t
	if unix.Lstat(name, &link) != nil || unix.Stat(name, &node) != nil {
		return ""
	}
	return fmt.Sprintf("%d:%d:%d.%d", node.Rdev, node.Ino, link.Ctim.Sec, link.Ctim.Nsec)
}
