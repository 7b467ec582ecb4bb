package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// posts lists every operation that takes a body, with one that it accepts.
var posts = []struct{ method, path, good string }{
	{"POST", "/session", `{"user":"li","secret":"x","window":"1"}`},
	{"POST", "/tickets", `{"kiosk":"k1","item":"yyzz","flow":"f","stage":"s","class":"elderly","card":"c","code":"c"}`},
	{"POST", "/appointments", `{"code":"c","item":"yyzz","at":"2026-03-02T10:00:00+08:00","name":"张三"}`},
	{"POST", "/visits/x/grant", `{"class":"elderly","reason":"r"}`},
	{"POST", "/visits/x/reprint", `{"printer":"p1","reason":"r"}`},
	{"POST", "/windows/1/state", `{"desk":"open","notice":"n"}`},
	{"PUT", "/windows/1/state", `{"desk":"open","notice":"n"}`},
	{"POST", "/windows/1/recall", `{"reason":"r"}`},
	{"POST", "/windows/1/start", `{"visit":"v"}`},
	{"POST", "/windows/1/done", `{"visit":"v"}`},
	{"POST", "/windows/1/skip", `{"visit":"v"}`},
	{"POST", "/windows/1/hold", `{"visit":"v"}`},
	{"POST", "/windows/1/transfer", `{"queue":"q","to":"2","reason":"r"}`},
	{"POST", "/windows/1/cancel", `{"visit":"v","reason":"r"}`},
	{"POST", "/windows/1/call", `{"visit":"v"}`},
	{"POST", "/windows/1/requeue", `{"visit":"v"}`},
}

// The table above leaves nothing out.
func TestEveryBodyIsAttacked(t *testing.T) {
	_, w, _ := start(t)
	var d struct {
		Paths map[string]map[string]struct{ RequestBody any }
	}
	if err := json.Unmarshal(w.OpenAPI(), &d); err != nil {
		t.Fatal(err)
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			known := slices.ContainsFunc(posts, func(p struct{ method, path, good string }) bool {
				return strings.EqualFold(p.method, method) && base+p.path == concrete(path)
			})
			if op.RequestBody != nil && !known {
				t.Errorf("%s %s is not in the table", method, path)
			}
		}
	}
}

// each sets every field of a good body to a value in turn.
func each(t *testing.T, good string, value any) (bodies []string) {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(good), &m); err != nil {
		t.Fatal(err)
	}
	for k, old := range m {
		if k == "secret" { // any characters may be in one
			continue
		}
		m[k] = value
		b, _ := json.Marshal(m)
		bodies = append(bodies, string(b))
		m[k] = old
	}
	return bodies
}

// Whatever body comes, the answer is a problem that says what was wrong, in both
// languages, and nothing of the inside.
func TestHostileBodies(t *testing.T) {
	_, w, _ := start(t, func(o *Options) { o.OnError = func(_ string, err error) { t.Errorf("became a 500: %v", err) } })
	c := &client{t: t, h: w}
	c.signIn("wang", "2222", "")
	for _, p := range posts {
		attacks := map[string][]string{
			"1 MB":               {`{"reason":"` + strings.Repeat("x", 1<<20) + `"}`, strings.Repeat(" ", 1<<20)},
			"cut off":            {p.good[:len(p.good)-2], "["},
			"not an object":      {`[]`, `"text"`, `7`, `true`},
			"deep":               {strings.Repeat(`{"a":`, 3000) + "1" + strings.Repeat("}", 3000)},
			"unknown field":      {strings.Replace(p.good, "{", `{"surprise":1,`, 1)},
			"number for text":    each(t, p.good, 5),
			"object for text":    each(t, p.good, map[string]any{"a": 1}),
			"control characters": each(t, p.good, "a\x00\x07\x1b[31m\n"),
			"backwards":          each(t, p.good, "a\u202eb"),
			"10 000 characters":  each(t, p.good, strings.Repeat("常", 10_000)),
			"not UTF-8":          {strings.Replace(p.good, `":"`, "\":\"\xff\xfe", 1)},
		}
		for name, bodies := range attacks {
			for _, body := range bodies {
				if name == "not UTF-8" && p.path == "/session" {
					continue // the decoder repairs it: a user that does not exist
				}
				wantProblem(t, w, c, p.method, p.path, name, body)
			}
		}
	}
}

