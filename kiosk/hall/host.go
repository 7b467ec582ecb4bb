package hall

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"longcheng/kiosk"
)

// A HostStore decides for the hall. Each method is safe to repeat.
type HostStore interface {
	Issue(ctx context.Context, in kiosk.Intent, may func() error) (kiosk.Issued, error)
	Reserve(ctx context.Context, request string, box kiosk.Origin, wants []kiosk.Want) ([]kiosk.Range, error)
	HandIn(ctx context.Context, h kiosk.HandIn) ([]kiosk.Taken, error)
	Meet(ctx context.Context, h kiosk.Hello) (kiosk.Welcome, error)
	Standing(ctx context.Context) (kiosk.Standing, error)
	Boxes(ctx context.Context, since time.Time) ([]kiosk.Joined, error)
	Undelivered(ctx context.Context, surface string) ([]kiosk.Call, error)
	Deliver(ctx context.Context, d kiosk.Delivered) error
	Copy(ctx context.Context, m kiosk.Mark, limit int) (kiosk.Page, error)
	End() int64
	Watch() (<-chan struct{}, func())
}

// HostOptions are the parts of a Host; all are required but those with a default.
type HostOptions struct {
	Store    HostStore
	Snapshot func(ctx context.Context) (kiosk.Snapshot, error) // shared by many readers
	Who      func(r *http.Request) (device string, ok bool)    // who asks, by its certificate
	Places   func(device string, places []kiosk.Place)         // hears which surfaces a box has
	OnError  func(device string, err error)                    // hears errors that are nobody's refusal
	Standin  func(device string) bool                          // may have a copy of everything; nil: nobody
	Keys     func(have []byte) ([]byte, error)                 // what a stand-in needs beside the journal, unless it has it
	Persons  []byte                                            // the key for identity numbers, which every box gets
	Refused  func(device string, no *kiosk.Refusal)            // hears why a box was not let in; nil: nobody
	Wait     time.Duration                                     // for known boxes after the start; default 3 s
	Recent   time.Duration                                     // a box that was not heard of for longer is not waited for; default 72 h
	Now      func() time.Time
	Program  kiosk.Program // that it runs
}

// A Host answers the boxes of its hall. Run is its loop.
type Host struct {
	o      HostOptions
	mux    *http.ServeMux
	opened chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	missing map[string]bool // boxes that have not presented themselves since the start
	second  second
	streams map[*stream]bool // that are open
	telling *telling         // the latest
	told    chan struct{}    // closed with the first telling
	unread  error            // why there is no later one
}

// NewHost reads who belongs to the hall. After a start the host gives no number
// before every box that was there lately has presented itself, or Wait is over:
// should the host's file be an old copy, they know what it has forgotten. A hall
// of one box does not wait.
func NewHost(ctx context.Context, o HostOptions) (*Host, error) {
	if o.Wait <= 0 {
		o.Wait = 3 * time.Second
	}
	if o.Recent <= 0 {
		o.Recent = 72 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &Host{o: o, mux: http.NewServeMux(), opened: make(chan struct{}), done: make(chan struct{}), told: make(chan struct{}), missing: map[string]bool{}, streams: map[*stream]bool{}}
	boxes, err := o.Store.Boxes(ctx, o.Now().Add(-o.Recent))
	if err != nil {
		return nil, err
	}
	for _, b := range boxes {
		h.missing[b.Box.Device] = true
		o.Places(b.Box.Device, b.Places)
	}
	if len(h.missing) == 0 {
		close(h.opened)
	} else {
		time.AfterFunc(o.Wait, func() { h.met("") })
	}
	h.routes()
	return h, nil
}

// met opens the hall when nobody is missing; "" gives up waiting.
func (h *Host) met(device string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.missing) == 0 {
		return
	}
	delete(h.missing, device)
	if device == "" {
		clear(h.missing)
	}
	if len(h.missing) == 0 {
		close(h.opened)
	}
}

// Issue gives a ticket with the next number: for boxes, and for the host's own desk.
func (h *Host) Issue(ctx context.Context, in kiosk.Intent, may func() error) (kiosk.Issued, error) {
	if err := h.Opened(ctx); err != nil {
		return kiosk.Issued{}, err
	}
	i, err := h.o.Store.Issue(ctx, in, may)
	h.Twice(ctx)
	return i, err
}

