package doctor

import (
	"slices"
	"testing"
)

// standins are the faults whose proof here puts something in place of the real
// thing: what is not here is brought about itself.
var standins = map[string][]string{
	// TestTheDoctorHearsTheDaemon of kioskd brings these about: the simulated hardware
	// does it, and the running daemon says it.
	"the daemon's word, which it was heard to say": {
		"device-gone", "pin-missing", "printer-paused", "strip-silent", "strip-doubled", "wall-browser", "voice-silent", "clock-alarm", "tool-differs",
	},
	"the daemon's word": {
		"port-hangs", "line-noise", "paper-jam", "printer-error", "strip-refused", "button-stuck", "device-trouble", "host-reserve", "centre-refused",
		"kioskd-failing", "version-older", "calls-late", "door-open",
	},
	"a file of the kernel": {
		"usb-overcurrent", "scanner-keyboard", "undervoltage", "hot", "memory-low", "disk-worn", "audio-missing", "net-no-link",
	},
	"an answer of the system": {
		"throttled", "clock-unset", "clock-unsynced", "audio-muted", "kioskd-down", "kioskd-restarting", "browser-down",
	},
}

func TestStandinsAreFaults(t *testing.T) {
	for what, ids := range standins {
		for _, id := range ids {
			if !slices.ContainsFunc(injuries, func(in injury) bool { return in.id == id }) {
				t.Errorf("%s stands for %s, which nobody brings about", what, id)
			}
		}
	}
}
