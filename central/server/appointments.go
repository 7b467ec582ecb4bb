package server

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk"
)

const (
	maxSlots    = 2000 // that one form may open
	maxPlaces   = 1000 // of a slot
	longestSlot = 480  // minutes
	latestSlot  = 180  // days from now
)

// appointmentPages are the pages of appointments.
func (s *Server) appointmentPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /appointments", s.see("document", s.appointments))
	mux.HandleFunc("POST /appointments/open", s.post("edit", s.openSlots))
	mux.HandleFunc("POST /appointments/key", s.see("keys", s.makeKey))
	mux.HandleFunc("POST /appointments/revoke", s.post("keys", s.revokeKey))
	s.bookingAPI(mux)
}

type slotRow struct {
	store.Slot
	Name string // of the item
	Ends time.Time
	Past bool
}

type itemChoice struct{ ID, Name string }

type appointmentsData struct {
	Halls         []string
	Hall, Day     string
	Today         string
	Before, After string // days
	Items         []itemChoice
	Slots         []slotRow
	Places, Taken int
	Portals       []store.Portal
}

// appointments shows the slots of a hall on a day.
func (s *Server) appointments(r *http.Request, v visitor) (string, any, error) {
	d := appointmentsData{Hall: v.sees(r.URL.Query().Get("hall")), Today: s.dateOf(s.o.Now())}
	var err error
	if d.Halls, err = s.choice(r, v); err != nil {
		return "", nil, err
	}
	if d.Hall == "" && len(d.Halls) > 0 {
		d.Hall = d.Halls[0]
	}
	if d.Hall != "" && !central.CheckName(d.Hall) {
		return "", nil, noSuchPage()
	}
	day, err := s.dayOf(r.URL.Query().Get("day"))
	if err != nil {
		day, _ = s.dayOf(d.Today)
	}
	d.Day, d.Before, d.After = day.Format(time.DateOnly), day.AddDate(0, 0, -1).Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)
	hall, err := s.hallOf(r, d.Hall)
	if err != nil {
		return "", nil, err
	}
	d.Items = takesAppointments(hall, s.lang(r))
	list, err := s.o.Store.Slots(r.Context(), d.Hall, "", day, day.AddDate(0, 0, 1))
	if err != nil {
		return "", nil, err
	}
	for _, x := range list {
		d.Places, d.Taken = d.Places+x.Capacity, d.Taken+x.Taken
		d.Slots = append(d.Slots, slotRow{x, itemName(hall, x.Item, s.lang(r)), x.At.Add(time.Duration(x.Minutes) * time.Minute), x.At.Before(s.o.Now())})
	}
	if v.May("keys") {
		d.Portals, err = s.o.Store.Portals(r.Context())
	}
	return "appointments", d, err
}

// takesAppointments lists the items of a hall that can be booked.
func takesAppointments(h *kiosk.Hall, lang int) (list []itemChoice) {
	if h == nil {
		return nil
	}
	for _, i := range h.Items {
		if slices.ContainsFunc(h.Queues, func(q kiosk.Queue) bool { return q.ID == i.Queue && q.Appointment != "" }) {
			list = append(list, itemChoice{i.ID, i.Name.In([2]string{"zh", "en"}[lang])})
		}
	}
	return list
}

func itemName(h *kiosk.Hall, id string, lang int) string {
	if h != nil {
		for _, i := range h.Items {
			if i.ID == id {
				return i.Name.In([2]string{"zh", "en"}[lang])
			}
		}
	}
	return id
}

// hallOf reads the document that a hall uses; nil when the centre has none.
func (s *Server) hallOf(r *http.Request, hall string) (*kiosk.Hall, error) {
	list, err := s.o.Store.Publications(r.Context(), hall, listed)
	if err != nil || hall == "" {
		return nil, err
	}
	n := store.InForce(list, s.o.Now())
	for _, p := range list {
		if p.Number == n {
			return s.read.hall(r.Context(), s, p.Name, p.Version)
		}
	}
	return nil, nil
}

