package web

import "net/http"

// Require serves h to those who are signed in with one of the roles, behind the
// same door as every other page. It is for pages that another room makes.
func (w *Web) Require(h http.Handler, roles ...string) http.Handler {
	return w.guard(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, err := need(r.Context(), roles...); err != nil {
			w.fail(rw, r, err)
			return
		}
		h.ServeHTTP(rw, r)
	}))
}
