package kiosk

import (
	"fmt"
	"time"
)

// A Candidate is the head of one queue, as far as choosing needs to know it.
type Candidate struct {
	Leg      int64
	Number   string
	Class    string
	Credit   time.Duration // zero for the ordinary class
	Arrival  time.Time     // real arrival or appointment time
	Virtual  time.Time     // Arrival minus Credit
	Priority bool          // belongs to a class with credit
}

// A Why is the reason of a call in parts, so that it can be told in any language.
type Why struct {
	Rule   WhyRule    `json:"rule"`
	Chosen Contender  `json:"chosen"`
	Passed *Contender `json:"passed,omitempty"` // head of the other line, which waits on
	Run    int        `json:"run,omitempty"`    // priority calls made in a row before this one
	Was    State      `json:"was,omitempty"`    // WhyNamed: the state it was called from
	By     string     `json:"by,omitempty"`     // WhyNamed: who asked for it
}

// A WhyRule names what decided a call.
type WhyRule string

// The rules, in the order they are asked.
const (
	WhyNamed   WhyRule = "named"   // a clerk asked for this visit: recalled, held or skipped before
	WhyOnly    WhyRule = "only"    // nobody waits in the other line
	WhyRun     WhyRule = "run"     // enough priority calls in a row were made
	WhyEarlier WhyRule = "earlier" // the earlier virtual arrival
)

// A Contender is a head of a line as it stood when the call was decided.
type Contender struct {
	Number  string    `json:"number"`
	Arrival time.Time `json:"arrival,omitzero"`
	Class   string    `json:"class,omitempty"` // Class.ID; empty for the ordinary class
	CreditS int       `json:"credit_s,omitempty"`
	Virtual time.Time `json:"virtual,omitzero"` // Arrival minus the credit
}

// Choose returns which of two heads is called next and why: the earliest virtual
// arrival, unless run priority calls in a row have already been made while
// somebody without priority waits and limit says that is enough. Either head may
// be nil; with both nil there is nobody.
func Choose(ordinary, priority *Candidate, run, limit int) (*Candidate, Why) {
	switch {
	case ordinary == nil && priority == nil:
		return nil, Why{}
	case priority == nil:
		return ordinary, Why{Rule: WhyOnly, Chosen: ordinary.contender()}
	case ordinary == nil:
		return priority, Why{Rule: WhyOnly, Chosen: priority.contender()}
	case run >= limit:
		return ordinary, ordinary.before(priority, WhyRun, run)
	case priority.Virtual.Before(ordinary.Virtual):
		return priority, priority.before(ordinary, WhyEarlier, run)
	}
	return ordinary, ordinary.before(priority, WhyEarlier, run)
}

func (c *Candidate) contender() Contender {
	p := Contender{Number: c.Number, Arrival: c.Arrival}
	if c.Priority {
		p.Class, p.CreditS, p.Virtual = c.Class, int(c.Credit/time.Second), c.Virtual
	}
	return p
}

func (c *Candidate) before(other *Candidate, rule WhyRule, run int) Why {
	passed := other.contender()
	return Why{Rule: rule, Chosen: c.contender(), Passed: &passed, Run: run}
}

// Sentence tells the reason in English, for the journal.
func (w Why) Sentence(loc *time.Location) string {
	switch {
	case w.Rule == WhyNamed:
		return w.Chosen.Number + " was " + string(w.Was) + " and is called by " + w.By
	case w.Rule == WhyOnly:
		return w.Chosen.Number + " is first: " + w.Chosen.story(loc)
	case w.Rule == WhyRun && w.Passed != nil:
		return fmt.Sprintf("%s %s; %d priority calls in a row were made, so %s waits for one ordinary call",
			w.Chosen.Number, w.Chosen.story(loc), w.Run, w.Passed.Number)
	case w.Passed != nil:
		return fmt.Sprintf("%s %s; %s %s", w.Chosen.Number, w.Chosen.story(loc), w.Passed.Number, w.Passed.story(loc))
	}
	return ""
}

func (c Contender) story(loc *time.Location) string {
	clock := func(t time.Time) string { return t.In(loc).Format("15:04:05") }
	if c.CreditS == 0 {
		return "arrived " + clock(c.Arrival)
	}
	return fmt.Sprintf("arrived %s, %s credit %d min, counts as %s", clock(c.Arrival), c.Class, c.CreditS/60, clock(c.Virtual))
}
