// Package node opens the device files that drivers of the kernel give a USB
// device, and says what to do when one cannot be opened.
package node

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/hotplug"
)

// A Node is such a file, by its name or by what is plugged in.
type Node struct {
	Name  string        // device file
	Match hotplug.Match // used when Name is empty
	Kind  hotplug.Kind  // of Match
	What  string        // the device in a word
	Group string        // of the users who may open it
	Busy  error         // what it means that somebody else has it
}

// String returns the name, or the word and the match.
func (n Node) String() string {
	if n.Name == "" {
		return n.What + " " + n.Match.String()
	}
	return n.Name
}

// Open returns a descriptor that does not block; mode is O_RDONLY or O_RDWR.
func (n Node) Open(mode int) (int, error) {
	file := n.Name
	if file == "" {
		found, err := hotplug.Tree{}.Find(n.Kind, n.Match)
		if err != nil {
			return -1, n.Failed("open", err)
		}
		file = found
	}
	fd, err := unix.Open(file, mode|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, n.Failed("open", err)
	}
	return fd, nil
}

// Failed returns an error of the wire that says what to do about err.
func (n Node) Failed(op string, err error) error {
	switch {
	case errors.Is(err, unix.EBUSY):
		err = n.Busy
	case errors.Is(err, unix.EACCES):
		err = fmt.Errorf("%w: put the program's user into the group %s", err, n.Group)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV):
		err = fmt.Errorf("not there (%w): plug it in and switch it on", err)
	}
	return &device.Wire{Op: op, Port: n.String(), Err: err}
}
