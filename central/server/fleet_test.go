package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/centraltest"
	"longcheng/central/store"
	"longcheng/kiosk"
	"longcheng/kiosk/signin"
	"longcheng/kiosk/web/webtest"
)

// A receiver is another system that says no at first.
type receiver struct {
	mu     sync.Mutex
	bad    int // answers of 503 that are still to be given
	events []string
	faults []string
}

func (r *receiver) ServeHTTP(rw http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body) // what came is judged
	r.mu.Lock()
	defer r.mu.Unlock()
	var unix int64
	var sign string
	if _, err := fmt.Sscanf(q.Header.Get("Longcheng-Signature"), "t=%d,v1=%s", &unix, &sign); err != nil || sign != Sign("0123456789abcdef", time.Unix(unix, 0), body) {
		r.faults = append(r.faults, "signature "+q.Header.Get("Longcheng-Signature"))
	}
	if r.bad > 0 {
		r.bad--
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var e struct{ ID, Event, Source string }
	if err := json.Unmarshal(body, &e); err != nil || e.ID != q.Header.Get("Longcheng-Delivery") {
		r.faults = append(r.faults, string(body))
	}
	r.events = append(r.events, e.Event+" "+e.Source)
}

func (r *receiver) heard() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(append(append([]string(nil), r.events...), r.faults...), ", ")
}

func status(left int, state string) central.Status {
	return central.Status{Sent: time.Now(), Version: "v1", Config: "cafe", Parts: []central.Part{
		{Name: "printer p1", State: state, Since: time.Now(), Left: &left}, {Name: "reader r1", State: "ready", Since: time.Now()},
	}, Hall: &central.HallNow{Name: kiosk.Text{ZH: "滨江便民服务中心", EN: "Riverside centre"}, Day: "2026-03-02", Windows: []central.WindowNow{
		{Window: "1", Desk: kiosk.Open, Number: "A012", State: "serving", Since: time.Now()}, {Window: "2", Desk: kiosk.Paused}, {Window: "3", Desk: kiosk.Open}, {Window: "4", Desk: kiosk.Closed},
	}, Queues: []central.QueueNow{
		{Queue: "A", Name: kiosk.Text{ZH: "社保", EN: "Social security"}, Waiting: 7, Windows: 2, Estimate: 14 * time.Minute},
		{Queue: "B", Name: kiosk.Text{ZH: "不动产登记", EN: "Real estate"}, Waiting: 2, Windows: 0},
	}}}
}

// What a box says of itself becomes alarms; other systems are told of each with a
// signature, again when they did not take it; somebody looks after one.
func TestAlarmsReachPeopleAndHooks(t *testing.T) {
	r := &receiver{bad: 1}
	there := httptest.NewServer(r)
	t.Cleanup(there.Close)
	c := newCentre(t, func(o *Options) { o.Hooks = []Hook{{Name: "duty", URL: there.URL, Secret: "0123456789abcdef"}} })
	client := c.client(c.box("h1", "k1", central.RoleHost), nil)
	must(t, client.Report(t.Context(), "k1", status(12, "ready")))
	soon(t, "the hook", func() bool { return r.heard() == "alarm.raised paper printer p1" })
	c.person("li", RoleManager, "h1", signin.Hash("right"))
	b := c.browser(t)
	b.signIn("li")
	if _, page := b.get("/alarms"); !strings.Contains(page, "余纸 printer p1") {
		t.Errorf("alarms: %s", page)
	}
	ack := url.Values{"hall": {"h1"}, "device": {"k1"}, "source": {"paper printer p1"}}
	if status, _ := b.post("/ack", ack); status != 200 {
		t.Errorf("acknowledge: %d", status)
	}
	must(t, client.Report(t.Context(), "k1", status(400, "ready")))
	soon(t, "the end", func() bool {
		return strings.HasSuffix(r.heard(), "alarm.acknowledged paper printer p1, alarm.ended paper printer p1")
	})
	if status, _ := b.post("/ack", ack); status != 404 {
		t.Errorf("acknowledge what is over: %d", status)
	}
	c.person("zhao", RoleSupervisor, "", signin.Hash("right"))
	looks := c.browser(t)
	looks.signIn("zhao")
	if status, _ := looks.post("/ack", ack); status != 403 {
		t.Errorf("a supervisor acknowledges: %d", status)
	}
}

