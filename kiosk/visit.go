package kiosk

import "time"

// A Channel is how a ticket was asked for.
type Channel string

// The channels.
const (
	ByTouch       Channel = "touch"
	ByCard        Channel = "card"
	ByButton      Channel = "button"
	ByAppointment Channel = "appointment"
	ByDesk        Channel = "desk" // a clerk, on the console
	ByAPI         Channel = "api"
)

// An Intent is a wish for a ticket. Request makes it safe to repeat: the same
// request gets the same answer for ever.
type Intent struct {
	Request string  `json:"request"`
	Kiosk   string  `json:"kiosk"`             // the box where it was made
	Printer string  `json:"printer,omitempty"` // the printer that shall print it; empty prints nothing
	Channel Channel `json:"channel"`
	Item    string  `json:"item,omitempty"`    // Item.ID; or Flow and Stage
	Flow    string  `json:"flow,omitempty"`    // Flow.ID
	Stage   string  `json:"stage,omitempty"`   // Stage.ID
	Class   string  `json:"class,omitempty"`   // claimed Class.ID; empty is the ordinary class
	Person  string  `json:"person,omitempty"`  // keyed hash of the identity number, never the number
	Name    string  `json:"name,omitempty"`    // masked name for the slip, such as 张**
	Code    string  `json:"code,omitempty"`    // appointment code
	Granter string  `json:"granter,omitempty"` // who vouches for Class at once: "card" for an identity card
}

// A Visit is one citizen's stay and owns one ticket number.
type Visit struct {
	ID        string    `json:"id"` // base32: the secret behind the ticket's QR, 76 random bits and the time
	Day       Day       `json:"day"`
	Number    string    `json:"number"` // as printed, such as A012
	Item      string    `json:"item,omitempty"`
	Flow      string    `json:"flow,omitempty"`
	Stage     string    `json:"stage,omitempty"`
	Class     string    `json:"class,omitempty"`   // granted class
	Claimed   string    `json:"claimed,omitempty"` // class that waits for a clerk's grant
	Granter   string    `json:"granter,omitempty"` // who granted it; "card" for an identity card
	Channel   Channel   `json:"channel"`
	Kiosk     string    `json:"kiosk"`
	Name      string    `json:"name,omitempty"`
	TakenAt   time.Time `json:"taken_at"`
	Unsettled bool      `json:"unsettled_clock,omitempty"` // taken while the clock was not believed
	Legs      []Leg     `json:"legs"`
	Jobs      []Job     `json:"jobs,omitempty"`
}

// A Leg is one queue a visit has to pass.
type Leg struct {
	ID       int64     `json:"id"`
	Visit    string    `json:"visit"`
	Number   string    `json:"number"`
	Item     string    `json:"item"`
	Queue    string    `json:"queue"`
	Class    string    `json:"class,omitempty"`
	State    State     `json:"state"`
	Arrival  time.Time `json:"arrival"`
	Virtual  time.Time `json:"virtual"`
	Window   string    `json:"window,omitempty"`   // where it is called or served, or reserved for
	Call     int64     `json:"call,omitempty"`     // Call.Seq of the latest call
	Recalls  int       `json:"recalls,omitempty"`  // recalls of that call
	Returned int       `json:"returned,omitempty"` // times it came back after a skip
	Since    time.Time `json:"since"`              // when State was entered
}

// Issued is the answer to an Intent: everything the screen and the paper say.
type Issued struct {
	Visit    Visit         `json:"visit"`
	Job      int64         `json:"job,omitempty"` // print job; 0 prints nothing
	Ahead    int           `json:"ahead"`         // people before this visit in its first queue
	Estimate time.Duration `json:"estimate_ns"`   // expected wait; 0 when unknown
}

// JobState is where a print job stands.
type JobState string

// The states of a print job. Unknown is not failed: bytes went out and nobody
// can say whether paper came.
const (
	JobPending  JobState = "pending"
	JobPrinting JobState = "printing"
	JobPrinted  JobState = "printed"
	JobUnknown  JobState = "unknown"
	JobFailed   JobState = "failed"
)

// A Job is one slip of paper to print for a visit. Copy 0 is the original; every
// later one is marked as a copy (补打).
type Job struct {
	ID      int64     `json:"id"`
	Visit   string    `json:"visit"`
	Printer string    `json:"printer"`
	Copy    int       `json:"copy"`
	State   JobState  `json:"state"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"` // when State was entered
}

// A Call asks a visit to a window. Seq counts the calls of this journal without
// gaps, recalls included.
type Call struct {
	Seq      int64      `json:"seq"`
	Visit    string     `json:"visit"`
	Leg      int64      `json:"leg"`
	Number   string     `json:"number"`
	Item     string     `json:"item"`
	Class    string     `json:"class,omitempty"`
	Window   string     `json:"window"`
	Recall   int        `json:"recall"` // 0 for the first call
	At       time.Time  `json:"at"`
	By       string     `json:"by"`
	Reason   string     `json:"reason"` // one sentence: why this one
	Why      Why        `json:"why"`    // the same in parts
	Delivery []Delivery `json:"delivery,omitempty"`
}

