package signin

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestHashRoundTrip(t *testing.T) {
	h, d := hash("4711", phc{memory: 8, time: 1, lanes: 1}), NewDoorman()
	if err := errors.Join(CheckHash(h), CheckHash(Hash("4711")), CheckHash(dummy)); err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[string]bool{"4711": true, "4712": false, "": false} {
		if ok, err := d.Matches(t.Context(), h, secret); ok != want || err != nil {
			t.Errorf("secret %q: %v %v", secret, ok, err)
		}
	}
	if ok, err := d.Matches(t.Context(), "", ""); ok || err != nil {
		t.Errorf("nobody: %v %v", ok, err)
	}
	for _, bad := range []string{"", "4711", "$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "$argon2i$v=19$m=8,t=1,p=1$$"} {
		if CheckHash(bad) == nil {
			t.Errorf("hash %q is accepted", bad)
		}
	}
}

func TestFiveWrongSecretsLockOnePlaceForTenMinutes(t *testing.T) {
	tr, now := NewTries(), time.Unix(0, 0)
	for range triesPerPlace {
		if tr.Locked(now, "li", "a") {
			t.Fatal("locked too early")
		}
		tr.Failed(now, "li", "a")
	}
	if !tr.Locked(now, "li", "a") || tr.Locked(now, "li", "b") || tr.Locked(now.Add(lockFor), "li", "a") {
		t.Error("the lock is not that of one place for ten minutes")
	}
	for i := range triesPerUser {
		tr.Failed(now, "li", fmt.Sprint(i))
	}
	if !tr.Locked(now, "li", "new") {
		t.Error("guessing from many places is not noticed")
	}
	tr.Clear("li", "a")
	if tr.Locked(now, "li", "a") {
		t.Error("locked after the right secret")
	}
}

func TestTriesStayBounded(t *testing.T) {
	tr, now := NewTries(), time.Unix(0, 0)
	for i := range maxTries + 50 {
		tr.Failed(now.Add(time.Duration(i)), fmt.Sprint("u", i), "a")
	}
	if len(tr.m) > maxTries {
		t.Errorf("%d entries", len(tr.m))
	}
}

// No token but our own opens anything, and none breaks the program.
func FuzzUnseal(f *testing.F) {
	key, now := []byte("k"), time.Unix(1e9, 0)
	known := func(u string) (string, bool) { return "hash", u == "li" }
	good := Seal(key, Token{User: "li", From: now.Unix(), ID: "x"}, "hash")
	for _, s := range []string{good, "a.b", strings.Repeat(".", 2000), Seal([]byte("other"), Token{User: "li", From: now.Unix()}, "hash")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tok, ok := Unseal(key, s, now, time.Hour, known)
		if ok && tok.ID != "x" {
			t.Errorf("a token we did not make is accepted: %q", s)
		}
	})
	if _, ok := Unseal(key, good, now.Add(2*time.Hour), time.Hour, known); ok {
		f.Error("a token lasts too long")
	}
}
