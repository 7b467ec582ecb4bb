package central

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"regexp"
)

// An Identity is who a certificate says a box is. Role "host" may also speak for
// the other boxes of its hall.
type Identity struct {
	Hall   string
	Device string
	Role   string
	Serial string // of the certificate, hexadecimal
}

// RoleHost is the role of the box that relays for its hall.
const RoleHost = "host"

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)

// CheckName says whether s can name a hall, a device or a role: 1 to 32 letters,
// digits, dots, dashes and underscores.
func CheckName(s string) bool { return name.MatchString(s) }

// IdentityOf reads the identity in a certificate: the organization is the hall,
// the common name the device, the organizational unit the role.
func IdentityOf(c *x509.Certificate) (Identity, error) {
	if len(c.Subject.Organization) != 1 || len(c.Subject.OrganizationalUnit) != 1 {
		return Identity{}, errors.New("read identity: the certificate names no hall or no role: enrol the box")
	}
	id := Identity{Hall: c.Subject.Organization[0], Device: c.Subject.CommonName, Role: c.Subject.OrganizationalUnit[0], Serial: hex.EncodeToString(c.SerialNumber.Bytes())}
	if !CheckName(id.Hall) || !CheckName(id.Device) || !CheckName(id.Role) {
		return Identity{}, errors.New("read identity: the certificate's hall, device or role is no name: enrol the box")
	}
	return id, nil
}

// May reports whether a box may speak for a device of its hall.
func (i Identity) May(device string) bool { return i.Device == device || i.Role == RoleHost }
