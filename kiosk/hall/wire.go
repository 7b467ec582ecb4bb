package hall

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"longcheng/kiosk"
)

// Base is the path below which version 1 of the hall's protocol is spoken.
const Base = "/hall/v1"

// The paths below Base.
const (
	pathHello     = "/hello"     // POST Hello: Welcome
	pathTake      = "/take"      // POST Intent: Issued
	pathReserve   = "/reserve"   // POST wanted: Reserved
	pathHandIn    = "/handin"    // POST HandIn: Handed
	pathDelivered = "/delivered" // POST Delivered: nothing
	pathCopy      = "/copy"      // POST copyAsk: copyPage, from a stand-in alone
	pathState     = "/state"     // GET ?surface=...&window=...&queue=...&steps: event stream of states
)

// termHeader carries the highest term that the asker has seen.
const termHeader = "Longcheng-Term"

const (
	maxAsk   = 1 << 20                // bytes of a request
	maxSaid  = 8 << 20                // bytes of an answer, or of one state
	beat     = 2 * time.Second        // a stream says something at least this often
	silence  = 3 * beat               // after which a stream is dead
	slow     = 5 * time.Second        // a client that has not taken a write by then is dropped
	spread   = 20 * time.Millisecond  // between two tellings, at least
	perBox   = time.Millisecond       // between two states without a call, for each box that is connected
	anew     = time.Minute            // after which a state is whole again
	patience = 300 * time.Millisecond // for a ticket; a citizen stands there
	answerIn = 10 * time.Second       // for everything else
)

// A State is the hall as one box needs it: its windows and their calls, and its
// queues. It is whole, or with Since what has changed: the lists of Snapshot then
// hold what is new since that telling, and Latest which calls it has now.
type State struct {
	Standing kiosk.Standing          `json:"standing"`
	Telling  int64                   `json:"telling,omitempty"`
	Since    int64                   `json:"since,omitempty"`
	Latest   []int64                 `json:"latest,omitempty"`
	Snapshot kiosk.Snapshot          `json:"snapshot"`
	Owed     map[string][]kiosk.Call `json:"owed,omitempty"` // by surface: calls that it has not acknowledged
}

// onto returns the whole state that s makes of the last one.
func (s State) onto(last State) (State, error) {
	if s.Since == 0 {
		return s, nil
	}
	if s.Since != last.Telling {
		return s, fmt.Errorf("the hall host tells what is new since telling %d, and this box has telling %d", s.Since, last.Telling)
	}
	news := s.Snapshot
	s.Snapshot.Windows = replaced(last.Snapshot.Windows, news.Windows, func(w kiosk.WindowState) string { return w.Window })
	s.Snapshot.Queues = replaced(last.Snapshot.Queues, news.Queues, func(q kiosk.QueueState) string { return q.Queue })
	s.Snapshot.Calls = nil
	known := map[int64]kiosk.Call{}
	for _, c := range append(slices.Clone(last.Snapshot.Calls), news.Calls...) {
		known[c.Seq] = c
	}
	for _, seq := range s.Latest {
		c, ok := known[seq]
		if !ok {
			return s, fmt.Errorf("the hall host has call %d, and never told of it", seq)
		}
		s.Snapshot.Calls = append(s.Snapshot.Calls, c)
	}
	return s, nil
}

// replaced returns a copy of list with what is new in its place.
func replaced[T any](list, news []T, name func(T) string) []T {
	list = slices.Clone(list)
	for _, v := range news {
		if i := slices.IndexFunc(list, func(o T) bool { return name(o) == name(v) }); i >= 0 {
			list[i] = v
		}
	}
	return list
}

type wanted struct {
	Request string       `json:"request"`
	Box     kiosk.Origin `json:"box"`
	Wants   []kiosk.Want `json:"wants"`
}

// A fault is the body of every answer that is no success. With a Code of the
// hall's rules it is a refusal; otherwise the host could not decide.
type fault struct {
	Refusal *kiosk.Refusal `json:"refusal,omitempty"`
	Title   string         `json:"title,omitempty"`
}

// errHost is an answer of a host that did not decide.
type errHost struct {
	status int
	title  string
}

// Error names the status and what the host said.
func (e *errHost) Error() string {
	return fmt.Sprintf("the hall host said: %s (%d)", e.title, e.status)
}

func writeJSON(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(v) // the client may be gone
}

func writeFault(rw http.ResponseWriter, err error) (unexpected bool) {
	var no *kiosk.Refusal
	var own *errHost
	f, status := fault{}, http.StatusInternalServerError
	switch {
	case errors.As(err, &no):
		f.Refusal, status = no, http.StatusConflict
	case errors.As(err, &own):
		f.Title, status = own.title, own.status
	default:
		f.Title, unexpected = "the host could not decide: look at its log", true
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(f) // the client may be gone
	return unexpected
}

// readAsk reads a bounded request.
func readAsk(rw http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxAsk))
	if err := d.Decode(v); err != nil {
		return &errHost{http.StatusBadRequest, "the request cannot be read: do both boxes have the same version?"}
	}
	return nil
}

// readSaid reads a bounded answer into v.
func readSaid(res *http.Response, v any) error {
	said, err := io.ReadAll(io.LimitReader(res.Body, maxSaid))
	if err != nil {
		return fmt.Errorf("ask the hall host: %w", err)
	}
	if res.StatusCode/100 == 2 {
		if v == nil {
			return nil
		}
		if err := json.Unmarshal(said, v); err != nil {
			return fmt.Errorf("ask the hall host: the answer cannot be read: %w: do both boxes have the same version?", err)
		}
		return nil
	}
	var f fault
	if json.Unmarshal(said, &f) == nil && f.Refusal != nil {
		return f.Refusal
	}
	if f.Title == "" {
		f.Title = "no answer of a hall host: check the address"
	}
	return &errHost{res.StatusCode, f.Title}
}

// owns reports whether a name belongs to a device: "kiosk-2/touch-1".
func owns(device, name string) bool {
	return len(name) <= 128 && strings.HasPrefix(name, device+"/")
}

// Named is a name of one box, unique in the hall.
func Named(device, name string) string { return device + "/" + name }
