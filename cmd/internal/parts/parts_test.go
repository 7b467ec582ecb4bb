package parts

import (
	"errors"
	"testing"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	"longcheng/device/tty"
)

// Every driver that a configuration may name exists, and no other.
func TestDriverTable(t *testing.T) {
	keys := func(n int, has func(string) bool, table string) {
		t.Helper()
		for _, name := range config.Drivers(table) {
			if !has(name) {
				t.Errorf("%s driver %q may be configured, but does not exist", table, name)
			}
		}
		if n != len(config.Drivers(table)) {
			t.Errorf("%d %s drivers, %d may be configured", n, table, len(config.Drivers(table)))
		}
	}
	keys(len(languages), func(s string) bool { return languages[s] != nil }, "printer")
	keys(len(strips), func(s string) bool { return strips[s] != nil }, "strip")
	keys(len(engines), func(s string) bool { return engines[s] != nil }, "voice")
}

// Every form of a port is opened by its own kind, with its own settings.
func TestLine(t *testing.T) {
	p := config.Port{File: "ports/x", Baud: 9600, Serial: config.Serial{Parity: "even", StopBits: 2, Flow: "rtscts"}}
	if got, want := Line("/s", p), (tty.Config{Name: "/s/ports/x", Baud: 9600, Parity: 'E', TwoStopBits: true, Flow: tty.RTSCTS}); got != want {
		t.Errorf("%+v", got)
	}
	if got := Line("/s", config.Port{File: "/dev/x", Bus: config.Bus{RS485: true}}); got.RS485 == nil || !got.RS485.Driver {
		t.Errorf("%+v", got)
	}
	for file, want := range map[string]string{
		"usb:04b8:0e15": "USB printer 04b8:0e15", "/dev/usb/lp99": "/dev/usb/lp99", "tcp://127.0.0.1:1": "127.0.0.1:1", "ports/none": "/s/ports/none",
	} {
		_, err := Opener("/s", config.Port{File: file, Baud: 9600})(t.Context())
		var w *device.Wire
		if !errors.As(err, &w) || w.Port != want {
			t.Errorf("%s: %v, want the port %q in it", file, err, want)
		}
	}
}
