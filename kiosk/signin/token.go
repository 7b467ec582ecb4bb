package signin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

const maxToken = 1024 // bytes; ours are below 300

// A Token is what a cookie says of a session. It outlives a restart of the
// program.
type Token struct {
	User   string `json:"u"`
	Window string `json:"w,omitempty"`
	From   int64  `json:"f"` // Unix seconds of the last renewal
	ID     string `json:"i"`
}

// Seal signs a token with a key and with the user's present hash, so that
// another secret ends the session.
func Seal(key []byte, t Token, hash string) string {
	body, _ := json.Marshal(t) // strings and a number: cannot fail
	return base64.RawURLEncoding.EncodeToString(body) + "." + base64.RawURLEncoding.EncodeToString(mac(key, body, hash))
}

func mac(key, body []byte, hash string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("longcheng session 1\x00" + hash + "\x00"))
	h.Write(body)
	return h.Sum(nil)
}

// Unseal reads what Seal wrote. It trusts nothing before the signature has been
// checked, except the name that says whose hash, as hashOf knows it, it has to
// be signed with. A session lasts for idle after its last renewal.
func Unseal(key []byte, s string, now time.Time, idle time.Duration, hashOf func(user string) (hash string, known bool)) (Token, bool) {
	var t Token
	head, tail, ok := strings.Cut(s, ".")
	if !ok || len(s) > maxToken {
		return t, false
	}
	body, err1 := base64.RawURLEncoding.DecodeString(head)
	sum, err2 := base64.RawURLEncoding.DecodeString(tail)
	if err1 != nil || err2 != nil || json.Unmarshal(body, &t) != nil {
		return Token{}, false
	}
	hash, known := hashOf(t.User)
	age := now.Sub(time.Unix(t.From, 0))
	if !known || !hmac.Equal(sum, mac(key, body, hash)) || age > idle || age < -idle {
		return Token{}, false
	}
	return t, true
}
