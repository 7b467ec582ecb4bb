package printer

import (
	"fmt"

	"longcheng/kiosk"
)

// A meter counts the paper that has gone through, to say how many tickets the
// roll still holds. It starts anew with the program and with each roll.
type meter struct {
	metre float64 // dots
	roll  float64 // metres of a new one
	used  float64 // dots since the roll was put in, or since the start
	slip  float64 // dots of a usual slip
	low   float64 // used when the near-end sensor spoke
	fresh bool    // the roll was put in while we watched
}

// add counts a slip.
func (m *meter) add(dots int) {
	m.used += float64(dots)
	if m.slip == 0 {
		m.slip = float64(dots)
	}
	m.slip += (float64(dots) - m.slip) / 8
}

// saw notes a change of the sensors.
func (m *meter) saw(before, now Status) {
	if before&PaperOut != 0 && now&(PaperOut|Silent|Unplugged|CoverOpen) == 0 {
		m.used, m.low, m.fresh = 0, 0, true
	}
	if before&PaperLow == 0 && now&PaperLow != 0 {
		m.low = m.used
	}
}

// left estimates the tickets left: from the near-end sensor, which speaks when
// about low tickets are left, else from the length of a roll. Negative is
// unknown.
func (m *meter) left(st Status, low int) int {
	switch {
	case st&PaperOut != 0:
		return 0
	case m.slip == 0 && st&PaperLow != 0:
		return low
	case m.slip == 0:
		return -1
	case st&PaperLow != 0:
		return max(0, low-int((m.used-m.low)/m.slip))
	case m.fresh:
		return max(0, int((m.roll*m.metre-m.used)/m.slip))
	}
	return -1
}

// used counts the paper of a slip.
func (s *Spool) used(dots int) {
	s.mu.Lock()
	s.meter.add(dots)
	s.mu.Unlock()
}

// Clerk returns the sentence for staff, with the tickets left on a low roll.
func (s State) Clerk() kiosk.Text {
	t := s.Status.Clerk()
	if s.Left >= 0 && t == PaperLow.Clerk() {
		t.ZH = fmt.Sprintf("纸快用完，约剩%d张号票，请备纸", s.Left)
		t.EN = fmt.Sprintf("paper nearly out, about %d tickets left: have a roll at hand", s.Left)
	}
	return t
}

// Technician returns the sentence for the person who repairs it, with the
// tickets left where they can be estimated.
func (s State) Technician() kiosk.Text {
	t := s.Status.Technician()
	if s.Left >= 0 && s.Status.Faults() == 0 {
		t.ZH += fmt.Sprintf("；估计剩%d张", s.Left)
		t.EN += fmt.Sprintf("; about %d tickets left", s.Left)
	}
	return t
}
