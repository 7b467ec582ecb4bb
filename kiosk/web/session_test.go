package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk/signin"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestSignInIsNotedAndCookieIsStrict(t *testing.T) {
	f, _, c := start(t)
	c.want(401, "POST", base+"/session", `{"user":"li","secret":"nope"}`)
	c.want(404, "POST", base+"/session", `{"user":"li","secret":"1111","window":"77"}`)
	c.signIn("li", "1111", "1")
	if !c.cookie.HttpOnly || c.cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %v", c.cookie)
	}
	old := *c.cookie
	c.want(204, "DELETE", base+"/session", "")
	c.cookie = &old
	c.want(401, "GET", base+"/session", "")
	var what []string
	for _, s := range f.signed {
		what = append(what, s.What)
	}
	if fmt.Sprint(what) != "[failed in out]" {
		t.Errorf("noted %v", what)
	}
}

// The daemon restarts: the same key knows the clerk again; another key, another
// secret or too long a pause does not.
func TestSessionSurvivesRestart(t *testing.T) {
	k := &clock{time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)}
	_, _, c := start(t, func(o *Options) { o.Now = k.now })
	c.signIn("li", "1111", "1")
	cases := map[string]struct {
		change func(*Options)
		want   int
	}{
		"same":       {func(*Options) {}, 200},
		"key":        {func(o *Options) { o.Key = []byte(strings.Repeat("x", 32)) }, 401},
		"secret":     {func(o *Options) { o.Users[0].Hash = cheap("9999") }, 401},
		"removed":    {func(o *Options) { o.Users = o.Users[1:] }, 401},
		"after idle": {func(o *Options) { o.Now = func() time.Time { return k.t.Add(8*time.Hour + time.Second) } }, 401},
	}
	for name, x := range cases {
		_, _, again := start(t, func(o *Options) { o.Now = k.now; x.change(o) })
		again.cookie = c.cookie
		if got, m := again.do("GET", base+"/session", ""); got != x.want {
			t.Errorf("%s: %d, want %d: %v", name, got, x.want, m)
		}
	}
}

// Signed out stays signed out when the daemon starts again with the same store;
// while the store cannot tell, nobody is let in.
func TestSignedOutSurvivesRestart(t *testing.T) {
	f, _, c := start(t)
	c.signIn("li", "1111", "1")
	old := *c.cookie
	c.want(204, "DELETE", base+"/session", "")
	c.signIn("li", "1111", "1")
	again := func(broken error, cookie *http.Cookie) int {
		f.broken = broken
		defer func() { f.broken = nil }()
		w, err := New(testOptions(f))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := (&client{t: t, h: w, cookie: cookie}).do("GET", base+"/session", "")
		return got
	}
	if got := again(nil, &old); got != 401 {
		t.Errorf("the session that was signed out: %d", got)
	}
	if got := again(nil, c.cookie); got != 200 {
		t.Errorf("the later session: %d", got)
	}
	if got := again(errors.New("disk I/O error"), c.cookie); got != 401 {
		t.Errorf("with a broken store: %d", got)
	}
}

func TestCookieFlags(t *testing.T) {
	for _, secure := range []bool{false, true} {
		_, _, c := start(t, func(o *Options) { o.Secure = secure })
		c.signIn("li", "1111", "1")
		if k := c.cookie; !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Secure != secure || k.Path != "/" || k.Domain != "" {
			t.Errorf("secure %v: cookie %v", secure, k)
		}
	}
}

func TestWorkRenewsTheSession(t *testing.T) {
	k := &clock{time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)}
	_, _, c := start(t, func(o *Options) { o.Now = k.now })
	c.signIn("li", "1111", "1")
	for range 3 {
		k.t = k.t.Add(6 * time.Hour)
		c.want(200, "PUT", base+"/windows/1/state", `{"desk":"open"}`)
	}
}

func TestFiveWrongSecretsLockForTenMinutes(t *testing.T) {
	k := &clock{time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)}
	_, _, c := start(t, func(o *Options) { o.Now = k.now })
	for range 5 {
		c.want(401, "POST", base+"/session", `{"user":"li","secret":"0000"}`)
	}
	c.want(429, "POST", base+"/session", `{"user":"li","secret":"1111"}`)
	k.t = k.t.Add(10 * time.Minute)
	c.signIn("li", "1111", "1")
}

func TestTouchPageCannotBeFlooded(t *testing.T) {
	k := &clock{time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)}
	_, _, c := start(t, func(o *Options) { o.Now = k.now })
	for range paceBurst {
		c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"yyzz"}`)
	}
	c.want(429, "POST", base+"/tickets", `{"kiosk":"k1","item":"yyzz"}`)
	k.t = k.t.Add(time.Second)
	c.want(200, "POST", base+"/tickets", `{"kiosk":"k1","item":"yyzz"}`)
}

func TestUserKeepsTheHashToHimself(t *testing.T) {
	u := User{Name: "a", Hash: cheap("4711")}
	if err := u.check(); err != nil {
		t.Fatal(err)
	}
	if (User{Name: "a", Hash: "4711"}).check() == nil {
		t.Error("a secret in clear is accepted")
	}
	if strings.Contains(fmt.Sprint(u), "argon2") {
		t.Error("printing a user shows the hash")
	}
}

// No cookie but our own opens anything, and none breaks the server.
func FuzzCookie(f *testing.F) {
	fake := newFake(smallHall())
	w, err := New(testOptions(fake))
	if err != nil {
		f.Fatal(err)
	}
	good := w.seal(signin.Token{User: "li", Window: "1", From: time.Now().Unix(), ID: "x"})
	f.Add(good)
	f.Add("a.b")
	f.Add(strings.Repeat(".", 2000))
	f.Fuzz(func(t *testing.T, s string) {
		tok, ok := w.unseal(s)
		if ok && w.seal(tok) != s && !strings.HasPrefix(s, strings.SplitN(good, ".", 2)[0]) {
			t.Errorf("a cookie we did not make is accepted: %q", s)
		}
	})
}
