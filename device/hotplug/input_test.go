package hotplug

import "testing"

// Input devices as a kernel of 64 bits describes them in sysfs: the keys, the axes that move, the axes that stand, and the properties.
var inputs = map[string]struct {
	key, rel, abs, properties string
	want                      Hand
}{
	"Dell USB keyboard":               {"1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe", "0", "0", "0", Keyboard},
	"scanner that types":              {"1000000000007 ff800000000007ff febeffdff3cfffff fffffffffffffffe", "0", "0", "0", Keyboard},
	"wireless keyboard with buttons":  {"3f000303ff 0 0 483ffff17aff32d bfd4444600000000 70001 130ff38b17c007 ffe77bfad9415fff febeffdfffefffff fffffffffffffffe", "1943", "100000000", "0", Keyboard},
	"its consumer control":            {"3f0003007f 0 0 483ffff17aff32d bfd4444600000000 1 130ff38b17c000 677bfad9415fed 9ed68000004400 10000002", "1040", "100000000", "0", ""},
	"Logitech USB optical mouse":      {"70000 0 0 0 0", "103", "0", "0", Mouse},
	"QEMU USB tablet":                 {"70000 0 0 0 0", "900", "3", "0", Touch},
	"eGalax USB touch controller":     {"400 0 0 0 0 0", "0", "3", "0", Touch},
	"ELAN multi-touch screen":         {"400 0 0 0 0 0", "0", "3273800000000003", "2", Touch},
	"SynPS/2 touch pad":               {"e520 10000 0 0 0 0", "0", "660800011000003", "5", Mouse},
	"touch screen that tells fingers": {"420 0 0 0 0 0", "0", "3", "2", Touch},
	"power button":                    {"10000000000000 0", "0", "0", "0", ""},
	"game pad":                        {"7cdb000000000000 0 0 0 0", "0", "3003f", "0", ""},
	"accelerometer":                   {"0", "0", "7", "40", ""},
	"of nothing":                      {"", "", "", "", ""},
}

func TestWhatAnInputDeviceIs(t *testing.T) {
	for name, x := range inputs {
		can := bitmaps{bitmap{x.key, 64}, bitmap{x.rel, 64}, bitmap{x.abs, 64}, bitmap{x.properties, 64}}
		if got := can.hand(); got != x.want {
			t.Errorf("%s is %q, want %q", name, got, x.want)
		}
	}
	// The tablet and the keyboard as a program of 32 bits reads them.
	tablet := bitmaps{key: bitmap{"70000 0 0 0 0 0 0 0 0", 32}, abs: bitmap{"3", 32}}
	keys := bitmaps{key: bitmap{"10000 7 ff9f207a c14057ff febeffdf ffefffff ffffffff fffffffe", 32}}
	if tablet.hand() != Touch || keys.hand() != Keyboard {
		t.Errorf("32 bits: %q and %q", tablet.hand(), keys.hand())
	}
}

// The list says of each input device what it is.
func TestInputDevicesOfTheList(t *testing.T) {
	s := newSystem(t)
	for node, key := range map[string]string{"event0": "10000", "event1": "ffffffff fffffffe"} {
		dir := "/sys/devices/" + node
		s.file(dir+"/name", node)
		s.file(dir+"/capabilities/key", key)
		s.file(dir+"/capabilities/abs", "3")
		s.link(s.path(dir), "/sys/class/input/"+node+"/device")
	}
	all := s.List()
	if len(all) != 2 || all[0].Hand != "" || all[1].Hand != Keyboard {
		t.Errorf("%+v", all)
	}
}
