package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"longcheng/kiosk"
)

// request makes the domain's request id from a client's key. The scope keeps
// clients from repeating, and so reading, each other's requests.
func request(scope, key string) string {
	sum := sha256.Sum256([]byte(scope + "\x00" + key))
	return "web-" + timeOf(key) + base64.RawURLEncoding.EncodeToString(sum[:24])
}

var version7 = regexp.MustCompile("^[0-9a-f]{8}-[0-9a-f]{4}-7")

// timeOf is the time that a UUID of version 7 begins with, or nothing. The ids of
// one moment are then neighbours in the store's index: one page is synced for many.
func timeOf(key string) string {
	if !version7.MatchString(key) {
		return ""
	}
	return key[:len("xxxxxxxx-xxxx")]
}

type ticketBody struct {
	Kiosk string `json:"kiosk" minLength:"1" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"touch page or box at which the ticket is taken"`
	Item  string `json:"item,omitempty" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters"`
	Flow  string `json:"flow,omitempty" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"staff only"`
	Stage string `json:"stage,omitempty" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"staff only"`
	Class string `json:"class,omitempty" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"claimed priority class"`
	Card  string `json:"card,omitempty" maxLength:"128" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"token of the identity card on the reader"`
	Code  string `json:"code,omitempty" maxLength:"128" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"appointment code"`
	Print bool   `json:"print,omitempty" default:"true" doc:"false: no paper"`
}

// TicketView is a visit and where it stands.
type TicketView struct {
	Visit    kiosk.Visit   `json:"visit"`
	Ahead    int           `json:"ahead" doc:"people before it"`
	Estimate time.Duration `json:"estimate_ns" doc:"expected wait in nanoseconds; 0 when unknown"`
	At       time.Time     `json:"at" doc:"the server's clock"`
	Shown    []Proof       `json:"shown,omitempty" doc:"displays that have proved that they showed or spoke a call that holds"`
}

// A Proof says that a display has shown, or a voice has spoken, the call of a leg.
type Proof struct {
	Leg     int64     `json:"leg"`
	Surface string    `json:"surface" doc:"such as strip:1, wall:main, voice:hall"`
	At      time.Time `json:"at" doc:"when it acknowledged"`
}

func (w *Web) apiTickets(a huma.API) {
	add(w, a, op{"take-ticket", "POST", "/tickets", "Tickets", "Take a ticket", false},
		func(ctx context.Context, in *struct {
			Key
			Body ticketBody
		}) (*out[kiosk.Issued], error) {
			i, err := w.take(ctx, in.Key.Key, in.Body)
			return &out[kiosk.Issued]{i}, err
		})
	add(w, a, op{"get-ticket", "GET", "/tickets/{id}", "Tickets", "Where a visit stands; the id is the secret on the ticket", false},
		func(ctx context.Context, in *struct {
			ID string `path:"id" minLength:"1" maxLength:"64"`
		}) (*out[TicketView], error) {
			v, err := w.ticket(ctx, in.ID)
			return &out[TicketView]{v}, err
		})
}

func (w *Web) take(ctx context.Context, key string, b ticketBody) (kiosk.Issued, error) {
	printer, ok := w.o.Printers[b.Kiosk]
	if !ok {
		return kiosk.Issued{}, deny(http.StatusNotFound, "no_kiosk", "没有这台取号机", "there is no such kiosk")
	}
	in := kiosk.Intent{Kiosk: b.Kiosk, Channel: kiosk.ByTouch, Item: b.Item, Flow: b.Flow, Stage: b.Stage, Class: b.Class, Code: b.Code}
	if b.Print {
		in.Printer = printer
	}
	who, signed := sessionOf(ctx)
	scope := "take " + b.Kiosk + " " + who.User
	switch {
	case signed && len(who.Roles) == 1 && who.Roles[0] == RoleSystem:
		in.Channel = kiosk.ByAPI
	case signed:
		in.Channel = kiosk.ByDesk
	case b.Flow != "" || b.Stage != "":
		return kiosk.Issued{}, deny(http.StatusForbidden, "desk_only", "该事项请到咨询台办理", "please ask at the desk for this")
	case !w.pace.allow(b.Kiosk, w.o.Now()):
		return kiosk.Issued{}, deny(http.StatusTooManyRequests, "too_fast", "操作太快，请稍候", "too many requests, please wait a moment")
	}
	if b.Code != "" && !signed {
		in.Channel = kiosk.ByAppointment
	}
	in.Request = request(scope, key)
	if gone := w.present(&in, b.Card); gone != nil {
		// The answer may have been lost with the daemon that knew the card.
		if given, ok, err := w.o.Tickets.Answered(ctx, in.Request); ok || err != nil {
			return given, err
		}
		return kiosk.Issued{}, gone
	}
	return w.o.Tickets.Take(ctx, in)
}

// present puts the person behind a card's token into the intent.
func (w *Web) present(in *kiosk.Intent, token string) error {
	if token == "" {
		return nil
	}
	gone := &kiosk.Refusal{Code: "card_gone", Text: kiosk.Text{ZH: "身份证信息已失效，请重新放置身份证", EN: "place the identity card on the reader again"}}
	if w.o.Touch == nil {
		return gone
	}
	person, name, class, ok := w.o.Touch.Present(token)
	if !ok {
		return gone
	}
	in.Person, in.Name = person, name
	if in.Class == "" {
		in.Class = class
	}
	if in.Channel == kiosk.ByTouch {
		in.Channel = kiosk.ByCard
	}
	return nil
}

func (w *Web) ticket(ctx context.Context, id string) (TicketView, error) {
	v, err := w.o.Tickets.Visit(ctx, id)
	if err != nil {
		return TicketView{}, err
	}
	ahead, wait, err := w.o.Tickets.Ahead(ctx, id)
	if err != nil {
		return TicketView{}, err
	}
	v.Legs = list(v.Legs)
	shown, err := w.shown(ctx, v)
	return TicketView{Visit: v, Ahead: ahead, Estimate: wait, At: w.o.Now().UTC(), Shown: shown}, err
}

// shown lists the proofs of the calls of a visit that hold now. Why a display has
// not shown one is for staff.
func (w *Web) shown(ctx context.Context, v kiosk.Visit) (list []Proof, err error) {
	called := map[int64]int64{} // leg by call
	for _, l := range v.Legs {
		if l.State == kiosk.Called {
			called[l.Call] = l.ID
		}
	}
	if len(called) == 0 {
		return nil, nil
	}
	s, err := w.o.State.Snapshot(ctx)
	for _, c := range s.Calls {
		leg, ok := called[c.Seq]
		for _, d := range c.Delivery {
			if ok && !d.At.IsZero() {
				list = append(list, Proof{leg, d.Surface, d.At})
			}
		}
	}
	return list, err
}
