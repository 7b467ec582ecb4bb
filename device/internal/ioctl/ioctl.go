// Package ioctl calls ioctl(2) with a pointer to a fixed-size structure, which
// golang.org/x/sys/unix does for some requests only. It knows no request.
package ioctl

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Do runs request on fd with a pointer to arg, again if a signal came between.
func Do[T any](fd int, request uint, arg *T) error {
	for {
		_, _, no := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(arg)))
		switch no {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return no
	}
}
