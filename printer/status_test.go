package printer

import "testing"

// Whatever a printer says, each of the three readers is told something in both
// languages, and the worst is told first.
func TestEveryStatusHasSentences(t *testing.T) {
	for s := Status(0); s < Unplugged<<1; s++ {
		for who, text := range map[string]string{
			"citizen zh": s.Citizen().ZH, "citizen en": s.Citizen().EN, "clerk zh": s.Clerk().ZH,
			"clerk en": s.Clerk().EN, "technician zh": s.Technician().ZH, "technician en": s.Technician().EN,
		} {
			if text == "" {
				t.Fatalf("status %x tells the %s nothing", uint16(s), who)
			}
		}
		if s.Faults() != 0 && (s.Clerk().EN == "ready" || s.Citizen().EN == "Ready") {
			t.Fatalf("status %x passes for ready", uint16(s))
		}
	}
	if got := (CutterJam | CoverOpen).String(); got != "cutter jammed: open the cover, free the blade, close it" {
		t.Errorf("jam with open cover says %q", got)
	}
	if PaperLow.Faults() != 0 {
		t.Error("a low roll keeps slips from being printed")
	}
}
