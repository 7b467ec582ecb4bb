package config

import (
	"fmt"
	"strings"
)

// ref checks that a device document names a thing that exists. Without a
// readable hall its names cannot be checked; that was reported already.
func (k *checker) ref(path, kind, name, where string, all map[string]bool) {
	switch {
	case name == "":
		k.bad(path, "name one of "+where, "is missing")
	case !all[name] && (k.c.Hall != nil || where == here):
		k.bad(path, "name one of "+where, "there is no %s %q", kind, name)
	}
}

const (
	here  = "this document"
	there = "the hall document"
)

// contacts checks what hangs on boards and pins.
func (k *checker) contacts() {
	taken := map[string]bool{}
	k.buttons(taken)
	k.switches(taken)
	if b := k.c.Buzzer; b.Output != "" {
		k.contact("buzzer.output", b.Output, false, taken)
		k.pinOnly("buzzer.active_low", "buzzer", b.Output, b.ActiveLow)
	}
}

func (k *checker) buttons(taken map[string]bool) {
	seen := map[string]bool{}
	for i, b := range k.c.Buttons {
		p := fmt.Sprintf("button[%d]", i)
		k.name(p, b.Name, seen)
		k.contact(p+".input", b.Input, true, taken)
		if b.Lamp != "" {
			k.contact(p+".lamp", b.Lamp, false, taken)
		}
		k.pinOnly(p+".lamp_low", "lamp", b.Lamp, b.LampLow)
		if b.Held != "" {
			k.oneOf(p+".held", "meaning of a held button", b.Held, "staff")
		}
		if b.Item != "" || b.Held == "" {
			k.ref(p+".item", "item", b.Item, there, k.hall.items)
		}
	}
}

// pinOnly refuses a setting of pins for what hangs elsewhere.
func (k *checker) pinOnly(path, what, at string, set bool) {
	if set && !strings.HasPrefix(at, "gpio:") {
		k.bad(path, "leave it out, or hang the "+what+" on a pin", "%s %q is on no pin", what, at)
	}
}

func (k *checker) switches(taken map[string]bool) {
	seen, touches := map[string]bool{}, map[string]bool{}
	for _, t := range k.c.Touches {
		touches[t.Name] = true
	}
	for i, s := range k.c.Switches {
		p := fmt.Sprintf("switch[%d]", i)
		k.name(p, s.Name, seen)
		k.oneOf(p+".kind", "kind of switch", s.Kind, "door", "presence")
		k.contact(p+".input", s.Input, true, taken)
		k.pinOnly(p+".active_high", "switch", s.Input, s.ActiveHigh)
		switch {
		case s.Kind == "presence":
			k.ref(p+".touch", "touch page", s.Touch, here, touches)
		case s.Touch != "":
			k.bad(p+".touch", `leave it out, or write kind = "presence"`, "does not go with kind %q", s.Kind)
		}
		if s.Kind == "door" && s.Hold > 0 {
			k.bad(p+".hold", `leave it out, or write kind = "presence"`, `does not go with kind "door"`)
		}
	}
}

// onPin checks "gpio:GPIO17" or "gpio:pinctrl-rp1:17", a pin for one purpose.
func (k *checker) onPin(path, s string, taken map[string]bool) {
	name, ok := strings.CutPrefix(s, "gpio:")
	if !ok || !pin.MatchString(name) {
		k.bad(path, `name the pin, such as "gpio:GPIO17"`, "%q names no pin", s)
	}
	if taken["pin "+name] {
		k.bad(path, "give every button, lamp, switch and buzzer a pin of its own", "pin %q is used twice", name)
	}
	taken["pin "+name] = true
}

// contact checks "board1:0" or a pin.
func (k *checker) contact(path, s string, input bool, taken map[string]bool) {
	board, no, _ := strings.Cut(s, ":")
	if board == "gpio" {
		k.onPin(path, s, taken)
		return
	}
	kind := "coil "
	if input {
		kind = "input "
	}
	if taken[kind+s] {
		k.bad(path, "give every button, lamp, switch and buzzer a contact of its own", "%s%q is used twice", kind, s)
	}
	taken[kind+s] = true
	for _, b := range k.c.Boards {
		if b.Name != board {
			continue
		}
		most := b.Coils
		if input {
			most = b.Inputs
		}
		if !decimal(no, most-1) {
			k.bad(path, "count from 0 and stay below the number that the [[board]] states", "board %q has %d of these, not one %q", board, most, no)
		}
		return
	}
	k.bad(path, `write "board1:0" with the name of a [[board]], or "gpio:GPIO17"`, "there is no board %q", board)
}

func (k *checker) zones(path string, zones []string) {
	for j, z := range zones {
		k.ref(fmt.Sprintf("%s.zones[%d]", path, j), "zone", z, there, k.hall.zones)
	}
}

func (k *checker) touches() {
	printers, readers, seen := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, d := range k.c.Printers {
		printers[d.Name] = true
	}
	for _, d := range k.c.Readers {
		readers[d.Name] = true
	}
	for i, t := range k.c.Touches {
		p := fmt.Sprintf("touch[%d]", i)
		k.name(p, t.Name, seen)
		if t.Printer != "" {
			k.ref(p+".printer", "printer", t.Printer, here, printers)
		}
		if t.Reader != "" {
			k.ref(p+".reader", "reader", t.Reader, here, readers)
		}
	}
}
