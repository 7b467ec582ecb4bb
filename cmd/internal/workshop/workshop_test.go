package workshop_test

import (
	"testing"

	"longcheng/cmd/internal/faults"
	"longcheng/cmd/internal/status"
	"longcheng/cmd/internal/workshop"
)

// A device is as ill as the doctor says that its fault is.
func TestADeviceIsAsIllAsTheDoctorSays(t *testing.T) {
	for _, c := range []struct {
		state, fault string
		want         faults.Level
	}{
		{status.Ready, "", ""},
		{"out of paper", "paper-out", faults.Bad},
		{"paper is low", "paper-low", faults.Warn},
		{"odd", "", faults.Bad},
	} {
		if got := workshop.Explained(status.Device{Device: "printer p", State: c.state, Fault: c.fault}).Level; got != c.want {
			t.Errorf("%s: %q, want %q", c.state, got, c.want)
		}
	}
}
