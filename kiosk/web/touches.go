package web

import (
	"longcheng/kiosk"
	"longcheng/kiosk/ticketing"
)

// Touches shows the screens of a desk on the touch pages.
func Touches(desk *ticketing.Desk) Touch { return touches{desk} }

type touches struct{ *ticketing.Desk }

func (t touches) State(name string) TouchState {
	screen, ok := t.Screen(name)
	if !ok {
		return TouchState{PrinterText: kiosk.Text{ZH: "没有此取号机", EN: "There is no such kiosk"}}
	}
	var state TouchState
	state.PrinterText, state.PrinterReady = t.Ready(name)
	state.Person = screen.Person
	if n := screen.Note; n != nil {
		state.Note = &Note{n.Text, n.At}
	}
	if c := screen.Card; c != nil {
		state.Card = &Presented{Token: c.Token, Name: c.Name, AgeClass: c.Class, Expires: c.Until}
	}
	// What was asked for on the page is answered to the page.
	if o := screen.Last; o != nil && o.Channel != kiosk.ByTouch && o.Channel != kiosk.ByCard {
		state.Last = &Outcome{Issued: o.Issued, Refusal: o.Refusal, At: o.At, Channel: o.Channel}
	}
	return state
}

func (t touches) Present(token string) (person, name, class string, ok bool) {
	return t.Resolve(token)
}
