package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"longcheng/kiosk"
)

func (w *Web) apiCatalogue(a huma.API) {
	get(w, a, op{"hall", "GET", "/hall", "Catalogue", "The whole catalogue", false}, func() Catalogue { return w.cat })
	get(w, a, op{"departments", "GET", "/departments", "Catalogue", "Departments", false}, func() []DepartmentInfo { return w.cat.Departments })
	get(w, a, op{"items", "GET", "/items", "Catalogue", "Items", false}, func() []ItemInfo { return w.cat.Items })
	type queueView struct {
		QueueInfo
		State kiosk.QueueState `json:"state"`
	}
	add(w, a, op{"queues", "GET", "/queues", "Catalogue", "Queues and how many wait", false},
		func(ctx context.Context, _ *struct{}) (*out[[]queueView], error) {
			s, err := w.view(ctx)
			v := []queueView{}
			for _, q := range w.cat.Queues {
				i := slices.IndexFunc(s.Queues, func(x kiosk.QueueState) bool { return x.Queue == q.ID })
				st := kiosk.QueueState{Queue: q.ID}
				if i >= 0 {
					st = s.Queues[i]
				}
				v = append(v, queueView{q, st})
			}
			return &out[[]queueView]{v}, err
		})
	type windowView struct {
		WindowInfo
		State kiosk.WindowState `json:"state"`
	}
	add(w, a, op{"windows", "GET", "/windows", "Catalogue", "Windows and their state", false},
		func(ctx context.Context, _ *struct{}) (*out[[]windowView], error) {
			s, err := w.view(ctx)
			v := []windowView{}
			for _, x := range w.cat.Windows {
				i := slices.IndexFunc(s.Windows, func(y kiosk.WindowState) bool { return y.Window == x.ID })
				st := kiosk.WindowState{Window: x.ID, Desk: kiosk.Closed, Groups: x.Groups}
				if i >= 0 {
					st = s.Windows[i]
				}
				v = append(v, windowView{x, st})
			}
			return &out[[]windowView]{v}, err
		})
}

// get registers a reading that cannot fail.
func get[T any](w *Web, a huma.API, o op, f func() T) {
	add(w, a, o, func(context.Context, *struct{}) (*out[T], error) { return &out[T]{f()}, nil })
}

type doneBody struct {
	OK bool `json:"ok"`
}

func (w *Web) apiVisits(a huma.API) {
	type grant struct {
		Class  string `json:"class" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"class to grant; empty: the ordinary one"`
		Reason string `json:"reason" minLength:"1" maxLength:"200" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters"`
	}
	add(w, a, op{"grant", "POST", "/visits/{id}/grant", "Visits", "Grant a priority class", true},
		func(ctx context.Context, in *struct {
			Key
			ID   string `path:"id" maxLength:"64"`
			Body grant
		}) (*out[doneBody], error) {
			s, err := need(ctx, RoleClerk, RoleSupervisor)
			if err != nil {
				return nil, err
			}
			_, err = w.o.Windows.Grant(ctx, kiosk.GrantRequest{
				Request: request("grant "+in.ID+" "+s.User, in.Key.Key), Visit: in.ID, Class: in.Body.Class, By: s.User, Reason: in.Body.Reason,
			})
			return &out[doneBody]{doneBody{err == nil}}, err
		})
	type reprint struct {
		Printer string `json:"printer,omitempty" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"empty: the printer of the kiosk where it was taken"`
		Reason  string `json:"reason" minLength:"1" maxLength:"200" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters"`
	}
	add(w, a, op{"reprint", "POST", "/visits/{id}/reprint", "Visits", "Print a marked copy", true},
		func(ctx context.Context, in *struct {
			Key
			ID   string `path:"id" maxLength:"64"`
			Body reprint
		}) (*out[kiosk.Job], error) {
			j, err := w.reprint(ctx, in.Key.Key, in.ID, in.Body.Printer, in.Body.Reason)
			return &out[kiosk.Job]{j}, err
		})
}

