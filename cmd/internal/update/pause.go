package update

import (
	"time"

	"longcheng/kiosk"
)

// quietFor is how long a hall must stay closed for an update: the trial and, if it
// fails, the way back.
const quietFor = 30 * time.Minute

// Pause reports whether a hall is closed, for all that it offers, now and for long
// enough to update a box.
func Pause(h *kiosk.Hall, now time.Time) bool {
	now = now.In(h.Location())
	all := []kiosk.Hours{h.Hours}
	for _, i := range h.Items {
		if len(i.Hours.Bands) > 0 {
			all = append(all, i.Hours)
		}
	}
	for _, hours := range all {
		if opens, ok := hours.Next(now); ok && opens.Sub(now) < quietFor {
			return false
		}
	}
	return true
}
