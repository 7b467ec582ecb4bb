package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longcheng/cmd/internal/config"
	"longcheng/device/hotplug"
)

// What is plugged in is logged, and a printer that is named by what it is has
// another stamp after each plug, and none while it is away or not alone.
func TestPlugs(t *testing.T) {
	var log bytes.Buffer
	p := &plugs{log: slog.New(slog.NewTextHandler(&log, nil))}
	if p.stamp(config.Port{File: "/dev/ttyUSB0"}) != nil {
		t.Error("a serial line is told by its file")
	}
	stamp := p.stamp(config.Port{File: "usb:04b8:0e15"})
	node := filepath.Join(t.TempDir(), "lp0")
	plug := func(to string) hotplug.Device {
		t.Helper()
		if err := os.Symlink(to, node); err != nil {
			t.Fatal(err)
		}
		return hotplug.Device{Kind: hotplug.Printer, Node: node, Vendor: 0x04b8, Product: 0x0e15, Model: "TM-T82", Path: "1-1.2"}
	}
	if s := stamp(); s != "" {
		t.Errorf("nothing there: %q", s)
	}
	printer := plug("/dev/null")
	p.changed([]hotplug.Device{printer})
	first := stamp()
	if first == "" || stamp() != first || !strings.Contains(log.String(), `msg="device plugged in"`) || !strings.Contains(log.String(), "TM-T82") {
		t.Errorf("plugged in: %q, log %s", first, &log)
	}
	os.Remove(node)
	if s := stamp(); s != "" {
		t.Errorf("pulled, and nobody has looked yet: %q", s)
	}
	p.changed(nil)
	if s := stamp(); s != "" || !strings.Contains(log.String(), "device unplugged") {
		t.Errorf("pulled: %q, log %s", s, &log)
	}
	printer = plug("/dev/zero")
	p.changed([]hotplug.Device{printer})
	if s := stamp(); s == "" || s == first {
		t.Errorf("plugged in again: %q, before %q", s, first)
	}
	other := printer
	other.Node = "/dev/null"
	p.changed([]hotplug.Device{printer, other})
	if s := stamp(); s != "" {
		t.Errorf("two that fit: %q", s)
	}
	if p.stamp(config.Port{File: "usb:04b8:0e15", Keyboard: true})() != "" {
		t.Error("a printer is no scanner")
	}
}
