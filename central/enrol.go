package central

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Code lets one box in, once, for a few minutes: a secret, where to go with
// it, and how to know that the place is the right one.
type Code struct {
	At     string // host:port
	Secret string // 16 letters and digits
	Root   string // SHA-256 of the authority's certificate, hexadecimal
}

// NewSecret makes the secret of a code: 80 random bits in base32.
func NewSecret() string { return rand.Text()[:16] }

// String is the code as it is typed, or shown as a QR code:
// longcheng://centre.example.cn:8443/ABCD-EFGH-IJKL-MNOP?ca=4f0c...
func (c Code) String() string { return "longcheng://" + c.At + "/" + c.Written() + "?ca=" + c.Root }

// Written is the secret as people read and type it.
func (c Code) Written() string { return inFours(c.Secret) }

// inFours puts dashes into what has 16 letters.
func inFours(s string) string {
	if len(s) != 16 {
		return s
	}
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// ParseCode reads what String wrote; letters may be small, dashes and the scheme
// may be left out.
func ParseCode(s string) (Code, error) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "://") {
		s = "longcheng://" + s
	}
	u, err := url.Parse(s)
	if err != nil || len(s) > 512 || u.Scheme != "longcheng" {
		return Code{}, errors.New("read enrolment code: it is none: copy all of it, as the centre showed it")
	}
	c := Code{At: u.Host, Secret: Tidy(strings.Trim(u.Path, "/")), Root: strings.ToLower(u.Query().Get("ca"))}
	if sum, err := hex.DecodeString(c.Root); err != nil || len(sum) != sha256.Size || len(c.Secret) != 16 || c.At == "" {
		return Code{}, errors.New("read enrolment code: a part is missing: copy all of it, as the centre showed it")
	}
	if _, _, err := net.SplitHostPort(c.At); err != nil {
		return Code{}, fmt.Errorf("read enrolment code: %w", err)
	}
	return c, nil
}

// Tidy makes the written form of a secret the one that is compared.
func Tidy(secret string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(secret))
}

// Enrolment is what a box sends to get in, and Enrolled what it gets.
type Enrolment struct {
	Secret string `json:"secret"`
	CSR    []byte `json:"csr"` // PKCS #10, DER, signed with the box's key
}

// Enrolled is the answer to an Enrolment and to a renewal.
type Enrolled struct {
	Certificate []byte `json:"certificate"` // PEM
	CA          []byte `json:"ca"`          // PEM
}

type renewal struct {
	CSR []byte `json:"csr"`
}

func (c *Client) post(ctx context.Context, path string, v, answer any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, path, body, answer)
}

// Enrol makes a key in dir, has it signed with a code, and returns the pass. If
// the answer is lost, it may be repeated with the same code for as long as the
// code is good: the same key gets the same certificate.
func Enrol(ctx context.Context, dir, code string, now func() time.Time) (*Pass, error) {
	c, err := ParseCode(code)
	if err != nil {
		return nil, err
	}
	k, err := pendingKey(dir)
	if err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	var got Enrolled
	client, err := NewClient("https://"+c.At, transport(pinned(c, now)))
	if err == nil {
		err = client.post(ctx, Base+"/enrol", Enrolment{c.Secret, k.csr}, &got)
	}
	if err != nil {
		return nil, fmt.Errorf("enrol at %s: %w", c.At, err)
	}
	if err := keep(dir, c, k, got); err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	return OpenPass(dir, now)
}

const pendingFile = "pending-key.pem"

// pendingKey returns the key of an enrolment that was begun, or a new one.
func pendingKey(dir string) (madeKey, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return madeKey{}, err
	}
	path := filepath.Join(dir, pendingFile)
	if text, err := os.ReadFile(path); err == nil {
		if k, err := readKey(text); err == nil {
			return k, nil
		}
	}
	k, err := newKey()
	if err != nil {
		return k, err
	}
	return k, WriteFile(path, k.pem, 0o600)
}

func readKey(text []byte) (madeKey, error) {
	b, _ := pem.Decode(text)
	if b == nil {
		return madeKey{}, errors.New("no key")
	}
	key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return madeKey{}, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	return madeKey{text, csr}, err
}

// keep writes the files of a pass; identity.pem comes last, because it alone
// says that the box is enrolled.
func keep(dir string, c Code, k madeKey, got Enrolled) error {
	text := append(append([]byte(nil), k.pem...), got.Certificate...)
	if _, err := tls.X509KeyPair(text, text); err != nil {
		return fmt.Errorf("the centre's answer does not fit the key: %w", err)
	}
	root, _ := pem.Decode(got.CA)
	if root == nil || !c.knows(root.Bytes) {
		return errors.New("the centre's authority is not the one of the code: do not use this centre")
	}
	return errors.Join(
		WriteFile(filepath.Join(dir, rootFile), got.CA, 0o644),
		WriteFile(filepath.Join(dir, placeFile), []byte(c.At+"\n"), 0o644),
		WriteFile(filepath.Join(dir, passFile), text, 0o600),
		os.Remove(filepath.Join(dir, pendingFile)),
	)
}

func (c Code) knows(der []byte) bool {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]) == c.Root
}

// RootOf asks a place for the fingerprint of its authority, so that a person may
// compare it with what the place shows: nothing is trusted by that.
func RootOf(ctx context.Context, at string) (string, error) {
	d := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}} // only looks
	conn, err := d.DialContext(ctx, "tcp", at)
	if err != nil {
		return "", fmt.Errorf("ask %s who it is: %w", at, err)
	}
	defer conn.Close()
	chain := conn.(*tls.Conn).ConnectionState().PeerCertificates
	sum := sha256.Sum256(chain[len(chain)-1].Raw)
	return hex.EncodeToString(sum[:]), nil
}

// Short is the beginning of a fingerprint, as people compare it.
func Short(root string) string { return inFours(strings.ToUpper(root[:min(16, len(root))])) }

// unset is the year before which a clock was certainly never set.
const unset = 2024

// pinned returns TLS settings that trust one authority only: the one whose
// fingerprint is in the code. A box whose clock was never set takes the time of
// the centre's certificate for now.
func pinned(c Code, now func() time.Time) *tls.Config {
	host, _, _ := net.SplitHostPort(c.At)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: host,
		InsecureSkipVerify: true, // VerifyConnection verifies, against the pinned authority
		VerifyConnection: func(s tls.ConnectionState) error {
			last := s.PeerCertificates[len(s.PeerCertificates)-1]
			if !c.knows(last.Raw) {
				return errors.New("the centre is not the one of the code: somebody may be in between")
			}
			roots := x509.NewCertPool()
			roots.AddCert(last)
			at := now()
			if at.Year() < unset {
				at = s.PeerCertificates[0].NotBefore.Add(time.Second)
			}
			_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: at})
			return err
		},
	}
}
