package device

import "time"

// A State is how a link stands.
type State string

// The states of a link.
const (
	Idle   State = "idle"   // never opened, or closed on purpose
	Ready  State = "ready"  // the last exchange passed the wire
	Broken State = "broken" // the wire broke; the next Do tries again
)

// Health is what a link knows of itself at one moment.
type Health struct {
	State     State
	Reason    string    // one sentence for a technician; empty while ready
	Err       error     // the cause while broken, for errors.Is
	Since     time.Time // when State last changed
	Opens     uint64    // successful opens since the start
	Exchanges uint64    // exchanges that passed the wire
	Failures  uint64    // failed opens and broken exchanges
}
