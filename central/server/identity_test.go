package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/ca"
	"longcheng/central/centraltest"
	"longcheng/central/store"
	"longcheng/kiosk"
)

func code(err error) string {
	var p *central.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	if err == nil {
		return "none"
	}
	return err.Error()
}

func stand(t *testing.T, c *central.Client, device string) error {
	t.Helper()
	_, err := c.Stand(t.Context(), kiosk.Origin{Device: device, Epoch: 7})
	return err
}

func wants(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// A code lets one key in, once; a lost answer may be asked for again.
func TestEnrol(t *testing.T) {
	c := newCentre(t)
	dir, text := t.TempDir(), c.code("h1", "k1", "box")
	p, err := central.Enrol(t.Context(), dir, text, time.Now)
	must(t, err)
	if id := p.Identity(); id.Hall != "h1" || id.Device != "k1" || id.Role != "box" {
		t.Errorf("identity %+v", id)
	}
	if info, err := os.Stat(filepath.Join(dir, "identity.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file %v, %v", info, err)
	}
	wants(t, "enrolled", stand(t, c.client(p, nil), "k1"), "none")
	_, err = central.Enrol(t.Context(), t.TempDir(), text, time.Now)
	wants(t, "second box with the code", err, "code")
	_, err = central.Enrol(t.Context(), t.TempDir(), strings.Replace(text, text[len("longcheng://")+len(c.addr)+1:][:4], "AAAA", 1), time.Now)
	wants(t, "guessed code", err, "code")
	forged := text[:len(text)-64] + strings.Repeat("ab", 32)
	if _, err := central.Enrol(t.Context(), t.TempDir(), forged, time.Now); err == nil || !strings.Contains(err.Error(), "not the one of the code") {
		t.Errorf("centre of another code: %v", err)
	}
	if _, err := central.OpenPass(t.TempDir(), time.Now); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no pass: %v", err)
	}
}

// Guessing codes is slow.
func TestEnrolIsSlowForGuessers(t *testing.T) {
	c := newCentre(t, frozen)
	text := central.Code{At: c.addr, Secret: strings.Repeat("A", 16), Root: c.o.CA.Fingerprint()}.String()
	dir, last := t.TempDir(), error(nil)
	for range 11 {
		_, last = central.Enrol(t.Context(), dir, text, time.Now)
	}
	wants(t, "eleventh guess", last, central.CodeBusy)
}

// A replaced box keeps its place; the one that was replaced is out.
func TestReplacedBoxIsOut(t *testing.T) {
	c := newCentre(t)
	old := c.client(c.box("h1", "k1", "box"), nil)
	wants(t, "before", stand(t, old, "k1"), "none")
	fresh := c.client(c.box("h1", "k1", "box"), nil)
	wants(t, "the old box", stand(t, old, "k1"), "revoked")
	wants(t, "the new box", stand(t, fresh, "k1"), "none")
	first := centraltest.NewJournal("k1", 8, 3) // its store is new, so is its epoch
	shipped(t, ship(t, first, fresh), 3)
}

// A stolen box is out within seconds, on connections that are open too.
func TestRevokedBoxIsCutOff(t *testing.T) {
	c := newCentre(t)
	p := c.box("h1", "k1", "box")
	client := c.client(p, nil)
	wants(t, "before", stand(t, client, "k1"), "none")
	n, err := c.store.Revoke(t.Context(), store.Device{Hall: "h1", Device: "k1"}, "admin", "stolen")
	if n != 1 || err != nil {
		t.Fatalf("revoked %d, %v", n, err)
	}
	soon(t, "the end", func() bool { return code(stand(t, client, "k1")) == "revoked" })
	wants(t, "renewal", p.Renew(t.Context(), client), "revoked")
}

