package server

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk"
	"longcheng/kiosk/signin"
)

// lineReader is a checker for tests: it takes every line that says "bad" for a
// mistake and every one that says "odd" for a warning.
func lineReader(o *Options) {
	o.ReadHall = func(text []byte) (*kiosk.Hall, []Finding) {
		var found []Finding
		for i, l := range strings.Split(string(text), "\n") {
			if strings.Contains(l, "bad") || strings.Contains(l, "odd") {
				found = append(found, Finding{Line: i + 1, Text: "item[0]: is <wrong>", Remedy: "mend it", Warning: strings.Contains(l, "odd")})
			}
		}
		return &kiosk.Hall{
			Queues: []kiosk.Queue{{ID: "q", Appointment: "AP"}, {ID: "r"}},
			Items:  []kiosk.Item{{ID: "id-card", Queue: "q", Name: kiosk.Text{ZH: "身份证", EN: "Identity card"}}, {ID: "walk-in", Queue: "r", Name: kiosk.Text{ZH: "其他"}}},
		}, found
	}
}

// upload sends the form of a document; file is sent as a file when it is not empty.
func (b *browser) upload(file string, fields ...string) (int, string) {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		must(b.t, w.WriteField(fields[i], fields[i+1]))
	}
	if file != "" {
		f, err := w.CreateFormFile("file", "hall.toml")
		must(b.t, err)
		_, err = f.Write([]byte(file))
		must(b.t, err)
	}
	must(b.t, w.Close())
	r, err := http.NewRequest("POST", b.base+savePath, &body)
	if err == nil {
		r.Header.Set("Content-Type", w.FormDataContentType())
	}
	return b.do(r, err)
}

func shows(t *testing.T, what string, status int, body string, want int, words ...string) {
	t.Helper()
	if status != want {
		t.Errorf("%s: status %d, want %d: %.300s", what, status, want, body)
	}
	for _, w := range words {
		if !strings.Contains(body, w) {
			t.Errorf("%s: the page does not say %q", what, w)
		}
	}
}

// withDocuments is a centre with two halls of one box each, and a city
// administrator and a manager of h1 who are signed in.
func withDocuments(t *testing.T) (c *centre, city, manager *browser) {
	c = newCentre(t, lineReader)
	hash := signin.Hash("right")
	c.person("city", RoleCity, "", hash)
	c.person("manager", RoleManager, "h1", hash)
	for _, hall := range []string{"h1", "h2"} {
		must(t, c.store.Meet(t.Context(), store.Device{Hall: hall, Device: hall + "-hub"}, central.Position{}))
	}
	city, manager = c.browser(t), c.browser(t)
	city.signIn("city")
	manager.signIn("manager")
	return c, city, manager
}

// A document is checked with lines before it is saved, compared, published to
// halls at a moment, withdrawn, and taken back.
func TestDocumentPages(t *testing.T) {
	c, city, manager := withDocuments(t)
	status, body := manager.upload("", "name", "h1", "note", "first", "base", "0", "text", "id = \"h1\"\r\nbad <line>\r\n", "do", "save")
	shows(t, "a mistake", status, body, 422, "第 2 行", "item[0]: is &lt;wrong&gt;", "mend it", "bad &lt;line&gt;")
	if list, _ := c.store.Versions(t.Context(), "h1"); len(list) != 0 {
		t.Fatal("a document with a mistake was saved")
	}
	status, body = manager.upload("", "name", "h1", "base", "0", "text", "odd\n", "do", "check")
	shows(t, "check only", status, body, 200, "第 1 行", "可以保存")
	for i, text := range []string{"one\ntwo\n", "one\n2 & more\n"} {
		status, body = manager.upload(text, "name", "h1", "note", fmt.Sprint("note ", i), "base", fmt.Sprint(i), "text", "ignored", "do", "save")
		shows(t, "saved", status, body, 200, fmt.Sprint("note ", i))
	}
	status, body = manager.upload("", "name", "h1", "note", "late", "base", "1", "text", "lost", "do", "save")
	shows(t, "over somebody's version", status, body, 409, "请先比较")
	status, body = manager.get("/document/compare?name=h1&a=2&b=1")
	shows(t, "compare", status, body, 200, `class="gone"`, "two", `class="come"`, "2 &amp; more")

	publish := func(b *browser, f url.Values) (int, string) { return b.post("/documents/publish", f) }
	status, body = publish(manager, url.Values{"name": {"h1"}, "version": {"1"}, "hall": {"h1"}, "when": {"now"}})
	shows(t, "publish now", status, body, 200, "版本 1", "等待下发")
	soon := c.srv.o.Now().Add(2 * time.Hour).In(zone).Format(formTime)
	status, body = publish(city, url.Values{"name": {"h1"}, "version": {"2"}, "hall": {"h1", "h2"}, "when": {"at"}, "at": {soon}})
	shows(t, "publish to two halls later", status, body, 200, "计划", "撤回")
	must(t, c.store.Acknowledge(t.Context(), store.Device{Hall: "h1", Device: "h1-hub"}, central.Ack{Stream: central.Documents, Number: 1, Text: central.Both("第 7 行：<错>", "line 7: <no>")}))
	status, body = city.get("/documents")
	shows(t, "a refusal", status, body, 200, "拒绝，旧版本继续使用", "第 7 行：&lt;错&gt;")
	for page, want := range map[string]string{"/box?hall=h1&device=h1-hub": "被拒绝: 第 7 行：&lt;错&gt;<", "/box?hall=h1&device=h1-hub&lang=en": "refused: line 7: &lt;no&gt;<", "/documents?lang=en": "line 7: &lt;no&gt;<", "/documents?lang=zh": "第 7 行：&lt;错&gt;<"} {
		status, body = city.get(page)
		shows(t, page, status, body, 200, want)
	}
	status, body = manager.post("/documents/withdraw", url.Values{"hall": {"h1"}, "number": {"2"}})
	shows(t, "withdraw", status, body, 200, "已撤回")
	publish(manager, url.Values{"name": {"h1"}, "version": {"2"}, "hall": {"h1"}, "when": {"now"}})
	_, body = manager.get("/documents")
	shows(t, "roll back", 200, body, 200, "立即退回版本 1")
	if got, _ := c.store.Publications(t.Context(), "h2", 9); len(got) != 1 || got[0].Version != 2 {
		t.Errorf("the other hall: %+v", got)
	}
}