// A fault that is known has its name in the language of the page, on every page; of
// one that is not, the box's own sentence is shown.
func TestFaultsAreNamed(t *testing.T) {
	c := newCentre(t, func(o *Options) {
		o.Called = func(string) kiosk.Text { return kiosk.Text{ZH: "打印机 p1", EN: "printer p1"} }
		o.Fault = func(id string) (name, remedy kiosk.Text) {
			if id == "paper-out" {
				return kiosk.Text{ZH: "打印机缺纸", EN: "Out of paper"}, kiosk.Text{ZH: "换纸卷", EN: "Put in a new roll"}
			}
			return name, remedy
		}
	})
	is := status(400, "the roll has ended")
	is.Parts[0].Fault, is.Parts[1].State = "paper-out", "odd"
	must(t, c.client(c.box("h1", "k1", central.RoleHost), nil).Report(t.Context(), "k1", is))
	j := centraltest.NewJournal("k1", 7, 0)
	j.Append(kiosk.KindAlarm, kiosk.Alarm{Source: "printer p1", State: "the roll has ended", Fault: "paper-out"})
	c.push("h1", j, 1, 1)
	must(t, c.srv.watchAlarms(t.Context()))
	c.person("li", RoleManager, "h1", signin.Hash("right"))
	b := c.browser(t)
	b.signIn("li")
	for path, want := range map[string][]string{
		"/?lang=zh": {"打印机 p1：打印机缺纸"}, "/?lang=en": {"printer p1: Out of paper"},
		"/alarms?lang=zh": {"打印机 p1</td>", "打印机缺纸</td>"}, "/alarms?lang=en": {"Out of paper</td>"},
		"/box?hall=h1&device=k1&lang=zh": {"打印机缺纸", "换纸卷", "所见：the roll has ended", "设备需要处理：odd"}, "/box?hall=h1&device=k1&lang=en": {"Out of paper", "Put in a new roll", ">odd<"},
	} {
		_, page := b.get(path)
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s does not say %q: %s", path, w, page)
			}
		}
	}
}

// The vector of the specification.
func TestSignatureIsTheDocumented(t *testing.T) {
	page, err := os.ReadFile("../../deploy/docs/integrator/hooks.md")
	must(t, err)
	if sign := Sign("0123456789abcdef", time.Unix(1772413323, 0), []byte(`{"id":"1"}`)); !strings.Contains(string(page), "`"+sign+"`") {
		t.Errorf("hooks.md does not say %s", sign)
	}
}

// A box speaks of itself only, a host for its hall, and a status is bounded.
func TestStatusIsBounded(t *testing.T) {
	c := newCentre(t)
	box, host := c.client(c.box("h1", "k1", "box"), nil), c.client(c.box("h1", "hub", central.RoleHost), nil)
	wants(t, "itself", box.Report(t.Context(), "k1", status(1, "ready")), "none")
	wants(t, "another", box.Report(t.Context(), "k2", status(1, "ready")), "device")
	wants(t, "relayed", host.Report(t.Context(), "k2", status(1, "ready")), "none")
	long := status(1, strings.Repeat("x", central.MaxStatus))
	wants(t, "long", box.Report(t.Context(), "k1", long), "too_large")
	many := central.Status{Parts: make([]central.Part, 3000)}
	wants(t, "many", box.Report(t.Context(), "k1", many), "status")
}

