// Package commission is what a technician does with a new box: it finds what
// hangs on the ports, proposes a configuration, tests one device after the other
// with a plain verdict, asks a printer what it is, and keeps on a tape what a
// misbehaving device said. Kioskctl, the acceptance test and the technician's
// page use it.
//
// It needs the ports for itself: while kioskd runs it is told so, with the
// remedy. It prints no personal data and keeps none: a card that is read for a
// test is wiped, and of what was on it the verdict tells the kind.
package commission

import (
	"context"
	"time"

	"longcheng/kiosk"
)

// A Person sees and does what a machine cannot: at a terminal, or at the touch
// screen.
type Person interface {
	// Begin says what is tested now: the nth of so many.
	Begin(device string, n, of int)
	// Tell says what is to be done now.
	Tell(what kiosk.Text)
	// Ask asks a question. The error ends the test.
	Ask(ctx context.Context, q Question) (Answer, error)
	// Review shows what came of an acceptance test. It names a device of the sheet
	// that is to be tested again, or nothing when that is the result.
	Review(ctx context.Context, s Sheet) (again string, err error)
}

// A Question is about what was just shown, printed or played.
type Question struct {
	Text    kiosk.Text
	Picture []byte // PNG of what should be seen; empty where nothing can be drawn
}

// An Answer is what a person says to a question.
type Answer string

// The answers.
const (
	Yes   Answer = "yes"
	No    Answer = "no"
	Again Answer = "again" // show it once more: the test of the device begins anew
)

// A Result is how one step of a test ended.
type Result string

// The results.
const (
	Good    Result = "good"
	Bad     Result = "bad"
	Skipped Result = "skipped" // nobody could say
)

// A Step is one thing that was tried.
type Step struct {
	What   kiosk.Text `json:"what"`
	Result Result     `json:"result"`
	Detail kiosk.Text `json:"detail"`

	Picture []byte `json:"picture,omitempty"` // PNG of what was shown, printed or touched
}

// A Verdict is how one device did.
type Verdict struct {
	Device string        `json:"device"` // kind and name, such as "printer printer-1"
	Port   string        `json:"port,omitempty"`
	Good   bool          `json:"good"`
	Steps  []Step        `json:"steps"`
	Remedy kiosk.Text    `json:"remedy"` // empty when good
	Begun  time.Time     `json:"begun"`
	Took   time.Duration `json:"took_ns"`
}

func (v *Verdict) add(r Result, what, detail kiosk.Text) {
	v.Steps = append(v.Steps, Step{What: what, Result: r, Detail: detail})
}

// picture adds to the last step what was shown.
func (v *Verdict) picture(png []byte) { v.Steps[len(v.Steps)-1].Picture = png }

// end fills in what the steps say together.
func (v *Verdict) end(now time.Time) {
	v.Took = now.Sub(v.Begun)
	v.Good = len(v.Steps) > 0
	for _, s := range v.Steps {
		v.Good = v.Good && s.Result != Bad
	}
	if v.Good {
		v.Remedy = kiosk.Text{}
	}
}

// Text returns the verdict in a word.
func (v Verdict) Text() kiosk.Text {
	if v.Good {
		return say("合格", "good")
	}
	return say("不合格", "not good")
}

func say(zh, en string) kiosk.Text { return kiosk.Text{ZH: zh, EN: en} }
