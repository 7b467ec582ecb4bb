package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"longcheng/device/hotplug"
)

// usb finds ports of hubs that switched off because too much was taken.
func (e *exam) usb() {
	for _, pattern := range []string{"/sys/bus/usb/devices/*/over_current_count", "/sys/bus/usb/devices/*/*-port*/over_current_count"} {
		for _, f := range e.glob(pattern) {
			if n := number(e.text(f)); n > 0 {
				e.find("usb-overcurrent", filepath.Base(filepath.Dir(f)), fmt.Sprintf("%d times since the start", n))
			}
		}
	}
}

// rules are where our udev rules may lie.
var rules = []string{"/etc/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"}

// meddlers finds programs that open every new serial port. ModemManager keeps off
// where our rules are; brltty does not.
func (e *exam) meddlers() {
	ruled := false
	for _, dir := range rules {
		_, err := os.Stat(e.path(dir + "/60-longcheng.rules"))
		ruled = ruled || err == nil
	}
	for _, comm := range e.glob("/proc/[0-9]*/comm") {
		name := e.text(comm)
		if name == "brltty" || name == "ModemManager" && !ruled {
			e.find("port-meddler", name, "process "+filepath.Base(filepath.Dir(comm)))
		}
	}
}

// words by which a code scanner names itself as a keyboard.
var scannerWords = []string{"barcode", "bar code", "scanner", "honeywell", "newland", "datalogic", "zebra", "symbol"}

// scanners finds a scanner that has become a keyboard while its serial port is
// missing.
func (e *exam) scanners() {
	if e.conf == nil {
		return
	}
	for _, s := range e.conf.Scanners {
		if _, err := os.Stat(e.port(s.Port)); err == nil || s.Driver == "keyboard" {
			continue
		}
		for _, d := range (hotplug.Tree{Root: e.Root}).List() {
			if d.Kind == hotplug.Input && d.Hand != hotplug.Touch && isScanner(d) { // by its name: some know few keys
				e.find("scanner-keyboard", "scanner "+s.Name, strings.TrimSpace(d.Name+" "+d.Maker+" "+d.Model)+" is "+d.Node)
			}
		}
	}
}

func isScanner(d hotplug.Device) bool {
	name := strings.ToLower(d.Name + " " + d.Maker + " " + d.Model)
	for _, w := range scannerWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}
