package server

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/centraltest"
	"longcheng/central/store"
	"longcheng/kiosk"
	"longcheng/kiosk/signin"
	"longcheng/kiosk/web/webtest"
)

// browser is a client of the pages that keeps its cookies.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func (c *centre) browser(t *testing.T) *browser {
	srv := httptest.NewServer(c.srv.People())
	t.Cleanup(srv.Close)
	jar, _ := cookiejar.New(nil)
	return &browser{t, srv.URL, &http.Client{Jar: jar}}
}

func (b *browser) do(r *http.Request, err error) (int, string) {
	b.t.Helper()
	must(b.t, err)
	res, err := b.http.Do(r)
	must(b.t, err)
	defer res.Body.Close()
	var s strings.Builder
	buf := make([]byte, 1<<20)
	for {
		n, err := res.Body.Read(buf)
		s.Write(buf[:n])
		if err != nil {
			return res.StatusCode, s.String()
		}
	}
}

func (b *browser) get(path string) (int, string) {
	b.t.Helper()
	return b.do(http.NewRequest("GET", b.base+path, nil))
}

func (b *browser) post(path string, form url.Values, header ...string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequest("POST", b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return b.do(r, err)
}

func (b *browser) signIn(name string) {
	b.t.Helper()
	if status, body := b.post("/sign-in", url.Values{"name": {name}, "secret": {"right"}}); status != 200 {
		b.t.Fatalf("sign in as %s: %d %s", name, status, body)
	}
}

// person lets somebody in with the password "right".
func (c *centre) person(name, role, hall string, hash string) {
	c.t.Helper()
	must(c.t, c.store.SavePerson(c.t.Context(), store.Person{Name: name, Hash: hash, Role: role, Hall: hall}, "test"))
}

// aDay puts two halls into the centre: a ticket's life in the first, an alarm,
// a box that waits for a document, and a conflict.
func (c *centre) aDay() {
	c.t.Helper()
	at := time.Now().UTC().Truncate(time.Millisecond)
	c.day = kiosk.Day(at.In(zone).Format(time.DateOnly))
	for _, hall := range []string{"h1", "h2"} {
		j := centraltest.NewJournalAt(hall+"-hub", 7, func(seq int) time.Time { return at.Add(time.Duration(seq) * time.Second) })
		j.Append(kiosk.KindBooted, kiosk.Booted{Version: "v1.4.0", Hall: hall})
		for n := range 3 {
			life(j, c.day, fmt.Sprintf("A%03d", n+1), fmt.Sprintf("VISIT%s%02d", hall, n), int64(n+1))
		}
		if hall == "h1" {
			j.Append(kiosk.KindAlarm, kiosk.Alarm{Source: "printer:1", State: "paper is low"})
		}
		c.push(hall, j, 1, j.Len())
	}
	c.box("h1", "h1-k2", "box")
	_, err := c.store.Send(c.t.Context(), store.Device{Hall: "h1", Device: "h1-hub"}, central.Message{Stream: central.Documents, Name: "hall <b>", Body: []byte(`{}`)})
	must(c.t, err)
}

func (c *centre) push(hall string, j *centraltest.Journal, first, last int) {
	c.t.Helper()
	_, err := c.store.Push(c.t.Context(), store.Origin{Hall: hall, Origin: j.Origin()}, j.Origin().Device, central.Batch{Sent: time.Now().Add(7 * time.Second), Events: j.Slice(first, last)})
	must(c.t, err)
}

func life(j *centraltest.Journal, day kiosk.Day, number, visit string, call int64) {
	leg := kiosk.Leg{ID: call, Visit: visit, Number: number, Item: "yyzz", Queue: "A", Window: "12", State: kiosk.Served}
	j.Append(kiosk.KindIssued, kiosk.Issued{Visit: kiosk.Visit{ID: visit, Day: day, Number: number, Item: "yyzz", Channel: kiosk.ByTouch, Kiosk: "k1"}, Ahead: 2})
	j.Append(kiosk.KindJob, kiosk.Job{ID: call, Visit: visit, Printer: "p1", State: kiosk.JobPrinted})
	j.Append(kiosk.KindCalled, kiosk.Call{Seq: call, Visit: visit, Leg: call, Number: number, Item: "yyzz", Window: "12", By: "li", Reason: number + " arrived first"})
	j.Append(kiosk.KindDelivered, kiosk.Delivered{Surface: "strip:12", Calls: []int64{call}})
	j.Append(kiosk.KindDelivered, kiosk.Delivered{Surface: "wall:main", Calls: []int64{call, call + 1}, Fault: "no answer"})
	j.Append(kiosk.KindMoved, kiosk.Moved{Action: kiosk.DoDone, Leg: leg, By: "li"})
}

// Who may see and do what, by role and by hall.
func TestRolesOfPeople(t *testing.T) {
	c := newCentre(t)
	c.aDay()
	hash := signin.Hash("right")
	for name, hall := range map[string]string{"clerk": "h1", "manager": "h1", "technician": "", "supervisor": "", "city": ""} {
		c.person(name, name, hall, hash)
	}
	ticket := "/ticket?hall=h2&number=a002&day=" + string(c.day)
	pages := map[string]map[string]int{ // page -> role -> status
		"/box?hall=h1&device=h1-hub": {"clerk": 403, "manager": 200, "technician": 200, "supervisor": 200, "city": 200},
		"/records":                   {"clerk": 403, "manager": 403, "technician": 403, "supervisor": 200, "city": 200},
		ticket:                       {"clerk": 200, "manager": 200, "technician": 403, "supervisor": 200, "city": 200},
		"/nothing":                   {"clerk": 404, "manager": 404, "technician": 404, "supervisor": 404, "city": 404},
	}
	forms := map[string]map[string]int{
		"/code":    {"clerk": 403, "manager": 403, "technician": 200, "supervisor": 403, "city": 200},
		"/revoke":  {"clerk": 403, "manager": 403, "technician": 200, "supervisor": 403, "city": 200},
		"/command": {"clerk": 403, "manager": 403, "technician": 200, "supervisor": 403, "city": 200},
	}
	stranger := c.browser(t)
	for _, path := range []string{"/", ticket, "/records"} {
		if _, body := stranger.get(path); !strings.Contains(body, `action="/sign-in"`) || strings.Contains(body, "h1-") {
			t.Errorf("a stranger sees %s", path)
		}
	}
	for role := range pages["/records"] {
		b := c.browser(t)
		b.signIn(role)
		for path, want := range pages {
			status, body := b.get(path)
			if status != want[role] {
				t.Errorf("%s at %s: %d, want %d", role, path, status, want[role])
			}
			if strings.Contains(body, "<b>") && strings.Contains(body, "hall <b>") {
				t.Errorf("%s: what a box said is not escaped", path)
			}
		}
		for path, want := range forms {
			form := url.Values{"hall": {"h1"}, "device": {"h1-k2"}, "role": {"box"}, "why": {"stolen"}, "name": {"restart"}}
			if status, _ := b.post(path, form, "Origin", "https://elsewhere.example"); status != 403 {
				t.Errorf("%s at %s from another site: %d", role, path, status)
			}
			if status, _ := b.post(path, form); status != want[role] {
				t.Errorf("%s at %s: %d, want %d", role, path, status, want[role])
			}
		}
		_, body := b.get("/")
		if hall2 := strings.Contains(body, "h2-hub"); hall2 != (role == "technician" || role == "supervisor" || role == "city") {
			t.Errorf("%s sees the other hall: %v", role, hall2)
		}
		_, found := b.get(ticket) // a clerk of h1 gets the ticket of h1, whatever the address says
		if other := strings.Contains(found, "h2-hub"); other != (role == "supervisor" || role == "city") {
			t.Errorf("%s sees a ticket of the other hall: %v", role, other)
		}
		b.post("/sign-out", nil)
		if _, body := b.get("/"); !strings.Contains(body, `action="/sign-in"`) {
			t.Errorf("%s is still in", role)
		}
	}
	b := c.browser(t)
	b.signIn("city")
	if _, audit := b.get("/records"); !strings.Contains(audit, "吊销证书") {
		t.Errorf("the Chinese records are not Chinese: %s", audit)
	}
	_, audit := b.get("/records?lang=en")
	for _, want := range []string{"signed in", "signed out", "revoked", "enrolment code", "stolen", "technician"} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit does not say %q", want)
		}
	}
}

