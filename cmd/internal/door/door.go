// Package door lets the boxes of a hall in to its host: a small authority of the
// hall's own, one-time codes, certificates, and the list of who is still welcome.
// Everything lies in one directory, so that kioskctl can make a code or turn a
// box out while the daemon runs.
//
// It does not know what boxes and host say to each other.
package door

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"longcheng/central"
	"longcheng/central/ca"
)

// PassDir is where a box keeps the pass that its hall's host gave it.
func PassDir(state string) string { return filepath.Join(state, "hall-pass") }

// dirs of the host.
const (
	codesDir = "codes" // one file for each code that may be used
	boxesDir = "boxes" // one file for each box that is welcome
)

const (
	maxAsk    = 64 << 10
	recheck   = 5 * time.Second     // a long answer ends so soon after its box was turned out
	freshCert = 30 * 24 * time.Hour // then the host makes itself a new one
)

// A Door is the host's side.
type Door struct {
	dir   string
	hall  string
	names []string
	now   func() time.Time
	ca    *ca.Authority

	mu     sync.Mutex
	cert   tls.Certificate
	certAt time.Time
	keys   []byte // for a stand-in
	keysAt time.Time
}

// Open opens the door of a host, and makes the hall's authority when there is
// none. names are the names and addresses by which boxes reach the host.
func Open(state, hall string, names []string, now func() time.Time) (*Door, error) {
	dir := filepath.Join(state, "hall")
	for _, d := range []string{codesDir, boxesDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("open the hall's door: %w: make the state directory writable for kioskd's user", err)
		}
	}
	a, err := ca.Open(dir, now)
	if err != nil {
		return nil, fmt.Errorf("open the hall's door: %w", err)
	}
	return &Door{dir: dir, hall: hall, names: names, now: now, ca: a}, nil
}

// Serve returns an HTTP server for the boxes: TLS 1.3, certificates of this hall
// only, bounded requests. Enrolment and renewal are answered here, the rest by h.
func (d *Door) Serve(h http.Handler) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+central.Base+"/enrol", d.enrol)
	mux.HandleFunc("POST "+central.Base+"/renew", d.renew)
	mux.Handle("/", d.welcomeOnly(h))
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: d.ca.Pool(), Time: d.now,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return d.certificate() },
		},
	}
}

// certificate is the host's own, made anew in time.
func (d *Door) certificate() (*tls.Certificate, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); d.cert.Leaf == nil || now.Sub(d.certAt).Abs() > freshCert {
		c, err := d.ca.Host(d.names)
		if err != nil {
			return nil, err
		}
		d.cert, d.certAt = c, now
	}
	return &d.cert, nil
}

// Who returns the box that asks, if it is welcome.
func (d *Door) Who(r *http.Request) (device string, ok bool) {
	id, ok := d.identity(r)
	return id.Device, ok
}

func (d *Door) identity(r *http.Request) (id central.Identity, ok bool) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return id, false
	}
	id, err := central.IdentityOf(r.TLS.VerifiedChains[0][0])
	if err != nil || id.Hall != d.hall {
		return id, false
	}
	w, err := d.welcome(id.Device)
	return id, err == nil && (w.Serial == id.Serial || w.Before == id.Serial)
}

// welcomeOnly refuses everybody else, and ends what takes long when its box is
// turned out meanwhile.
func (d *Door) welcomeOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, ok := d.Who(r); !ok {
			central.Refuse(http.StatusForbidden, "unknown_box", "this certificate is not welcome here: enrol the box").Write(rw, "")
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		var look *time.Timer
		armed := make(chan struct{})
		look = time.AfterFunc(recheck, func() {
			<-armed
			if _, ok := d.Who(r); !ok {
				cancel()
			}
			look.Reset(recheck)
		})
		close(armed)
		defer look.Stop()
		h.ServeHTTP(rw, r.WithContext(ctx))
	})
}

// A guest is a box that is welcome: with this certificate, and during a renewal
// with the one before.
type guest struct {
	Serial string `json:"serial"`
	Before string `json:"before,omitempty"`
	Role   string `json:"role"`
}

func (d *Door) welcome(device string) (g guest, err error) {
	if !central.CheckName(device) {
		return g, errors.New("no name of a box")
	}
	return g, readFile(filepath.Join(d.dir, boxesDir, device+".json"), &g)
}

func (d *Door) admit(device string, g guest) error {
	return writeFile(filepath.Join(d.dir, boxesDir, device+".json"), g)
}

// TurnOut makes a box unwelcome: stolen, sold or replaced.
func TurnOut(state, device string) error {
	if !central.CheckName(device) {
		return fmt.Errorf("turn out %q: this is no name of a box", device)
	}
	err := os.Remove(filepath.Join(state, "hall", boxesDir, device+".json"))
	if err != nil {
		return fmt.Errorf("turn out %s: %w: the boxes of the hall are in %s", device, err, filepath.Join(state, "hall", boxesDir))
	}
	return nil
}

func (d *Door) enrol(rw http.ResponseWriter, r *http.Request) {
	var e central.Enrolment
	if !readAsk(rw, r, &e) {
		return
	}
	got, err := d.redeem(e)
	answer(rw, got, err)
}

func (d *Door) renew(rw http.ResponseWriter, r *http.Request) {
	id, ok := d.identity(r)
	if !ok {
		answer(rw, nil, central.Refuse(http.StatusForbidden, "unknown_box", "this certificate is not welcome here: enrol the box"))
		return
	}
	var e central.Enrolment
	if !readAsk(rw, r, &e) {
		return
	}
	c, err := d.ca.Sign(e.CSR, id)
	if err == nil {
		err = d.admit(id.Device, guest{Serial: c.Serial, Before: id.Serial, Role: id.Role})
	}
	answer(rw, central.Enrolled{Certificate: c.PEM, CA: d.ca.PEM()}, err)
}

func readAsk(rw http.ResponseWriter, r *http.Request, v any) bool {
	err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxAsk)).Decode(v)
	if err != nil {
		central.Refuse(http.StatusBadRequest, "body", "the request cannot be read").Write(rw, "")
	}
	return err == nil
}

func answer(rw http.ResponseWriter, v any, err error) {
	var p *central.Problem
	switch {
	case errors.As(err, &p):
		p.Write(rw, "")
	case err != nil:
		central.Refuse(http.StatusInternalServerError, "trouble", "the host could not do it: look at its disk").Write(rw, "")
	default:
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(v) // the client may be gone
	}
}

func readFile(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return json.NewDecoder(io.LimitReader(f, maxAsk)).Decode(v)
}

func writeFile(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return central.WriteFile(path, b, 0o600)
}

// hostOf is the name or address in host:port.
func hostOf(at string) string {
	if i := strings.LastIndexByte(at, ':'); i >= 0 {
		at = at[:i]
	}
	return strings.Trim(at, "[]")
}
