package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"longcheng/kiosk"
	"longcheng/printer"
)

var bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

var (
	named  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)
	hashed = regexp.MustCompile(`^\$argon2id\$v=19\$m=[0-9]{1,7},t=[0-9]{1,3},p=[0-9]{1,3}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$`)
	pin    = regexp.MustCompile(`^[^:\s]{1,32}(:[0-9]{1,4})?$`)
)

// refs are the things of the hall that a device document may name.
type refs struct{ windows, zones, items map[string]bool }

func references(h *kiosk.Hall) refs {
	r := refs{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	if h == nil {
		return r
	}
	for _, w := range h.Windows {
		r.windows[w.ID] = true
	}
	for _, z := range h.Zones {
		r.zones[z.ID] = true
	}
	for _, i := range h.Items {
		r.items[i.ID] = true
	}
	return r
}

type checker struct {
	c     *Config
	lines *index
	hall  refs
	ports map[string]string // port to the device that has it
	found []Finding
}

func (k *checker) bad(path, remedy, problem string, args ...any) {
	p := k.lines.at(path)
	k.found = append(k.found, Finding{File: p.file, Line: p.line, Text: path + ": " + fmt.Sprintf(problem, args...), Remedy: remedy})
}

func (k *checker) check() {
	k.ports = map[string]string{}
	k.head()
	k.support()
	k.centre()
	k.several()
	k.users()
	k.paper()
	k.inputs()
	k.contacts()
	k.strips()
	k.walls()
	k.voices()
	k.touches()
}

func (k *checker) head() {
	c := k.c
	if !named.MatchString(c.Device) {
		k.bad("device", `name this box, such as device = "kiosk-1"`, "%q cannot be a name", c.Device)
	}
	if c.HallAt == "" {
		k.bad("hall", `name the hall document, such as hall = "hall.toml"`, "is missing")
	}
	if _, port, err := net.SplitHostPort(c.Web.Listen); err != nil || !decimal(port, 65535) {
		k.bad("web.listen", `write address and port, such as listen = "127.0.0.1:8080"`, "%q is no address to listen on", c.Web.Listen)
	}
	if u := c.Web.PublicURL; u != "" {
		if p, err := url.Parse(u); err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" {
			k.bad("web.public_url", "write the whole address, beginning with https://", "%q is not a web address", u)
		}
	}
}

var recipient = regexp.MustCompile(`^age1[02-9ac-hj-np-z]{58}$`)

func (k *checker) support() {
	if r := k.c.Support.Recipient; r != "" && !recipient.MatchString(r) {
		k.bad("support.recipient", "write the public key that age-keygen shows: age1...", "%q is no age public key", r)
	}
}

func decimal(s string, most int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n <= most
}

func (k *checker) users() {
	if len(k.c.Users) == 0 {
		k.bad("user", "add a [[user]] with name, hash and roles", "nobody can sign in")
	}
	seen := map[string]bool{}
	for i, u := range k.c.Users {
		p := fmt.Sprintf("user[%d]", i)
		k.name(p, u.Name, seen)
		if !hashed.MatchString(u.Hash) {
			k.bad(p+".hash", "write the line $argon2id$v=19$... made from the password; never the password", "is no argon2id hash")
		}
		if len(u.Roles) == 0 {
			k.bad(p+".roles", `write roles = ["clerk"], "supervisor" or "technician"`, "user %q has no role", u.Name)
		}
		for j, r := range u.Roles {
			k.oneOf(fmt.Sprintf("%s.roles[%d]", p, j), "role", r, "clerk", "supervisor", "technician")
		}
	}
}

// name checks the spelling of a name and that it is the first of its kind.
func (k *checker) name(path, name string, seen map[string]bool) {
	switch {
	case !named.MatchString(name):
		k.bad(path+".name", "use 1 to 32 letters, digits, dots, dashes and underscores", "%q cannot be a name", name)
	case seen[name]:
		k.bad(path+".name", "give every one its own name", "%q is used twice", name)
	}
	seen[name] = true
}

func (k *checker) oneOf(path, kind, got string, want ...string) {
	if !slices.Contains(want, got) {
		k.bad(path, "write "+strings.Join(want, ", "), "there is no %s %q", kind, got)
	}
}

func (k *checker) paper() {
	seen := map[string]bool{}
	for i, d := range k.c.Printers {
		p := fmt.Sprintf("printer[%d]", i)
		k.name(p, d.Name, seen)
		k.oneOf(p+".driver", "printer driver", d.Driver, Drivers("printer")...)
		k.model(p, d)
		k.port(p, Port{File: d.Port, Baud: d.Baud, Serial: d.Serial}, onUSB, network)
	}
}

// model checks what a printer is said to be, and who stands in for it.
func (k *checker) model(p string, d Printer) {
	if strings.HasSuffix(d.Profile, ".toml") {
		if _, err := k.c.Model(d); err != nil {
			k.bad(p+".profile", "correct that file, or name a built-in profile", "%v", err)
		}
	} else {
		k.oneOf(p+".profile", "printer profile", d.Profile, profiles()...)
	}
	others := map[string]bool{}
	for _, o := range k.c.Printers {
		others[o.Name] = o.Name != d.Name
	}
	if d.Spare != "" {
		k.ref(p+".spare", "other printer", d.Spare, here, others)
	}
}

func profiles() (names []string) {
	for _, p := range printer.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

func (k *checker) inputs() {
	seen := map[string]bool{}
	for i, d := range k.c.Readers {
		p := fmt.Sprintf("reader[%d]", i)
		k.name(p, d.Name, seen)
		k.oneOf(p+".driver", "reader driver", d.Driver, Drivers("reader")...)
		k.reader(p, d)
	}
	seen = map[string]bool{}
	for i, d := range k.c.Scanners {
		p := fmt.Sprintf("scanner[%d]", i)
		k.name(p, d.Name, seen)
		k.oneOf(p+".driver", "scanner driver", d.Driver, Drivers("scanner")...)
		forms := []string{}
		if d.Driver == "keyboard" {
			forms = append(forms, onUSB)
		}
		k.port(p, Port{File: d.Port, Baud: d.Baud, Serial: d.Serial}, forms...)
	}
	k.boards()
}

func (k *checker) boards() {
	seen := map[string]bool{"gpio": true} // a word of Button.Input
	for i, d := range k.c.Boards {
		p := fmt.Sprintf("board[%d]", i)
		k.name(p, d.Name, seen)
		k.oneOf(p+".driver", "board driver", d.Driver, Drivers("board")...)
		k.port(p, Port{File: d.Port, Baud: d.Baud, Serial: d.Serial, Bus: d.Bus})
		k.between(p+".address", d.Address, 1, 247)
		k.between(p+".inputs", d.Inputs, 0, 64)
		k.between(p+".coils", d.Coils, 0, 64)
		if d.Inputs == 0 && d.Coils == 0 {
			k.bad(p+".inputs", "write how many inputs or coils the board has", "board %q has neither inputs nor coils", d.Name)
		}
	}
}

func (k *checker) between(path string, n, low, high int) {
	if n < low || n > high {
		k.bad(path, fmt.Sprintf("write a number from %d to %d", low, high), "%d is out of range", n)
	}
}
