package config

import (
	"fmt"
	"slices"

	"longcheng/kiosk"
)

// onLine are the strip drivers that hang on a line; the others have wires of their own.
var onLine = []string{"onbon-k", "onbon-pixel", "modbus", "template", "alpha", "am03127", "huidu"}

// inDots are the strip drivers that need the panel's size.
var inDots = []string{"onbon-k", "onbon-pixel", "huidu"}

// highest is the greatest address of a protocol; most know 1 to 255.
var highest = map[string]int{"onbon-k": 65535, "onbon-pixel": 65535, "modbus": 247}

func (k *checker) strips() {
	lines, seen := map[string]bool{}, map[string]bool{}
	for i, l := range k.c.Lines {
		p := fmt.Sprintf("line[%d]", i)
		k.name(p, l.Name, lines)
		k.port(p, Port{File: l.Port, Baud: l.Baud, Serial: l.Serial, Bus: l.Bus}, network)
	}
	addresses := map[string]string{}
	for i, s := range k.c.Strips {
		p := fmt.Sprintf("strip[%d]", i)
		k.name(p, s.Name, seen)
		k.oneOf(p+".driver", "strip driver", s.Driver, Drivers("strip")...)
		k.oneOf(p+".language", "language", s.Language, "zh", "en")
		k.ref(p+".window", "window", s.Window, there, k.hall.windows)
		k.between(p+".blinks", s.Blinks, -1, 10)
		if slices.Contains(inDots, s.Driver) {
			k.between(p+".width", s.Width, 16, 2048)
			k.between(p+".height", s.Height, 16, 512)
		}
		if slices.Contains(onLine, s.Driver) {
			k.ref(p+".line", "line", s.Line, here, lines)
			k.address(p, s, addresses)
		}
		k.stripOnly(p, s)
	}
}

// address checks that a strip's address is its own on its line.
func (k *checker) address(p string, s Strip, taken map[string]string) {
	most := highest[s.Driver]
	if most == 0 {
		most = 255
	}
	k.between(p+".address", s.Address, 1, most)
	at := fmt.Sprintf("%s %d", s.Line, s.Address)
	if other := taken[at]; other != "" {
		k.bad(p+".address", "set another address on the card and here", "address %d of line %q belongs to strip %q already", s.Address, s.Line, other)
	}
	taken[at] = s.Name
}

// stripOnly checks the keys that one driver alone reads.
func (k *checker) stripOnly(p string, s Strip) {
	for _, only := range []struct {
		key    string
		set    bool
		driver []string
		need   bool
		remedy string
	}{
		{"frame", s.Frame != "", []string{"template"}, true, `describe the frame, such as frame = "{02}{address:hex2}{text:6}{03}"`},
		{"reply", s.Reply != "", []string{"template"}, false, ""},
		{"command", len(s.Command) > 0, []string{"external"}, true, `name the program, such as command = ["/usr/local/bin/sign"]`},
		{"pins", len(s.Pins) > 0, []string{"tm1637"}, true, `name clock and data, such as pins = ["GPIO23", "GPIO24"]`},
		{"bus", s.Bus != "", []string{"max7219", "ht16k33"}, true, `name the bus, such as bus = "0.0" (SPI) or bus = "1" (I2C)`},
		{"model", s.Model != "", []string{"modbus", "onbon-pixel"}, true, `name the model, such as model = "dm36b06" or model = "bx-5e1"`},
	} {
		mine := slices.Contains(only.driver, s.Driver)
		switch {
		case only.need && mine && !only.set:
			k.bad(p+"."+only.key, only.remedy, "is missing: driver %q needs it", s.Driver)
		case !mine && only.set:
			k.bad(p+"."+only.key, "leave it out, or choose another driver", "does not go with driver %q", s.Driver)
		}
	}
	if len(s.Pins) != 0 && len(s.Pins) != 2 {
		k.bad(p+".pins", `name clock and data, such as pins = ["GPIO23", "GPIO24"]`, "%d pins", len(s.Pins))
	}
}

func (k *checker) walls() {
	seen := map[string]bool{}
	for i, w := range k.c.Walls {
		p := fmt.Sprintf("wall[%d]", i)
		k.name(p, w.Name, seen)
		k.zones(p, w.Zones)
		k.floors(p, w.Floors)
		if len(w.Languages) > 3 {
			k.bad(p+".languages", "choose one to three", "%d languages", len(w.Languages))
		}
		for j, l := range w.Languages {
			k.oneOf(fmt.Sprintf("%s.languages[%d]", p, j), "language", l, "zh", "en", "ja", "ko")
		}
		k.span(p, w.NightFrom, w.NightTo)
		if (len(w.Pieces) > 0) != (w.Media != "") {
			k.bad(p+".media", "name the directory of the pieces, and list the pieces", "media and piece go together")
		}
	}
}

func (k *checker) floors(path string, floors []int) {
	for j, f := range floors {
		if k.c.Hall != nil && !slices.ContainsFunc(k.c.Hall.Zones, func(z kiosk.Zone) bool { return z.Floor == f }) {
			k.bad(fmt.Sprintf("%s.floors[%d]", path, j), "name a floor of a zone in the hall document", "no zone is on floor %d", f)
		}
	}
}

// span checks two times of the day that go together.
func (k *checker) span(path, from, to string) {
	if (from == "") != (to == "") {
		k.bad(path+".night_from", `write both, such as night_from = "19:00" and night_to = "07:00"`, "night_from and night_to go together")
	}
	for _, v := range []string{from, to} {
		var t kiosk.TimeOfDay
		if v != "" && t.UnmarshalText([]byte(v)) != nil {
			k.bad(path+".night_from", `write a time, such as "19:00"`, "%q is no time of day", v)
		}
	}
}

func (k *checker) voices() {
	seen := map[string]bool{}
	for i, v := range k.c.Voices {
		p := fmt.Sprintf("voice[%d]", i)
		k.name(p, v.Name, seen)
		k.zones(p, v.Zones)
		k.floors(p, v.Floors)
		k.oneOf(p+".driver", "voice driver", v.Driver, Drivers("voice")...)
		if (v.Driver == "command") != (v.Command != "") {
			k.bad(p+".command", `write it with driver = "command", and only then`, "%q does not go with driver %q", v.Command, v.Driver)
		}
		switch chip := v.Driver == "syn6288" || v.Driver == "xfs5152"; {
		case chip:
			k.port(p, Port{File: v.Port, Baud: v.Baud})
		case v.Port != "":
			k.bad(p+".port", "leave it out, or choose a speech chip as driver", "%q does not go with driver %q", v.Port, v.Driver)
		}
		k.between(p+".repeats", v.Repeats, 1, 3)
		k.between(p+".volume", v.Volume, 1, 100)
		k.between(p+".night_volume", v.NightVolume, 1, 100)
		k.between(p+".backlog", v.Backlog, 0, 100)
		k.span(p, v.NightFrom, v.NightTo)
		k.oneOf(p+".one", "way to read 1", v.One, "yao", "yi")
		for j, l := range v.Languages {
			k.oneOf(fmt.Sprintf("%s.languages[%d]", p, j), "language", l, "zh", "en")
		}
	}
}
