// Package order is how an empty box learns what it is to be: an order, made and
// signed at the centre or by a technician, is
// carried there on a USB stick or as a QR code.
//
//	on a stick                      in a QR code
//	longcheng-order.json            the same text
//	longcheng-order/kioskd.toml     -
//	longcheng-order/hall.toml ...   -
//
// The order holds a one-time enrolment code, so it is short-lived and no use to
// whoever finds the stick a day later. Files beside it are bound to it by their
// SHA-256.
//
// It does not know devices. Who signed it must be known to the box, by a file of
// its image, or is confirmed by a person who compares eight digits.
package order

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"time"

	"longcheng/central"
)

// Life is how long an order is good unless its maker says otherwise: the
// enrolment code in it lives no longer.
const Life = 15 * time.Minute

// Carried is how long an order is good that has no code in it and is carried to a
// box without a network: the longest that Check allows.
const Carried = 7 * 24 * time.Hour

// maxOrder bounds the text of an order: what the largest QR code holds.
const maxOrder = 2953

// An Order says what a box is to be.
type Order struct {
	Made    time.Time         `json:"made"`
	Until   time.Time         `json:"until"`
	Hall    string            `json:"hall"`
	Device  string            `json:"device"`
	Role    string            `json:"role"` // whole, host, kiosk or display: for people, and for the files of an image
	Network Network           `json:"network,omitzero"`
	Code    string            `json:"code,omitempty"`  // enrolment code of the centre or of the hall's host
	Files   map[string]string `json:"files,omitempty"` // name to SHA-256
}

// A Network is how the box's cable is set. Without an address it asks by DHCP.
type Network struct {
	Address string   `json:"address,omitempty"` // such as 10.0.0.5/24
	Gateway string   `json:"gateway,omitempty"`
	DNS     []string `json:"dns,omitempty"`
	NTP     []string `json:"ntp,omitempty"`
}

// Roles are the words that Order.Role may be.
func Roles() []string { return []string{"whole", "host", "kiosk", "display"} }

var (
	fileName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}){0,3}$`)
	hostName = regexp.MustCompile(`^[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}$`)
)

// Check returns what is wrong with an order, or nil. Everything in it ends up in
// files of the box, so nothing passes that is not of its form.
func (o Order) Check() error {
	known := false
	for _, r := range Roles() {
		known = known || r == o.Role
	}
	switch {
	case !central.CheckName(o.Device) || !central.CheckName(o.Hall):
		return fmt.Errorf("order: %q and %q: hall and device must be names: letters, digits, dots and dashes", o.Hall, o.Device)
	case !known:
		return fmt.Errorf("order: there is no role %q: write whole, host, kiosk or display", o.Role)
	case !o.Until.After(o.Made) || o.Until.Sub(o.Made) > Carried:
		return errors.New("order: it must end after it was made, within seven days")
	}
	if o.Code != "" {
		if _, err := central.ParseCode(o.Code); err != nil {
			return fmt.Errorf("order: %w", err)
		}
	}
	for name, sum := range o.Files {
		if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size || !fileName.MatchString(name) || !filepath.IsLocal(name) {
			return fmt.Errorf("order: file %q: the name or its sum is of no good form", name)
		}
	}
	return o.Network.check()
}

func (n Network) check() error {
	if n.Address != "" {
		if _, err := netip.ParsePrefix(n.Address); err != nil {
			return fmt.Errorf("order: address %q: write address and length, such as 10.0.0.5/24", n.Address)
		}
	}
	if n.Gateway != "" {
		if _, err := netip.ParseAddr(n.Gateway); err != nil || n.Address == "" {
			return fmt.Errorf("order: gateway %q: write an address, beside one of the box", n.Gateway)
		}
	}
	for _, d := range n.DNS {
		if _, err := netip.ParseAddr(d); err != nil {
			return fmt.Errorf("order: dns %q is no address", d)
		}
	}
	for _, h := range n.NTP {
		if !hostName.MatchString(h) {
			return fmt.Errorf("order: ntp %q is no host", h)
		}
	}
	return nil
}

// A sealed order is what travels.
type sealed struct {
	Order []byte `json:"longcheng"` // an Order as JSON
	Key   []byte `json:"key"`
	Sig   []byte `json:"sig"`
}

// Seal checks and signs an order.
func Seal(o Order, key ed25519.PrivateKey) ([]byte, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(sealed{text, key.Public().(ed25519.PublicKey), ed25519.Sign(key, signedText(text))})
	if err == nil && len(out) > maxOrder {
		err = fmt.Errorf("order: %d bytes are more than a QR code holds (%d): name fewer files", len(out), maxOrder)
	}
	return out, err
}

// signedText keeps a signature from being taken for one of anything else.
func signedText(order []byte) []byte { return append([]byte("longcheng order 1\n"), order...) }

// The errors of Open.
var (
	ErrOld     = errors.New("make a new one")
	ErrDamaged = errors.New("it is none, or damaged: make it again")
	ErrForged  = errors.New("its signature is wrong: somebody changed it, or it is damaged")
)

// Open reads an order and checks its signature. Whether the signer is to be
// trusted is for the caller to say. now tells whether it is over; a box whose
// clock stands before the order was made has none, and then only the enrolment
// code's own life counts.
func Open(text []byte, now time.Time) (Order, ed25519.PublicKey, error) {
	var s sealed
	var o Order
	bad := fmt.Errorf("order: %w", ErrDamaged)
	if len(text) > maxOrder || json.Unmarshal(text, &s) != nil || len(s.Key) != ed25519.PublicKeySize {
		return o, nil, bad
	}
	if !ed25519.Verify(s.Key, signedText(s.Order), s.Sig) {
		return o, nil, fmt.Errorf("order: %w", ErrForged)
	}
	if json.Unmarshal(s.Order, &o) != nil {
		return o, nil, bad
	}
	if err := o.Check(); err != nil {
		return o, nil, err
	}
	if now.After(o.Until) {
		return o, nil, fmt.Errorf("order: it was good until %s: %w", o.Until.Local().Format(time.DateTime), ErrOld)
	}
	return o, s.Key, nil
}

// Digits are the eight digits by which a person compares two keys.
func Digits(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	n := uint64(0)
	for _, b := range sum[:8] {
		n = n<<8 | uint64(b)
	}
	return fmt.Sprintf("%04d-%04d", n/10000%10000, n%10000)
}
