package panel

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"longcheng/kiosk/web/webtest"
	"longcheng/printer"
)

// fake is a printer of which only the page's side is real.
type fake struct {
	mu sync.Mutex // the page asks while it presses
	s  printer.State
}

func (f *fake) Status() printer.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.s
}

func (f *fake) Pause() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.s.Status |= printer.Paused
}

func (f *fake) Resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.s.Status &^= printer.Paused
}

func printers() (*Panel, *fake, *fake) {
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	well := &fake{s: printer.State{Printer: "printer-1", Status: printer.PaperLow, Since: at, Left: 37, Job: 4}}
	ill := &fake{s: printer.State{Printer: "printer-2", Status: printer.CutterJam, Since: at, Left: -1}}
	return &Panel{Printers: []Printer{well, ill}}, well, ill
}

// Pausing answers with the new state, and is told; a printer that is not there is 404.
func TestPauseAndResume(t *testing.T) {
	p, well, _ := printers()
	var told []bool
	p.OnPause = func(name string, on bool) { told = append(told, on) }
	for _, tt := range []struct {
		path   string
		code   int
		paused bool
	}{{"/printer-1/pause", 200, true}, {"/printer-1/resume", 200, false}, {"/printer-3/pause", 404, false}} {
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, httptest.NewRequest("POST", tt.path, nil))
		var got []state
		if w.Code != tt.code || w.Code == 200 && (json.Unmarshal(w.Body.Bytes(), &got) != nil || len(got) != 2 || got[0].Paused != tt.paused) {
			t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
		}
		if paused := well.Status().Status&printer.Paused != 0; paused != tt.paused {
			t.Errorf("%s: paused is %v", tt.path, paused)
		}
	}
	if len(told) != 2 {
		t.Errorf("told %v", told)
	}
}

// The page shows sentences, not bits; nothing is cut off or faint, and the button works.
func TestPage(t *testing.T) {
	p, _, _ := printers()
	srv := httptest.NewServer(http.StripPrefix("/x", p.Handler()))
	defer srv.Close()
	page := webtest.Start(t).Open(t, srv.URL+"/x/", 1024, 700)
	page.See("约剩37张号票")
	page.See("切刀卡住：打开上盖，清理切刀，再合上")
	for _, bad := range append(page.Overflows(), page.Barriers(44)...) {
		t.Error(bad)
	}
	page.Click("section button")
	page.See("打印机已暂停")
	page.Shot(t.TempDir() + "/panel.png")
	page.Touch("恢复打印")
	page.Gone("打印机已暂停")
}

// Of a printer that is ready one sentence is enough.
func TestReadyIsSaidOnce(t *testing.T) {
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	p := &Panel{Printers: []Printer{&fake{s: printer.State{Printer: "printer-1", Since: at, Left: -1}}}}
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/state", nil))
	var got []state
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got) != 1 || !got[0].Ready {
		t.Errorf("%s %v", w.Body, err)
	}
}
