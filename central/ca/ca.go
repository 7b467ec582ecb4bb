// Package ca is the centre's own certificate authority: it signs the keys that
// boxes make, and the key of the centre itself. ECDSA P-256, from the standard
// library.
//
// It does not know who may have a certificate, nor which ones were revoked.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"longcheng/central"
)

// Life is how long a certificate of a box or of the centre is good.
const Life = 90 * 24 * time.Hour

const (
	rootLife = 20 * 365 * 24 * time.Hour
	backdate = time.Hour // clocks differ
)

// An Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	now  func() time.Time
}

// Open reads the authority in dir, or makes one when there is none: ca.pem, and
// ca-key.pem, which only the centre may read. All replicas of a centre have the
// same two files.
func Open(dir string, now func() time.Time) (*Authority, error) {
	certPEM, err1 := os.ReadFile(filepath.Join(dir, "ca.pem"))
	keyPEM, err2 := os.ReadFile(filepath.Join(dir, "ca-key.pem"))
	if errors.Is(err1, os.ErrNotExist) && errors.Is(err2, os.ErrNotExist) {
		return create(dir, now)
	}
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("open authority: %w: restore both files of it", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("open authority in %s: %w: restore both files of it", dir, err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("open authority in %s: the certificate is none of an authority", dir)
	}
	return &Authority{pair.Leaf, key, now}, nil
}

func create(dir string, now func() time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Longcheng centre"},
		NotBefore: now().Add(-backdate), NotAfter: now().Add(rootLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name, kind string
		der        []byte
		mode       os.FileMode
	}{{"ca-key.pem", "PRIVATE KEY", keyDER, 0o600}, {"ca.pem", "CERTIFICATE", der, 0o644}} {
		if err := central.WriteFile(filepath.Join(dir, f.name), pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), f.mode); err != nil {
			return nil, fmt.Errorf("create authority: %w", err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{cert, key, now}, err
}

func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	b[0] &= 0x7f
	b[0] |= 0x40 // always 16 bytes
	return new(big.Int).SetBytes(b[:])
}

// PEM returns the authority's certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Fingerprint returns the SHA-256 of the authority's certificate, hexadecimal: a
// box that enrols knows its centre by it.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	return hex.EncodeToString(sum[:])
}

// Pool returns the authority alone, to check certificates of boxes with.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// A Signed certificate of a box.
type Signed struct {
	PEM    []byte
	Serial string
	From   time.Time
	Ends   time.Time
}

// Sign makes the certificate of a box. Of the request only the key is used: who
// the box is says the caller.
func (a *Authority) Sign(csr []byte, id central.Identity) (Signed, error) {
	r, err := x509.ParseCertificateRequest(csr)
	if err == nil {
		err = r.CheckSignature()
	}
	if err != nil {
		return Signed{}, central.Refuse(400, "csr", "the certificate request cannot be read or was not signed by its key")
	}
	if key, ok := r.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return Signed{}, central.Refuse(400, "key", "the key is not ECDSA P-256")
	}
	t := a.template(pkix.Name{CommonName: id.Device, Organization: []string{id.Hall}, OrganizationalUnit: []string{id.Role}})
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, r.PublicKey, a.key)
	if err != nil {
		return Signed{}, fmt.Errorf("sign certificate of %s/%s: %w", id.Hall, id.Device, err)
	}
	return Signed{
		PEM:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Serial: hex.EncodeToString(t.SerialNumber.Bytes()), From: t.NotBefore, Ends: t.NotAfter,
	}, nil
}

func (a *Authority) template(who pkix.Name) *x509.Certificate {
	now := a.now()
	return &x509.Certificate{
		SerialNumber: serial(), Subject: who, NotBefore: now.Add(-backdate), NotAfter: now.Add(Life),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
}

// Server makes a key and a certificate for the centre itself, good for the names
// and addresses given.
func (a *Authority) Server(names []string) (tls.Certificate, error) {
	return a.server(names, a.template(pkix.Name{CommonName: "Longcheng centre"}))
}

// Host is Server for the host of a hall, good for as long as its authority is: the
// clocks of a hall may be days apart, and its boxes have to go on together. The
// key is in no file, and who has the authority's makes others.
func (a *Authority) Host(names []string) (tls.Certificate, error) {
	t := a.template(pkix.Name{CommonName: "Longcheng host"})
	t.NotBefore, t.NotAfter = a.cert.NotBefore, a.cert.NotAfter
	return a.server(names, t)
}

func (a *Authority) server(names []string, t *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign certificate of %s: %w", t.Subject.CommonName, err)
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, err
}
