package server

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"longcheng/central"
	"longcheng/central/ca"
	"longcheng/central/store"
	"longcheng/kiosk"
	"longcheng/kiosk/signin"
)

// Options are the parts and limits of a Server. Store, CA and Address are required.
type Options struct {
	Store    *store.Store
	CA       *ca.Authority
	Names    []string                        // by which boxes reach this centre: DNS names and addresses
	Address  string                          // host:port that enrolment codes carry
	Rate     float64                         // requests a second of one certificate; 0 means 200
	Streams  int                             // boxes connected at once; 0 means 8192
	Slow     time.Duration                   // a box that has not taken a write by then is dropped; 0 means 5 s
	Hooks    []Hook                          // that are told of alarms
	Secure   bool                            // pages are served over TLS: cookies are marked Secure
	OrderKey ed25519.PrivateKey              // signs the orders of new boxes; nil: none are made
	Releases string                          // directory of the signed releases; empty: none are served
	Now      func() time.Time                // nil means time.Now
	Zone     *time.Location                  // of the halls; nil means time.Local
	OnError  func(request string, err error) // hears what became a 500
	OnAccess func(Access)                    // hears every request that was answered

	// ReadHall reads the text of a hall document and tells what is wrong with it, as
	// a box does; a hall that cannot be read is nil. Without it nothing is found, and
	// no names of items are known.
	ReadHall func(text []byte) (*kiosk.Hall, []Finding)

	// Fault tells what a fault of a box is called and how it is mended, by the id that
	// the box names; of an id that is not known, nothing. Called tells how people call
	// a device. Without them pages show what the box says.
	Fault  func(id string) (name, remedy kiosk.Text)
	Called func(device string) kiosk.Text

	// CheckBox tells what is wrong with the documents of a new box. Without it nothing
	// is found.
	CheckBox func(files map[string][]byte) ([]Finding, error)
}

// An Access is one answered request.
type Access struct {
	Request string // id
	Method  string
	Path    string
	From    string // address of the other side
	Who     string // hall/device, or the person
	Status  int
	Took    time.Duration
}

// A Server serves boxes; make one with New and call Run beside it.
type Server struct {
	o       Options
	boxes   http.Handler
	gates   *gates
	guesses *gates // of enrolment codes and keys, by address
	portals *gates // of programs that book
	askers  *gates // of phones, by address
	read    library
	phones  phones

	counting chan struct{} // statistics that are made at once
	bytes    *gates        // of batches, compressed
	hub      *hub
	count    *Metrics
	revoked  atomic.Pointer[map[string]bool]
	decoded  chan struct{} // batches that are in memory at once
	done     chan struct{} // closed at shutdown: ends streams

	pages   *template.Template
	key     []byte // signs sessions
	tries   *signin.Tries
	doorman *signin.Doorman
}

// Metrics are what a Server counts since it started.
type Metrics struct {
	Batches, Events, Refused, Conflicts, Faults, Connected atomic.Int64
	Alarms, Hooked, HookFaults                             atomic.Int64 // open now; told; tries to tell that failed
}

const (
	batchesInMemory = 8
	bytesOfRequest  = 10 << 10 // that a request may have in the long run, of batches
)

// New builds the handlers and reads the revoked certificates.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Store == nil || o.CA == nil || o.Address == "" {
		return nil, errors.New("centre options: store, authority or address is missing: give all three")
	}
	if o.Rate <= 0 {
		o.Rate = 200
	}
	if o.Streams <= 0 {
		o.Streams = 8192
	}
	if o.Slow <= 0 {
		o.Slow = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Fault == nil {
		o.Fault = func(string) (name, remedy kiosk.Text) { return name, remedy }
	}
	if o.Called == nil {
		o.Called = func(device string) kiosk.Text { return kiosk.Text{ZH: device, EN: device} }
	}
	if o.ReadHall == nil {
		o.ReadHall = func([]byte) (*kiosk.Hall, []Finding) { return nil, nil }
	}
	if o.CheckBox == nil {
		o.CheckBox = func(map[string][]byte) ([]Finding, error) { return nil, nil }
	}
	s := &Server{
		o: o, gates: newGates(o.Rate, 2*o.Rate), guesses: newGates(1.0/30, 10), portals: newGates(50, 200), askers: newGates(20, 200), counting: make(chan struct{}, 2), bytes: newGates(o.Rate*bytesOfRequest, 32*o.Rate*bytesOfRequest), hub: newHub(o.Streams), count: &Metrics{},
		decoded: make(chan struct{}, batchesInMemory), done: make(chan struct{}),
		tries: signin.NewTries(), doorman: signin.NewDoorman(),
	}
	for _, h := range o.Hooks {
		if err := h.Check(); err != nil {
			return nil, err
		}
	}
	s.boxes = s.guard(s.routes())
	var err error
	if s.pages, err = parsePages(); err != nil {
		return nil, err
	}
	if s.key, err = o.Store.Key(ctx, "session"); err != nil {
		return nil, fmt.Errorf("read session key: %w", err)
	}
	return s, s.refresh(ctx)
}

