package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Hash returns the argon2id hash of a PIN or password in PHC form, with the
// second recommended setting of OWASP (19 MiB, 2 passes, 1 lane).
func Hash(secret string) string { return hash(secret, phc{memory: 19456, time: 2, lanes: 1}) }

func hash(secret string, p phc) string {
	p.salt = make([]byte, 16)
	rand.Read(p.salt) // never fails since Go 1.24
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.memory, p.time, p.lanes,
		enc.EncodeToString(p.salt), enc.EncodeToString(p.key(secret, 32)))
}

// phc is a parsed "$argon2id$v=19$m=..,t=..,p=..$salt$hash"; memory is in KiB.
type phc struct {
	memory, time uint32
	lanes        uint8
	salt, sum    []byte
}

func (p phc) key(secret string, n uint32) []byte {
	return argon2.IDKey([]byte(secret), p.salt, p.time, p.memory, p.lanes, n)
}

// CheckHash says why a hash cannot be used; settings that would stall the
// machine are refused.
func CheckHash(s string) error {
	_, err := parseHash(s)
	return err
}

func parseHash(s string) (phc, error) {
	var p phc
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v=19" {
		return p, fmt.Errorf("hash: not argon2id in PHC form: make one with kioskctl")
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.lanes); err != nil || n != 3 {
		return p, fmt.Errorf("hash: parameters are not m=,t=,p=: make one with kioskctl")
	}
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	p.sum, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(p.salt) < 8 || len(p.sum) < 16 || len(p.sum) > 64 {
		return p, fmt.Errorf("hash: salt or sum is damaged: make one with kioskctl")
	}
	if p.memory < 8 || p.memory > 64<<10 || p.time < 1 || p.time > 10 || p.lanes < 1 || p.lanes > 8 {
		return p, fmt.Errorf("hash: parameters out of range (m 8-65536, t 1-10, p 1-8)")
	}
	return p, nil
}

// dummy costs an unknown name as much as a known one.
const dummy = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// A Doorman compares secrets, two at once, so that guessing cannot eat the
// memory. Make one with NewDoorman.
type Doorman struct{ at chan struct{} }

// NewDoorman makes a Doorman.
func NewDoorman() *Doorman { return &Doorman{make(chan struct{}, 2)} }

// Matches compares a secret with a hash in constant time. The empty hash is that
// of an unknown name: it takes as long, and never matches.
func (d *Doorman) Matches(ctx context.Context, hash, secret string) (bool, error) {
	select {
	case d.at <- struct{}{}:
		defer func() { <-d.at }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	known := hash != ""
	if !known {
		hash = dummy
	}
	p, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	same := subtle.ConstantTimeCompare(p.key(secret, uint32(len(p.sum))), p.sum) == 1
	return same && known, nil
}
