package kiosk

import "time"

// A hall of several boxes has one host, which alone decides, and boxes that have
// joined it. What they agree on beside tickets and calls is in this file.

// The kinds of events of a hall of several boxes; the comment names the body.
const (
	KindTerm     Kind = "term"     // Term: somebody began to decide, or learned that it had been set back
	KindJoined   Kind = "joined"   // Joined: a box of the hall, as it presented itself to the host
	KindReserved Kind = "reserved" // Reserved: ranges of numbers for one box, at the host and at the box
	KindKept     Kind = "kept"     // a box keeps a copy of a ticket that its host gave
	KindOwed     Kind = "owed"     // a box gave a ticket from its reserve, and owes it to its host
	KindHanded   Kind = "handed"   // Handed: the host has taken over tickets that a box owed
	KindDoubted  Kind = "doubted"  // Doubted: the host may have forgotten tickets that it gave; the box owes them again
)

// A Range is a stretch of ticket numbers that one box alone may give on one
// business day. Ranges of days that are near each other do not overlap, so that a
// box whose clock is a day off gives nobody the number of somebody else.
type Range struct {
	Prefix string `json:"prefix"`
	Day    Day    `json:"day"`
	Low    int    `json:"low"`
	High   int    `json:"high"` // the last one
	Owner  Origin `json:"owner"`
	Term   int64  `json:"term"` // of the host that granted it
}

// Overlaps reports whether two ranges have a number in common.
func (r Range) Overlaps(o Range) bool {
	return r.Prefix == o.Prefix && r.Low <= o.High && o.Low <= r.High
}

// Reserved is the body of KindReserved. Void names the ranges that were taken
// back, because their box was set back and may have given some of them already.
type Reserved struct {
	Ranges []Range `json:"ranges,omitempty"`
	Void   []Range `json:"void,omitempty"`
	Why    string  `json:"why,omitempty"`
}

// A Want is one range that a box asks for. The host bounds how many numbers it
// gets.
type Want struct {
	Prefix string `json:"prefix"`
	Day    Day    `json:"day"`
	Size   int    `json:"size,omitempty"`
}

// A Standing is how far a hall's host had come, as its boxes have seen it. They
// say it back to whoever claims to be the host: a host that knows less was set
// back, by a backup or a new card, and must not decide as if nothing had been.
type Standing struct {
	Hall    string         `json:"hall"`
	Term    int64          `json:"term"`
	Host    string         `json:"host,omitempty"` // device that decides in this term
	Journal Origin         `json:"journal"`
	Seq     int64          `json:"seq"`
	Hash    []byte         `json:"hash"` // of event Seq
	Day     Day            `json:"day"`
	Numbers map[string]int `json:"numbers,omitempty"` // last number given online, by prefix
	Tops    map[string]int `json:"tops,omitempty"`    // highest number of any range, by prefix
}

// Term is the body of KindTerm. Numbers and Tops are what the host continues
// behind: it skips what it might have given and forgotten.
type Term struct {
	Term    int64          `json:"term"`
	Host    string         `json:"host"` // the device that decides
	Day     Day            `json:"day"`
	Numbers map[string]int `json:"numbers,omitempty"`
	Tops    map[string]int `json:"tops,omitempty"`
	Why     string         `json:"why"`
}

// A Place is one surface of a box: what it shows, so that the host knows which
// calls it owes it.
type Place struct {
	Name   string   `json:"name"`             // unique in the hall, such as "display-1/strip:1"
	Window string   `json:"window,omitempty"` // Window.ID of a strip
	Zones  []string `json:"zones,omitempty"`  // Zone.IDs of a wall or voice; none means the whole hall
}

// Joined is the body of KindJoined.
type Joined struct {
	Box    Origin  `json:"box"`
	Seq    int64   `json:"seq"` // where its own journal stood
	Places []Place `json:"places,omitempty"`
}

// A Hello is how a box presents itself to its host whenever it connects.
type Hello struct {
	Joined
	Seen   Standing `json:"seen"`
	Ranges []Range  `json:"ranges,omitempty"` // that it holds
}

// A Welcome is the host's answer to a Hello. Void are ranges that the box must
// not use any more; Persons is the key under which every box of the hall hashes
// identity numbers, so that the same person is the same everywhere.
type Welcome struct {
	Term    int64   `json:"term"`
	Void    []Range `json:"void,omitempty"`
	Why     string  `json:"why,omitempty"`
	Persons []byte  `json:"persons,omitempty"`
	Host    Program `json:"host,omitzero"`
}

// A Program is what a box runs. Of two, that is older which was made earlier; one
// that does not know when it was made is neither.
type Program struct {
	Version string `json:"version"`
	Made    int64  `json:"made,omitempty"` // second of its commit
}

// Older reports whether p was made before q, as far as both know.
func (p Program) Older(q Program) bool { return p.Made > 0 && p.Made < q.Made }

// Doubted is the body of KindDoubted.
type Doubted struct {
	Day Day    `json:"day"`
	Why string `json:"why"`
}

// An Owed is a ticket that a box gave without its host; or got from a host that
// another one has replaced since, which may not know of it.
type Owed struct {
	Given  bool   `json:"given,omitempty"` // by a host
	Seq    int64  `json:"seq"`             // of its event in the box's journal
	Intent Intent `json:"intent"`
	Issued Issued `json:"issued"`
	Prefix string `json:"prefix"`
	N      int    `json:"n"`
}

// A HandIn brings owed tickets to the host. Now is the box's clock as it sends:
// the host corrects the times by how far it is off.
type HandIn struct {
	Box     Origin    `json:"box"`
	Now     time.Time `json:"now"`
	Tickets []Owed    `json:"tickets"`
}

// A Taken says what the host did with one owed ticket.
type Taken struct {
	Visit string `json:"visit"`
	Fault string `json:"fault,omitempty"` // why it could not be taken over; a clerk has to help
	Voids string `json:"voids,omitempty"` // number that the host had given for the same request and nobody holds
}

// A Chapter is the part of a store's journal that one origin has written. A box
// that takes its host's place goes on in a copy of the host's journal, under a new
// epoch: a new chapter.
type Chapter struct {
	Origin Origin `json:"origin"`
	Last   int64  `json:"last"` // row of its last event; 0: it is being written
}

// A Mark is how far a copy of a journal has come. Rows are numbered through all
// chapters.
type Mark struct {
	Chapters []Chapter `json:"chapters,omitempty"`
	Row      int64     `json:"row"`
	Hash     []byte    `json:"hash,omitempty"` // of that row; none before the first
}

// A Page is what follows a Mark in a journal. Seq of its events is their row.
type Page struct {
	Chapters []Chapter `json:"chapters"`
	Rows     []Event   `json:"rows"`
	End      int64     `json:"end"` // row of the journal's last event
}

// Handed is the body of KindHanded.
type Handed struct {
	Tickets []Taken `json:"tickets"`
}
