// Shorthub plugs a USB hub with one port into the running kernel, and that port says once
// that too much is taken from it: a short circuit that nobody has to make. It tests that the
// doctor finds one. It ends when it is killed; the hub is pulled out then.
//
//	shorthub ATTACH
//
// ATTACH is the file of the kernel's vhci_hcd by which a device is plugged in
// (/sys/devices/platform/vhci_hcd.0/attach). The hub answers the kernel's own hub driver:
// requests and descriptors after chapter 11 of the USB 2.0 specification, carried by USB/IP
// (Documentation/usb/usbip_protocol.rst of the kernel), whose numbers are big-endian while
// those of USB are little-endian. It knows no other request than those this driver makes of
// a hub on which nothing is plugged in.
package main

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "shorthub:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("the only word must be vhci_hcd's file attach: see the package's document")
	}
	ours, theirs, err := pair()
	if err != nil {
		return err
	}
	defer ours.Close()
	// Port 0 of the kernel's controller, the socket, a number of ours, full speed.
	if err := os.WriteFile(args[0], fmt.Appendf(nil, "0 %d 1 2", theirs.Fd()), 0); err != nil {
		return fmt.Errorf("plug the hub in: %w: is vhci_hcd loaded, and its port 0 free?", err)
	}
	theirs.Close() // the kernel has its own
	return (&hub{}).serve(ours)
}

// pair is a connection to the kernel: our end, and the one it takes.
func pair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	end := os.NewFile(uintptr(fds[0]), "hub")
	defer end.Close()
	theirs = os.NewFile(uintptr(fds[1]), "kernel")
	if ours, err = net.FileConn(end); err != nil {
		theirs.Close()
	}
	return ours, theirs, err
}
