package server

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk/signin"
)

// The city administrator lets people in, changes and locks them; nobody else does,
// and nobody himself.
func TestPeoplePage(t *testing.T) {
	c := newCentre(t)
	must(t, c.store.Meet(t.Context(), store.Device{Hall: "h1", Device: "hub"}, central.Position{}))
	hash := signin.Hash("right")
	c.person("city", RoleCity, "", hash)
	c.person("super", RoleSupervisor, "", hash)
	city, super := c.browser(t), c.browser(t)
	city.signIn("city")
	super.signIn("super")
	status, body := super.get("/people")
	shows(t, "a supervisor", status, body, 403)
	status, body = super.post("/people/lock", url.Values{"name": {"city"}, "to": {"locked"}})
	shows(t, "a supervisor locks", status, body, 403)

	status, body = city.post("/people/add", url.Values{"name": {"wang"}, "role": {RoleManager}, "hall": {"h1"}})
	secret := regexp.MustCompile(`[A-Z2-7]{16}`).FindString(body)
	shows(t, "add", status, body, 200, "只显示这一次")
	wang := c.browser(t)
	in := func(secret string) bool {
		_, body := wang.post("/sign-in", url.Values{"name": {"wang"}, "secret": {secret}})
		return !strings.Contains(body, `action="/sign-in"`)
	}
	if secret == "" || !in(secret) {
		t.Fatal("the first password does not open")
	}
	status, body = city.post("/people/add", url.Values{"name": {"wang"}, "role": {RoleCity}})
	shows(t, "the same name", status, body, 409)
	status, body = city.post("/people/change", url.Values{"name": {"wang"}, "role": {RoleClerk}, "hall": {"h1"}})
	shows(t, "change", status, body, 200)
	if status, _ := wang.get("/documents"); status != 403 {
		t.Errorf("a clerk that was a manager: %d", status)
	}
	city.post("/people/lock", url.Values{"name": {"wang"}, "to": {"locked"}})
	if _, body := wang.get("/ticket"); !strings.Contains(body, `action="/sign-in"`) || in(secret) {
		t.Error("who is locked is still in, or comes in again")
	}
	city.post("/people/lock", url.Values{"name": {"wang"}, "to": {"open"}})
	if !in(secret) {
		t.Error("who was let in again does not come in")
	}
	for what, x := range map[string]struct {
		path string
		form url.Values
		want int
	}{
		"oneself":                {"/people/lock", url.Values{"name": {"city"}, "to": {"locked"}}, 409},
		"the own role":           {"/people/change", url.Values{"name": {"city"}, "role": {RoleClerk}, "hall": {"h1"}}, 409},
		"nobody":                 {"/people/lock", url.Values{"name": {"nobody"}, "to": {"locked"}}, 404},
		"a role that is none":    {"/people/add", url.Values{"name": {"x"}, "role": {"root"}}, 400},
		"a clerk without a hall": {"/people/add", url.Values{"name": {"x"}, "role": {RoleClerk}}, 400},
		"a name that is none":    {"/people/add", url.Values{"name": {"<x>"}, "role": {RoleCity}}, 400},
		"nobody's new password":  {"/people/secret", url.Values{"name": {"nobody"}}, 404},
		"no state":               {"/people/lock", url.Values{"name": {"wang"}}, 400},
		"a city man of one hall": {"/people/add", url.Values{"name": {"x"}, "role": {RoleCity}, "hall": {"h1"}}, 400},
	} {
		status, body := city.post(x.path, x.form)
		shows(t, what, status, body, x.want)
	}
	_, body = city.get("/records?lang=en")
	for _, want := range []string{"person added", "person changed", "person locked", "person unlocked"} {
		if !strings.Contains(body, want) {
			t.Errorf("the audit does not say %q", want)
		}
	}
}

// Everybody changes the own password: it ends the other sessions and not this one.
func TestOwnPassword(t *testing.T) {
	c := newCentre(t)
	c.person("li", RoleSupervisor, "", signin.Hash("right"))
	here, there := c.browser(t), c.browser(t)
	here.signIn("li")
	there.signIn("li")
	for what, f := range map[string]url.Values{
		"short": {"old": {"right"}, "new": {"short"}, "again": {"short"}},
		"twice": {"old": {"right"}, "new": {"long enough now"}, "again": {"long enough how"}},
	} {
		status, body := here.post("/password", f)
		shows(t, what, status, body, 400)
	}
	status, body := here.post("/password", url.Values{"old": {"wrong"}, "new": {"long enough now"}, "again": {"long enough now"}})
	shows(t, "a wrong old one", status, body, 401)
	status, body = here.post("/password", url.Values{"old": {"right"}, "new": {"long enough now"}, "again": {"long enough now"}})
	shows(t, "changed", status, body, 200)
	if _, body := here.get("/records"); strings.Contains(body, `action="/sign-in"`) {
		t.Error("this session ended")
	}
	if _, body := there.get("/records"); !strings.Contains(body, `action="/sign-in"`) {
		t.Error("the other session did not end")
	}
}
