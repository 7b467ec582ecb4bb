package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// maxBody is the largest request body, in bytes.
const maxBody = 64 << 10

type ctxKey int

const (
	keyRequest ctxKey = iota
	keySession
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard is the door of everything: request id, headers, origin check, body limit,
// session and the end of a panic.
func (w *Web) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection() // Sec-Fetch-Site, else Origin against Host
	cross.SetDenyHandler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.fail(rw, r, deny(http.StatusForbidden, "cross_origin", "请求来源不被允许", "this request came from another site"))
	}))
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		id := requestID()
		headers(rw.Header(), id)
		ctx := context.WithValue(r.Context(), keyRequest, id)
		if s, ok := w.session(r); ok {
			ctx = context.WithValue(ctx, keySession, s)
		}
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(rw, r.Body, maxBody)
		defer w.recover(rw, r)
		cross.Handler(w.renew(next)).ServeHTTP(rw, r)
	})
}

func headers(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // a visit's address is a secret
	h.Set("Cache-Control", "no-store")
}

func requestID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func requestOf(ctx context.Context) string {
	id, _ := ctx.Value(keyRequest).(string)
	return id
}

// recover turns a panic into a page without a trace; net/http's own signal to
// drop a connection goes on.
func (w *Web) recover(rw http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	w.fail(rw, r, fmt.Errorf("serve %s: panic: %v", r.Pattern, v))
}

// fail tells who asked of err.
func (w *Web) fail(rw http.ResponseWriter, r *http.Request, err error) {
	p := w.problem(r.Context(), err, r.Method == http.MethodGet)
	answer(rw, r, p, errorPage(p))
}

// answer writes a problem as this page to browsers and as problem+json to everyone else.
func answer(rw http.ResponseWriter, r *http.Request, p *Problem, page string) {
	if strings.HasPrefix(r.URL.Path, "/api/") || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.WriteHeader(p.Status)
		json.NewEncoder(rw).Encode(p) // the client may be gone
		return
	}
	told(rw, p, page)
}
