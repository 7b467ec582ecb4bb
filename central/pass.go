package central

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The files of a pass.
const (
	passFile  = "identity.pem" // key and certificate, replaced together
	rootFile  = "ca.pem"       // the centre's authority
	placeFile = "centre"       // the centre's address
	clockFile = "clock"        // the latest time that was known
)

// A Pass is what a box is known by: its key, which never leaves it, the
// certificate that the centre signed, and the authority it trusts. It lives in a
// directory that only the daemon may read.
type Pass struct {
	dir  string
	now  func() time.Time
	at   string
	root *x509.CertPool

	mu    sync.Mutex
	cert  tls.Certificate
	id    Identity
	known time.Time // certainly not later than now
}

// OpenPass reads the pass in dir. An error that is os.ErrNotExist means that the
// box was not enrolled yet.
func OpenPass(dir string, now func() time.Time) (*Pass, error) {
	p := &Pass{dir: dir, now: now, root: x509.NewCertPool()}
	files := map[string][]byte{}
	for _, name := range []string{passFile, rootFile, placeFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("open pass: %w: enrol the box", err)
		}
		files[name] = b
	}
	if !p.root.AppendCertsFromPEM(files[rootFile]) {
		return nil, fmt.Errorf("open pass: %s holds no certificate: enrol the box again", filepath.Join(dir, rootFile))
	}
	p.at = strings.TrimSpace(string(files[placeFile]))
	if b, err := os.ReadFile(filepath.Join(dir, clockFile)); err == nil {
		p.known, _ = time.Parse(time.RFC3339, strings.TrimSpace(string(b))) // damaged: known from the certificate
	}
	return p, p.use(files[passFile])
}

// use takes key and certificate from one PEM text.
func (p *Pass) use(text []byte) error {
	cert, err := tls.X509KeyPair(text, text)
	if err != nil {
		return fmt.Errorf("open pass: %w: enrol the box again", err)
	}
	id, err := IdentityOf(cert.Leaf)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cert, p.id = cert, id
	if cert.Leaf.NotBefore.After(p.known) {
		p.known = cert.Leaf.NotBefore
	}
	return nil
}

// Replaced reports whether the box was enrolled again since the pass was opened.
func (p *Pass) Replaced() bool {
	text, err := os.ReadFile(filepath.Join(p.dir, passFile))
	if err != nil {
		return false
	}
	cert, err := tls.X509KeyPair(text, text)
	if err != nil {
		return false
	}
	id, err := IdentityOf(cert.Leaf)
	return err == nil && id != p.Identity()
}

// Identity returns who the box is.
func (p *Pass) Identity() Identity {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.id
}

// Ends returns when the certificate ends.
func (p *Pass) Ends() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cert.Leaf.NotAfter
}

// Address returns the address of the centre.
func (p *Pass) Address() string { return "https://" + p.at }

// Time is the box's clock, but never before the latest time that is known to
// have been: a board without a battery starts in 1970, and would take every
// certificate for one of the future.
func (p *Pass) Time() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); now.After(p.known) {
		return now
	}
	return p.known
}

// learn moves the known time on.
func (p *Pass) learn(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.After(p.known) {
		p.known = t
	}
}

// TLS returns the settings of connections to the centre. They follow a renewal.
func (p *Pass) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: p.root, Time: p.Time,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			c := p.cert
			return &c, nil
		},
		VerifyConnection: func(s tls.ConnectionState) error {
			p.learn(s.PeerCertificates[0].NotBefore) // signed by the authority, so it has been
			return nil
		},
	}
}

// Transport returns an HTTP transport to the centre.
func (p *Pass) Transport() *http.Transport { return transport(p.TLS()) }

func transport(c *tls.Config) *http.Transport {
	return &http.Transport{
		TLSClientConfig: c, Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 15 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 4,
	}
}

// Client returns a client of the centre.
func (p *Pass) Client() (*Client, error) { return NewClient(p.Address(), p.Transport()) }

// renewAt is a third into the certificate's life, so that a box may be cut off
// for the other two thirds.
func (p *Pass) renewAt() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	from, ends := p.cert.Leaf.NotBefore, p.cert.Leaf.NotAfter
	return from.Add(ends.Sub(from) / 3)
}

// Keep renews the certificate when it is due and notes the time; call it every
// hour or so. It reports whether the certificate was renewed.
func (p *Pass) Keep(ctx context.Context, c *Client) (bool, error) {
	err := WriteFile(filepath.Join(p.dir, clockFile), []byte(p.Time().UTC().Format(time.RFC3339)+"\n"), 0o600)
	if err != nil || p.Time().Before(p.renewAt()) {
		return false, err
	}
	return true, p.Renew(ctx, c)
}

// Renew has a new key signed and takes it into use.
func (p *Pass) Renew(ctx context.Context, c *Client) error {
	k, err := newKey()
	if err != nil {
		return err
	}
	var got Enrolled
	if err := c.post(ctx, Base+"/renew", renewal{CSR: k.csr}, &got); err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	text := append(k.pem, got.Certificate...)
	if _, err := tls.X509KeyPair(text, text); err != nil {
		return fmt.Errorf("renew certificate: the centre's answer does not fit the key: %w", err)
	}
	if err := WriteFile(filepath.Join(p.dir, passFile), text, 0o600); err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	return p.use(text)
}

// A key that was just made, and the request to sign it.
type madeKey struct{ pem, csr []byte }

func newKey() (k madeKey, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return k, err
	}
	der, err1 := x509.MarshalPKCS8PrivateKey(key)
	csr, err2 := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	return madeKey{pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), csr}, errors.Join(err1, err2)
}