func wantProblem(t *testing.T, w *Web, c *client, method, path, name, body string) {
	t.Helper()
	r := httptest.NewRequest(method, base+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	r.AddCookie(c.cookie)
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	var p Problem
	err := json.Unmarshal(rec.Body.Bytes(), &p)
	if err != nil || rec.Code < 400 || rec.Code >= 500 || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s, %s: %d %s %.200s", method, path, name, rec.Code, rec.Header().Get("Content-Type"), rec.Body)
		return
	}
	if p.Status != rec.Code || p.Code == "" || p.Text.ZH == "" || p.Text.EN == "" || p.Request == "" {
		t.Errorf("%s %s, %s: problem %+v", method, path, name, p)
	}
	if rec.Code == http.StatusUnprocessableEntity && len(p.Errors) == 0 {
		t.Errorf("%s %s, %s: 422 without a reason: %s", method, path, name, rec.Body)
	}
	if rec.Body.Len() > 8<<10 || strings.Contains(rec.Body.String(), ".go:") {
		t.Errorf("%s %s, %s: the answer tells too much: %.300s", method, path, name, rec.Body)
	}
}

// All faults of a body are told at once.
func TestAllErrorsAtOnce(t *testing.T) {
	_, _, c := start(t)
	m := c.want(422, "POST", base+"/tickets", `{"kiosk":5,"item":["x"],"class":"\u0007","surprise":true}`, "Idempotency-Key", "")
	var where []string
	for _, e := range m["errors"].([]any) {
		where = append(where, fmt.Sprint(e.(map[string]any)["location"]))
	}
	slices.Sort(where)
	if got := strings.Join(where, " "); got != "body.class body.item body.kiosk body.surprise header.Idempotency-Key" {
		t.Errorf("told %s", got)
	}
}

// A wrong method or kind of content is a problem too, or a page for people.
func TestHostileRequests(t *testing.T) {
	_, w, _ := start(t)
	for _, x := range []struct {
		method, path, kind, accept string
		page                       bool
	}{
		{"POST", base + "/hall", "application/json", "", false},
		{"TRACE", base + "/tickets", "", "", false},
		{"POST", base + "/tickets", "text/xml", "", false},
		{"POST", base + "/tickets", "application/x-www-form-urlencoded", "text/html", false},
		{"GET", base + "/windows/%00/parked", "", "", false},
		{"GET", base + "/tickets/" + strings.Repeat("x", 5000), "", "", false},
		{"GET", base + "/journal?limit=100000", "", "", false},
		{"GET", base + "/state?surprise=1", "", "", false},
		{"DELETE", "/console", "", "text/html", true},
		{"GET", "/kiosk/%ff%00", "", "text/html", true},
		{"GET", "/t/a/b", "", "text/html", true},
	} {
		r := httptest.NewRequest(x.method, x.path, strings.NewReader(`{"kiosk":"k1"}`))
		r.Header.Set("Content-Type", x.kind)
		r.Header.Set("Accept", x.accept)
		r.Header.Set("Idempotency-Key", "k")
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		want := "application/problem+json"
		if x.page {
			want = "text/html; charset=utf-8"
		}
		if rec.Code < 400 || rec.Code >= 500 || rec.Header().Get("Content-Type") != want {
			t.Errorf("%s %.60s: %d %s %.200s", x.method, x.path, rec.Code, rec.Header().Get("Content-Type"), rec.Body)
		}
	}
}

// Whatever body comes at whatever door, the answer is one of ours and never a 500.
func FuzzBody(f *testing.F) {
	fake := newFake(smallHall())
	o := testOptions(fake)
	w, err := New(o)
	if err != nil {
		f.Fatal(err)
	}
	_, cookie, err := w.signIn(f.Context(), signIn{User: "wang", Secret: "2222"}, "here")
	if err != nil {
		f.Fatal(err)
	}
	for i, p := range posts {
		f.Add(i, p.good)
	}
	for _, s := range []string{`{}`, `[`, `null`, `{"kiosk":"k1","class":null}`, "\x00"} {
		f.Add(1, s)
	}
	f.Fuzz(func(t *testing.T, i int, s string) {
		p := posts[uint(i)%uint(len(posts))]
		if p.path == "/session" {
			p = posts[1] // a secret costs time to check
		}
		r := httptest.NewRequest(p.method, base+p.path, strings.NewReader(s))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		r.AddCookie(cookie)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		var answer any
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || rec.Code >= 500 {
			t.Errorf("%s %s with %q: %d %s", p.method, p.path, s, rec.Code, rec.Body)
		}
	})
}
