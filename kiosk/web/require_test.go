package web

import (
	"net/http"
	"testing"
)

// A page of another room is shown to those whose role it is for, behind our own
// headers, and to nobody else.
func TestRequire(t *testing.T) {
	_, w, c := start(t)
	page := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusTeapot) })
	as := func(role string) int {
		rec, _ := (&client{t: t, h: w.Require(page, role), cookie: c.cookie}).do("GET", "/technician/x", "")
		return rec
	}
	if got := as(RoleClerk); got != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", got)
	}
	c.signIn("li", "1111", "1")
	if got := as(RoleTechnician); got != http.StatusForbidden {
		t.Errorf("a clerk gets %d from a technician's page", got)
	}
	if got := as(RoleClerk); got != http.StatusTeapot {
		t.Errorf("a clerk gets %d from a clerk's page", got)
	}
}
