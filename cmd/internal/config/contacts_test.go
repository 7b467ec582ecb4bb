package config

import (
	"strings"
	"testing"
	"time"
)

// onPins is what hangs on the pins of a box, beside the small hall's devices.
const onPins = `
[[switch]]
name = "cabinet"
kind = "door"
input = "gpio:GPIO22"

[[switch]]
name = "front"
kind = "presence"
input = "gpio:pinctrl-rp1:23"

[buzzer]
output = "gpio:GPIO12"
`

// Contacts load with their defaults, and every mistake has its line.
func TestContacts(t *testing.T) {
	hall, device := small(t)
	c, found := Load(write(t, hall, device+onPins))
	if len(found) > 0 || len(c.Switches) != 2 || c.Buzzer.Output != "gpio:GPIO12" {
		t.Fatalf("%v: %+v", found, c.Switches)
	}
	if s := c.Switches[1]; s.Hold.Std() != 10*time.Second || s.Touch != "touch-1" {
		t.Errorf("defaults: %+v", s)
	}
	for _, x := range []struct{ name, mark, old, with, want string }{
		{"unknown kind", "[[switch]]", `"door"`, `"window"`, `there is no kind of switch "window": write door, presence`},
		{"no such board", "[[switch]]", `"gpio:GPIO22"`, `"board9:1"`, `switch[0].input: there is no board "board9"`},
		{"no such input", "[[switch]]", `"gpio:GPIO22"`, `"board1:8"`, `switch[0].input: board "board1" has 8 of these`},
		{"an input twice", "[[switch]]", `"gpio:GPIO22"`, `"board1:0"`, `switch[0].input: input "board1:0" is used twice`},
		{"high on a board", "[[switch]]", `"gpio:GPIO22"`, `"board1:1"; active_high = true`, `switch[0].active_high: switch "board1:1" is on no pin`},
		{"low on a board", "[buzzer]", `"gpio:GPIO12"`, `"board1:7"; active_low = true`, `buzzer.active_low: buzzer "board1:7" is on no pin`},
		{"held for nothing", "[[button]]", `lamp = "board1:0"`, `lamp = "board1:0"; held = "lift"`, `there is no meaning of a held button "lift": write staff`},
		{"no pin", "[[switch]]", `"gpio:GPIO22"`, `"gpio:"`, `names no pin`},
		{"an offset that is none", "[[switch]]", `rp1:23`, `rp1:x`, `names no pin`},
		{"a pin twice", "[buzzer]", `"gpio:GPIO12"`, `"gpio:GPIO22"`, `buzzer.output: pin "GPIO22" is used twice`},
		{"name twice", "[[switch]]", `"front"`, `"cabinet"`, `"cabinet" is used twice`},
		{"a door of a page", "[[switch]]", `kind = "door"`, `kind = "door"; touch = "touch-1"`, `switch[0].touch: does not go with kind "door"`},
		{"a door that waits", "[[switch]]", `kind = "door"`, `kind = "door"; hold = "1s"`, `switch[0].hold: does not go with kind "door"`},
		{"no such page", "[[switch]]", `kind = "presence"`, `kind = "presence"; touch = "t9"`, `there is no touch page "t9"`},
		{"a duration without unit", "[[switch]]", `kind = "presence"`, `kind = "presence"; hold = "10"`, `is not a duration`},
		{"buzzer on nothing", "[buzzer]", `"gpio:GPIO12"`, `"GPIO12"`, `buzzer.output: there is no board "GPIO12"`},
		{"low lamp on a board", "[[button]]", `lamp = "board1:0"`, `lamp = "board1:0"; lamp_low = true`, `button[0].lamp_low: lamp "board1:0" is on no pin`},
		{"RTS nobody switches", "[[board]]", "address = 1", `address = 1; rts_before = "1ms"`, `board[0].rts_before: nobody switches RTS: write rs485 = true`},
		{"RTS that is low for nobody", "[[line]]", "baud = 57600", `baud = 57600; rts_low = true`, `line[0].rts_low: nobody switches RTS`},
		{"half a millisecond", "[[board]]", "address = 1", `address = 1; rs485 = true; rts_after = "500us"`, `500µs is no such time: write whole milliseconds`},
		{"long rest", "[[line]]", "baud = 57600", `baud = 57600; quiet = "2s"`, `line[0].quiet: 2s is too long`},
		{"rest and flow", "[[board]]", "address = 1", `address = 1; quiet = "2ms"; flow = "rtscts"`, `board[0].flow: flow control and RS-485 exclude each other`},
	} {
		t.Run(x.name, func(t *testing.T) {
			with := strings.ReplaceAll(x.with, "; ", "\n")
			doc, line := change(t, device+onPins, x.mark, x.old, with)
			path := write(t, hall, doc)
			_, found := Load(path)
			for i := range 3 { // the mistake may stand in one of the lines that were added
				if mistake(found, x.want, line+i) {
					return
				}
			}
			expect(t, found, path, line, x.want)
		})
	}
}

// mistake reports whether a finding tells it at a line, wherever the file.
func mistake(found []Finding, want string, line int) bool {
	for _, f := range found {
		if f.Line == line && f.Remedy != "" && strings.Contains(f.String(), want) {
			return true
		}
	}
	return false
}
