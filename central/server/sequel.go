package server

import (
	"time"

	"longcheng/kiosk"
)

// A sequel reads the journals of one device as one. A box that takes its host's
// place goes on with the journal under a new epoch; one that was restored from a
// backup says again under a new epoch what it remembers, which is left out.
type sequel struct {
	epoch       int64
	last, begun time.Time // the latest event; the latest one of earlier epochs
}

// takes reports whether the next event tells anything new. Epochs come in order.
func (q *sequel) takes(o kiosk.Origin, at time.Time) bool {
	if o.Epoch != q.epoch {
		q.epoch, q.begun = o.Epoch, q.last
	}
	if at.Before(q.begun) {
		return false
	}
	q.last = at
	return true
}
