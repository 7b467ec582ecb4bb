package server

import (
	"encoding/json"
	"net/http"

	"longcheng/central"
	"longcheng/central/store"
)

// status keeps how a box says that it is.
func (s *Server) status(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	r.Body = http.MaxBytesReader(rw, r.Body, central.MaxStatus)
	body, err := readBody(r)
	if err != nil {
		return err
	}
	var is central.Status
	if err := json.Unmarshal(body.Bytes(), &is); err != nil {
		return central.Refuse(http.StatusBadRequest, "json", "the request is not the JSON of this protocol: %v", err)
	}
	if err := is.Check(); err != nil {
		return err
	}
	if err := s.o.Store.SaveStatus(r.Context(), store.Device{Hall: id.Hall, Device: r.PathValue("device")}, is); err != nil {
		return err
	}
	rw.WriteHeader(http.StatusNoContent)
	return nil
}

// A liveHall is a hall as the live page shows it.
type liveHall struct {
	Hall     string
	At       string
	Old      bool // the hall has not been heard for a while
	Now      central.HallNow
	Open     int // windows
	Serving  int
	Waiting  int
	Longest  string // estimate
	Box      string
	Queues   []liveQueue
	HasClock bool
}

type liveQueue struct {
	central.QueueNow
	Wait  string
	Share int // of the fullest queue, in tenths
}

// live shows what happens in the halls now.
func (s *Server) live(r *http.Request, v visitor) (string, any, error) {
	all, err := s.o.Store.Statuses(r.Context(), v.sees(r.URL.Query().Get("hall")))
	if err != nil {
		return "", nil, err
	}
	var halls []liveHall
	for _, x := range latestHalls(all) {
		halls = append(halls, s.liveHall(x, s.lang(r)))
	}
	sortBy(halls, func(h liveHall) string { return h.Hall })
	return "live", halls, nil
}

func (s *Server) liveHall(x store.Said, lang int) liveHall {
	h := liveHall{Hall: x.Device.Hall, Box: x.Device.Device, At: s.clockTime(x.At), Old: s.o.Now().Sub(x.At) > silentAfter, Now: *x.Is.Hall, HasClock: x.Is.Hall.Alarm != ""}
	for _, w := range h.Now.Windows {
		if w.Desk == "open" {
			h.Open++
		}
		if w.Number != "" {
			h.Serving++
		}
	}
	most := 1
	for _, q := range h.Now.Queues {
		h.Waiting += q.Waiting
		most = max(most, q.Waiting)
	}
	for _, q := range h.Now.Queues {
		h.Queues = append(h.Queues, liveQueue{q, minutes(q.Estimate, lang), (10*q.Waiting + most - 1) / most})
	}
	return h
}
