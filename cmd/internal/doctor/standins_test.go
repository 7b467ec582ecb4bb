package doctor

import (
	"slices"
	"testing"
)

// standins are the faults whose proof puts something in place of the real thing:
// what is not here is brought about itself.
var standins = map[string][]string{
	"the daemon's word": {
		"port-hangs", "line-noise", "device-gone", "pin-missing", "paper-jam", "printer-error", "printer-paused",
		"strip-silent", "strip-doubled", "strip-refused", "wall-browser", "voice-silent", "button-stuck", "device-trouble",
		"clock-alarm", "host-reserve", "centre-refused", "kioskd-failing", "version-older", "tool-differs",
		"program-ended", "document-held", "announcements-broken", "release-given-up", "stand-in-behind", "host-replaced", "not-accepted", "not-enrolled",
	},
	"a file of the kernel": {
		"port-meddler", "usb-overcurrent", "scanner-keyboard", "undervoltage", "hot", "memory-low", "disk-errors", "disk-worn", "audio-missing", "net-no-link",
	},
	"an answer of the system": {
		"throttled", "disk-filling", "clock-unset", "clock-unsynced", "audio-muted", "net-no-address", "kioskd-restarting", "browser-down",
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
