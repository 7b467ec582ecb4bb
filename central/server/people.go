package server

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"slices"
	"time"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk/signin"
)

// The roles of people.
const (
	RoleClerk      = "clerk"      // looks up tickets of its hall
	RoleManager    = "manager"    // sees everything of its hall
	RoleTechnician = "technician" // looks after boxes
	RoleSupervisor = "supervisor" // sees everything, changes nothing
	RoleCity       = "city"       // everything
)

// may says which roles may do what.
var may = map[string][]string{
	"ticket":  {RoleClerk, RoleManager, RoleSupervisor, RoleCity},
	"fleet":   {RoleManager, RoleTechnician, RoleSupervisor, RoleCity},
	"enrol":   {RoleTechnician, RoleCity},
	"revoke":  {RoleTechnician, RoleCity},
	"command": {RoleTechnician, RoleCity},
	"ack":     {RoleManager, RoleTechnician, RoleCity},
	"audit":   {RoleSupervisor, RoleCity},

	"document": {RoleManager, RoleSupervisor, RoleCity},
	"edit":     {RoleManager, RoleCity},
	"keys":     {RoleCity},
	"people":   {RoleCity},
}

// CheckRole says whether r is a role of people.
func CheckRole(r string) bool {
	return slices.Contains([]string{RoleClerk, RoleManager, RoleTechnician, RoleSupervisor, RoleCity}, r)
}

const (
	cookieName = "longcheng_centre"
	idle       = 15 * time.Minute // without a click, a session ends
	renewAfter = time.Minute
	maxForm    = 16 << 10
)

// A visitor is who is looking at a page.
type visitor struct {
	store.Person
	token signin.Token
}

func (v visitor) May(what string) bool { return slices.Contains(may[what], v.Role) }

// sees returns the hall that a visitor who asks for hall is shown: a person of
// one hall sees that one only.
func (v visitor) sees(hall string) string {
	if v.Hall != "" {
		return v.Hall
	}
	return hall
}

// visitor returns who is behind a request; ok is false for a stranger.
func (s *Server) visitor(r *http.Request) (v visitor, ok bool, err error) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return v, false, nil
	}
	var broken error
	t, ok := signin.Unseal(s.key, c.Value, s.o.Now(), idle, func(user string) (string, bool) {
		p, known, err := s.o.Store.Person(r.Context(), user)
		v.Person, broken = p, err
		return p.Hash, known && err == nil && p.Locked.IsZero()
	})
	if broken != nil || !ok {
		return v, false, broken
	}
	ended, err := s.o.Store.Ended(r.Context(), t.ID)
	v.token = t
	return v, err == nil && !ended, err
}

func (s *Server) cookie(t signin.Token, hash string) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: signin.Seal(s.key, t, hash), Path: "/", HttpOnly: true, Secure: s.o.Secure, SameSite: http.SameSiteStrictMode}
}

// signIn checks a password and returns the cookie of a new session.
func (s *Server) signIn(r *http.Request, name, secret string) (*http.Cookie, error) {
	addr, _, _ := net.SplitHostPort(r.RemoteAddr)
	now, ctx := s.o.Now(), r.Context()
	if s.tries.Locked(now, name, addr) {
		return nil, central.Refuse(http.StatusTooManyRequests, "locked", "尝试次数过多，请10分钟后再试 / too many attempts: try again in 10 minutes")
	}
	p, known, err := s.o.Store.Person(ctx, name)
	if err != nil {
		return nil, err
	}
	ok, err := s.doorman.Matches(ctx, p.Hash, secret)
	if err != nil {
		return nil, err
	}
	if !ok || !p.Locked.IsZero() {
		s.tries.Failed(now, name, addr)
		return nil, s.wrong(ctx, name, known, addr)
	}
	s.tries.Clear(name, addr)
	t := signin.Token{User: name, From: now.Unix(), ID: rand.Text()}
	return s.cookie(t, p.Hash), s.o.Store.Note(ctx, store.Audit{Who: name, What: "signed in", Hall: p.Hall, Text: addr})
}

// wrong notes a failed attempt; names that are nobody's stay out of the journal,
// because people type passwords into the wrong field.
func (s *Server) wrong(ctx context.Context, name string, known bool, addr string) error {
	if known {
		if err := s.o.Store.Note(ctx, store.Audit{Who: name, What: "failed to sign in", Text: addr}); err != nil {
			return err
		}
	}
	return central.Refuse(http.StatusUnauthorized, "wrong_secret", "用户名或密码不正确 / name or password is not right")
}

// signOut ends a session.
func (s *Server) signOut(ctx context.Context, v visitor) (*http.Cookie, error) {
	gone := s.cookie(v.token, "")
	gone.Value, gone.MaxAge = "", -1
	if err := s.o.Store.End(ctx, v.token.ID, s.o.Now().Add(idle)); err != nil {
		return nil, err
	}
	return gone, s.o.Store.Note(ctx, store.Audit{Who: v.Name, What: "signed out", Hall: v.Hall})
}

// PeopleServer returns the HTTP server for pages around h. Its Shutdown is
// bounded by its caller.
func (s *Server) PeopleServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
	}
}
