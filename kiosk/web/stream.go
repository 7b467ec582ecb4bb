package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	heartbeat = 10 * time.Second // a page that hears nothing for longer knows it is cut off
	slow      = 5 * time.Second  // a client that has not taken a write by then is dropped
)

// stream sends read's value at once, after every signal and at every heartbeat.
// Each message is the whole state, so that a lost one costs nothing; signals that
// come while one is written become one.
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

func (w *Web) streamState(rw http.ResponseWriter, r *http.Request) {
	w.stream(rw, r, func(ctx context.Context) (any, error) { return w.view(ctx) }, w.o.State.Watch)
}