// Whatever comes in is bounded, and a manager touches his own hall only.
func TestDocumentBadInput(t *testing.T) {
	_, city, manager := withDocuments(t)
	city.upload("x\n", "name", "h2", "note", "n", "base", "0", "do", "save")
	for what, f := range map[string]func() (int, string){
		"another hall's document": func() (int, string) { return manager.get("/document?name=h2") },
		"no document":             func() (int, string) { return manager.get("/document?name=h1") },
		"no version":              func() (int, string) { return city.get("/document?name=h2&version=9") },
		"a version that is none":  func() (int, string) { return city.get("/document?name=h2&version=x") },
		"a name that is none":     func() (int, string) { return city.get("/document?name=..%2f") },
	} {
		status, body := f()
		shows(t, what, status, body, 404)
	}
	for what, f := range map[string]struct {
		want int
		do   func() (int, string)
	}{
		"save into another hall": {403, func() (int, string) { return manager.upload("x", "name", "h2", "base", "1", "do", "save") }},
		"too long": {413, func() (int, string) {
			return city.upload(strings.Repeat("x", central.MaxHallText+1), "name", "h2", "base", "1")
		}},
		"much too long": {413, func() (int, string) {
			return city.upload(strings.Repeat("x", 4*maxDocument), "name", "h2", "base", "1")
		}},
		"not UTF-8":           {413, func() (int, string) { return city.upload("\xff\xfe", "name", "h2", "base", "1") }},
		"a base that is none": {400, func() (int, string) { return city.upload("x", "name", "h2", "base", "x") }},
		"publish elsewhere": {403, func() (int, string) {
			return manager.post("/documents/publish", url.Values{"name": {"h1"}, "version": {"1"}, "hall": {"h1", "h2"}, "when": {"now"}})
		}},
		"publish to nobody": {400, func() (int, string) {
			return city.post("/documents/publish", url.Values{"name": {"h2"}, "version": {"1"}})
		}},
		"publish yesterday": {400, func() (int, string) {
			return city.post("/documents/publish", url.Values{"name": {"h2"}, "version": {"1"}, "hall": {"h2"}, "when": {"at"}, "at": {"2020-01-01T08:00"}})
		}},
		"a version that is not there": {404, func() (int, string) {
			return city.post("/documents/publish", url.Values{"name": {"h2"}, "version": {"7"}, "hall": {"h2"}, "when": {"now"}})
		}},
		"from another site": {403, func() (int, string) {
			return city.post("/documents/publish", url.Values{"name": {"h2"}, "version": {"1"}, "hall": {"h2"}, "when": {"now"}}, "Sec-Fetch-Site", "cross-site")
		}},
	} {
		status, body := f.do()
		shows(t, what, status, body, f.want)
	}
}
