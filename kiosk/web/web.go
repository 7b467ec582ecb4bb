package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"longcheng/kiosk"
	"longcheng/kiosk/signin"
)

// Tickets gives and finds tickets. Take is safe to repeat with the same
// Intent.Request and returns only after the ticket would survive a power cut; a
// *kiosk.Refusal means that nothing was promised.
type Tickets interface {
	Take(ctx context.Context, in kiosk.Intent) (kiosk.Issued, error)
	// Answered returns the ticket that a request was given earlier.
	Answered(ctx context.Context, request string) (kiosk.Issued, bool, error)
	Visit(ctx context.Context, id string) (kiosk.Visit, error)
	Ahead(ctx context.Context, visit string) (int, time.Duration, error)
}

// Windows is what clerks do. Every method is safe to repeat with the same
// Request; a *kiosk.Refusal means that nothing was changed.
type Windows interface {
	Next(ctx context.Context, r kiosk.CallRequest) (kiosk.Call, error)
	Act(ctx context.Context, r kiosk.ActRequest) (kiosk.Leg, error)
	SetWindow(ctx context.Context, r kiosk.WindowRequest) (kiosk.WindowState, error)
	Grant(ctx context.Context, r kiosk.GrantRequest) (kiosk.Visit, error)
	Reprint(ctx context.Context, r kiosk.ReprintRequest) (kiosk.Job, error)
}

// Hall reads what everyone may see and keeps what is not a ticket. Watch returns
// a channel that receives after changes (several may become one) and a function
// that ends the watch.
type Hall interface {
	Snapshot(ctx context.Context) (kiosk.Snapshot, error)
	Watch() (<-chan struct{}, func())
	Find(ctx context.Context, number string) (kiosk.Visit, error)
	Waiting(ctx context.Context, queue string) ([]kiosk.Leg, error)
	Parked(ctx context.Context, window string) ([]kiosk.Leg, error)
	SignedOut(ctx context.Context, since time.Time) (sessions []string, err error)
	Journal(ctx context.Context, after int64, limit int) ([]kiosk.Event, error)
	Book(ctx context.Context, a kiosk.Appointment) (kiosk.Appointment, error)
	Note(ctx context.Context, kind kiosk.Kind, body any) error
}

// Touch is what the machine around a touch page knows: its printer and the card
// on its reader. Present resolves the token of a card that State showed; the
// token is good for a short time only.
type Touch interface {
	State(kioskName string) TouchState
	Watch() (<-chan struct{}, func())
	Present(token string) (person, name, class string, ok bool)
}

// A TouchState is what a touch page shows beside the hall's state.
type TouchState struct {
	PrinterReady bool       `json:"printer_ready"`
	PrinterText  kiosk.Text `json:"printer_text,omitzero"` // why not ready, or that paper is low
	Card         *Presented `json:"card,omitempty"`
	Last         *Outcome   `json:"last,omitempty"`
	Note         *Note      `json:"note,omitempty"`
	Person       *bool      `json:"person,omitempty"` // somebody stands there; nil without a sensor
}

// A Note is what the card reader or scanner has to say, such as "please lift the
// card"; pages show it for some seconds.
type Note struct {
	Text kiosk.Text `json:"text"`
	At   time.Time  `json:"at"`
}

// Presented is an identity card that lies on the reader.
type Presented struct {
	Token    string    `json:"token"`
	Name     string    `json:"name"`                // masked
	AgeClass string    `json:"age_class,omitempty"` // Class.ID that the card's age grants
	Expires  time.Time `json:"expires"`
}

// An Outcome is the end of a request that was not made on the page: by button,
// card or appointment code. Exactly one of Issued and Refusal is set.
type Outcome struct {
	Issued  *kiosk.Issued  `json:"issued,omitempty"`
	Refusal *kiosk.Refusal `json:"refusal,omitempty"`
	At      time.Time      `json:"at"`
	Channel kiosk.Channel  `json:"channel"`
}

// Options are the parts and settings of a Web. Hall, Tickets, Windows, State and
// Key are required.
type Options struct {
	Hall    *kiosk.Hall
	Tickets Tickets
	Windows Windows
	State   Hall
	Touch   Touch // nil: the printer is taken for ready and there is no card reader

	Printers map[string]string               // touch page name -> printer; pages not listed do not exist
	Walls    []string                        // names of the big screens, whose pages are /wall/NAME/
	Users    []User                          // who may sign in
	Key      []byte                          // at least 32 secret bytes that sign sessions
	Secure   bool                            // served over TLS: cookies are marked Secure
	Streams  int                             // concurrent streams; default 512
	OnError  func(request string, err error) // hears every error that became a 500
	Now      func() time.Time                // default time.Now
}

// Validate says what is missing.
func (o Options) Validate() error {
	switch {
	case o.Hall == nil || o.Tickets == nil || o.Windows == nil || o.State == nil:
		return errors.New("web options: hall, tickets, windows and state are required")
	case len(o.Key) < 32:
		return errors.New("web options: key: 32 secret bytes are required to sign sessions")
	}
	for _, u := range o.Users {
		if err := u.check(); err != nil {
			return fmt.Errorf("web options: %w", err)
		}
	}
	return nil
}

// Web serves the API and the pages; make one with New.
type Web struct {
	o        Options
	cat      Catalogue
	users    map[string]User
	tries    *signin.Tries
	doorman  *signin.Doorman
	revoked  *revoked
	snapshot shared
	streams  chan struct{}

	listening listeners // touch pages
	pace      *pace
	done      chan struct{} // closed when the server shuts down: ends streams
	spec      []byte
	handler   http.Handler
}

// New builds the handlers; it does no I/O.
func New(o Options) (*Web, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Streams <= 0 {
		o.Streams = 512
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Web{
		o: o, cat: catalogue(o.Hall), users: map[string]User{}, tries: signin.NewTries(),
		doorman: signin.NewDoorman(), revoked: newRevoked(), pace: newPace(),
		streams: make(chan struct{}, o.Streams), done: make(chan struct{}),
	}
	for _, u := range o.Users {
		w.users[u.Name] = u
	}
	mux := http.NewServeMux()
	w.api(mux)
	w.pages(mux)
	w.handler = w.guard(mux)
	return w, nil
}

// ServeHTTP serves the API and the pages.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }

// OpenAPI returns the OpenAPI 3.1 document of the API.
func (w *Web) OpenAPI() []byte { return w.spec }

// Server returns an HTTP server for h with the limits that hostile clients need:
// 5 s for headers of at most 16 KiB, 15 s for a request and for its answer. Its
// Shutdown ends the streams of w first. Use h to put other pages beside w; nil
// means w alone. Call Server once per Web.
func (w *Web) Server(h http.Handler) *http.Server {
	if h == nil {
		h = w
	}
	s := limited(h)
	s.RegisterOnShutdown(func() { close(w.done) })
	return s
}

func limited(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
	}
}
