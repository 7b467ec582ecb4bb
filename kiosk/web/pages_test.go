package web

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
)

func fetchPage(w http.Handler, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", "text/html")
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// Every page works on a machine without a network: what it refers to is embedded,
// and the policy that forbids anything else is sent with it.
func TestPagesNeedNothingFromOutside(t *testing.T) {
	_, w, _ := start(t)
	refs := regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	for _, path := range []string{"/", "/console", "/kiosk/k1", "/t/abc", base + "/docs"} {
		rec := fetchPage(w, path)
		if rec.Code != 200 || !strings.Contains(rec.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v", path, rec.Code, rec.Header())
		}
		for _, m := range refs.FindAllStringSubmatch(rec.Body.String(), -1) {
			if strings.HasPrefix(m[1], "data:") {
				continue
			}
			if got := fetchPage(w, m[1]); got.Code != 200 || strings.Contains(got.Body.String(), "http://") || strings.Contains(got.Body.String(), "https://") {
				t.Errorf("%s refers to %s: %d", path, m[1], got.Code)
			}
		}
		if strings.Contains(rec.Body.String(), " style=") || strings.Contains(rec.Body.String(), "<script>") {
			t.Errorf("%s has inline parts, which the policy blocks", path)
		}
	}
}

func TestPagesThatDoNotExist(t *testing.T) {
	_, w, _ := start(t)
	for _, path := range []string{"/kiosk/nobody", "/kiosk/nobody/events", "/kiosk/nobody/alive", "/static/touch.html", "/static/../web.go", "/x<script>"} {
		if rec := fetchPage(w, path); rec.Code == 200 || strings.Contains(rec.Body.String(), "<script>") {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	if rec := fetchPage(w, "/kiosk/nobody"); rec.Code != 404 || !strings.Contains(rec.Body.String(), "没有这台取号机") {
		t.Errorf("unknown kiosk: %d %s", rec.Code, rec.Body)
	}
	if rec := fetchPage(w, "/healthz"); rec.Code != 200 || rec.Body.String() != "ok\n" {
		t.Errorf("healthz: %d %q", rec.Code, rec.Body)
	}
}

// The page looks items up in closed: it must be there when none is.
func TestTouchViewIsNeverNull(t *testing.T) {
	_, w, _ := start(t)
	v, err := w.touchView(t.Context(), "k1")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := json.Marshal(v); !strings.Contains(string(b), `"closed":{}`) {
		t.Errorf("view %s", b)
	}
}

// The touch page hears of its printer, its card and the hours in one message.
// Whoever watches over a browser hears whether its page is there.
func TestTouchAlive(t *testing.T) {
	_, w, _ := start(t, func(*Options) {})
	srv := httptest.NewServer(w)
	defer srv.Close()
	alive := func() int {
		res, err := http.Get(srv.URL + "/kiosk/k1/alive")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if got := alive(); got != http.StatusServiceUnavailable {
		t.Errorf("without a page: %d", got)
	}
	res, err := http.Get(srv.URL + "/kiosk/k1/events") // the first word has come
	if err != nil {
		t.Fatal(err)
	}
	if got := alive(); got != http.StatusNoContent {
		t.Errorf("with a page: %d", got)
	}
	res.Body.Close()
	for end := time.Now().Add(time.Minute); alive() == http.StatusNoContent; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the page that went is still there")
		}
	}
}

func TestTouchEvents(t *testing.T) {
	touch := &fakeTouch{state: TouchState{PrinterText: kiosk.Text{ZH: "缺纸", EN: "no paper"}, Card: &Presented{Token: "good", Name: "张**"}}}
	sunday := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	_, w, _ := start(t, func(o *Options) {
		o.Touch, o.Now = touch, func() time.Time { return sunday }
		o.Hall.Hours = kiosk.Hours{Bands: []kiosk.Band{{Days: "mon-fri", From: 9 * 60, To: 17 * 60}}}
		o.Hall.Items[1].Hours = kiosk.Hours{Bands: []kiosk.Band{{Days: "tue", From: 600, To: 700}}}
	})
	srv := httptest.NewServer(w)
	defer srv.Close()
	res, err := http.Get(srv.URL + "/kiosk/k1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var v touchView
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		if data, ok := strings.CutPrefix(s.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &v); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if v.Open || v.Next != "2026-03-02 09:00" || v.Closed["card"] != "2026-03-03 10:00" || v.Touch.PrinterReady || v.Touch.PrinterText.EN != "no paper" || v.Touch.Card.Token != "good" {
		t.Errorf("view %+v", v)
	}
}
