package main

import (
	"strings"
	"testing"

	"longcheng/cmd/kiosksim/sim/sam"
)

// A card that does not prove itself genuine is an alarm of its own, every time;
// the reader is well, the citizen is asked to the desk, and nothing of the card is
// written down.
func TestAForgedCardIsAnAlarmEveryTime(t *testing.T) {
	r := newRig(t, 3000)
	d := r.start(smallHall).healthy()
	forged := sam.Person{Name: "样例己", Sex: "2", Nation: "01", Birth: "19690801", Number: "110101196908010025", From: "20190801", Until: "20390801"}
	for n := 1; n <= 2; n++ {
		r.reader.Place(forged, sam.Forged)
		d.until("the alarm", func() bool { return d.logged(`source="reader reader-1 security"`, "genuine") == n })
		d.until("the screen to say so", func() bool { return strings.Contains(d.screen(), "please ask at the desk") })
		r.reader.Lift()
		asked := r.cables["reader-1"].Received()
		d.until("five polls without the card", func() bool { return r.cables["reader-1"].Received() >= asked+50 })
	}
	if d.logged("device needs attention", `device="reader reader-1"`) != 0 || d.logged("样例己") != 0 || d.logged("110101196908") != 0 {
		t.Error("the reader is blamed, or the card is in the log")
	}
	if d.logged("card reader's module", "05.03-") != 1 {
		t.Error("the module's number is not in the log")
	}
	d.stop()
}
