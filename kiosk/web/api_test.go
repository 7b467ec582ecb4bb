package web

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
)

func b64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

var update = flag.Bool("update", false, "rewrite openapi.json")

// The committed document is what other systems of the hall were given: changing
// it is a decision.
func TestOpenAPIIsTheReviewedOne(t *testing.T) {
	_, w, _ := start(t)
	if *update {
		if err := os.WriteFile("openapi.json", w.OpenAPI(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(w.OpenAPI()) {
		t.Error("the API differs from openapi.json: review the change, then run go test -run OpenAPI -update")
	}
}

type document struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		Parameters []struct {
			Name     string
			Required bool
		}
		Security []map[string][]string
	}
}

func parsed(t *testing.T, w *Web) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(w.OpenAPI(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func concrete(path string) string {
	return strings.NewReplacer("{window}", "1", "{id}", "x", "{queue}", "a").Replace(path)
}

// Every POST can be repeated safely, so every POST must carry its key.
func TestEveryPostNeedsAKey(t *testing.T) {
	_, w, c := start(t)
	c.signIn("li", "1111", "1")
	n := 0
	for path, methods := range parsed(t, w).Paths {
		post, ok := methods["post"]
		if !ok {
			continue
		}
		n++
		if !slices.ContainsFunc(post.Parameters, func(p struct {
			Name     string
			Required bool
		}) bool {
			return p.Name == "Idempotency-Key" && p.Required
		}) {
			t.Errorf("POST %s: no required Idempotency-Key in the document", path)
		}
		for _, bad := range []string{"", strings.Repeat("x", 65), "a b", "é"} {
			if got, m := c.do("POST", concrete(path), `{}`, "Idempotency-Key", bad); got != 422 {
				t.Errorf("POST %s with key %q: %d %v", path, bad, got, m)
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d POSTs in the document", n)
	}
}

// The roles table: what each kind of person may do.
func TestRoles(t *testing.T) {
	const grant = `{"class":"elderly","reason":"shown card"}`
	cases := []struct {
		method, path, body           string
		anyone, clerk, boss, machine int
	}{
		{"POST", "/tickets", `{"kiosk":"k1","item":"yyzz"}`, 200, 200, 200, 200},
		{"POST", "/tickets", `{"kiosk":"k1","flow":"f","stage":"s"}`, 403, 409, 409, 409},
		{"GET", "/hall", "", 200, 200, 200, 200},
		{"GET", "/state", "", 200, 200, 200, 200},
		{"GET", "/session", "", 401, 200, 200, 200},
		{"POST", "/windows/1/state", `{"desk":"open"}`, 401, 200, 200, 403},
		{"PUT", "/windows/1/state", `{"desk":"open"}`, 401, 200, 200, 403},
		{"POST", "/windows/2/state", `{"desk":"open"}`, 401, 403, 200, 403},
		{"POST", "/windows/2/next", "", 401, 403, 200, 403},
		{"POST", "/windows/9/next", "", 404, 404, 404, 404},
		{"GET", "/queues/a/waiting", "", 401, 200, 200, 403},
		{"GET", "/windows/1/parked", "", 401, 200, 200, 403},
		{"GET", "/windows/2/parked", "", 401, 403, 200, 403},
		{"GET", "/visits?number=Z999", "", 401, 404, 404, 403},
		{"POST", "/visits/x/grant", grant, 401, 409, 409, 403},
		{"POST", "/visits/x/reprint", `{"reason":"torn","printer":"p1"}`, 401, 200, 200, 403},
		{"GET", "/journal", "", 401, 403, 200, 403},
		{"POST", "/appointments", `{"code":"c","item":"yyzz","at":"2026-03-02T10:00:00+08:00"}`, 401, 403, 200, 200},
	}
	_, w, anyone := start(t)
	clerk, boss, machine := &client{t: t, h: w}, &client{t: t, h: w}, &client{t: t, h: w}
	clerk.signIn("li", "1111", "1")
	boss.signIn("wang", "2222", "")
	machine.signIn("sys", "3333", "")
	for _, x := range cases {
		for who, p := range map[string]struct {
			c    *client
			want int
		}{"anyone": {anyone, x.anyone}, "clerk": {clerk, x.clerk}, "supervisor": {boss, x.boss}, "system": {machine, x.machine}} {
			if got, m := p.c.do(x.method, base+x.path, x.body); got != p.want {
				t.Errorf("%s %s as %s: %d, want %d: %v", x.method, x.path, who, got, p.want, m)
			}
		}
	}
}

// A citizen takes a ticket twice with the same key (the answer was lost), a clerk
// serves it.
func TestTicketFromTouchToDone(t *testing.T) {
	f, w, c := start(t)
	one := c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"yyzz"}`, "Idempotency-Key", "same")
	two := c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"yyzz"}`, "Idempotency-Key", "same")
	visit := one["visit"].(map[string]any)
	if visit["number"] != "A001" || two["visit"].(map[string]any)["id"] != visit["id"] {
		t.Fatalf("a repeated request gave another ticket: %v, %v", one, two)
	}
	if f.intent.Printer != "p1" || f.intent.Channel != kiosk.ByTouch || len(f.intent.Request) > 64 {
		t.Errorf("intent %+v", f.intent)
	}
	if got := c.want(200, "GET", base+"/tickets/"+visit["id"].(string), ""); got["ahead"] != 3.0 {
		t.Errorf("ticket view %v", got)
	}
	clerk := &client{t: t, h: w}
	clerk.signIn("li", "1111", "1")
	clerk.want(409, "POST", base+"/windows/1/next", "")
	clerk.want(200, "PUT", base+"/windows/1/state", `{"desk":"open"}`)
	call := clerk.want(200, "POST", base+"/windows/1/next", "")
	if call["number"] != "A001" || call["by"] != "li" || len(call["delivery"].([]any)) != 2 {
		t.Errorf("call %v", call)
	}
	clerk.want(200, "POST", base+"/windows/1/recall", "")
	clerk.want(200, "POST", base+"/windows/1/start", `{}`)
	clerk.want(409, "POST", base+"/windows/1/skip", "")
	clerk.want(422, "POST", base+"/windows/1/transfer", `{"position":"nowhere"}`)
	if leg := clerk.want(200, "POST", base+"/windows/1/done", ""); leg["state"] != "served" {
		t.Errorf("leg %v", leg)
	}
}

// A visit's id opens its page: the public state must not carry it.
func TestPublicStateKeepsSecrets(t *testing.T) {
	f, w, c := start(t)
	c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"yyzz","card":"good"}`)
	clerk := &client{t: t, h: w}
	clerk.signIn("li", "1111", "1")
	clerk.want(200, "PUT", base+"/windows/1/state", `{"desk":"open"}`)
	clerk.want(200, "POST", base+"/windows/1/next", "")
	for _, path := range []string{"/state", "/calls", "/windows", "/queues"} {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest("GET", base+path, nil))
		body := rec.Body.String()
		if strings.Contains(body, f.order[0]) || strings.Contains(body, `"li"`) || strings.Contains(body, "arrived") {
			t.Errorf("GET %s tells the public %s", path, body)
		}
	}
	if body := clerk.want(200, "GET", base+"/state", ""); body["calls"].([]any)[0].(map[string]any)["visit"] != f.order[0] {
		t.Error("the clerk does not see the visit")
	}
}

func TestCardTokenBecomesThePerson(t *testing.T) {
	f, _, c := start(t)
	c.want(409, "POST", base+"/tickets", `{"kiosk":"k1","item":"card"}`)
	m := c.want(409, "POST", base+"/tickets", `{"kiosk":"k1","item":"card","card":"stale"}`)
	if m["code"] != "card_gone" {
		t.Errorf("problem %v", m)
	}
	c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"card","card":"good"}`)
	if in := f.intent; in.Person != "hash" || in.Name != "张**" || in.Class != "elderly" || in.Channel != kiosk.ByCard {
		t.Errorf("intent %+v", in)
	}
	c.want(422, "POST", base+"/tickets", `{"kiosk":"k1","item":"card","person":"forged"}`)
}

// A ticket whose answer was lost together with the daemon that knew the card is
// found again by its request.
func TestALostAnswerIsFoundWithoutTheCard(t *testing.T) {
	_, _, c := start(t)
	one := c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"card","card":"good"}`, "Idempotency-Key", "k")
	two := c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"card","card":"forgotten"}`, "Idempotency-Key", "k")
	if fmt.Sprint(one) != fmt.Sprint(two) {
		t.Errorf("first %v, then %v", one, two)
	}
	c.want(409, "POST", base+"/tickets", `{"kiosk":"k1","item":"card","card":"forgotten"}`, "Idempotency-Key", "another")
}