// Metrics returns the live counters.
func (s *Server) Metrics() *Metrics { return s.count }

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request, central.Identity) error{
		"GET " + central.Base + "/journals/{device}/{epoch}":         s.stand,
		"POST " + central.Base + "/journals/{device}/{epoch}/events": s.push,
		"GET " + central.Base + "/messages/{device}":                 s.messages,
		"POST " + central.Base + "/messages/{device}/acks":           s.acknowledge,
		"POST " + central.Base + "/status/{device}":                  s.status,
		"GET " + central.Base + "/backups/{device}":                  s.backups,
		"PUT " + central.Base + "/backups/{device}/{name}/{piece}":   s.keepPiece,
		"POST " + central.Base + "/backups/{device}/{name}":          s.keepBackup,
		"GET " + central.Base + "/backups/{device}/{name}/{piece}":   s.piece,
		"POST " + central.Base + "/renew":                            s.renew,
		"GET " + central.OfferPath:                                   s.offer,
		"GET " + central.OfferPath + "/{device}":                     s.offer,
		"GET " + central.ReleasesPath + "/{file...}":                 s.release,
	} {
		mux.HandleFunc(pattern, s.known(h))
	}
	mux.HandleFunc("POST "+central.Base+"/enrol", s.enrol)
	mux.HandleFunc("/sync/", func(rw http.ResponseWriter, r *http.Request) {
		s.fail(rw, r, central.Refuse(http.StatusNotFound, "version", "there is nothing at this address: this centre speaks version 1, below %s", central.Base))
	})
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		s.fail(rw, r, central.Refuse(http.StatusNotFound, "no_page", "there is nothing at this address"))
	})
	return mux
}

type ctxKey int

const keyAccess ctxKey = iota

// guard is the door of the boxes: request id, limits of the body, an account of
// the request, and the end of a panic.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		a := &Access{Request: requestID(r), Method: r.Method, Path: r.URL.Path, From: r.RemoteAddr}
		rw.Header().Set("X-Request-Id", a.Request)
		rw.Header().Set("Cache-Control", "no-store")
		r = r.WithContext(context.WithValue(r.Context(), keyAccess, a))
		said := &said{ResponseWriter: rw}
		r.Body = http.MaxBytesReader(rw, r.Body, central.MaxBody)
		defer func() {
			v := recover()
			if v != nil && v != http.ErrAbortHandler {
				s.fail(said, r, fmt.Errorf("serve %s: panic: %v", r.Pattern, v))
			}
			if a.Status, a.Took = said.status, time.Since(begun); s.o.OnAccess != nil {
				s.o.OnAccess(*a)
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
		}()
		next.ServeHTTP(said, r)
	})
}

// said remembers the status that was answered.
type said struct {
	http.ResponseWriter
	status int
}

func (s *said) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *said) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets a ResponseController through.
func (s *said) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// requestID takes the id that the sender gave, if it is one, so that a request
// can be followed from the touch of a citizen to here.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); central.CheckName(id) {
		return id
	}
	var b [8]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func access(r *http.Request) *Access {
	a, _ := r.Context().Value(keyAccess).(*Access)
	if a == nil {
		return &Access{}
	}
	return a
}

// fail answers with err; what is not a Problem is told to the operator only.
func (s *Server) fail(rw http.ResponseWriter, r *http.Request, err error) {
	var p *central.Problem
	switch {
	case errors.As(err, &p):
		s.count.Refused.Add(1)
	case r.Context().Err() != nil:
		p = central.Refuse(http.StatusServiceUnavailable, central.CodeBusy, "the request was ended")
	default:
		s.count.Faults.Add(1)
		if s.o.OnError != nil {
			s.o.OnError(access(r).Request, err)
		}
		p = central.Refuse(http.StatusInternalServerError, "internal", "something went wrong: tell the operator the request's id")
		p.Wait = 1
	}
	p.Write(rw, access(r).Request)
}

// known lets a box in whose certificate is ours, is not revoked, speaks for the
// device of the address, and does not ask too often.
func (s *Server) known(h func(http.ResponseWriter, *http.Request, central.Identity) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		id, err := s.identity(r)
		if err == nil {
			access(r).Who = id.Hall + "/" + id.Device
			err = s.gates.take(id.Serial, 1, s.o.Now())
		}
		if err == nil {
			err = h(rw, r, id)
		}
		if err != nil {
			s.fail(rw, r, err)
		}
	}
}

