package doctor

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"longcheng/cmd/internal/faults"
)

// elsewhere are the faults that are brought about in other places than in
// TestEveryFaultIsFound, where their proof needs a stand-in: the daemon's word, a file
// of the kernel, an answer of the system. By the file whose test does it, and how its
// lines name a fault.
var elsewhere = []struct {
	file, where string
	named       *regexp.Regexp
	faults      []string
}{
	{"../../kioskd/doctor_test.go", "make test-doctor: the simulated hardware, host and centre of a running daemon", regexp.MustCompile(`"([a-z-]+)": "`), []string{
		"device-gone", "pin-missing", "printer-paused", "strip-silent", "strip-doubled", "strip-refused", "wall-browser", "voice-silent",
		"door-open", "button-stuck", "clock-alarm", "not-enrolled", "announcements-broken", "centre-refused", "host-reserve", "version-older", "tool-differs",
		"device-trouble", "program-ended", "calls-late", "kioskd-failing", "not-accepted", "document-held", "stand-in-behind", "host-replaced",
	}},
	{"../../../deploy/image/test.sh", "make test-image, steps ailments and broken: a box in a virtual machine", regexp.MustCompile(`(?m)^\till (.*)$`), []string{
		"audio-missing", "audio-muted", "scanner-keyboard", "browser-down", "clock-unsynced", "clock-unset", "net-no-link", "net-no-address",
		"memory-low", "hot", "disk-filling", "disk-errors", "disk-readonly", "kioskd-down", "kioskd-restarting", "line-noise", "release-given-up",
		"usb-overcurrent", "disk-worn", "port-hangs",
	}},
}

// standins are the faults that were not brought about for the doctor, and why.
var standins = map[string]string{
	"undervoltage": "only a Raspberry Pi measures its supply",
	"throttled":    "only the firmware of a Raspberry Pi says it",
}

// TestStandins: each fault is brought about in TestEveryFaultIsFound without a
// stand-in, or elsewhere, or is told on the handbook's page as one that was not.
func TestStandins(t *testing.T) {
	page, err := os.ReadFile("../../../deploy/docs/technician/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	intro, _, _ := strings.Cut(string(page), "\n## ")
	told := regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(intro, -1)
	for _, m := range told {
		if standins[m[1]] == "" && !slices.Contains(unseen, m[1]) {
			t.Errorf("doctor.md says that %s is not brought about", m[1])
		}
	}
	for id, why := range standins {
		if why == "" || faults.Named(id).Cause.EN == "" {
			t.Errorf("%s is no fault, or has no reason", id)
		}
	}
	if len(told) != len(standins)+len(unseen) {
		t.Errorf("doctor.md names %d faults that are not brought about, of %d", len(told), len(standins)+len(unseen))
	}
	for _, e := range elsewhere {
		text, err := os.ReadFile(e.file)
		if err != nil {
			t.Fatal(err)
		}
		var named []string
		for _, m := range e.named.FindAllStringSubmatch(string(text), -1) {
			named = append(named, strings.Fields(m[1])...)
		}
		for _, id := range e.faults {
			if !slices.Contains(named, id) {
				t.Errorf("%s: %s does not bring %s about", e.where, e.file, id)
			}
		}
	}
}

// provenElsewhere reports whether a fault has a proof beside the one here, or a reason
// why it has none.
func provenElsewhere(id string) bool {
	for _, e := range elsewhere {
		if slices.Contains(e.faults, id) {
			return true
		}
	}
	return standins[id] != ""
}
