package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"longcheng/kiosk"
)

// atWindow says whether the person asking may act for a window: the clerk who
// signed in there, or a supervisor.
func (w *Web) atWindow(ctx context.Context, window string) (Session, error) {
	if !w.hasWindow(window) {
		return Session{}, deny(http.StatusNotFound, "no_window", "没有这个窗口", "there is no such window")
	}
	if s, err := need(ctx, RoleSupervisor); err == nil {
		return s, nil
	}
	s, err := need(ctx, RoleClerk)
	if err == nil && s.Window != window {
		err = deny(http.StatusForbidden, "other_window", "您登录的不是这个窗口", "you are signed in at another window")
	}
	return s, err
}

// WindowPath is the key and the window of a request; huma reads exported parts only.
type WindowPath struct {
	Key
	Window string `path:"window" maxLength:"32"`
}

type actBody struct {
	Visit    string `json:"visit,omitempty" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"empty: the window's current visit"`
	Leg      int64  `json:"leg,omitempty" doc:"empty: the visit's leg that the action fits"`
	Queue    string `json:"queue,omitempty" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"transfer to this queue"`
	To       string `json:"to,omitempty" maxLength:"32" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"transfer to this window"`
	Position string `json:"position,omitempty" enum:"keep,front,end" doc:"place after a transfer"`
	Reason   string `json:"reason,omitempty" maxLength:"200" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters"`
}

type actInput struct {
	WindowPath
	Body *actBody `required:"false"`
}

type stateBody struct {
	Desk   kiosk.Desk `json:"desk" enum:"open,paused,closed"`
	Notice string     `json:"notice,omitempty" maxLength:"80" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"public text while paused"`
	Groups [][]string `json:"groups,omitempty" maxItems:"16" doc:"queues it serves, best group first; empty: those of the hall"`
}

type stateInput struct {
	WindowPath
	Body stateBody
}

var acts = [...]struct {
	action  kiosk.Action
	summary string
}{
	{kiosk.DoRecall, "Call the current visit again"},
	{kiosk.DoStart, "The citizen is here"},
	{kiosk.DoDone, "Finished"},
	{kiosk.DoSkip, "The citizen did not come"},
	{kiosk.DoHold, "Set aside"},
	{kiosk.DoTransfer, "On to another queue or window"},
	{kiosk.DoCancel, "Take the ticket back"},
	{kiosk.DoCall, "Call this visit in particular (held or skipped)"},
	{kiosk.DoRequeue, "A skipped ticket comes back"},
}

func (w *Web) apiWindows(a huma.API) {
	add(w, a, op{"next", "POST", "/windows/{window}/next", "Windows", "Call the next visit", true},
		func(ctx context.Context, in *WindowPath) (*out[kiosk.Call], error) {
			s, err := w.atWindow(ctx, in.Window)
			if err != nil {
				return nil, err
			}
			c, err := w.o.Windows.Next(ctx, kiosk.CallRequest{
				Request: request("next "+in.Window+" "+s.User, in.Key.Key),
				Window:  in.Window, By: s.User,
			})
			return &out[kiosk.Call]{c}, err
		})
	add(w, a, op{"parked", "GET", "/windows/{window}/parked", "Windows", "Visits this window holds or skipped", true},
		func(ctx context.Context, in *struct {
			Window string `path:"window" maxLength:"32"`
		}) (*out[[]kiosk.Leg], error) {
			if _, err := w.atWindow(ctx, in.Window); err != nil {
				return nil, err
			}
			l, err := w.o.State.Parked(ctx, in.Window)
			return &out[[]kiosk.Leg]{list(l)}, err
		})
	for _, x := range acts {
		add(w, a, op{string(x.action), "POST", "/windows/{window}/" + string(x.action), "Windows", x.summary, true},
			func(ctx context.Context, in *actInput) (*out[kiosk.Leg], error) {
				l, err := w.act(ctx, x.action, in)
				return &out[kiosk.Leg]{l}, err
			})
	}
	for _, method := range []string{"POST", "PUT"} {
		add(w, a, op{"window-state-" + method, method, "/windows/{window}/state", "Windows", "Open, pause or close a window", true}, w.setWindow)
	}
}

func (w *Web) act(ctx context.Context, action kiosk.Action, in *actInput) (kiosk.Leg, error) {
	s, err := w.atWindow(ctx, in.Window)
	if err != nil {
		return kiosk.Leg{}, err
	}
	b := actBody{}
	if in.Body != nil {
		b = *in.Body
	}
	return w.o.Windows.Act(ctx, kiosk.ActRequest{
		Request: request(string(action)+" "+in.Window+" "+s.User, in.Key.Key), Action: action,
		Window: in.Window, By: s.User, Visit: b.Visit, Leg: b.Leg, Queue: b.Queue, To: b.To, Position: b.Position, Reason: b.Reason,
	})
}

func (w *Web) setWindow(ctx context.Context, in *stateInput) (*out[kiosk.WindowState], error) {
	s, err := w.atWindow(ctx, in.Window)
	if err != nil {
		return nil, err
	}
	st, err := w.o.Windows.SetWindow(ctx, kiosk.WindowRequest{
		Request: request("state "+in.Window+" "+s.User, in.Key.Key), Window: in.Window, By: s.User,
		Desk: in.Body.Desk, Notice: in.Body.Notice, Groups: in.Body.Groups,
	})
	return &out[kiosk.WindowState]{st}, err
}
