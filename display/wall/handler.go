package wall

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"time"
)

//go:embed page
var page embed.FS

// pageDigest names the page: it changes when any of its files or its set-up does.
func pageDigest(s setup) string {
	h := sha256.New()
	told, _ := json.Marshal(s) // nothing in it can fail
	h.Write(told)
	_ = fs.WalkDir(page, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := page.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8])
}

const (
	policy      = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	sendTimeout = 5 * time.Second // a page that takes longer is dropped
	maxAck      = 4096
)

// Handler serves the page at /, its stream at /events and its acknowledgements
// at /ack. Mount it under any prefix with http.StripPrefix; the page's own
// addresses are relative.
func (w *Wall) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, f := range [...]struct{ path, file, kind string }{
		{"GET /{$}", "page/wall.html", "text/html; charset=utf-8"},
		{"GET /wall.css", "page/wall.css", "text/css; charset=utf-8"},
		{"GET /wall.js", "page/wall.js", "text/javascript; charset=utf-8"},
		{"GET /labels.js", "page/labels.js", "text/javascript; charset=utf-8"},
		{"GET /media.js", "page/media.js", "text/javascript; charset=utf-8"},
		{"GET /hei.woff2", "page/hei.woff2", "font/woff2"},
		{"GET /hei-LICENSE.txt", "page/hei-LICENSE.txt", "text/plain; charset=utf-8"},
	} {
		mux.HandleFunc(f.path, func(rw http.ResponseWriter, _ *http.Request) {
			b, err := page.ReadFile(f.file)
			if err != nil {
				http.Error(rw, "page is missing", http.StatusInternalServerError)
				return
			}
			rw.Header().Set("Content-Type", f.kind)
			_, _ = rw.Write(b)
		})
	}
	mux.HandleFunc("GET /events", w.events)
	mux.HandleFunc("POST /ack", w.told(w.accept))
	mux.HandleFunc("POST /beat", w.told(w.beaten))
	mux.HandleFunc("GET /alive", w.alive)
	mux.HandleFunc("GET /media/{file}", w.media)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(rw, r)
	})
}

// events streams the state to one page until either side goes away.
func (w *Wall) events(rw http.ResponseWriter, r *http.Request) {
	c, ok := w.join()
	if !ok {
		rw.Header().Set("Retry-After", "30")
		http.Error(rw, "too many screens on this wall", http.StatusServiceUnavailable)
		return
	}
	defer w.leave(c)
	rw.Header().Set("Content-Type", "text/event-stream")
	send := func(event string, data []byte) bool {
		rc := http.NewResponseController(rw)
		_ = rc.SetWriteDeadline(time.Now().Add(sendTimeout)) // not every server can
		if _, err := fmt.Fprintf(rw, "event: %s\ndata: %s\n\n", event, data); err != nil {
			return false
		}
		return rc.Flush() == nil
	}
	hello, _ := json.Marshal(map[string]any{"client": c.id, "build": w.o.Build, "beat": w.o.Beat.Milliseconds(), "setup": w.setup})
	if !send("hello", hello) {
		return
	}
	beat := time.NewTicker(w.o.Beat)
	defer beat.Stop()
	for alive := true; alive; {
		select {
		case b := <-c.out:
			alive = send("state", b)
		case <-beat.C:
			alive = send("beat", fmt.Appendf(nil, "%d", w.clock()))
		case <-r.Context().Done():
			return
		case <-w.closed:
			return
		}
	}
}

// told takes one acknowledgement or beat: 204 when believed, 409 when it is about
// something that is no longer, or not, on the wall.
func (w *Wall) told(believe func(ack) bool) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var a ack
		if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxAck)).Decode(&a); err != nil {
			http.Error(rw, "acknowledgement not understood", http.StatusBadRequest)
			return
		}
		if !believe(a) {
			http.Error(rw, "acknowledgement of something else", http.StatusConflict)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	}
}

// alive answers whoever watches over the browser.
func (w *Wall) alive(rw http.ResponseWriter, _ *http.Request) {
	if err := w.Alive(); err != nil {
		http.Error(rw, err.Error(), http.StatusServiceUnavailable)
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}

// media serves the files of the playlist, and no others.
func (w *Wall) media(rw http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if !slices.ContainsFunc(w.setup.Media, func(p piece) bool { return p.File == name }) {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Cache-Control", "max-age=3600")
	http.ServeFile(rw, r, filepath.Join(w.o.Media, name))
}
