package kiosk

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

// A Kind names what happened. Kinds are never renamed: old journals keep them.
type Kind string

// The kinds of events; the comment names the body.
const (
	KindBooted    Kind = "booted"    // Booted: a daemon opened the store
	KindDay       Kind = "day"       // DayOpened: a business day began; legs of the day before expired
	KindIssued    Kind = "issued"    // Issued
	KindRefused   Kind = "refused"   // Refused: a request the rules turned down
	KindJob       Kind = "job"       // Job: created or changed state
	KindCalled    Kind = "called"    // Call: first call or recall
	KindMoved     Kind = "moved"     // Moved: any other change of a leg
	KindDelivered Kind = "delivered" // Delivered: a surface acknowledged calls, or says why not
	KindWindow    Kind = "window"    // WindowRequest
	KindGranted   Kind = "granted"   // GrantRequest
	KindBooked    Kind = "booked"    // Appointment
	KindUnbooked  Kind = "unbooked"  // Appointment: it was cancelled
	KindSigned    Kind = "signed"    // Signed: somebody signed in or out, or failed to
	KindAlarm     Kind = "alarm"     // Alarm: a device or the clock changed its health
	KindAccepted  Kind = "accepted"  // Accepted: the box was tested with all its devices
)

// An Event is one entry of a journal. Seq starts at 1 and has no gaps; Hash
// covers everything else and the hash of the event before.
type Event struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"` // UTC, whole milliseconds, never earlier than the event before
	Kind    Kind            `json:"kind"`
	Body    json.RawMessage `json:"body"`
	Request string          `json:"request,omitempty"` // client's id, unique in the journal
	Answer  json.RawMessage `json:"answer,omitempty"`  // what the client was told
	Hash    []byte          `json:"hash"`              // 32 bytes
}

// Chain returns the hash of e after an event whose hash was prev; the first
// event's prev is Genesis. Fields are length-prefixed (8 bytes, big-endian), so
// no two events share an encoding. SHA-256.
func (e Event) Chain(prev []byte) []byte {
	h := sha256.New()
	var n [8]byte
	put := func(b []byte) {
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	num := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	put(prev)
	num(e.Seq)
	num(e.At.UnixMilli())
	put([]byte(e.Kind))
	put(e.Body)
	put([]byte(e.Request))
	put(e.Answer)
	return h.Sum(nil)
}

// An Origin names one journal: a device and the epoch of its store. A replaced
// or re-imaged store begins a new epoch.
type Origin struct {
	Device string `json:"device"`
	Epoch  int64  `json:"epoch"`
}

// Genesis is the hash before the first event of an origin.
func (o Origin) Genesis() []byte {
	e := Event{Kind: "genesis", Request: o.Device, At: time.UnixMilli(o.Epoch)}
	return e.Chain(nil)
}

// Booted is the body of KindBooted.
type Booted struct {
	Version  string `json:"version"`
	Hall     string `json:"hall"`
	Document int64  `json:"document,omitempty"` // publication of the hall document in use; 0 is the box's own file
}

// DayOpened is the body of KindDay.
type DayOpened struct {
	Day   Day    `json:"day"`
	Alarm string `json:"alarm,omitempty"`
	By    string `json:"by,omitempty"` // who said that the clock is right
}

// Refused is the body of KindRefused.
type Refused struct {
	What string `json:"what"` // operation, such as "issue"
	Code string `json:"code"`
	Text Text   `json:"text"`
	Who  string `json:"who"` // kiosk or window
}

// Moved is the body of KindMoved: the leg as it is afterwards.
type Moved struct {
	Action Action `json:"action"`
	Leg    Leg    `json:"leg"`
	By     string `json:"by"`
	From   string `json:"from,omitempty"` // window it left
	Reason string `json:"reason,omitempty"`
}

// Delivered is the body of KindDelivered.
type Delivered struct {
	Surface string  `json:"surface"`
	Calls   []int64 `json:"calls"`           // Call.Seqs
	Fault   string  `json:"fault,omitempty"` // empty: shown
}

// Signed is the body of KindSigned.
type Signed struct {
	User    string `json:"user"`
	Window  string `json:"window,omitempty"`
	What    string `json:"what"`              // "in", "out", "failed"
	Session string `json:"session,omitempty"` // "out": id of the session that ended
}

// Alarm is the body of KindAlarm.
type Alarm struct {
	Source string `json:"source"`          // device or part
	State  string `json:"state"`           // one sentence; "ready" ends the alarm
	Fault  string `json:"fault,omitempty"` // id in the doctor's list
}

// Accepted is the body of KindAccepted.
type Accepted struct {
	At       time.Time `json:"at"` // when the test ended
	By       string    `json:"by"`
	Good     bool      `json:"good"`
	Failed   []string  `json:"failed,omitempty"` // devices that are not good
	Document []byte    `json:"document"`         // as the box keeps it, signed
}
