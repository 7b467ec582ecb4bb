package server

import (
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/central/store"
)

const (
	bookingBase = "/booking/v1/halls/{hall}"
	keyMark     = "lcb_"
	maxRequest  = 64 // letters of a request's id
)

// bookingAPI is what the city's programs for appointments speak; the
// specification is deploy/docs/integrator/booking.md.
func (s *Server) bookingAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET "+bookingBase+"/slots", s.portal(s.apiSlots))
	mux.HandleFunc("POST "+bookingBase+"/bookings", s.portal(s.apiBook))
	mux.HandleFunc("GET "+bookingBase+"/bookings/{code}", s.portal(s.apiBooking))
	mux.HandleFunc("DELETE "+bookingBase+"/bookings/{code}", s.portal(s.apiCancel))
	mux.HandleFunc("/booking/", func(rw http.ResponseWriter, r *http.Request) {
		s.fail(rw, r, central.Refuse(http.StatusNotFound, "no_page", "there is nothing at this address"))
	})
}

// newKey makes the key of a portal; only its digest is kept.
func newKey() string { return keyMark + rand.Text() }

func keyDigest(key string) []byte {
	sum := sha256.Sum256([]byte("longcheng booking\x00" + key))
	return sum[:]
}

// A portalCall is a request of a portal for a hall that it may book.
type portalCall struct {
	*http.Request
	portal store.Portal
	hall   string
}

// portal lets a program in that shows its key, and answers in JSON.
func (s *Server) portal(h func(portalCall) (any, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		c, err := s.knownPortal(r)
		var v any
		if err == nil {
			v, err = h(c)
		}
		if err != nil {
			s.fail(rw, r, err)
			return
		}
		writeJSON(rw, v)
	}
}

func (s *Server) knownPortal(r *http.Request) (c portalCall, err error) {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	addr, _, _ := net.SplitHostPort(r.RemoteAddr)
	now := s.o.Now()
	if !strings.HasPrefix(key, keyMark) || len(key) > 64 {
		return c, noKey()
	}
	p, ok, err := s.o.Store.PortalOf(r.Context(), keyDigest(key))
	switch {
	case err != nil:
		return c, err
	case !ok:
		if err := s.guesses.take("booking "+addr, 1, now); err != nil {
			return c, err
		}
		return c, noKey()
	}
	access(r).Who = "portal " + p.Name
	c = portalCall{r, p, r.PathValue("hall")}
	if !central.CheckName(c.hall) || p.Hall != "" && p.Hall != c.hall {
		return c, central.Refuse(http.StatusForbidden, "hall", "the key is not for this hall")
	}
	return c, s.portals.take(p.Name, 1, now)
}

func noKey() error {
	return central.Refuse(http.StatusUnauthorized, "key", "a key of this centre is needed: Authorization: Bearer lcb_...")
}

type slotJSON struct {
	Item    string    `json:"item"`
	At      time.Time `json:"at"`
	Minutes int       `json:"minutes"`
	Free    int       `json:"free"`
}

func (s *Server) apiSlots(c portalCall) (any, error) {
	q := c.URL.Query()
	from, err := s.dayOf(q.Get("day"))
	if err != nil || len(q.Get("item")) > 64 {
		return nil, central.Refuse(http.StatusBadRequest, "day", "day is not a date such as 2026-03-02")
	}
	list, err := s.o.Store.Slots(c.Context(), c.hall, q.Get("item"), from, from.AddDate(0, 0, 1))
	all := []slotJSON{}
	for _, x := range list {
		if x.At.After(s.o.Now()) {
			all = append(all, slotJSON{x.Item, x.At, x.Minutes, x.Free()})
		}
	}
	return map[string]any{"slots": all}, err
}

type bookingJSON struct {
	Code  string    `json:"code"`
	Item  string    `json:"item"`
	At    time.Time `json:"at"`
	State string    `json:"state"` // "booked", "cancelled" or "used"
}

func told(b store.Booking) bookingJSON {
	j := bookingJSON{b.Code, b.Item, b.At, "booked"}
	switch {
	case !b.Cancelled.IsZero():
		j.State = "cancelled"
	case !b.Used.IsZero():
		j.State = "used"
	}
	return j
}

func (s *Server) apiBook(c portalCall) (any, error) {
	var in struct {
		Request string    `json:"request"`
		Item    string    `json:"item"`
		At      time.Time `json:"at"`
	}
	if err := readSmall(c.Request, &in); err != nil {
		return nil, err
	}
	if !plainID(in.Request) || in.Item == "" || len(in.Item) > 64 || strings.ContainsRune(in.Item, 0) {
		return nil, central.Refuse(http.StatusBadRequest, "form", "give request (1 to %d letters, digits, dots, dashes and underscores), item and at", maxRequest)
	}
	b, err := s.o.Store.Book(c.Context(), store.Booking{
		Hall: c.hall, Code: central.NewBookingCode(), Request: in.Request, Portal: c.portal.Name, Item: in.Item, At: in.At.UTC().Truncate(time.Millisecond),
	})
	return told(b), err
}

// plainID reports whether a portal's id of a request is one: no personal data
// fits into it by mistake as free text would.
func plainID(id string) bool {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("._-", r)
	}
	return id != "" && len(id) <= maxRequest && strings.IndexFunc(id, func(r rune) bool { return !plain(r) }) < 0
}

func (s *Server) apiBooking(c portalCall) (any, error) {
	code, err := bookingCode(c)
	if err != nil {
		return nil, err
	}
	b, err := s.o.Store.Booking(c.Context(), c.hall, code, c.portal.Name)
	return told(b), err
}

func (s *Server) apiCancel(c portalCall) (any, error) {
	code, err := bookingCode(c)
	if err != nil {
		return nil, err
	}
	b, err := s.o.Store.Cancel(c.Context(), c.hall, code, c.portal.Name)
	return told(b), err
}

func bookingCode(c portalCall) (string, error) {
	code := c.PathValue("code")
	if !central.IsBookingCode(code) || !plainID(code) {
		return "", central.Refuse(http.StatusNotFound, "no_booking", "there is no such booking")
	}
	return code, nil
}