// openSlots makes the slots that a form describes.
func (s *Server) openSlots(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	if err := r.ParseForm(); err != nil {
		return "", formFault()
	}
	hall := v.sees(r.PostFormValue("hall"))
	known, err := s.hallOf(r, hall)
	if err != nil {
		return "", err
	}
	item := r.PostFormValue("item")
	bookable := known == nil || slices.ContainsFunc(takesAppointments(known, 0), func(i itemChoice) bool { return i.ID == item })
	if !central.CheckName(hall) || !plainID(item) || !bookable {
		return "", central.Refuse(http.StatusBadRequest, "form", "请选择可预约的事项 / choose an item that takes appointments")
	}
	list, err := s.slotsOf(r.PostForm, store.Slot{Hall: hall, Item: item})
	if err != nil {
		return "", err
	}
	q := url.Values{"hall": {hall}, "day": {s.dateOf(list[0].At)}}
	return "/appointments?" + q.Encode(), s.o.Store.OpenSlots(r.Context(), list, v.Name)
}

// slotsOf lays the slots of a form out: days of the week between two dates, and
// times of each day.
func (s *Server) slotsOf(f url.Values, x store.Slot) (list []store.Slot, err error) {
	first, err1 := s.dayOf(f.Get("first"))
	last, err2 := s.dayOf(f.Get("last"))
	var from, to kiosk.TimeOfDay
	err3, err4 := from.UnmarshalText([]byte(f.Get("from"))), to.UnmarshalText([]byte(f.Get("to")))
	minutes, err5 := strconv.Atoi(f.Get("minutes"))
	places, err6 := strconv.Atoi(f.Get("capacity"))
	for _, err := range []error{err1, err2, err3, err4, err5, err6} {
		if err != nil {
			return nil, formFault()
		}
	}
	x.Minutes, x.Capacity = minutes, places
	now := s.o.Now()
	switch {
	case last.Before(first) || last.After(now.AddDate(0, 0, latestSlot)) || first.Before(now.AddDate(0, 0, -1)):
		return nil, central.Refuse(http.StatusBadRequest, "form", "日期须在今天起 %d 天之内 / the dates must be within %d days from today", latestSlot, latestSlot)
	case minutes < 5 || minutes > longestSlot || places < 0 || places > maxPlaces:
		return nil, central.Refuse(http.StatusBadRequest, "form", "每段 5 至 %d 分钟，0 至 %d 人 / a slot has 5 to %d minutes and 0 to %d places", longestSlot, maxPlaces, longestSlot, maxPlaces)
	}
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		if !slices.Contains(f["weekday"], strconv.Itoa(int(day.Weekday()))) {
			continue
		}
		for t := int(from); t+minutes <= int(to); t += minutes {
			x.At = time.Date(day.Year(), day.Month(), day.Day(), 0, t, 0, 0, s.o.Zone)
			if list = append(list, x); len(list) > maxSlots {
				return nil, central.Refuse(http.StatusBadRequest, "form", "一次最多 %d 个时段 / at most %d slots at once", maxSlots, maxSlots)
			}
		}
	}
	if len(list) == 0 {
		return nil, central.Refuse(http.StatusBadRequest, "form", "没有时段：请检查星期与时间 / no slot comes of this: look at the days of the week and the times")
	}
	return list, nil
}

// makeKey lets a program book, and shows its key once.
func (s *Server) makeKey(r *http.Request, v visitor) (string, any, error) {
	p := store.Portal{Name: r.PostFormValue("name"), Hall: r.PostFormValue("hall"), Maker: v.Name}
	if !central.CheckName(p.Name) || p.Hall != "" && !central.CheckName(p.Hall) {
		return "", nil, formFault()
	}
	key := newKey()
	return "key", map[string]any{"Portal": p, "Key": key}, s.o.Store.AddPortal(r.Context(), p, keyDigest(key))
}

func (s *Server) revokeKey(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	return "/appointments", s.o.Store.RevokePortal(r.Context(), r.PostFormValue("name"), v.Name)
}