// The commands that people may give: as they reach the box, and those that no form
// may bring.
func TestCommandsOfPeople(t *testing.T) {
	c := newCentre(t)
	d := store.Device{Hall: "h1", Device: "k1"}
	client := c.client(c.box("h1", "k1", central.RoleHost), nil)
	is := status(400, "ready")
	is.Parts = append(is.Parts, central.Part{Name: "stand-in", State: "ready"})
	must(t, client.Report(t.Context(), "k1", is))
	c.person("li", RoleTechnician, "", signin.Hash("right"))
	b := c.browser(t)
	b.signIn("li")
	page := "/box?hall=h1&device=k1"
	status, body := b.get(page)
	shows(t, "box", status, body, 200, "打测试票", "由本机接替", "重启程序")
	give := func(want int, form ...string) {
		t.Helper()
		q := url.Values{"hall": {"h1"}, "device": {"k1"}}
		for i := 0; i+1 < len(form); i += 2 {
			q.Set(form[i], form[i+1])
		}
		if status, body := b.post("/command", q); status != want {
			t.Errorf("%v: %d %s, want %d", form, status, body, want)
		}
	}
	give(200, "name", "test-ticket", "part", "printer p1")
	give(200, "name", "promote", "off", "yes")
	give(200, "name", "restart")
	give(400, "name", "promote")
	give(400, "name", "test-ticket")
	give(400, "name", "fly")
	give(404, "name", "restart", "device", "k9")
	var got []string
	list, err := c.store.Messages(t.Context(), d, central.Position{})
	must(t, err)
	for _, m := range list {
		got = append(got, m.Stream+" "+m.Name+" "+string(m.Body))
	}
	if want := `commands test-ticket {"printer":"p1"}, commands promote {}, commands restart {}`; strings.Join(got, ", ") != want {
		t.Errorf("the box gets %v", got)
	}
	c.person("zhao", RoleSupervisor, "", signin.Hash("right"))
	s := c.browser(t)
	s.signIn("zhao")
	if _, body := s.get(page); strings.Contains(body, "打测试票") || strings.Contains(body, "由本机接替") {
		t.Error("a supervisor is shown commands")
	}
	status, body = s.get("/records")
	shows(t, "records", status, body, 200, "test-ticket p1", "promote")
}

