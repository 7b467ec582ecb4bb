package kiosk

import "fmt"

// A State is where a leg of a visit stands.
type State string

// The states of a leg.
const (
	Waiting   State = "waiting"   // in its queue
	Called    State = "called"    // asked to a window, not there yet
	Serving   State = "serving"   // at the window
	Served    State = "served"    // done
	Held      State = "held"      // set aside by the clerk, comes back to the same window
	Skipped   State = "skipped"   // did not come
	Cancelled State = "cancelled" // taken back by the citizen or staff
	Expired   State = "expired"   // the business day ended
)

// Open reports whether a leg in this state can still be served today.
func (s State) Open() bool {
	return s == Waiting || s == Called || s == Serving || s == Held || s == Skipped
}

// AtWindow reports whether a leg in this state occupies a window.
func (s State) AtWindow() bool { return s == Called || s == Serving }

// An Action is what somebody does to a leg.
type Action string

// The actions.
const (
	DoCall     Action = "call"     // call next, or this leg in particular when held or skipped
	DoRecall   Action = "recall"   // call again
	DoStart    Action = "start"    // the citizen is here
	DoDone     Action = "done"     // finished
	DoSkip     Action = "skip"     // the citizen did not come
	DoHold     Action = "hold"     // set aside
	DoTransfer Action = "transfer" // on to another queue or window
	DoRequeue  Action = "requeue"  // a skipped ticket comes back
	DoCancel   Action = "cancel"   // taken back
	DoExpire   Action = "expire"   // closing time
)

// moves is the rule of the domain: what is not in it is not allowed.
var moves = map[State]map[Action]State{
	Waiting: {DoCall: Called, DoCancel: Cancelled, DoExpire: Expired, DoTransfer: Waiting},
	Called:  {DoRecall: Called, DoStart: Serving, DoDone: Served, DoSkip: Skipped, DoHold: Held, DoTransfer: Waiting, DoCancel: Cancelled, DoExpire: Expired},
	Serving: {DoDone: Served, DoHold: Held, DoTransfer: Waiting, DoExpire: Served},
	Held:    {DoCall: Called, DoDone: Served, DoTransfer: Waiting, DoCancel: Cancelled, DoExpire: Expired},
	Skipped: {DoCall: Called, DoRequeue: Waiting, DoCancel: Cancelled, DoExpire: Expired},
}

// Move returns the state that action leads to from s, or a Refusal.
func (s State) Move(a Action) (State, error) {
	if to, ok := moves[s][a]; ok {
		return to, nil
	}
	return s, &Refusal{
		Code: "not_allowed",
		Text: Text{fmt.Sprintf("当前状态（%s）不能执行此操作（%s）", s.Name().ZH, a), fmt.Sprintf("%s is not possible while %s", a, s)},
	}
}

// Name returns the term that halls use.
func (s State) Name() Text {
	switch s {
	case Waiting:
		return Text{"等候", "waiting"}
	case Called:
		return Text{"已叫号", "called"}
	case Serving:
		return Text{"办理中", "serving"}
	case Served:
		return Text{"已办结", "served"}
	case Held:
		return Text{"挂起", "held"}
	case Skipped:
		return Text{"过号", "skipped"}
	case Cancelled:
		return Text{"已取消", "cancelled"}
	case Expired:
		return Text{"已失效", "expired"}
	}
	return Text{string(s), string(s)}
}

// States lists all states, Actions all actions: for tests and documents.
var (
	States  = []State{Waiting, Called, Serving, Served, Held, Skipped, Cancelled, Expired}
	Actions = []Action{DoCall, DoRecall, DoStart, DoDone, DoSkip, DoHold, DoTransfer, DoRequeue, DoCancel, DoExpire}
)

// A Refusal is a request that the rules of the hall turn down: the request was
// understood, nothing was changed, and the sentence may be shown to the person
// who asked.
type Refusal struct {
	Code string `json:"code"` // stable, lower_case, for programs
	Text Text   `json:"text"` // for people
}

// Error returns the English sentence and the code.
func (r *Refusal) Error() string { return r.Text.In("en") + " (" + r.Code + ")" }

// Is makes two refusals of the same code equal for errors.Is.
func (r *Refusal) Is(target error) bool {
	t, ok := target.(*Refusal)
	return ok && t.Code == r.Code
}