// Close ends the streams.
func (h *Host) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.done:
	default:
		close(h.done)
	}
}

// ServeHTTP answers what lies below Base.
func (h *Host) ServeHTTP(rw http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(rw, r) }

func (h *Host) routes() {
	answer(h, pathHello, h.hello)
	answer(h, pathTake, h.take)
	answer(h, pathReserve, h.reserve)
	answer(h, pathHandIn, h.handIn)
	answer(h, pathDelivered, h.delivered)
	answer(h, pathCopy, h.copy)
	h.mux.HandleFunc("GET "+Base+pathState, h.state)
}

// answer serves one kind of request.
func answer[A, T any](h *Host, path string, f func(ctx context.Context, device string, ask A) (T, error)) {
	h.mux.HandleFunc("POST "+Base+path, func(rw http.ResponseWriter, r *http.Request) {
		device, ok := h.o.Who(r)
		var ask A
		var said T
		err := error(&errHost{http.StatusForbidden, "no box of this hall: enrol it"})
		if ok {
			err = readAsk(rw, r, &ask)
		}
		if err == nil && path != pathHello {
			err = h.notBehind(r)
		}
		if err == nil {
			said, err = f(r.Context(), device, ask)
		}
		if err == nil {
			writeJSON(rw, said)
		} else if writeFault(rw, err) && r.Context().Err() == nil {
			h.o.OnError(device, err)
		}
	})
}

// notBehind refuses a box that has seen a later term than this host is in: it has
// to present itself first.
func (h *Host) notBehind(r *http.Request) error {
	seen, _ := strconv.ParseInt(r.Header.Get(termHeader), 10, 64) // none is 0
	st, err := h.o.Store.Standing(r.Context())
	if err == nil && seen > st.Term {
		err = &errHost{http.StatusPreconditionFailed, "the host is in an earlier term than the box has seen: say hello first"}
	}
	return err
}

var notYours = &errHost{http.StatusForbidden, "a box may speak for itself only"}

func (h *Host) hello(ctx context.Context, device string, ask kiosk.Hello) (w kiosk.Welcome, err error) {
	if ask.Box.Device != device || slices.ContainsFunc(ask.Places, func(p kiosk.Place) bool { return !owns(device, p.Name) }) {
		return w, notYours
	}
	if w, err = h.o.Store.Meet(ctx, ask); err == nil {
		w.Persons = h.o.Persons
		w.Host = h.o.Program
		h.o.Places(device, ask.Places)
		h.met(device)
	}
	var no *kiosk.Refusal
	if errors.As(err, &no) && h.o.Refused != nil {
		h.o.Refused(device, no)
	}
	return w, err
}

func (h *Host) take(ctx context.Context, device string, ask kiosk.Intent) (kiosk.Issued, error) {
	if !owns(device, ask.Kiosk) || ask.Request == "" {
		return kiosk.Issued{}, notYours
	}
	ask.Printer = "" // the box prints
	return h.Issue(ctx, ask, nil)
}

func (h *Host) reserve(ctx context.Context, device string, ask wanted) (kiosk.Reserved, error) {
	if ask.Box.Device != device {
		return kiosk.Reserved{}, notYours
	}
	ranges, err := h.o.Store.Reserve(ctx, ask.Request, ask.Box, ask.Wants)
	h.Twice(ctx)
	return kiosk.Reserved{Ranges: ranges}, err
}

func (h *Host) handIn(ctx context.Context, device string, ask kiosk.HandIn) (kiosk.Handed, error) {
	if ask.Box.Device != device {
		return kiosk.Handed{}, notYours
	}
	done, err := h.o.Store.HandIn(ctx, ask)
	h.Twice(ctx)
	return kiosk.Handed{Tickets: done}, err
}

func (h *Host) delivered(ctx context.Context, device string, ask kiosk.Delivered) (struct{}, error) {
	if !owns(device, ask.Surface) {
		return struct{}{}, notYours
	}
	return struct{}{}, h.o.Store.Deliver(ctx, ask)
}

// pause waits for news or the clock; false when the stream is over.
func (h *Host) pause(ctx context.Context, news <-chan struct{}, clock <-chan time.Time) bool {
	select {
	case <-news:
	case <-clock:
	case <-ctx.Done():
		return false
	case <-h.done:
		return false
	}
	return true
}
