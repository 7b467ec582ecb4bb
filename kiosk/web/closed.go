package web

import (
	"net/http"
	"strings"
)

// Closed returns the server of a box that has no store yet: whoever asks, a person or a
// program, is told why, and pages look again by themselves. How the box stands is at
// /healthz, which health answers.
func Closed(why error, health http.HandlerFunc) *http.Server {
	mux := http.NewServeMux()
	assets(mux)
	mux.HandleFunc("GET /healthz", health)
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		id := requestID()
		headers(rw.Header(), id)
		if strings.HasSuffix(r.URL.Path, "/alive") { // no page listens, and none is missed
			rw.WriteHeader(http.StatusNoContent)
			return
		}
		rw.Header().Set("Retry-After", "5")
		rw.Header().Set("Refresh", "5")
		p := unforeseen(why)
		p.Request = id
		answer(rw, r, p, "closed.html")
	})
	return limited(mux)
}
