package central

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// signedFor keeps a signature of a document from being taken for one of a
// handshake.
const signedFor = "longcheng document 1\n"

// Sign signs a document with the box's key, and returns the certificate that
// proves whose it is, in PEM.
func (p *Pass) Sign(document []byte) (signature, certificate []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, ok := p.cert.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, errors.New("sign: the pass has no key of a known kind: enrol the box again")
	}
	sum := sha256.Sum256(append([]byte(signedFor), document...))
	signature, err = ecdsa.SignASN1(rand.Reader, key, sum[:])
	return signature, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Certificate[0]}), err
}

// VerifySigned returns who signed a document. at is when it was signed: the
// certificate must have been good then. Without roots it is only known that the
// certificate's key signed, not who gave the certificate.
func VerifySigned(document, signature, certificate []byte, roots *x509.CertPool, at time.Time) (Identity, error) {
	b, _ := pem.Decode(certificate)
	if b == nil {
		return Identity{}, errors.New("verify: there is no certificate: the document is not signed")
	}
	cert, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return Identity{}, fmt.Errorf("verify: %w", err)
	}
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	sum := sha256.Sum256(append([]byte(signedFor), document...))
	if !ok || !ecdsa.VerifyASN1(key, sum[:], signature) {
		return Identity{}, errors.New("verify: the signature is wrong: the document was changed")
	}
	if roots != nil {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
			return Identity{}, fmt.Errorf("verify: the certificate is not of this authority: %w", err)
		}
	}
	return IdentityOf(cert)
}

// Roots reads the authority that a box trusts from the directory of its pass.
func Roots(dir string) (*x509.CertPool, error) {
	text, err := os.ReadFile(filepath.Join(dir, rootFile))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", filepath.Join(dir, rootFile))
	}
	return pool, nil
}
