package server

import (
	"crypto/rand"
	"net/http"
	"slices"
	"unicode/utf8"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk/signin"
)

const (
	shortestSecret = 12 // letters that a person chooses
	longestSecret  = 128
)

// peoplePages are where the city administrator lets people in, and where
// everybody changes the own password.
func (s *Server) peoplePages(mux *http.ServeMux) {
	mux.HandleFunc("GET /people", s.see("people", s.people))
	mux.HandleFunc("POST /people/add", s.see("people", s.addPerson))
	mux.HandleFunc("POST /people/secret", s.see("people", s.newSecret))
	mux.HandleFunc("POST /people/change", s.post("people", s.changePerson))
	mux.HandleFunc("POST /people/lock", s.post("people", s.lockPerson))
	mux.HandleFunc("GET /password", s.see("", s.passwordPage))
	mux.HandleFunc("POST /password", s.post("", s.changePassword))
}

// A roleChoice is a role as pages name it.
type roleChoice struct {
	ID   string
	Name [2]string
}

func roles() []roleChoice {
	return []roleChoice{
		{RoleClerk, [2]string{"窗口人员", "clerk"}},
		{RoleManager, [2]string{"大厅管理员", "hall manager"}},
		{RoleTechnician, [2]string{"技术员", "technician"}},
		{RoleSupervisor, [2]string{"督查员", "supervisor"}},
		{RoleCity, [2]string{"市级管理员", "city administrator"}},
	}
}

type personRow struct {
	store.Person
	RoleName string
	Self     bool
}

type peopleData struct {
	People []personRow
	Roles  []itemChoice
	Halls  []string
}

func (s *Server) people(r *http.Request, v visitor) (string, any, error) {
	list, err := s.o.Store.People(r.Context())
	if err != nil {
		return "", nil, err
	}
	var d peopleData
	names := map[string]string{}
	for _, x := range roles() {
		names[x.ID] = x.Name[s.lang(r)]
		d.Roles = append(d.Roles, itemChoice{x.ID, x.Name[s.lang(r)]})
	}
	for _, p := range list {
		d.People = append(d.People, personRow{p, names[p.Role], p.Name == v.Name})
	}
	d.Halls, err = s.choice(r, v)
	return "people", d, err
}

// person reads who a form is about, and refuses what cannot be.
func personOf(r *http.Request) (p store.Person, err error) {
	p = store.Person{Name: r.PostFormValue("name"), Role: r.PostFormValue("role"), Hall: r.PostFormValue("hall")}
	ofHall := p.Role == RoleClerk || p.Role == RoleManager
	switch {
	case !central.CheckName(p.Name) || !CheckRole(p.Role) || p.Hall != "" && !central.CheckName(p.Hall):
		return p, central.Refuse(http.StatusBadRequest, "form", "用户名只能用字母、数字、点、横线、下划线，最多32个 / names have up to 32 letters, digits, dots, dashes and underscores")
	case ofHall && p.Hall == "":
		return p, central.Refuse(http.StatusBadRequest, "form", "窗口人员和大厅管理员须属于一个大厅 / a clerk or a hall manager belongs to a hall")
	case p.Role == RoleCity && p.Hall != "":
		return p, central.Refuse(http.StatusBadRequest, "form", "市级管理员不属于单个大厅 / a city administrator belongs to no hall")
	}
	return p, nil
}

// addPerson lets somebody in, and shows the first password once.
func (s *Server) addPerson(r *http.Request, v visitor) (string, any, error) {
	p, err := personOf(r)
	if err != nil {
		return "", nil, err
	}
	secret := rand.Text()[:16]
	p.Hash = signin.Hash(secret)
	return "secret", map[string]any{"Name": p.Name, "Secret": secret}, s.o.Store.AddPerson(r.Context(), p, v.Name)
}

// newSecret gives somebody another password, and shows it once.
func (s *Server) newSecret(r *http.Request, v visitor) (string, any, error) {
	name, secret := r.PostFormValue("name"), rand.Text()[:16]
	return "secret", map[string]any{"Name": name, "Secret": secret}, s.o.Store.SetSecret(r.Context(), name, signin.Hash(secret), v.Name)
}

func (s *Server) changePerson(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	p, err := personOf(r)
	if err == nil && p.Name == v.Name {
		err = notOneself()
	}
	if err != nil {
		return "", err
	}
	return "/people", s.o.Store.ChangePerson(r.Context(), p, v.Name)
}

// notOneself keeps the last city administrator from shutting the door behind
// himself.
func notOneself() error {
	return central.Refuse(http.StatusConflict, "oneself", "不能更改自己的角色或锁定自己 / nobody can change the own role, or lock himself out")
}

func (s *Server) lockPerson(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	name, to := r.PostFormValue("name"), r.PostFormValue("to")
	if name == v.Name {
		return "", notOneself()
	}
	if !slices.Contains([]string{"locked", "open"}, to) {
		return "", formFault()
	}
	return "/people", s.o.Store.LockPerson(r.Context(), name, to == "locked", v.Name)
}

func (s *Server) passwordPage(*http.Request, visitor) (string, any, error) {
	return "password", map[string]int{"Least": shortestSecret}, nil
}

// changePassword replaces the own password; the session begins anew.
func (s *Server) changePassword(rw http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	old, fresh := r.PostFormValue("old"), r.PostFormValue("new")
	if n := utf8.RuneCountInString(fresh); n < shortestSecret || n > longestSecret || fresh != r.PostFormValue("again") || fresh == old || fresh == v.Name {
		return "", central.Refuse(http.StatusBadRequest, "form", "新密码至少 %d 个字符，两次须相同，且不同于旧密码 / the new password has at least %d letters, is the same twice, and is not the old one", shortestSecret, shortestSecret)
	}
	if _, err := s.signIn(r, v.Name, old); err != nil { // counts wrong tries as the front door does
		return "", err
	}
	hash := signin.Hash(fresh)
	if err := s.o.Store.SetSecret(r.Context(), v.Name, hash, v.Name); err != nil {
		return "", err
	}
	t := v.token
	t.ID = rand.Text()
	http.SetCookie(rw, s.cookie(t, hash))
	return "/", nil
}
