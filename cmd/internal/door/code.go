package door

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"longcheng/central"
)

// CodeLife is how long a code may be used.
const CodeLife = 15 * time.Minute

// A code is what is known of a one-time code: not the code itself.
type code struct {
	Device string           `json:"device"`
	Role   string           `json:"role"`
	Until  time.Time        `json:"until"`
	Key    []byte           `json:"key,omitempty"` // digest of the key that used it
	Got    central.Enrolled `json:"got,omitzero"`  // what that key got, should the answer be lost
}

func (d *Door) codePath(secret string) string {
	sum := sha256.Sum256([]byte(central.Tidy(secret)))
	return filepath.Join(d.dir, codesDir, hex.EncodeToString(sum[:])+".json")
}

// NewCode makes a code with which one box can come in once, as device, within
// CodeLife. at is where boxes reach the host: host:port.
func (d *Door) NewCode(at, device, role string) (central.Code, error) {
	if !central.CheckName(device) || !central.CheckName(role) {
		return central.Code{}, fmt.Errorf("make code: %q or %q is no name: use letters, digits, dots and dashes", device, role)
	}
	if err := d.sweep(); err != nil {
		return central.Code{}, err
	}
	secret := central.NewSecret()
	err := writeFile(d.codePath(secret), code{Device: device, Role: role, Until: d.now().Add(CodeLife)})
	return central.Code{At: at, Secret: secret, Root: d.ca.Fingerprint()}, err
}

// sweep removes codes that are over.
func (d *Door) sweep() error {
	files, err := filepath.Glob(filepath.Join(d.dir, codesDir, "*.json"))
	for _, f := range files {
		var c code
		if readFile(f, &c) != nil || d.now().After(c.Until) {
			_ = os.Remove(f) // perhaps by another
		}
	}
	return err
}

// redeem lets a box in. The same key may ask again while the code is good.
func (d *Door) redeem(e central.Enrolment) (got central.Enrolled, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var c code
	path := d.codePath(e.Secret)
	if readFile(path, &c) != nil || d.now().After(c.Until) {
		return got, central.Refuse(http.StatusForbidden, "code", "the code is unknown, used or over: make a new one with kioskctl enrol-code")
	}
	req, err := x509.ParseCertificateRequest(e.CSR)
	if err != nil {
		return got, central.Refuse(http.StatusBadRequest, "csr", "the certificate request cannot be read")
	}
	key := sha256.Sum256(req.RawSubjectPublicKeyInfo)
	if c.Key != nil {
		if string(c.Key) != string(key[:]) {
			return got, central.Refuse(http.StatusForbidden, "code", "the code was used by another box: make a new one with kioskctl enrol-code")
		}
		return c.Got, nil
	}
	id := central.Identity{Hall: d.hall, Device: c.Device, Role: c.Role}
	signed, err := d.ca.Sign(e.CSR, id)
	if err != nil {
		return got, err
	}
	c.Key, c.Got = key[:], central.Enrolled{Certificate: signed.PEM, CA: d.ca.PEM()}
	if err := d.admit(c.Device, guest{Serial: signed.Serial, Role: c.Role}); err != nil {
		return got, err
	}
	return c.Got, writeFile(path, c)
}

// Names are the names of the host in its certificate: those in at, and localhost.
func Names(at string) []string { return []string{hostOf(at), "localhost", "127.0.0.1"} }
