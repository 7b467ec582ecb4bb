package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"longcheng/central"
	"longcheng/central/live"
	"longcheng/kiosk"
)

const (
	followEvery = time.Second      // a hall's journal is read on at most this often
	followFor   = 10 * time.Minute // without a question a hall is forgotten
	followMost  = 500              // halls that are followed at once
	phoneAgain  = 15               // seconds until a phone asks again
)

// A followed hall is one whose citizens ask.
type followed struct {
	mu      sync.Mutex
	day     string
	days    map[string]*followedBox
	cursors map[kiosk.Origin]int64
	read    time.Time
	asked   time.Time
}

// A followedBox is what one box says of its hall.
type followedBox struct {
	*live.Hall
	sequel
}

// phones follows the halls whose citizens ask.
type phones struct {
	mu    sync.Mutex
	halls map[string]*followed
}

// of returns a hall, and forgets those of which nobody asks any more.
func (p *phones) of(hall string, now time.Time) (*followed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.halls[hall]; f != nil {
		f.asked = now
		return f, nil
	}
	for name, f := range p.halls {
		if now.Sub(f.asked) > followFor {
			delete(p.halls, name)
		}
	}
	if len(p.halls) >= followMost {
		return nil, busy("too many halls are asked for")
	}
	if p.halls == nil {
		p.halls = map[string]*followed{}
	}
	f := &followed{asked: now}
	p.halls[hall] = f
	return f, nil
}

// catchUp reads what the hall's journals have got since the last time.
func (f *followed) catchUp(ctx context.Context, s *Server, hall string) error {
	now := s.o.Now()
	if day := s.dateOf(now); day != f.day {
		f.day, f.days, f.cursors = day, map[string]*followedBox{}, map[kiosk.Origin]int64{}
	} else if now.Sub(f.read) < followEvery {
		return nil
	}
	begin, err := s.dayOf(f.day)
	if err != nil {
		return err
	}
	late := false
	err = s.o.Store.Since(ctx, hall, begin, live.Kinds, f.cursors, func(o kiosk.Origin, e kiosk.Event) {
		h := f.days[o.Device]
		if h == nil {
			h = &followedBox{Hall: live.New()}
			f.days[o.Device] = h
		}
		late = late || o.Epoch < h.epoch
		if !late && h.takes(o, e.At) {
			h.Take(e)
		}
	})
	if late { // of a journal that another one has gone on with
		f.day = ""
		return f.catchUp(ctx, s, hall)
	}
	if err != nil {
		f.day = "" // what was read halfway is read again
		return err
	}
	f.read = now
	return nil
}

// place finds a visit in the journals of a hall. The box that decides tells the
// most of it; a kiosk that was cut off knows only that it gave the ticket.
func (f *followed) place(id string, doc *kiosk.Hall) (best live.Place, ok bool) {
	score := func(p live.Place) (n int) {
		for _, s := range p.Steps {
			if s.State != kiosk.Waiting {
				n++
			}
		}
		return 1000*n + len(p.Steps)
	}
	for _, h := range f.days {
		p, known := h.Place(id, doc)
		if known && (!ok || score(p) > score(best) || score(p) == score(best) && ahead(p) > ahead(best)) {
			best, ok = p, true
		}
	}
	return best, ok
}

func ahead(p live.Place) (n int) {
	for _, s := range p.Steps {
		n += s.Ahead
	}
	return n
}

// phonePage is behind the QR on a ticket, for phones outside the hall's network.
func (s *Server) phonePage(rw http.ResponseWriter, r *http.Request) {
	hall, id := r.PathValue("hall"), r.PathValue("visit")
	access(r).Path = "/q/" + clipped(hall) + "/…" // who has the address has the ticket
	rw.Header().Set("X-Robots-Tag", "noindex")
	rw.Header().Set("Referrer-Policy", "no-referrer")
	d, err := s.phone(r, hall, id)
	p := s.page(rw, r, visitor{})
	status := http.StatusOK
	p.Data = d
	if err != nil {
		status = http.StatusInternalServerError
		var refused *central.Problem
		if errors.As(err, &refused) {
			status = refused.Status
		}
		p.Data = phoneData{Fault: s.sentence(r, err)}
	}
	p.Title = p.title("phone")
	s.render(rw, r, status, "phone", p)
}

type phoneStep struct {
	live.Step
	Name    string // of the item
	Said    string // the state in words
	Minutes int
}

type phoneData struct {
	Hall   string // as on the ticket
	Number string
	Taken  string
	Steps  []phoneStep
	Over   bool
	Again  int // seconds until the page asks again; 0: never
	Read   string
	Fault  string
}

func (s *Server) phone(r *http.Request, hall, id string) (d phoneData, err error) {
	addr, _, _ := net.SplitHostPort(r.RemoteAddr)
	now := s.o.Now()
	if err := s.askers.take(addr, 1, now); err != nil {
		return d, err
	}
	if !central.CheckName(hall) || !visitID(id) {
		return d, noTicket()
	}
	f, err := s.phones.of(hall, now)
	if err != nil {
		return d, err
	}
	doc, err := s.hallOf(r, hall)
	if err != nil {
		return d, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.catchUp(r.Context(), s, hall); err != nil {
		return d, err
	}
	p, ok := f.place(id, doc)
	if !ok {
		return d, noTicket()
	}
	return s.shown(p, doc, s.lang(r), f.read), nil
}

// visitID says whether a text can be the secret of a visit: 12 bytes in base32.
func visitID(id string) bool {
	if len(id) < 16 || len(id) > 32 {
		return false
	}
	for _, c := range id {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func noTicket() error {
	return central.Refuse(http.StatusNotFound, "no_ticket", "没有这张号票，或已过当日 / there is no such ticket today")
}

// shown is a place in words.
func (s *Server) shown(p live.Place, doc *kiosk.Hall, lang int, read time.Time) phoneData {
	d := phoneData{Number: p.Number, Over: true, Read: read.In(s.o.Zone).Format("15:04:05")}
	if doc != nil {
		d.Hall = doc.Name.In([2]string{"zh", "en"}[lang])
	}
	if !p.Taken.IsZero() {
		d.Taken = p.Taken.In(s.o.Zone).Format("15:04")
	}
	for _, x := range p.Steps {
		d.Over = d.Over && !x.State.Open()
		d.Steps = append(d.Steps, phoneStep{x, itemName(doc, x.Item, lang), x.State.Name().In([2]string{"zh", "en"}[lang]), int(math.Ceil(x.Estimate.Minutes()))})
	}
	if !d.Over {
		d.Again = phoneAgain
	}
	return d
}

// short is a duration as people say it: 42 s, 12:30, 1:05:00.
func short(d time.Duration) string {
	n := int(d.Round(time.Second).Seconds())
	if n < 60 {
		return fmt.Sprintf("%d s", n)
	}
	if n < 3600 {
		return fmt.Sprintf("%d:%02d", n/60, n%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
}