func (w *Web) reprint(ctx context.Context, key, visit, printer, reason string) (kiosk.Job, error) {
	s, err := need(ctx, RoleClerk, RoleSupervisor)
	if err != nil {
		return kiosk.Job{}, err
	}
	if printer == "" {
		v, err := w.o.Tickets.Visit(ctx, visit)
		if err != nil {
			return kiosk.Job{}, err
		}
		printer = w.o.Printers[v.Kiosk]
	}
	if printer == "" {
		return kiosk.Job{}, deny(http.StatusConflict, "no_printer", "没有可用的打印机", "name a printer: the ticket's kiosk has none")
	}
	return w.o.Windows.Reprint(ctx, kiosk.ReprintRequest{
		Request: request("reprint "+visit+" "+s.User, key), Visit: visit, Printer: printer, By: s.User, Reason: reason,
	})
}

type bookBody struct {
	Code string    `json:"code" minLength:"1" maxLength:"128" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"what the citizen's QR holds"`
	Item string    `json:"item" minLength:"1" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters"`
	At   time.Time `json:"at"`
	Name string    `json:"name,omitempty" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"stored masked"`
}

func (w *Web) apiHall(a huma.API) {
	add(w, a, op{"calls", "GET", "/calls", "Hall", "The latest calls", false},
		func(ctx context.Context, _ *struct{}) (*out[[]kiosk.Call], error) {
			s, err := w.view(ctx)
			return &out[[]kiosk.Call]{list(s.Calls)}, err
		})
	add(w, a, op{"state", "GET", "/state", "Hall", "The state that the stream sends", false},
		func(ctx context.Context, _ *struct{}) (*out[kiosk.Snapshot], error) {
			s, err := w.view(ctx)
			return &out[kiosk.Snapshot]{s}, err
		})
	add(w, a, op{"waiting", "GET", "/queues/{queue}/waiting", "Hall", "Who waits, in order", true},
		func(ctx context.Context, in *struct {
			Queue string `path:"queue" maxLength:"64"`
		}) (*out[[]kiosk.Leg], error) {
			if _, err := need(ctx, RoleClerk, RoleSupervisor); err != nil {
				return nil, err
			}
			l, err := w.o.State.Waiting(ctx, in.Queue)
			return &out[[]kiosk.Leg]{list(l)}, err
		})
	add(w, a, op{"find", "GET", "/visits", "Visits", "Find today's visit by its number", true},
		func(ctx context.Context, in *struct {
			Number string `query:"number" required:"true" minLength:"1" maxLength:"16" pattern:"^[0-9A-Za-z-]+$" patternDescription:"letters and digits"`
		}) (*out[kiosk.Visit], error) {
			if _, err := need(ctx, RoleClerk, RoleSupervisor); err != nil {
				return nil, err
			}
			v, err := w.o.State.Find(ctx, in.Number)
			v.Legs = list(v.Legs)
			return &out[kiosk.Visit]{v}, err
		})
	add(w, a, op{"journal", "GET", "/journal", "Hall", "Everything that happened, in order", true},
		func(ctx context.Context, in *struct {
			After int64 `query:"after" minimum:"0" default:"0"`
			Limit int   `query:"limit" minimum:"1" maximum:"500" default:"100"`
		}) (*out[[]kiosk.Event], error) {
			if _, err := need(ctx, RoleSupervisor); err != nil {
				return nil, err
			}
			e, err := w.o.State.Journal(ctx, in.After, in.Limit)
			return &out[[]kiosk.Event]{list(e)}, err
		})
	add(w, a, op{"book", "POST", "/appointments", "Hall", "Book an appointment", true},
		func(ctx context.Context, in *struct {
			Key
			Body bookBody
		}) (*out[kiosk.Appointment], error) {
			s, err := need(ctx, RoleSystem, RoleSupervisor)
			if err != nil {
				return nil, err
			}
			b, err := w.o.State.Book(ctx, kiosk.Appointment{
				Request: request("book "+s.User, in.Key.Key), Code: in.Body.Code, Item: in.Body.Item, At: in.Body.At, Name: kiosk.MaskName(in.Body.Name),
			})
			return &out[kiosk.Appointment]{b}, err
		})
}
