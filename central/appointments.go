package central

import (
	"crypto/rand"
	"strings"
	"time"
)

// NameAppointments is the name of the documents that are the appointments of a
// day; their body is a DayList.
const NameAppointments = "appointments"

// A DayList is every appointment of a hall on one day. The newest list of a day
// replaces those before it: what is no longer in it was cancelled.
type DayList struct {
	Day  string    `json:"day"` // as 2026-03-02, in the hall's time
	List []Promise `json:"list,omitempty"`
	Old  bool      `json:"old,omitempty"` // a newer list of the day follows; this one is not carried any more
}

// A Promise is a place in a queue at a time, for whoever shows the code.
type Promise struct {
	Code string    `json:"code"`
	Item string    `json:"item"`
	At   time.Time `json:"at"`
}

// NewBookingCode returns what a citizen's QR holds: 100 random bits. It begins
// with letters that say whose it is, because a hall may have appointments that
// other programs made.
func NewBookingCode() string { return codeMark + rand.Text()[:20] }

// IsBookingCode reports whether the centre made a code.
func IsBookingCode(code string) bool {
	return len(code) == len(codeMark)+20 && strings.HasPrefix(code, codeMark)
}

const codeMark = "LC"
