package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"

	"longcheng/central"
)

// codeNoCentre says that this hall reports to no centre: that is no fault.
const codeNoCentre = "no_centre"

// A relay lets the boxes of a hall speak to the centre through their host: only
// the host needs a way out of the house. It keeps nothing. What a box is told was
// committed, the centre has committed; what the centre has not got, the box has.
type relay struct {
	who   func(*http.Request) (device string, ok bool)
	up    func() *uplink
	proxy *httputil.ReverseProxy
	ended context.Context // ends the streams when the host stops
	end   context.CancelFunc
}

func newRelay(who func(*http.Request) (string, bool), up func() *uplink) *relay {
	r := &relay{who: who, up: up}
	r.ended, r.end = context.WithCancel(context.Background())
	r.proxy = &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "https", Host: r.up().address})
			p.Out.Host = ""
		},
		Transport:     onward(func(q *http.Request) (*http.Response, error) { return r.up().forward(q) }),
		FlushInterval: -1, // messages come one by one
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, err error) {
			away(rw, "the host of the hall does not reach the centre: "+err.Error())
		},
	}
	return r
}

type onward func(*http.Request) (*http.Response, error)

// RoundTrip forwards one request.
func (f onward) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

// before puts the relay before what else the host answers.
func (r *relay) before(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h)
	for _, path := range []string{"/journals/{device}/", "/messages/{device}", "/messages/{device}/", "/status/{device}", "/backups/{device}", "/backups/{device}/"} {
		mux.Handle(central.Base+path, r)
	}
	mux.Handle("GET "+central.OfferPath+"/{device}", r)
	mux.HandleFunc("GET "+central.ReleasesPath+"/", r.releases)
	return mux
}

// releases passes on what every box may read: it is signed.
func (r *relay) releases(rw http.ResponseWriter, q *http.Request) {
	device, _ := r.who(q)
	q.SetPathValue("device", device)
	r.ServeHTTP(rw, q)
}

// ServeHTTP passes on what a box says in its own name.
func (r *relay) ServeHTTP(rw http.ResponseWriter, q *http.Request) {
	device, ok := r.who(q)
	switch {
	case !ok || device != q.PathValue("device"):
		central.Refuse(http.StatusForbidden, "device", "the certificate does not speak for this device").Write(rw, "")
		return
	case r.up() == nil:
		central.Refuse(http.StatusNotFound, codeNoCentre, "this hall reports to no centre").Write(rw, "")
		return
	}
	ctx, cancel := context.WithCancel(q.Context())
	defer cancel()
	defer context.AfterFunc(r.ended, cancel)()
	q.Body = http.MaxBytesReader(rw, q.Body, central.MaxBody)
	r.proxy.ServeHTTP(rw, q.WithContext(ctx))
}

func away(rw http.ResponseWriter, why string) {
	p := central.Refuse(http.StatusServiceUnavailable, central.CodeBusy, "%s", why)
	p.Wait = 5
	p.Write(rw, "")
}

var errNotEnrolled = errors.New("it is not enrolled at the centre")

// forward sends a request of another box of the hall to the centre.
func (u *uplink) forward(q *http.Request) (*http.Response, error) {
	u.mu.Lock()
	by := u.transport
	u.mu.Unlock()
	if by == nil {
		return nil, errNotEnrolled
	}
	return by.RoundTrip(q)
}
