package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"longcheng/kiosk"
)

const (
	heartbeat = 10 * time.Second      // a page that hears nothing for longer knows it is cut off
	slow      = 5 * time.Second       // a client that has not taken a write by then is dropped
	spread    = 30 * time.Millisecond // between two messages, at least
)

// stream sends read's value at once, after every signal and at every heartbeat.
// Each message is whole, so that a lost one costs nothing; signals that come while
// one is written become one. A read that returns nil has nothing new to tell.
func (w *Web) stream(rw http.ResponseWriter, r *http.Request, read func(context.Context) (any, error), watch ...func() (<-chan struct{}, func())) {
	select {
	case w.streams <- struct{}{}:
		defer func() { <-w.streams }()
	default:
		rw.Header().Set("Retry-After", "5")
		w.fail(rw, r, deny(http.StatusServiceUnavailable, "streams", "连接数已满", "too many streams are open"))
		return
	}
	signals := [2]<-chan struct{}{} // nil channels never fire
	for i, f := range watch {
		c, stop := f()
		defer stop()
		signals[i] = c
	}
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("X-Accel-Buffering", "no")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for w.send(rw, r, read) == nil {
		select {
		case <-time.After(spread):
		case <-r.Context().Done():
			return
		case <-w.done:
			return
		}
		select {
		case <-signals[0]:
		case <-signals[1]:
		case <-beat.C:
		case <-r.Context().Done():
			return
		case <-w.done:
			return
		}
	}
}

// send writes one message; a state that cannot be read is said, not hidden.
func (w *Web) send(rw http.ResponseWriter, r *http.Request, read func(context.Context) (any, error)) error {
	name := "state"
	v, err := read(r.Context())
	if err != nil {
		name, v = "fault", w.problem(r.Context(), err, true)
	}
	if v == nil {
		return nil
	}
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	rc := http.NewResponseController(rw)
	if err := rc.SetWriteDeadline(time.Now().Add(slow)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(rw, "event: %s\nretry: 2000\ndata: %s\n\n", name, body); err != nil {
		return err
	}
	return rc.Flush()
}

// streamState sends the hall after every change; to who asks for one window, what a
// clerk sees there, when that has changed: a large hall has hundreds of consoles.
func (w *Web) streamState(rw http.ResponseWriter, r *http.Request) {
	read := func(ctx context.Context) (any, error) { return w.view(ctx) }
	if window := r.URL.Query().Get("window"); window != "" {
		read = (&desk{window: window, view: w.view}).news
	}
	w.stream(rw, r, read, w.o.State.Watch)
}

// A desk is a window whose state is streamed.
type desk struct {
	window string
	view   func(context.Context) (kiosk.Snapshot, error)
	last   kiosk.Snapshot // as it was sent
	sent   time.Time
}

// news returns the state of the window and of the queues that it serves; nil when
// they are as they were sent a moment ago.
func (d *desk) news(ctx context.Context) (any, error) {
	s, err := d.view(ctx)
	if err != nil {
		return nil, err
	}
	s = at(s, d.window)
	same := s
	same.Seq, same.At = d.last.Seq, d.last.At
	if reflect.DeepEqual(same, d.last) && time.Since(d.sent) < heartbeat/2 {
		return nil, nil
	}
	d.last, d.sent = s, time.Now()
	return s, nil
}

// at is what of the hall's state is at one window.
func at(s kiosk.Snapshot, window string) kiosk.Snapshot {
	serves := map[string]bool{}
	var windows []kiosk.WindowState
	for _, w := range s.Windows {
		if w.Window != window {
			continue
		}
		windows = append(windows, w)
		for _, group := range w.Groups {
			for _, q := range group {
				serves[q] = true
			}
		}
	}
	s.Windows = list(windows)
	s.Queues = only(s.Queues, func(q kiosk.QueueState) bool { return serves[q.Queue] })
	s.Calls = only(s.Calls, func(c kiosk.Call) bool { return c.Window == window })
	return s
}

// only returns the elements that are wanted.
func only[T any](from []T, wanted func(T) bool) []T {
	l := []T{}
	for _, v := range from {
		if wanted(v) {
			l = append(l, v)
		}
	}
	return l
}
