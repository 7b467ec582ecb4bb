package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"longcheng/kiosk"
	"longcheng/kiosk/signin"
)

const cookieName = "longcheng"

// A Session is who is asking. It lives in a signed cookie, so it outlives a
// restart of the daemon; changing a user's secret or removing the user ends it.
type Session struct {
	User   string    `json:"user"`
	Window string    `json:"window,omitempty"`
	Roles  []string  `json:"roles"`
	Now    time.Time `json:"now" doc:"the hall's clock"`
}

func (w *Web) seal(t signin.Token) string {
	return signin.Seal(w.o.Key, t, w.users[t.User].Hash)
}

func (w *Web) unseal(s string) (signin.Token, bool) {
	t, ok := signin.Unseal(w.o.Key, s, w.o.Now(), w.idle(), func(user string) (string, bool) {
		u, known := w.users[user]
		return u.Hash, known
	})
	if !ok || w.signedOut(t.ID) {
		return signin.Token{}, false
	}
	return t, true
}

// signedOut reports whether a session was ended by hand, also before the daemon
// was started. While the store cannot say, nobody is signed in.
func (w *Web) signedOut(id string) bool {
	err := w.revoked.load(w.o.Now(), w.idle(), w.o.State)
	if err != nil && w.o.OnError != nil {
		w.o.OnError("", fmt.Errorf("read sessions that were signed out: %w", err))
	}
	return err != nil || w.revoked.has(id)
}

func (w *Web) idle() time.Duration { return w.o.Hall.Rules.WithDefaults().ClerkIdle.Std() }

func (w *Web) token(r *http.Request) (signin.Token, bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return signin.Token{}, false
	}
	return w.unseal(c.Value)
}

func (w *Web) session(r *http.Request) (Session, bool) {
	t, ok := w.token(r)
	if !ok {
		return Session{}, false
	}
	return Session{User: t.User, Window: t.Window, Roles: w.users[t.User].Roles, Now: w.o.Now().UTC()}, true
}

func (w *Web) cookie(t signin.Token) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: w.seal(t), Path: "/",
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: w.o.Secure,
	}
}

// renew moves the end of a session with every change a clerk makes.
func (w *Web) renew(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		t, ok := w.token(r)
		now := w.o.Now().Unix()
		if ok && r.Method != http.MethodGet && r.URL.Path != "/api/v1/session" && now-t.From >= 60 {
			t.From = now
			http.SetCookie(rw, w.cookie(t))
		}
		next.ServeHTTP(rw, r)
	})
}

func sessionOf(ctx context.Context) (Session, bool) {
	s, ok := ctx.Value(keySession).(Session)
	return s, ok
}

// need returns the session when it has one of the roles.
func need(ctx context.Context, roles ...string) (Session, error) {
	s, ok := sessionOf(ctx)
	if !ok {
		return s, deny(http.StatusUnauthorized, "sign_in", "请先登录", "sign in first")
	}
	for _, r := range roles {
		if slices.Contains(s.Roles, r) {
			return s, nil
		}
	}
	return s, deny(http.StatusForbidden, "role", "没有权限", "your role does not allow this")
}

type signIn struct {
	User   string `json:"user" minLength:"1" maxLength:"64" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters"`
	Secret string `json:"secret" minLength:"1" maxLength:"128" doc:"PIN or password"`
	Window string `json:"window,omitempty" maxLength:"32" pattern:"^[^\\p{C}�]*$" patternDescription:"text without control characters" doc:"window the clerk works at"`
}

// signIn checks a secret and returns the new session and its cookie.
func (w *Web) signIn(ctx context.Context, in signIn, addr string) (Session, *http.Cookie, error) {
	if w.tries.Locked(w.o.Now(), in.User, addr) {
		return Session{}, nil, deny(http.StatusTooManyRequests, "locked", "尝试次数过多，请10分钟后再试", "too many attempts: try again in 10 minutes")
	}
	u, known := w.users[in.User]
	ok, err := w.doorman.Matches(ctx, u.Hash, in.Secret)
	if err != nil {
		return Session{}, nil, err
	}
	if !ok || !known {
		w.tries.Failed(w.o.Now(), in.User, addr)
		return Session{}, nil, w.wrong(ctx, u, known, in.Window)
	}
	if in.Window != "" && !w.hasWindow(in.Window) {
		return Session{}, nil, deny(http.StatusNotFound, "no_window", "没有这个窗口", "there is no such window")
	}
	w.tries.Clear(in.User, addr)
	if err := w.o.State.Note(ctx, kiosk.KindSigned, kiosk.Signed{User: u.Name, Window: in.Window, What: "in"}); err != nil {
		return Session{}, nil, err
	}
	t := signin.Token{User: u.Name, Window: in.Window, From: w.o.Now().Unix(), ID: rand.Text()}
	return Session{User: u.Name, Window: in.Window, Roles: u.Roles, Now: w.o.Now().UTC()}, w.cookie(t), nil
}

// wrong notes a failed attempt; names that are nobody's stay out of the journal,
// because people type secrets into the wrong field.
func (w *Web) wrong(ctx context.Context, u User, known bool, window string) error {
	if known {
		if err := w.o.State.Note(ctx, kiosk.KindSigned, kiosk.Signed{User: u.Name, Window: window, What: "failed"}); err != nil {
			return err
		}
	}
	return deny(http.StatusUnauthorized, "wrong_secret", "用户名或密码不正确", "user or password is not right")
}

// signOut ends the session behind r and returns the cookie that removes it.
func (w *Web) signOut(ctx context.Context, value string) (*http.Cookie, error) {
	gone := &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: w.o.Secure}
	t, ok := w.unseal(value)
	if !ok {
		return gone, nil
	}
	w.revoked.add(t.ID, w.o.Now().Add(w.idle()), w.o.Now())
	return gone, w.o.State.Note(ctx, kiosk.KindSigned, kiosk.Signed{User: t.User, Window: t.Window, What: "out", Session: t.ID})
}

func (w *Web) hasWindow(id string) bool {
	return slices.ContainsFunc(w.o.Hall.Windows, func(x kiosk.Window) bool { return x.ID == id })
}

func host(addr string) string {
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return h
}
