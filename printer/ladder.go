package printer

import (
	"time"

	"longcheng/kiosk"
)

// A step is where a slip stands on the ladder by which it is known to be out.
//
// The body is all that is to be read. Nothing is cut before the printer has
// proved that it is on paper, so until then no whole ticket exists, and what
// went wrong can be voided and printed again. The tail feeds and cuts: it may be
// sent again and again without harm. So each slip ends as one whole ticket.
type step string

// The steps. The last three are ends.
const (
	body    step = "body"      // the body is sent, its mark is waited for
	cutting step = "cut"       // the tail is sent, its mark is waited for
	recut   step = "cut again" // the body is whole; the tail is owed until the printer is well
	mouth   step = "mouth"     // the slip is presented, and is taken or drawn back

	printed step = "printed" // one whole ticket is out
	voided  step = "voided"  // no whole ticket is out: the stub is voided and cut, a marked copy follows
	unsure  step = "unsure"  // nobody can say: no copy, staff are told
)

// An event is what a slip hears of its printer.
type event string

// The events.
const (
	proof    event = "proof"       // the mark came, or what stands for it
	torn     event = "torn proof"  // it came, but paper ended on the way
	noPaper  event = "no paper"    // the printer waits for a roll
	stopped  event = "stopped"     // cover, heat, feed button: it goes on by itself
	well     event = "well"        // what stopped it is over
	jammed   event = "jam"         // the blade or the mouth is stuck
	dead     event = "broken"      // an error that needs the power switch
	mute     event = "silent"      // two queries went unanswered
	gone     event = "gone"        // the wire broke
	late     event = "late"        // the printer is well, its time is over, no mark came
	blind    event = "blind"       // its time is over, and this printer gives no proof
	overdue  event = "overdue"     // trouble lasted longer than the profile waits
	halted   event = "program end" // the program stops while the printer is in trouble
	taken    event = "taken"       // the mouth is empty
	leftover event = "not taken"   // it still is not, after the profile's time
)

// ladder is the state machine: what each event leads to. A pair that is not here
// cannot happen. deploy/docs/technician/printers.md shows the same table.
var ladder = map[step]map[event]step{
	body: {
		proof: cutting, torn: voided, noPaper: body, stopped: body, well: body, jammed: voided, dead: voided, mute: voided,
		gone: voided, late: voided, blind: cutting, overdue: voided, halted: voided,
	},
	cutting: {
		proof: mouth, noPaper: cutting, stopped: cutting, well: cutting, jammed: recut, dead: recut, mute: recut,
		gone: recut, late: recut, blind: unsure, overdue: recut, halted: voided,
	},
	recut: {
		well: cutting, gone: recut, jammed: voided, overdue: unsure, halted: voided,
	},
	mouth: {
		taken: printed, leftover: printed, mute: printed, gone: printed, halted: printed,
	},
}

// stops are the conditions that interrupt a slip.
const stops = PaperOut | CoverOpen | CutterJam | Jam | Broken | Faulty | Offline | HeadHot | Feeding

const (
	cutTime  = 3 * time.Second  // beyond wire and paper: the cutter, and slow electronics
	kickTime = 10 * time.Second // between two tries of a jammed cutter
	bodyTime = 3 * time.Second  // beyond wire and paper: slow electronics
	showTime = 3 * time.Second  // until a slip must be seen in the mouth
)

// An outcome is what became of a job.
type outcome struct {
	state  kiosk.JobState
	reason string
	again  bool // print a marked copy
}

// outcomes of the three ends.
func (e step) outcome(reason string) outcome {
	switch e {
	case printed:
		return outcome{state: kiosk.JobPrinted, reason: reason}
	case voided:
		return outcome{state: kiosk.JobUnknown, reason: reason, again: true}
	}
	return outcome{state: kiosk.JobUnknown, reason: reason}
}

// wire returns how long n bytes take on the wire: 10 bits a byte.
func (p Profile) wire(n int) time.Duration {
	if p.Baud == 0 {
		return 0
	}
	return time.Duration(n*10) * time.Second / time.Duration(p.Baud)
}

// paper returns how long d takes to leave the head.
func (p Profile) paper(d Data) time.Duration {
	return time.Duration(float64(d.Dots) * 25.4 / float64(p.DPI) / float64(p.Speed) * float64(time.Second))
}
