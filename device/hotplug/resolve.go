package hotplug

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const byID = "/dev/serial/by-id/"

// Stable reports whether name goes on meaning the same device after it was
// unplugged and plugged in again: everything but the kernel's own numbers.
func Stable(name string) bool {
	base := filepath.Base(name)
	for _, numbered := range []string{"ttyUSB", "ttyACM", "lp", "event", "hidraw"} {
		if n, ok := strings.CutPrefix(base, numbered); ok && strings.Trim(n, "0123456789") == "" && strings.HasPrefix(name, "/dev/") {
			return false
		}
	}
	return true
}

// Resolve returns the device node that name means at this moment. A name below
// /dev/serial/by-id is understood also where udev does not run or is late.
func (t Tree) Resolve(name string) (string, error) {
	node, err := filepath.EvalSymlinks(t.path(name))
	if err == nil {
		return node, nil
	}
	id, ok := strings.CutPrefix(name, byID)
	if !ok || !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	for _, d := range t.List() {
		if d.ID() == id {
			return t.path(d.Node), nil
		}
	}
	return "", err
}

// A Match says which USB device is meant, without its number.
type Match struct {
	Vendor, Product uint16 // 0 means any
	Serial          string // "" means any
	Name            string // of an input device; "" means any
}

// String writes m as 04b8:0e15, with the serial number behind it.
func (m Match) String() string {
	s := hex4(m.Vendor) + ":" + hex4(m.Product)
	if m.Serial != "" {
		s += " " + m.Serial
	}
	if m.Name != "" {
		s += " " + m.Name
	}
	return s
}

func (m Match) fits(d Device) bool {
	return (m.Vendor == 0 || m.Vendor == d.Vendor) && (m.Product == 0 || m.Product == d.Product) &&
		(m.Serial == "" || m.Serial == d.Serial) && (m.Name == "" || m.Name == d.Name)
}

// Find returns the node of the one device of a kind that fits. Two that fit are
// an error: a ticket must not come out of whichever printer was found first.
func (t Tree) Find(k Kind, m Match) (string, error) {
	node, err := One(t.List(), k, m)
	if err != nil {
		return "", err
	}
	return t.path(node), nil
}

// One returns the node of the one device of a list and a kind that fits.
func One(all []Device, k Kind, m Match) (string, error) {
	var found []string
	for _, d := range all {
		if d.Kind == k && m.fits(d) {
			found = append(found, d.Node)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("no %s %s: plug it in: %w", k, m, os.ErrNotExist)
	}
	return "", fmt.Errorf("%d of %s %s (%s): tell them apart by serial number, or give each a udev name", len(found), k, m, strings.Join(found, ", "))
}
