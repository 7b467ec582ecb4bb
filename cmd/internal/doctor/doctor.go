// Package doctor finds what is wrong with a box. What it knows of faults stands in
// package faults.
//
// A check looks at one thing and is a few lines long. It reads files below
// /proc, /sys, /etc and /dev, the configuration, and what the running daemon says
// of itself. While the daemon runs it touches no device: the daemon owns the
// ports, and knows better. Nothing is changed by an examination.
//
// It does not know how to repair anything.
package doctor

import (
	"cmp"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/faults"
	"longcheng/cmd/internal/status"
	"longcheng/kiosk"
)

// A Finding is a fault that was found, and where.
type Finding struct {
	faults.Fault
	On     string     `json:"on,omitempty"`    // device, file or address
	Called kiosk.Text `json:"called,omitzero"` // the same as people say it
	Said   string     `json:"said,omitempty"`  // what was seen, as it was seen
}

// A Patient is the box that is examined. The zero values of the functions mean
// this machine.
type Patient struct {
	Root    string // prefix of /proc, /sys, /etc, /dev and /run; for tests
	Config  string // the device's document
	State   string // the state directory
	Version string // of this program

	Status *status.Status // what the daemon says; nil while it does not answer
	Asked  error          // why it did not

	Now     func() time.Time
	Synced  func() (synced, known bool) // the kernel's word on the clock
	Statfs  func(dir string) (unix.Statfs_t, error)
	Command func(ctx context.Context, name string, args ...string) (string, error)
	Addrs   func() ([]net.Addr, error)
	Dial    func(ctx context.Context, address string) error
	Lookup  func(ctx context.Context, host string) error
	Grace   time.Duration // that a device may think longer than a real one does; for tests on a busy machine
}

// An exam is one examination of a patient.
type exam struct {
	*Patient
	ctx   context.Context
	conf  *config.Config // nil when it cannot be read
	found []Finding
}

// A check looks at one thing.
type check struct {
	area string
	look func(*exam)
}

// checks are in the order in which a technician would look.
func checks() []check {
	return []check{
		{"documents", (*exam).documents},
		{"daemon", (*exam).daemon}, {"daemon", (*exam).browsers},
		{"clock", (*exam).clock}, {"clock", (*exam).zone},
		{"disk", (*exam).disk}, {"disk", (*exam).wear},
		{"store", (*exam).store},
		{"power", (*exam).power}, {"machine", (*exam).heat}, {"machine", (*exam).memory},
		{"usb", (*exam).usb}, {"usb", (*exam).meddlers}, {"usb", (*exam).scanners},
		{"ports", (*exam).ports},
		{"devices", (*exam).devices}, {"devices", (*exam).wires}, {"devices", (*exam).probes},
		{"sound", (*exam).sound},
		{"network", (*exam).network}, {"network", (*exam).certificates},
	}
}

// Examine makes every check and returns what it found, the worst first. It takes
// no longer than ctx allows.
func Examine(ctx context.Context, p Patient) []Finding {
	p.withDefaults()
	e := &exam{Patient: &p, ctx: ctx}
	for _, c := range checks() {
		if ctx.Err() != nil {
			e.find("interrupted", c.area, ctx.Err().Error())
			break
		}
		c.look(e)
	}
	slices.SortStableFunc(e.found, func(a, b Finding) int { return cmp.Compare(a.Level, b.Level) })
	return e.found
}

func (p *Patient) withDefaults() {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Synced == nil {
		p.Synced = synced
	}
	if p.Statfs == nil {
		p.Statfs = statfs
	}
	if p.Command == nil {
		p.Command = run
	}
	if p.Addrs == nil {
		p.Addrs = net.InterfaceAddrs
	}
	if p.Dial == nil {
		p.Dial = dial
	}
	if p.Lookup == nil {
		p.Lookup = lookup
	}
}

// find adds a finding, once for each place.
func (e *exam) find(id, on, said string) {
	f := Finding{Fault: faults.Named(id), On: on, Called: faults.Called(on), Said: said}
	if !slices.ContainsFunc(e.found, func(o Finding) bool { return o.ID == f.ID && o.On == on }) {
		e.found = append(e.found, f)
	}
}

// has reports whether a fault was found already.
func (e *exam) has(id string) bool {
	return slices.ContainsFunc(e.found, func(f Finding) bool { return f.ID == id })
}

// path is where a file of the system is for this patient.
func (e *exam) path(file string) string { return e.Root + file }

// text reads a small file of the system without the space around it; "" when it
// cannot be read.
func (e *exam) text(file string) string {
	b, err := os.ReadFile(e.path(file))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// glob lists files of the system, without the prefix.
func (e *exam) glob(pattern string) []string {
	all, _ := filepath.Glob(e.path(pattern)) // our own patterns are good
	for i := range all {
		all[i] = strings.TrimPrefix(all[i], e.Root)
	}
	return all
}

// port is the file behind a port of the configuration.
func (e *exam) port(file string) string {
	if filepath.IsAbs(file) {
		return e.path(file)
	}
	return config.Resolve(e.State, file)
}

// Broken reports whether something does not work.
func Broken(found []Finding) bool {
	return slices.ContainsFunc(found, func(f Finding) bool { return f.Level == faults.Bad })
}
