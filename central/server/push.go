package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk"
)

func origin(r *http.Request, id central.Identity) (store.Origin, error) {
	epoch, err := strconv.ParseInt(r.PathValue("epoch"), 10, 64)
	if err != nil || epoch < 1 {
		return store.Origin{}, central.Refuse(http.StatusBadRequest, "epoch", "the epoch of the address is no positive number")
	}
	return store.Origin{Hall: id.Hall, Origin: kiosk.Origin{Device: r.PathValue("device"), Epoch: epoch}}, nil
}

// stand tells how far a journal was committed.
func (s *Server) stand(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	o, err := origin(r, id)
	if err != nil {
		return err
	}
	a, err := s.o.Store.Stand(r.Context(), o)
	if err == nil {
		writeJSON(rw, a)
	}
	return err
}

// push commits a batch and then answers.
func (s *Server) push(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	o, err := origin(r, id)
	if err != nil {
		return err
	}
	end, err := s.gates.begin(id.Serial, s.o.Now())
	if err != nil {
		return err
	}
	defer end()
	if !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		return central.Refuse(http.StatusUnsupportedMediaType, "gzip", "a batch is JSON, compressed with gzip: Content-Encoding: gzip")
	}
	a, err := s.take(r, o, id)
	var p *central.Problem
	if errors.As(err, &p) && (p.Code == central.CodeConflict || p.Code == central.CodeBroken) {
		s.count.Conflicts.Add(1)
	}
	if err == nil {
		writeJSON(rw, a)
	}
	return err
}

// take holds a batch in memory, of which there are few at once.
func (s *Server) take(r *http.Request, o store.Origin, id central.Identity) (central.Answer, error) {
	b, err := s.decode(r, id)
	if err != nil {
		return central.Answer{}, err
	}
	a, err := s.o.Store.Push(r.Context(), o, id.Device, b)
	if err == nil {
		s.count.Batches.Add(1)
		s.count.Events.Add(int64(len(b.Events)))
	}
	return a, err
}

func (s *Server) decode(r *http.Request, id central.Identity) (central.Batch, error) {
	body, err := readBody(r)
	if err == nil {
		err = s.bytes.take(id.Serial, float64(body.Len()), s.o.Now())
	}
	if err != nil {
		return central.Batch{}, err
	}
	select {
	case s.decoded <- struct{}{}:
		defer func() { <-s.decoded }()
	case <-r.Context().Done():
		return central.Batch{}, r.Context().Err()
	}
	return central.DecodeBatch(body)
}

func writeJSON(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json")
	json.NewEncoder(rw).Encode(v) // the client may be gone
}
