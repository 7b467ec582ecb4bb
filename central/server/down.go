package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"longcheng/central"
	"longcheng/central/store"
)

const (
	beat   = 10 * time.Second // a box that hears nothing for longer knows it is cut off
	polled = 25 * time.Second // a poll without messages is answered then
	small  = 64 << 10         // bytes of any request that is not a batch
)

// readBody reads a whole request body, which the guard has bounded, so that a
// slow sender holds nothing but his bytes.
func readBody(r *http.Request) (*bytes.Buffer, error) {
	var b bytes.Buffer
	_, err := b.ReadFrom(r.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, central.Refuse(http.StatusRequestEntityTooLarge, "too_large", "the request is longer than %d bytes", large.Limit)
	}
	if err != nil {
		return nil, central.Refuse(http.StatusBadRequest, "cut_off", "the request was cut off")
	}
	return &b, nil
}

func readSmall(r *http.Request, v any) error {
	r.Body = http.MaxBytesReader(nil, r.Body, small)
	body, err := readBody(r)
	if err != nil {
		return err
	}
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return central.Refuse(http.StatusBadRequest, "json", "the request is not the JSON of this protocol: %v", err)
	}
	return nil
}

func (s *Server) acknowledge(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	var a central.Ack
	if err := readSmall(r, &a); err != nil {
		return err
	}
	if err := s.o.Store.Acknowledge(r.Context(), store.Device{Hall: id.Hall, Device: r.PathValue("device")}, a); err != nil {
		return err
	}
	rw.WriteHeader(http.StatusNoContent)
	return nil
}

// messages sends what comes after a position: as a stream to who accepts one,
// else as the answer to a poll.
func (s *Server) messages(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	stream := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	after := r.URL.Query().Get("after")
	if stream {
		after = r.Header.Get("Last-Event-Id")
	}
	at, err := central.ParsePosition(after)
	if err != nil {
		return err
	}
	d := store.Device{Hall: id.Hall, Device: r.PathValue("device")}
	news, leave, err := s.hub.join(d)
	if err != nil {
		return err
	}
	defer leave()
	s.count.Connected.Add(1)
	defer s.count.Connected.Add(-1)
	if err := s.o.Store.Meet(r.Context(), d, at); err != nil {
		return err
	}
	if !stream {
		return s.poll(rw, r, d, at, news)
	}
	s.stream(rw, r, d, at, news)
	return nil
}

func (s *Server) poll(rw http.ResponseWriter, r *http.Request, d store.Device, at central.Position, news <-chan struct{}) error {
	late := time.NewTimer(polled)
	defer late.Stop()
	for {
		list, err := s.o.Store.Messages(r.Context(), d, at)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			select {
			case <-news:
				continue
			case <-late.C:
			case <-s.done:
			case <-r.Context().Done():
				return r.Context().Err()
			}
			list = []central.Message{}
		}
		writeJSON(rw, list)
		return nil
	}
}

// stream sends messages as they come. It ends when the box does not take them,
// when its certificate is no longer good, and at shutdown.
func (s *Server) stream(rw http.ResponseWriter, r *http.Request, d store.Device, at central.Position, news <-chan struct{}) {
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("X-Accel-Buffering", "no")
	tick := time.NewTicker(beat)
	defer tick.Stop()
	if s.write(rw, ": longcheng\n\n") != nil {
		return
	}
	for {
		if _, err := s.identity(r); err != nil {
			return
		}
		for {
			list, err := s.o.Store.Messages(r.Context(), d, at)
			if err != nil || s.send(rw, &at, list) != nil {
				return // the box comes again and hears why
			}
			if len(list) == 0 {
				break
			}
		}
		select {
		case <-news:
		case <-tick.C:
			if s.write(rw, ": beat\n\n") != nil {
				return
			}
		case <-s.done:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Server) send(rw http.ResponseWriter, at *central.Position, list []central.Message) error {
	for _, m := range list {
		body, err := json.Marshal(m)
		if err != nil {
			return err
		}
		*at.Of(m.Stream) = m.Number
		if err := s.write(rw, fmt.Sprintf("id: %s\ndata: %s\n\n", at, body)); err != nil {
			return err
		}
	}
	return nil
}

// write writes to a stream and gives the reader a bounded time to take it.
func (s *Server) write(rw http.ResponseWriter, text string) error {
	rc := http.NewResponseController(rw)
	if err := rc.SetWriteDeadline(time.Now().Add(s.o.Slow)); err != nil {
		return err
	}
	if _, err := io.WriteString(rw, text); err != nil {
		return err
	}
	return rc.Flush()
}

// hub wakes the connections of a box when there is a message for it. The
// database is looked at, because another process may have written it.
type hub struct {
	places int
	mu     sync.Mutex
	all    map[store.Device]map[chan struct{}]bool
	open   int
	given  map[store.Device]central.Position
}

const connectionsOfBox = 4

func newHub(places int) *hub {
	return &hub{places: places, all: map[store.Device]map[chan struct{}]bool{}}
}

func (h *hub) join(d store.Device) (<-chan struct{}, func(), error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open >= h.places || len(h.all[d]) >= connectionsOfBox {
		p := central.Refuse(http.StatusServiceUnavailable, central.CodeBusy, "too many connections are open")
		p.Wait = 5
		return nil, nil, p
	}
	c := make(chan struct{}, 1)
	if h.all[d] == nil {
		h.all[d] = map[chan struct{}]bool{}
	}
	h.all[d][c] = true
	h.open++
	return c, func() { h.leave(d, c) }, nil
}

func (h *hub) leave(d store.Device, c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open--
	if delete(h.all[d], c); len(h.all[d]) == 0 {
		delete(h.all, d)
	}
}

// connected returns the boxes that are connected here.
func (h *hub) connected() []store.Device {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]store.Device, 0, len(h.all))
	for d := range h.all {
		list = append(list, d)
	}
	return list
}

// look reads the numbers of the last messages and wakes whom they concern.
func (h *hub) look(ctx context.Context, s *store.Store) error {
	h.mu.Lock()
	idle := h.open == 0
	h.mu.Unlock()
	if idle {
		return nil
	}
	given, err := s.Given(ctx)
	if err != nil {
		return fmt.Errorf("look for messages: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.given
	h.given = given
	for d, all := range h.all {
		if given[d] == was[d] {
			continue
		}
		for c := range all {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
	return nil
}