// Who somebody is says the certificate, whatever the address says.
func TestBoxSpeaksForItselfAndAHostForItsHall(t *testing.T) {
	c := newCentre(t)
	box, host := c.client(c.box("h1", "k1", "box"), nil), c.client(c.box("h1", "hub", central.RoleHost), nil)
	other := c.client(c.box("h2", "k1", "box"), nil)
	wants(t, "itself", stand(t, box, "k1"), "none")
	wants(t, "another", stand(t, box, "k2"), "device")
	wants(t, "no name", stand(t, box, "../k1"), "device")
	wants(t, "relayed", stand(t, host, "k1"), "none")
	j := centraltest.NewJournal("k1", 7, 5)
	_, err := host.Push(t.Context(), j.Origin(), central.Batch{Sent: time.Now(), Events: j.Slice(1, 5)})
	wants(t, "relay", err, "none")
	a, err := other.Stand(t.Context(), j.Origin())
	if err != nil || a.Through != 0 {
		t.Errorf("the box of the same name in another hall stands at %d, %v", a.Through, err)
	}
}

// A certificate is renewed at a third of its life; the clock may not be set.
func TestRenewAndClockless(t *testing.T) {
	c := newCentre(t)
	dir := t.TempDir()
	var at atomic.Pointer[time.Time] // read by the transport, too
	set := func(to time.Time) { at.Store(&to) }
	now := func() time.Time { return *at.Load() }
	set(time.Now())
	p, err := central.Enrol(t.Context(), dir, c.code("h1", "k1", "box"), now)
	must(t, err)
	client, first := c.client(p, nil), p.Identity().Serial
	if renewed, err := p.Keep(t.Context(), client); renewed || err != nil {
		t.Errorf("renewed %v, %v at once", renewed, err)
	}
	set(now().Add(ca.Life/3 + time.Hour))
	if renewed, err := p.Keep(t.Context(), client); !renewed || err != nil || p.Identity().Serial == first {
		t.Errorf("renewed %v, %v at a third", renewed, err)
	}
	wants(t, "with the new certificate", stand(t, client, "k1"), "none")

	set(time.Date(1970, 1, 1, 0, 0, 7, 0, time.UTC)) // the power was off, and there is no battery
	p, err = central.OpenPass(dir, now)
	must(t, err)
	wants(t, "without a clock", stand(t, c.client(p, nil), "k1"), "none")
	if p.Time().Year() < 2024 {
		t.Errorf("the pass takes %v for now", p.Time())
	}
	_, err = central.Enrol(t.Context(), t.TempDir(), c.code("h1", "k2", "box"), now)
	wants(t, "enrolled without a clock", err, "none")
}

// Certificates of others, and of the past, open nothing.
func TestForeignCertificates(t *testing.T) {
	c := newCentre(t)
	good := c.box("h1", "k1", "box")
	present := func(cert tls.Certificate) error {
		conf := good.TLS()
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
		client, err := central.NewClient(good.Address(), &http.Transport{TLSClientConfig: conf})
		must(t, err)
		return stand(t, client, "k1")
	}
	id := central.Identity{Hall: "h1", Device: "k1", Role: "box"}
	foreign, err := ca.Open(t.TempDir(), time.Now)
	must(t, err)
	past, err := ca.Open(c.dir, func() time.Time { return time.Now().Add(-100 * 24 * time.Hour) })
	must(t, err)
	for name, a := range map[string]*ca.Authority{"foreign": foreign, "expired": past} {
		if err := present(made(t, a, id)); err == nil || !strings.Contains(err.Error(), "tls") {
			t.Errorf("%s: %v", name, err)
		}
	}
	wants(t, "ours", present(made(t, c.o.CA, id)), "none")
	wants(t, "none", present(tls.Certificate{}), "certificate")
	wants(t, "odd names", present(made(t, c.o.CA, central.Identity{Hall: "h1", Device: "k1\n", Role: "box"})), "identity")
	server, err := c.o.CA.Server([]string{"k1"})
	must(t, err)
	if err := present(server); err == nil {
		t.Error("the certificate of a server is taken for a box's")
	}
}

func made(t *testing.T, a *ca.Authority, id central.Identity) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	must(t, err)
	s, err := a.Sign(csr, id)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	cert, err := tls.X509KeyPair(s.PEM, pemOf("PRIVATE KEY", der))
	must(t, err)
	return cert
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