func (s *Server) identity(r *http.Request) (central.Identity, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return central.Identity{}, central.Refuse(http.StatusUnauthorized, "certificate", "a certificate of this centre is needed: enrol the box")
	}
	leaf := r.TLS.VerifiedChains[0][0]
	id, err := central.IdentityOf(leaf)
	switch {
	case err != nil:
		return id, central.Refuse(http.StatusForbidden, "identity", "%v", err)
	case (*s.revoked.Load())[id.Serial]:
		return id, central.Refuse(http.StatusForbidden, "revoked", "the certificate was revoked: enrol the box again")
	case s.o.Now().After(leaf.NotAfter): // it ran out while the connection was open
		return id, central.Refuse(http.StatusForbidden, "expired", "the certificate ended on %s: enrol the box again", leaf.NotAfter.Format(time.DateOnly))
	}
	if d := r.PathValue("device"); d != "" && (!central.CheckName(d) || !id.May(d)) {
		return id, central.Refuse(http.StatusForbidden, "device", "the certificate does not speak for this device")
	}
	return id, nil
}

// Boxes returns the HTTPS server for boxes. Boxes without a certificate can only
// enrol. Call it once.
func (s *Server) Boxes() (*http.Server, error) {
	cert, err := s.o.CA.Server(s.o.Names)
	if err != nil {
		return nil, err
	}
	var own atomic.Pointer[tls.Certificate]
	own.Store(&cert)
	h := &http.Server{
		Handler: s.boxes, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: 90 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: s.o.CA.Pool(), Time: s.o.Now,
			NextProtos: []string{"http/1.1"}, // one connection costs less than with HTTP/2, and a flood has fewer ways
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				return s.ownCertificate(&own)
			},
		},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	h.RegisterOnShutdown(func() { close(s.done) })
	return h, nil
}

// ownCertificate renews the centre's certificate at a third of its life.
func (s *Server) ownCertificate(own *atomic.Pointer[tls.Certificate]) (*tls.Certificate, error) {
	c := own.Load()
	if s.o.Now().Before(c.Leaf.NotBefore.Add(ca.Life / 3)) {
		return c, nil
	}
	fresh, err := s.o.CA.Server(s.o.Names)
	if err != nil {
		return c, nil // the old one is good for two months more
	}
	own.Store(&fresh)
	return &fresh, nil
}

const (
	refreshEvery = time.Second
	lookEvery    = 250 * time.Millisecond
	seenEvery    = 30 * time.Second
	daysEvery    = 5 * time.Second // lists of appointments are looked for
	dayAgain     = time.Minute     // and the same one is sent again
)

// Run keeps the server's view of the database fresh until ctx ends: revoked
// certificates every second, new messages four times a second, alarms every five
// seconds. It tells the hooks.
func (s *Server) Run(ctx context.Context) error {
	var telling sync.WaitGroup
	defer telling.Wait()
	telling.Go(func() { s.deliver(ctx) })
	look, refresh, seen, alarms := time.NewTicker(lookEvery), time.NewTicker(refreshEvery), time.NewTicker(seenEvery), time.NewTicker(alarmsEvery)
	defer alarms.Stop()
	defer look.Stop()
	defer refresh.Stop()
	defer seen.Stop()
	days := time.NewTicker(daysEvery)
	defer days.Stop()
	broken := false // an outage is told once
	for {
		var err error
		select {
		case <-look.C:
			err = s.hub.look(ctx, s.o.Store)
		case <-refresh.C:
			err = s.refresh(ctx)
			broken = broken && err != nil
		case <-seen.C:
			err = s.o.Store.Seen(ctx, s.hub.connected())
		case <-alarms.C:
			err = s.watchAlarms(ctx)
		case <-days.C:
			_, err = s.o.Store.SendDays(ctx, dayAgain)
		case <-ctx.Done():
			return ctx.Err()
		}
		if err != nil && ctx.Err() == nil && !broken && s.o.OnError != nil {
			broken = true
			s.o.OnError("", err)
		}
	}
}

// refresh reads the revoked certificates.
func (s *Server) refresh(ctx context.Context) error {
	list, err := s.o.Store.Revoked(ctx)
	if err != nil {
		return fmt.Errorf("read revoked certificates: %w", err)
	}
	set := make(map[string]bool, len(list))
	for _, serial := range list {
		set[serial] = true
	}
	s.revoked.Store(&set)
	s.gates.sweep(s.o.Now())
	s.guesses.sweep(s.o.Now())
	s.portals.sweep(s.o.Now())
	s.askers.sweep(s.o.Now())
	s.bytes.sweep(s.o.Now())
	return nil
}
