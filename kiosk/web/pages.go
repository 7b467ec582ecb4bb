package web

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"html"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"longcheng/kiosk"
)

//go:embed static
var static embed.FS

var kinds = map[string]string{".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

func (w *Web) pages(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", w.healthz)
	mux.HandleFunc("GET /{$}", page("index.html"))
	mux.HandleFunc("GET /console", page("console.html"))
	mux.HandleFunc("GET /t/{visit}", page("visit.html"))
	mux.HandleFunc("GET "+base+"/docs", page("docs.html"))
	mux.HandleFunc("GET /kiosk/{name}", w.ofKiosk(page("touch.html")))
	mux.HandleFunc("GET /kiosk/{name}/events", w.ofKiosk(w.touchEvents))
	mux.HandleFunc("GET /kiosk/{name}/alive", w.ofKiosk(w.touchAlive))
	mux.HandleFunc("GET /pages.json", w.list)
	mux.HandleFunc("GET /worker.js", page("worker.js")) // at the root: it answers for every page
	assets(mux)
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		w.fail(rw, r, deny(http.StatusNotFound, "no_page", "没有这个页面", "there is no such page"))
	})
}

// assets serves what pages consist of.
func assets(mux *http.ServeMux) {
	files, _ := fs.Glob(static, "static/*.*") // the pattern is good
	for _, f := range files {
		if !strings.HasSuffix(f, ".html") {
			mux.HandleFunc("GET /"+f, page(path.Base(f)))
		}
	}
}

// page serves one embedded file.
func page(name string) http.HandlerFunc {
	body, err := static.ReadFile("static/" + name)
	if err != nil {
		panic("embedded page: " + err.Error()) // a name misspelt above
	}
	kind := kinds[path.Ext(name)] + "; charset=utf-8"
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", kind)
		rw.Write(body)
	}
}

// list tells the index which pages exist.
func (w *Web) list(rw http.ResponseWriter, _ *http.Request) {
	names := []string{}
	for n := range w.o.Printers {
		names = append(names, n)
	}
	writeJSON(rw, map[string]any{"name": w.o.Hall.Name, "kiosks": names, "walls": append([]string{}, w.o.Walls...)})
}

func (w *Web) ofKiosk(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if _, ok := w.o.Printers[r.PathValue("name")]; !ok {
			w.fail(rw, r, deny(http.StatusNotFound, "no_kiosk", "没有这台取号机", "there is no such kiosk"))
			return
		}
		next(rw, r)
	}
}

// touchView is all that a touch page shows besides the catalogue.
type touchView struct {
	Touch  TouchState         `json:"touch"`
	Now    time.Time          `json:"now"`
	Open   bool               `json:"open"`
	Next   string             `json:"next,omitempty"` // next opening, in the hall's zone
	Closed map[string]string  `json:"closed"`         // items with hours of their own that are closed, and until when
	Queues []kiosk.QueueState `json:"queues"`
	Alarm  string             `json:"alarm,omitempty"`
}

func (w *Web) touchEvents(rw http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	watch := []func() (<-chan struct{}, func()){w.o.State.Watch}
	if w.o.Touch != nil {
		watch = append(watch, w.o.Touch.Watch)
	}
	w.listening.add(name, 1)
	defer w.listening.add(name, -1)
	w.stream(rw, r, func(ctx context.Context) (any, error) { return w.touchView(ctx, name) }, watch...)
}

// touchAlive answers whoever watches over a browser: 503 while no page listens.
func (w *Web) touchAlive(rw http.ResponseWriter, r *http.Request) {
	if !w.listening.any(r.PathValue("name")) {
		w.fail(rw, r, deny(http.StatusServiceUnavailable, "no_page", "没有浏览器显示此页", "no browser shows this page"))
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}

// listeners counts the pages of each kiosk that listen now.
type listeners struct {
	mu sync.Mutex
	n  map[string]int
}

func (l *listeners) add(name string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == nil {
		l.n = map[string]int{}
	}
	l.n[name] += n
}

func (l *listeners) any(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n[name] > 0
}

func (w *Web) touchView(ctx context.Context, name string) (touchView, error) {
	s, err := w.snapshot.read(ctx, w.o.State)
	if err != nil {
		return touchView{}, err
	}
	now := w.o.Now().In(w.o.Hall.Location())
	v := touchView{Touch: TouchState{PrinterReady: true}, Now: now, Queues: list(s.Queues), Alarm: s.Alarm, Closed: map[string]string{}}
	if w.o.Touch != nil {
		v.Touch = w.o.Touch.State(name)
	}
	v.Open, v.Next = opening(w.o.Hall.Hours, now)
	for _, i := range w.o.Hall.Items {
		if len(i.Hours.Bands) == 0 {
			continue
		}
		if open, next := opening(i.Hours, now); !open {
			v.Closed[i.ID] = next
		}
	}
	return v, nil
}

// opening reports whether h is open at t and otherwise when it will be, as
// "2006-01-02 15:04", or "" when nobody knows.
func opening(h kiosk.Hours, t time.Time) (bool, string) {
	if _, open := h.BandAt(t); open {
		return true, ""
	}
	next, ok := h.Next(t)
	if !ok {
		return false, ""
	}
	return false, next.Format("2006-01-02 15:04")
}

// healthz says that the store answers.
func (w *Web) healthz(rw http.ResponseWriter, r *http.Request) {
	if _, err := w.snapshot.read(r.Context(), w.o.State); err != nil {
		w.fail(rw, r, err)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Write([]byte("ok\n"))
}

// errorPage is what a person sees when nothing else can be shown: who has to sign
// in may do so.
func errorPage(p *Problem) string {
	if p.Status == http.StatusUnauthorized {
		return "sign-in.html"
	}
	return "error.html"
}

// told writes a page that tells a problem. Its texts are ours; nothing of the request
// is repeated in it.
func told(rw http.ResponseWriter, p *Problem, page string) {
	body, _ := static.ReadFile("static/" + page)
	for name, value := range map[string]string{"{zh}": p.Text.ZH, "{en}": p.Text.In("en"), "{id}": p.Request} {
		body = bytes.ReplaceAll(body, []byte(name), []byte(escape(value)))
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(p.Status)
	rw.Write(body)
}

func escape(s string) string { return html.EscapeString(s) }

func writeJSON(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json")
	json.NewEncoder(rw).Encode(v) // the client may be gone
}