func TestProblems(t *testing.T) {
	var heard error
	f, w, c := start(t, func(o *Options) { o.OnError = func(_ string, err error) { heard = err } })
	m := c.want(409, "POST", base+"/tickets", `{"kiosk":"k1","item":"nothing"}`)
	text := m["text"].(map[string]any)
	if m["code"] != "no_item" || text["zh"] == "" || text["en"] == "" || m["status"] != 409.0 || m["request"] == "" {
		t.Errorf("refusal %v", m)
	}
	m = c.want(422, "POST", base+"/tickets", `{"kiosk":5}`)
	if m["code"] != "bad_request" || len(m["errors"].([]any)) == 0 {
		t.Errorf("validation %v", m)
	}
	f.broken = errors.New("disk on fire at sector 7")
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest("GET", base+"/state", nil))
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "disk") || !strings.Contains(rec.Body.String(), "出了点问题") {
		t.Errorf("500: %d %s", rec.Code, rec.Body)
	}
	if ct := rec.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %q", ct)
	}
	if heard == nil || !strings.Contains(heard.Error(), "sector 7") {
		t.Errorf("OnError heard %v", heard)
	}
	for code, err := range map[string]error{"disk_full": noRoom{f.broken}, "store_broken": final{f.broken}} {
		f.broken = fmt.Errorf("write: %w", err)
		if got, m := c.do("GET", base+"/state", ""); got != 503 || m["code"] != code || strings.Contains(fmt.Sprint(m), "sector") {
			t.Errorf("%s: %d %v", code, got, m)
		}
	}
	if got, m := c.do("GET", base+"/nothing", ""); got != 404 || m["code"] != "no_path" {
		t.Errorf("unknown path: %d %v", got, m)
	}
	if got, _ := c.do("POST", base+"/tickets", `{"kiosk":"`+strings.Repeat("x", maxBody)+`"}`); got != 413 && got != 400 {
		t.Errorf("a body above the limit: %d", got)
	}
}

