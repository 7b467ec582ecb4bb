package web

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const base = "/api/v1"

// Key is the header that makes a POST safe to repeat.
type Key struct {
	Key string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"64" pattern:"^[!-~]+$" patternDescription:"1-64 printable ASCII characters without spaces" doc:"Your id of this request. The same id gives the same answer for ever. Best is a UUID of version 7."`
}

type out[T any] struct{ Body T }

// api registers everything under /api/v1.
func (w *Web) api(mux *http.ServeMux) {
	c := huma.DefaultConfig("Longcheng hall API", "1.0.0")
	c.Info.Description = "Tickets, calls and the state of one public service hall. Errors are application/problem+json with a code and a sentence in Chinese and English. " +
		"GET " + base + "/stream sends the whole state as server-sent events (event: state), at once and after every change; with ?window=ID that window, its calls and the queues it serves alone, when they have changed."
	c.DocsPath, c.OpenAPIPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Transformers = []huma.Transformer{known}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"session": {Type: "apiKey", In: "cookie", Name: cookieName}}
	a := humago.New(mux, c)
	w.apiSession(a)
	w.apiTickets(a)
	w.apiCatalogue(a)
	w.apiWindows(a)
	w.apiVisits(a)
	w.apiHall(a)
	w.spec = specOf(a)
	mux.HandleFunc("GET "+base+"/stream", w.streamState)
	mux.HandleFunc("GET "+base+"/openapi.json", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/openapi+json")
		rw.Write(w.spec)
	})
	mux.HandleFunc(base+"/", func(rw http.ResponseWriter, r *http.Request) {
		w.fail(rw, r, deny(http.StatusNotFound, "no_path", "没有这个接口", "there is nothing at this path"))
	})
}

type op struct {
	id, method, path, tag, summary string
	staff                          bool
}

// add registers one operation; every error leaves through problem.
func add[I, O any](w *Web, a huma.API, o op, f func(context.Context, *I) (*O, error)) {
	spec := huma.Operation{
		OperationID: o.id, Method: o.method, Path: base + o.path, Tags: []string{o.tag}, Summary: o.summary,
		MaxBodyBytes: maxBody, RejectUnknownQueryParameters: true,
		Responses: map[string]*huma.Response{"default": {
			Description: "Refused or failed",
			Content: map[string]*huma.MediaType{"application/problem+json": {
				Schema: a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem"),
			}},
		}},
	}
	if o.staff {
		spec.Security = []map[string][]string{{"session": {}}}
	}
	huma.Register(a, spec, func(ctx context.Context, in *I) (*O, error) {
		v, err := f(ctx, in)
		if err != nil {
			return nil, w.problem(ctx, err, o.method == http.MethodGet)
		}
		return v, nil
	})
}

type signInInput struct {
	Key
	Body signIn
	from string
}

// Resolve keeps the address for the lock-out.
func (s *signInInput) Resolve(ctx huma.Context) []error {
	s.from = host(ctx.RemoteAddr())
	return nil
}

type sessionOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Session
}

type goneOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (w *Web) apiSession(a huma.API) {
	add(w, a, op{"sign-in", "POST", "/session", "Session", "Sign in, or choose another window", false},
		func(ctx context.Context, in *signInInput) (*sessionOut, error) {
			s, c, err := w.signIn(ctx, in.Body, in.from)
			if err != nil {
				return nil, err
			}
			return &sessionOut{*c, s}, nil
		})
	add(w, a, op{"who", "GET", "/session", "Session", "Who is signed in", true},
		func(ctx context.Context, _ *struct{}) (*out[Session], error) {
			s, ok := sessionOf(ctx)
			if !ok {
				_, err := need(ctx)
				return nil, err
			}
			return &out[Session]{s}, nil
		})
	add(w, a, op{"sign-out", "DELETE", "/session", "Session", "Sign out", false},
		func(ctx context.Context, in *struct {
			Cookie string `cookie:"longcheng"`
		}) (*goneOut, error) {
			c, err := w.signOut(ctx, in.Cookie)
			if err != nil {
				return nil, err
			}
			return &goneOut{*c}, nil
		})
}