// Five wrong passwords lock; an idle session ends; a new password ends it too.
func TestSessionsOfPeople(t *testing.T) {
	began := time.Now()
	var on atomic.Int64 // how far the clock was moved on; the server reads it all the time
	c := newCentre(t, func(o *Options) { o.Now = func() time.Time { return began.Add(time.Duration(on.Load())) } })
	later := func(d time.Duration) { on.Add(int64(d)) }
	hash := signin.Hash("right")
	c.person("li", RoleCity, "", hash)
	in := func(b *browser) bool { _, body := b.get("/"); return !strings.Contains(body, `action="/sign-in"`) }
	b := c.browser(t)
	for range 5 {
		if status, _ := b.post("/sign-in", url.Values{"name": {"li"}, "secret": {"wrong"}}); status != 401 {
			t.Fatalf("wrong password: %d", status)
		}
	}
	if status, _ := b.post("/sign-in", url.Values{"name": {"li"}, "secret": {"right"}}); status != 429 {
		t.Errorf("sixth try: %d", status)
	}
	later(11 * time.Minute)
	b.signIn("li")
	later(10 * time.Minute)
	if !in(b) {
		t.Error("the session ended too early")
	}
	later(10 * time.Minute)
	if !in(b) {
		t.Error("a click did not renew the session")
	}
	later(16 * time.Minute)
	if in(b) {
		t.Error("an idle session did not end")
	}
	b.signIn("li")
	c.person("li", RoleCity, "", signin.Hash("other"))
	if in(b) {
		t.Error("a new password did not end the session")
	}
}

// The life of a ticket: its own events with their proof, and nobody else's.
func TestLifeOfATicket(t *testing.T) {
	c := newCentre(t)
	c.aDay()
	list, err := c.store.Life(t.Context(), "h1", c.day, "A002")
	must(t, err)
	var kinds []string
	for _, e := range list {
		kinds = append(kinds, string(e.Kind))
		if !e.Chained || e.Device != "h1-hub" {
			t.Errorf("entry %+v", e)
		}
	}
	if got := strings.Join(kinds, " "); got != "issued job called delivered delivered moved" {
		t.Errorf("life: %s", got)
	}
	for _, q := range [][3]string{{"h1", string(c.day), "A009"}, {"h3", string(c.day), "A002"}, {"h1", "2020-01-01", "A002"}, {"h1", "nonsense", "A002"}, {"h1", string(c.day), "%"}} {
		if list, err := c.store.Life(t.Context(), q[0], kiosk.Day(q[1]), q[2]); err != nil || len(list) > 0 {
			t.Errorf("%v: %d entries, %v", q, len(list), err)
		}
	}
}

// The pages in a browser, in both languages.
func TestPagesInABrowser(t *testing.T) {
	c := newCentre(t)
	c.aDay()
	c.person("li", RoleCity, "", signin.Hash("right"))
	b := c.browser(t)
	p := webtest.Start(t).Open(t, b.base+"/", 1280, 900)
	p.See("登录")
	p.Type("[name=name]", "li")
	p.Type("[name=secret]", "right")
	p.Click("button.main")
	p.See("设备总览")
	p.See("paper is low")
	shot(p, "fleet-zh")
	p.Click(".lang")
	p.See("All boxes")
	p.Go(b.base + "/ticket?hall=h1&number=A002&day=" + string(c.day))
	p.See("called to window 12")
	shot(p, "ticket-en")
	p.Click(".lang")
	p.See("呼叫到窗口 12")
	shot(p, "ticket-zh")
	p.Go(b.base + "/box?hall=h1&device=h1-hub")
	p.See("hall <b>")
	shot(p, "box-zh")
	p.Go(b.base + "/")
	p.Type("[name=hall]", "h3")
	p.Type("[name=device]", "k1")
	p.Click("form[action='/code'] button")
	p.See("longcheng://")
	shot(p, "code-zh")
	if list := p.Overflows(); len(list) > 0 {
		t.Errorf("cut off: %v", list)
	}
}

// shot keeps a picture of the page when LONGCHENG_SHOTS names a folder.
func shot(p *webtest.Page, name string) {
	if dir := os.Getenv("LONGCHENG_SHOTS"); dir != "" {
		p.Shot(filepath.Join(dir, name+".png"))
	}
}