// noRoom and final are errors of a store whose disk is full, or that broke.
type (
	noRoom struct{ error }
	final  struct{ error }
)

func (noRoom) NoRoom() bool { return true }
func (final) Final() bool   { return true }

// A page of another site makes the browser send the cookie's request: refused.
func TestOtherSitesAreRefused(t *testing.T) {
	_, _, c := start(t)
	c.signIn("li", "1111", "1")
	c.want(403, "PUT", base+"/windows/1/state", `{"desk":"open"}`, "Origin", "https://evil.example")
	c.want(403, "PUT", base+"/windows/1/state", `{"desk":"open"}`, "Sec-Fetch-Site", "cross-site")
	c.want(200, "PUT", base+"/windows/1/state", `{"desk":"open"}`, "Origin", "http://example.com")
}

func TestPanicTellsNothing(t *testing.T) {
	_, w, _ := start(t)
	h := w.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail") }))
	for _, accept := range []string{"text/html", "*/*"} {
		r := httptest.NewRequest("GET", "/console", nil)
		r.Header.Set("Accept", accept)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret") || strings.Contains(rec.Body.String(), "goroutine") {
			t.Errorf("Accept %s: %d %s", accept, rec.Code, rec.Body)
		}
	}
}

// A stream sends the state at once, and again when something has happened.
func TestStream(t *testing.T) {
	_, w, c := start(t, func(o *Options) { o.Streams = 1 })
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = w.Server(nil)
	srv.Start()
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+base+"/stream", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	if s := nextState(t, lines); s.Queues[0].Waiting != 0 {
		t.Fatalf("first state %+v", s)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest("GET", base+"/stream", nil))
	if rec.Code != 503 {
		t.Errorf("a stream above the cap: %d", rec.Code)
	}
	c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"yyzz"}`)
	if s := nextState(t, lines); s.Queues[0].Waiting != 1 {
		t.Errorf("state after a ticket %+v", s)
	}
	if err := srv.Config.Shutdown(ctx); err != nil {
		t.Errorf("shutdown waits for the stream: %v", err)
	}
}

// A console hears of its own window and the queues that it serves, and of nothing
// else.
func TestAConsoleIsToldOfItsWindow(t *testing.T) {
	hall := kiosk.Snapshot{
		Seq: 1, Windows: []kiosk.WindowState{{Window: "1", Groups: [][]string{{"a"}, {"b"}}}, {Window: "2"}},
		Queues: []kiosk.QueueState{{Queue: "a"}, {Queue: "c"}}, Calls: []kiosk.Call{{Seq: 2, Window: "2"}, {Seq: 1, Window: "1"}},
	}
	d := &desk{window: "1", view: func(context.Context) (kiosk.Snapshot, error) { return hall, nil }}
	news := func(want bool) {
		t.Helper()
		v, err := d.news(t.Context())
		if err != nil || (v != nil) != want {
			t.Fatalf("told %+v, %v", v, err)
		}
		if s, _ := v.(kiosk.Snapshot); want && (len(s.Windows) != 1 || len(s.Queues) != 1 || len(s.Calls) != 1 || s.Seq != hall.Seq) {
			t.Errorf("told %+v", s)
		}
	}
	news(true)
	hall.Seq, hall.Windows = 2, []kiosk.WindowState{hall.Windows[0], {Window: "2", Desk: kiosk.Open}}
	news(false)
	hall.Seq, hall.Queues = 3, []kiosk.QueueState{{Queue: "a", Waiting: 1}, {Queue: "c"}}
	news(true)
	d.sent = d.sent.Add(-heartbeat)
	news(true) // a sign of life
}

func nextState(t *testing.T, lines *bufio.Scanner) (s kiosk.Snapshot) {
	t.Helper()
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &s); err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	t.Fatal("the stream ended: ", lines.Err())
	return s
}

func TestPinyinInitials(t *testing.T) {
	in := newInitials()
	for name, want := range map[string]string{"营业执照办理": "yyzzbl", "不动产登记": "bdcdj", "ETC办理2": "etcbl2", "（社保）卡": "sbk", "龘": "", "会计师事务所": "kjssws", "社会保险": "shbx", "人民调解\xff": "rmtj"} {
		if got := in.of(name); got != want {
			t.Errorf("initials of %s: %q, want %q", name, got, want)
		}
	}
}

// The id that the store keeps begins with the time if the key does, and never
// depends on anything but scope and key.
func TestRequestKeepsTheTime(t *testing.T) {
	const v7, v4 = "01a22c4c-f4c2-7a87-bfac-d94849ab253c", "9a22c4cf-4c27-4a87-bfac-d94849ab253c"
	if id := request("take k1", v7); !strings.HasPrefix(id, "web-01a22c4c-f4c2") || len(id) > 64 {
		t.Errorf("of a key with a time: %q", id)
	}
	if id := request("take k1", v4); len(id) != len("web-")+32 {
		t.Errorf("of a key without one: %q", id)
	}
	once, again := request("take k1", v7), request("take k1", v7)
	if once != again || once == request("take k2", v7) {
		t.Error("the id is not that of scope and key")
	}
}