// A Delivery is the proof, or the lack of it, that one surface showed a call.
type Delivery struct {
	Surface string    `json:"surface"`         // such as "strip:1", "wall:main", "voice:hall"
	At      time.Time `json:"at,omitzero"`     // when the surface acknowledged; zero while it has not
	Fault   string    `json:"fault,omitempty"` // why not, as last heard
}

// Delivered reports whether every surface has acknowledged, and when the first did.
func (c Call) Delivered() (first time.Time, all bool) {
	all = true
	for _, d := range c.Delivery {
		if d.At.IsZero() {
			all = false
		} else if first.IsZero() || d.At.Before(first) {
			first = d.At
		}
	}
	return first, all
}

// Desk is the state of a window as its clerk set it.
type Desk string

// The states of a window.
const (
	Closed Desk = "closed" // nobody signed in
	Open   Desk = "open"
	Paused Desk = "paused"
)

// WindowState is a window as everyone sees it.
type WindowState struct {
	Window  string     `json:"window"`
	Desk    Desk       `json:"desk"`
	Clerk   string     `json:"clerk,omitempty"`
	Notice  string     `json:"notice,omitempty"` // public text while paused
	Groups  [][]string `json:"groups"`           // queues it serves now
	Current *Leg       `json:"current,omitempty"`
	Call    *Call      `json:"call,omitempty"` // the call of Current, with its delivery
	Run     int        `json:"run"`            // priority calls in a row
}

// QueueState is a queue as everyone sees it.
type QueueState struct {
	Queue    string        `json:"queue"`
	Waiting  int           `json:"waiting"`
	Windows  int           `json:"windows"`     // open windows that serve it
	Estimate time.Duration `json:"estimate_ns"` // expected wait of one who comes now; 0 when unknown
}

// A Snapshot is the public state of the hall at one moment.
type Snapshot struct {
	Seq     int64         `json:"seq"` // journal position it was read at
	Day     Day           `json:"day"`
	At      time.Time     `json:"at"`              // time of the last event
	Alarm   string        `json:"alarm,omitempty"` // clock alarm
	Windows []WindowState `json:"windows"`
	Queues  []QueueState  `json:"queues"`
	Calls   []Call        `json:"calls"` // the latest first, at most 32, recalls merged into their call
}

// A CallRequest asks for the next visit at a window. Surfaces are what must show
// the call.
type CallRequest struct {
	Request  string   `json:"request"`
	Window   string   `json:"window"`
	By       string   `json:"by"`
	Surfaces []string `json:"surfaces,omitempty"`
}

// An ActRequest asks for an Action on the visit a window has, or on one named.
type ActRequest struct {
	Request  string   `json:"request"`
	Action   Action   `json:"action"`
	Window   string   `json:"window,omitempty"`
	By       string   `json:"by"`
	Visit    string   `json:"visit,omitempty"`    // empty means the window's current one
	Leg      int64    `json:"leg,omitempty"`      // empty means the visit's leg that the action fits
	Queue    string   `json:"queue,omitempty"`    // transfer to a queue
	To       string   `json:"to,omitempty"`       // transfer to a window of that queue
	Position string   `json:"position,omitempty"` // transfer: "keep" (default), "front" or "end"
	Reason   string   `json:"reason,omitempty"`
	Surfaces []string `json:"surfaces,omitempty"` // for call and recall
}

// A WindowRequest opens, pauses or closes a window.
type WindowRequest struct {
	Request string     `json:"request"`
	Window  string     `json:"window"`
	By      string     `json:"by"`
	Desk    Desk       `json:"desk"`
	Notice  string     `json:"notice,omitempty"`
	Groups  [][]string `json:"groups,omitempty"` // empty keeps those of the hall document
}

// A GrantRequest grants a claimed priority, or another one.
type GrantRequest struct {
	Request string `json:"request"`
	Visit   string `json:"visit"`
	Class   string `json:"class"`
	By      string `json:"by"`
	Reason  string `json:"reason"`
}

// A ReprintRequest asks for a marked copy of a slip.
type ReprintRequest struct {
	Request string `json:"request"`
	Visit   string `json:"visit"`
	Printer string `json:"printer"`
	By      string `json:"by"`
	Reason  string `json:"reason"`
}

// An Appointment is a promised place in a queue.
type Appointment struct {
	Request string    `json:"request"`
	Code    string    `json:"code"` // what the citizen's QR holds
	Item    string    `json:"item"`
	At      time.Time `json:"at"`
	Name    string    `json:"name,omitempty"`  // masked
	Visit   string    `json:"visit,omitempty"` // the visit that used it
}
