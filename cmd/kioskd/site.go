package main

import (
	"net/http"
	"runtime/debug"
	"strings"

	"longcheng/kiosk/sqlite"
	"longcheng/kiosk/ticketing"
	"longcheng/kiosk/web"
)

// makeSite builds the pages and the API over the desk, the floor and the store.
func (b *box) makeSite() error {
	printers := map[string]string{}
	for _, t := range b.conf.Touches {
		printers[t.Name] = t.Printer
	}
	var walls []string
	for _, w := range b.conf.Walls {
		walls = append(walls, w.Name)
	}
	var users []web.User
	for _, u := range b.conf.Users {
		users = append(users, web.User{Name: u.Name, Hash: u.Hash, Roles: u.Roles})
	}
	windows, state := web.Windows(b.floor), web.Hall(hosted{b.hallStore})
	if b.member != nil && !b.promoted {
		windows, state = elsewhere{b.member}, lastKnown{b.store, b.member}
	}
	var err error
	b.site, err = web.New(web.Options{
		Hall: b.conf.Hall, Tickets: tickets{b.desk, b.hallStore}, Windows: windows, State: state, Touch: web.Touches(b.desk),
		Printers: printers, Walls: walls, Users: users, Key: derive(b.key, "sessions"), Now: b.now,
		Secure:  strings.HasPrefix(b.conf.Web.PublicURL, "https://"),
		OnError: func(request string, err error) { b.log.Error("request failed", "request", request, "cause", err) },
	})
	if err == nil {
		b.mux.Handle("/", b.site)
		b.mux.Handle("POST /api/v1/session", givingBack(b.site))
	}
	return err
}

// givingBack returns memory to the system after each request. The hash of one
// password takes as much as all the rest of the daemon, which the collector
// would keep for minutes on a machine that has little.
func givingBack(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer debug.FreeOSMemory()
		h.ServeHTTP(rw, r)
	})
}

// tickets is the desk and the store as the pages see them.
type tickets struct {
	*ticketing.Desk
	*sqlite.Store
}
