package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"longcheng/central"
)

// program is a booking program with a key.
type program struct {
	*browser
	key string
}

func (p program) ask(method, path, body string) (status int, answer map[string]any) {
	p.t.Helper()
	r, err := http.NewRequest(method, p.base+"/booking/v1/halls"+path, strings.NewReader(body))
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+p.key)
	}
	status, text := p.do(r, err)
	must(p.t, json.Unmarshal([]byte(text), &answer))
	return status, answer
}

// From the form of the slots to the box: a program asks, books, asks again, and
// gives back.
func TestBooking(t *testing.T) {
	c, city, manager := withDocuments(t)
	city.upload("x\n", "name", "h1", "note", "n", "base", "0", "do", "save")
	city.post("/documents/publish", url.Values{"name": {"h1"}, "version": {"1"}, "hall": {"h1"}, "when": {"now"}})
	day := c.srv.o.Now().In(zone).AddDate(0, 0, 1)
	open := url.Values{"hall": {"h1"}, "item": {"id-card"}, "first": {day.Format(time.DateOnly)}, "last": {day.Format(time.DateOnly)},
		"weekday": {"0", "1", "2", "3", "4", "5", "6"}, "from": {"09:00"}, "to": {"10:00"}, "minutes": {"30"}, "capacity": {"1"}}
	status, body := manager.post("/appointments/open", open)
	shows(t, "open slots", status, body, 200, "09:00–09:30", "09:30–10:00", "身份证")
	status, body = city.post("/appointments/key", url.Values{"name": {"portal"}, "hall": {"h1"}})
	shows(t, "make a key", status, body, 200)
	p := program{c.browser(t), regexp.MustCompile(`lcb_[A-Z2-7]+`).FindString(body)}

	status, got := p.ask("GET", "/h1/slots?day="+day.Format(time.DateOnly), "")
	all, _ := got["slots"].([]any)
	if status != 200 || len(all) != 2 || all[0].(map[string]any)["free"] != 1.0 {
		t.Fatalf("slots: %d %v", status, got)
	}
	at := all[0].(map[string]any)["at"].(string)
	if nine := time.Date(day.Year(), day.Month(), day.Day(), 9, 0, 0, 0, zone).UTC().Format(time.RFC3339); at != nine {
		t.Fatalf("nine o'clock in the hall is %s, want %s", at, nine)
	}
	order := `{"request":"r-1","item":"id-card","at":"` + at + `"}`
	_, first := p.ask("POST", "/h1/bookings", order)
	status, again := p.ask("POST", "/h1/bookings", order)
	code, _ := first["code"].(string)
	if status != 200 || !central.IsBookingCode(code) || again["code"] != code || again["state"] != "booked" {
		t.Fatalf("book twice: %d %v %v", status, first, again)
	}
	if status, got := p.ask("POST", "/h1/bookings", strings.Replace(order, "r-1", "r-2", 1)); status != 409 || got["code"] != "full" {
		t.Errorf("a full slot: %d %v", status, got)
	}
	for range 2 {
		if status, got := p.ask("DELETE", "/h1/bookings/"+code, ""); status != 200 || got["state"] != "cancelled" {
			t.Errorf("give back: %d %v", status, got)
		}
	}
	if status, got := p.ask("GET", "/h1/bookings/"+code, ""); status != 200 || got["state"] != "cancelled" {
		t.Errorf("ask: %d %v", status, got)
	}
	city.post("/appointments/revoke", url.Values{"name": {"portal"}})
	if status, got := p.ask("GET", "/h1/bookings/"+code, ""); status != 401 || got["code"] != "key" {
		t.Errorf("with a revoked key: %d %v", status, got)
	}
}

// What is wrong is refused with a reason, bounded, and guesses of keys are few.
func TestBookingBadInput(t *testing.T) {
	c, city, manager := withDocuments(t)
	_, body := city.post("/appointments/key", url.Values{"name": {"portal"}, "hall": {"h1"}})
	p := program{c.browser(t), regexp.MustCompile(`lcb_[A-Z2-7]+`).FindString(body)}
	for _, x := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/h2/slots?day=2026-03-02", "", 403, "hall"},
		{"GET", "/h1/slots?day=today", "", 400, "day"},
		{"POST", "/h1/bookings", "no json", 400, "json"},
		{"POST", "/h1/bookings", `{"request":"r"}`, 400, "form"},
		{"POST", "/h1/bookings", `{"request":"张三 320400199001011234","item":"a","at":"2026-03-02T01:00:00Z"}`, 400, "form"},
		{"POST", "/h1/bookings", `{"request":"r","item":"a","at":"2026-03-02T01:00:00Z"}`, 404, "no_slot"},
		{"POST", "/h1/bookings", `{"request":"` + strings.Repeat("x", small) + `"}`, 413, "too_large"},
		{"GET", "/h1/bookings/x'--", "", 404, "no_booking"},
		{"DELETE", "/h1/bookings/" + central.NewBookingCode(), "", 404, "no_booking"},
		{"GET", "/h1/nothing", "", 404, "no_page"},
	} {
		if status, got := p.ask(x.method, x.path, x.body); status != x.status || got["code"] != x.code {
			t.Errorf("%s %s %.40q: %d %v, want %d %s", x.method, x.path, x.body, status, got, x.status, x.code)
		}
	}
	for what, change := range map[string]url.Values{
		"an item without appointments": {"item": {"walk-in\x00"}}, "a day long ago": {"first": {"2020-01-01"}}, "no weekday": {"weekday": {}},
		"too many": {"minutes": {"5"}, "to": {"24:00"}, "from": {"00:00"}, "last": {time.Now().AddDate(0, 0, 100).Format(time.DateOnly)}}, "minutes": {"minutes": {"-5"}}, "places": {"capacity": {"9999999999"}},
	} {
		today := time.Now().Format(time.DateOnly)
		f := url.Values{"item": {"id-card"}, "first": {today}, "last": {today}, "weekday": {"0", "1", "2", "3", "4", "5", "6"}, "from": {"09:00"}, "to": {"10:00"}, "minutes": {"30"}, "capacity": {"1"}}
		for k, v := range change {
			f[k] = v
		}
		status, body := manager.post("/appointments/open", f)
		shows(t, what, status, body, 400)
	}
	status, body := manager.post("/appointments/key", url.Values{"name": {"x"}})
	shows(t, "a manager makes a key", status, body, 403)
	p.key = "lcb_WRONG"
	for i := range 12 {
		want := 401
		if i >= 10 {
			want = 429
		}
		if status, got := p.ask("GET", "/h1/slots?day=2026-03-02", ""); status != want {
			t.Errorf("guess %d: %d %v", i, status, got)
		}
	}
}