// A box that runs with something else than what was published is seen.
func TestDriftIsSeen(t *testing.T) {
	at := time.Now()
	s := &Server{o: Options{Now: func() time.Time { return at }}}
	w := func(acked, ok bool, age time.Duration) store.Wanted {
		return store.Wanted{Name: "hall", Number: 4, Acked: acked, OK: ok, Text: "line 3", Since: at.Add(-age)}
	}
	runs := func(n int64) store.Said {
		return store.Said{Is: central.Status{Documents: map[string]int64{"hall": n}}}
	}
	for name, x := range map[string]struct {
		w    store.Wanted
		said store.Said
		want string
	}{
		"refused":        {w(true, false, 0), runs(3), "refused: line 3"},
		"fresh":          {w(false, false, time.Minute), runs(3), ""},
		"late":           {w(false, false, time.Hour), runs(3), "not taken"},
		"in force":       {w(true, true, time.Hour), runs(4), ""},
		"does not say":   {w(true, true, time.Hour), store.Said{}, ""},
		"runs old":       {w(true, true, time.Hour), runs(3), "runs with document 3"},
		"just now taken": {w(true, true, time.Minute), runs(3), ""},
	} {
		if got := s.drifted(x.w, x.said); (x.want == "") != (got == "") || !strings.Contains(got, x.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// The pages of the fleet in a browser, in both languages and sizes.
func TestFleetInABrowser(t *testing.T) {
	c := newCentre(t)
	c.aDay()
	for hall, left := range map[string]int{"lake": 12, "river": 420} {
		for _, d := range []string{"host", "kiosk-1", "display-1"} {
			role := "box"
			is := status(left, "ready")
			if d == "host" {
				role = central.RoleHost
			} else {
				is.Hall = nil
			}
			if d == "display-1" {
				is.Parts = []central.Part{{Name: "strip:1", State: "sign is silent: check its power, address and baud rate", Since: time.Now()}, {Name: "wall:main", State: "ready", Since: time.Now()}}
			}
			must(t, c.client(c.box(hall, d, role), nil).Report(t.Context(), d, is))
		}
	}
	must(t, c.srv.watchAlarms(t.Context()))
	c.person("li", RoleCity, "", signin.Hash("right"))
	b := c.browser(t)
	sizes := [][2]int64{{1366, 768}, {1920, 1080}}
	if os.Getenv("LONGCHENG_SHOTS") == "" {
		sizes = sizes[:1] // the narrow one is the one in which texts are cut off
	}
	for i, size := range sizes {
		p := webtest.Start(t).Open(t, b.base+"/", size[0], size[1])
		p.Type("[name=name]", "li")
		p.Type("[name=secret]", "right")
		p.Click("button.main")
		p.See("h1-hub")
		for lang, called := range map[string]string{"zh": "滨江便民服务中心", "en": "Riverside centre"} {
			for page, want := range map[string]string{"": "lake", "alarms": "printer p1", "live": "A012", "box?hall=lake&device=display-1": "sign is silent"} {
				sep := "?"
				if strings.Contains(page, "?") {
					sep = "&"
				}
				p.Go(b.base + "/" + page + sep + "lang=" + lang)
				p.See(want)
				if page == "" || page == "live" {
					p.See(called)
				}
				shot(p, fmt.Sprintf("fleet-%s-%s-%d", strings.Split(page, "?")[0], lang, i))
				if list := p.Overflows(); len(list) > 0 {
					t.Errorf("%s %s: cut off: %v", page, lang, list)
				}
			}
		}
	}
}

// Of many boxes the page of all halls shows those that need somebody; a hall shows
// all of its own.
func TestFleetOfManyBoxes(t *testing.T) {
	c := newCentre(t)
	for hall := range 11 {
		for box := range 20 {
			d := store.Device{Hall: fmt.Sprint("h", hall), Device: fmt.Sprint("k", box)}
			must(t, c.store.SaveStatus(t.Context(), d, status(400, map[bool]string{true: "no paper", false: "ready"}[hall == 7 && box == 3])))
		}
	}
	c.person("li", RoleCity, "", signin.Hash("right"))
	b := c.browser(t)
	b.signIn("li")
	_, page := b.get("/?lang=en")
	if n := strings.Count(page, `"state `); n != 1 || !strings.Contains(page, "device=k3") || !strings.Contains(page, "19 good") || !strings.Contains(page, "<b>220</b>") {
		t.Errorf("%d boxes are shown: %s", n, page)
	}
	if _, page = b.get("/?hall=h3&lang=en"); strings.Count(page, `"state good"`) != 20 {
		t.Errorf("of one hall are shown: %s", page)
	}
}
