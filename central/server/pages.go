package server

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/central/store"
)

//go:embed pages
var files embed.FS

const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// A page is what every template sees.
type page struct {
	Title string
	Lang  string
	Query template.URL // of the address, without the language
	Place string       // address of the part of the site it belongs to
	Stays bool         // asking for the address again shows the same page
	Renew int          // seconds after which the page shows itself again; 0: not
	Who   visitor
	Data  any
	T     func(zh, en string) string
	Said  func(text string) string        // of central.Both, in the language of the page
	Hall  func(id string) (string, error) // as people call it
	Time  func(time.Time) string
	Zone  *time.Location // of the halls
}

func parsePages() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{"short": short, "prints": prints, "role": roleOfBox, "deed": deed, "kib": kib}).ParseFS(files, "pages/*.html")
}

// People returns the pages for people.
func (s *Server) People() http.Handler {
	mux := http.NewServeMux()
	css, _ := files.ReadFile("pages/centre.css")
	mux.HandleFunc("GET /centre.css", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/css; charset=utf-8")
		rw.Write(css)
	})
	mux.HandleFunc("GET /sign-in", s.open(func(r *http.Request, v visitor) (string, any, error) { return "sign-in", nil, nil }))
	mux.HandleFunc("POST /sign-in", s.postSignIn)
	mux.HandleFunc("POST /sign-out", s.post("", s.postSignOut))
	mux.HandleFunc("GET /{$}", s.see("fleet", s.fleet))
	mux.HandleFunc("GET /box", s.see("fleet", s.oneBox))
	mux.HandleFunc("GET /live", s.see("fleet", s.live))
	mux.HandleFunc("GET /alarms", s.see("fleet", s.alarms))
	mux.HandleFunc("POST /ack", s.post("ack", s.postAck))
	mux.HandleFunc("GET /ticket", s.see("ticket", s.ticket))
	mux.HandleFunc("GET /records", s.see("audit", s.records))
	mux.HandleFunc("GET /accepted", s.see("fleet", s.accepted))
	mux.HandleFunc("POST /code", s.see("enrol", s.makeCode))
	mux.HandleFunc("POST "+orderPath, s.see("enrol", s.makeOrder))
	mux.HandleFunc("POST /revoke", s.post("revoke", s.postRevoke))
	mux.HandleFunc("POST /command", s.post("command", s.postCommand))
	s.documentPages(mux)
	s.appointmentPages(mux)
	s.statisticsPages(mux)
	s.peoplePages(mux)
	mux.HandleFunc("GET /q/{hall}/{visit}", s.phonePage)
	mux.HandleFunc("/", s.open(func(*http.Request, visitor) (string, any, error) {
		return "", nil, central.Refuse(http.StatusNotFound, "no_page", "没有这个页面 / there is no such page")
	}))
	return s.door(mux)
}

// door is the door of people: headers, the check of the origin, the limit of
// bodies, an account of the request.
func (s *Server) door(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection() // Sec-Fetch-Site, else Origin against Host
	return s.guard(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		r.Body = http.MaxBytesReader(rw, r.Body, formLimit(r.URL.Path))
		cross.Handler(next).ServeHTTP(rw, r)
	}))
}

// A view reads what a page shows: its template and its data.
type view func(r *http.Request, v visitor) (name string, data any, err error)

// open shows a page to everybody.
func (s *Server) open(f view) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		v, _, err := s.visitor(r)
		s.show(rw, r, v, f, err)
	}
}

// see shows a page to those who may see it.
func (s *Server) see(what string, f view) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		v, ok := s.enter(rw, r, what)
		if ok {
			s.show(rw, r, v, f, nil)
		}
	}
}

// enter lets a visitor on who may do a thing, and renews the session.
func (s *Server) enter(rw http.ResponseWriter, r *http.Request, what string) (visitor, bool) {
	v, ok, err := s.visitor(r)
	if err == nil && !ok {
		http.Redirect(rw, r, "/sign-in", http.StatusSeeOther)
		return v, false
	}
	access(r).Who = v.Name
	if err == nil && r.URL.Path == "/" && !v.May(what) && v.May("ticket") {
		http.Redirect(rw, r, "/ticket", http.StatusSeeOther)
		return v, false
	}
	if err == nil && what != "" && !v.May(what) {
		err = central.Refuse(http.StatusForbidden, "role", "您的角色没有这个权限 / your role does not allow this")
	}
	if err != nil {
		s.show(rw, r, v, nil, err)
		return v, false
	}
	if now := s.o.Now(); now.Sub(time.Unix(v.token.From, 0)) >= renewAfter && !r.URL.Query().Has("auto") { // a page that renews itself is nobody's click
		v.token.From = now.Unix()
		http.SetCookie(rw, s.cookie(v.token, v.Hash))
	}
	return v, true
}

// post carries out a form and goes on to the page that it names.
func (s *Server) post(what string, f func(rw http.ResponseWriter, r *http.Request, v visitor) (to string, err error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		v, ok := s.enter(rw, r, what)
		if !ok {
			return
		}
		to, err := f(rw, r, v)
		if err != nil {
			s.show(rw, r, v, nil, err)
			return
		}
		http.Redirect(rw, r, to, http.StatusSeeOther)
	}
}

// show renders a view, or what kept it from being made.
func (s *Server) show(rw http.ResponseWriter, r *http.Request, v visitor, f view, err error) {
	p := s.page(rw, r, v)
	name, status := "fault", http.StatusOK
	if err == nil {
		name, p.Data, err = f(r, v)
	}
	if err != nil {
		name, status, p.Data = "fault", http.StatusInternalServerError, s.sentence(r, err)
		var refused *central.Problem
		if errors.As(err, &refused) {
			status = refused.Status
		}
	}
	if d, ok := p.Data.(interface{ status() int }); ok {
		status = d.status()
	}
	p.Title, p.Renew = p.title(name), renew[name]
	s.render(rw, r, status, name, p)
}

// sentence is what a person is told about an error.
func (s *Server) sentence(r *http.Request, err error) string {
	var refused *central.Problem
	if errors.As(err, &refused) {
		return halfOf(refused.Title, slash, s.lang(r))
	}
	if r.Context().Err() == nil {
		s.count.Faults.Add(1)
		if s.o.OnError != nil {
			s.o.OnError(access(r).Request, err)
		}
	}
	return halfOf(fmt.Sprintf("出了点问题，请把编号告诉管理员：%[1]s / something went wrong: tell the operator this number: %[1]s", access(r).Request), slash, s.lang(r))
}

func (s *Server) render(rw http.ResponseWriter, r *http.Request, status int, name string, p page) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name+".html", p); err != nil {
		s.fail(rw, r, fmt.Errorf("render %s: %w", name, err))
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	rw.Write(b.Bytes())
}

// page makes the frame: the language is that of the address, else of the cookie,
// else Chinese.
func (s *Server) page(rw http.ResponseWriter, r *http.Request, v visitor) page {
	lang, n := "zh", 0
	if c, err := r.Cookie("lang"); err == nil && c.Value == "en" {
		lang = "en"
	}
	q := r.URL.Query()
	if l := q.Get("lang"); l == "zh" || l == "en" {
		lang = l
		http.SetCookie(rw, &http.Cookie{Name: "lang", Value: l, Path: "/", SameSite: http.SameSiteStrictMode, HttpOnly: true})
	}
	q.Del("lang")
	q.Del("auto")
	query := template.URL("")
	if len(q) > 0 {
		query = template.URL("&" + q.Encode())
	}
	if lang == "en" {
		n = 1
	}
	return page{Lang: lang, Query: query, Place: place(r.URL.Path), Stays: r.Method == http.MethodGet || r.URL.Path == "/sign-in", Who: v, Time: s.clockTime, Zone: s.o.Zone, Hall: s.hallNamer(r.Context(), v, n), T: func(zh, en string) string {
		return [2]string{zh, en}[n]
	}, Said: func(text string) string { return spoken(text, n) }}
}

// place is the address in the head of the pages that a path belongs to.
func place(path string) string {
	switch {
	case path == "/box", path == "/accepted", path == "/code", path == "/order":
		return "/"
	case strings.HasPrefix(path, "/document"):
		return "/documents"
	case path == "/":
		return path
	}
	first, _, _ := strings.Cut(path[1:], "/")
	return "/" + first
}

// renew says which pages show themselves again, after how many seconds.
var renew = map[string]int{"live": 10, "alarms": 30}

func (p page) title(name string) string {
	titles := map[string][2]string{
		"sign-in": {"登录", "Sign in"}, "fleet": {"设备总览", "All boxes"}, "box": {"设备", "Box"}, "code": {"注册码", "Enrolment code"},
		"order": {"首次设置单", "Order for a new box"}, "accepted": {"验收单", "Acceptance sheets"},
		"live": {"实时大厅", "Halls now"}, "alarms": {"告警", "Alarms"},
		"appointments": {"预约", "Appointments"}, "key": {"接口密钥", "Booking key"}, "statistics": {"统计", "Statistics"}, "phone": {"排队进度", "Your place"},
		"people": {"用户", "People"}, "secret": {"密码", "Password"}, "password": {"更改密码", "Change password"},
		"documents": {"事项与规则", "Catalogue and rules"}, "document": {"文档", "Document"}, "compare": {"比较版本", "Compare versions"}, "edit": {"修改文档", "Edit document"},
		"ticket": {"查号票", "Find a ticket"}, "records": {"审计", "Records"}, "fault": {"抱歉", "Sorry"},
	}
	t := titles[name]
	return p.T(t[0], t[1])
}

// clockTime, dateOf and dayOf tell and take times in the zone of the halls, wherever
// the centre's machine stands.
func (s *Server) clockTime(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(s.o.Zone).Format(time.DateTime)
}

func (s *Server) dateOf(t time.Time) string { return t.In(s.o.Zone).Format(time.DateOnly) }

// dayOf is the beginning of a day such as 2026-03-02.
func (s *Server) dayOf(date string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, date, s.o.Zone)
}

func (s *Server) postSignIn(rw http.ResponseWriter, r *http.Request) {
	cookie, err := s.signIn(r, r.PostFormValue("name"), r.PostFormValue("secret"))
	if err == nil {
		http.SetCookie(rw, cookie)
		http.Redirect(rw, r, "/", http.StatusSeeOther)
		return
	}
	p := s.page(rw, r, visitor{})
	p.Title, p.Data = p.title("sign-in"), s.sentence(r, err)
	status := http.StatusInternalServerError
	var refused *central.Problem
	if errors.As(err, &refused) {
		status = refused.Status
	}
	s.render(rw, r, status, "sign-in", p)
}

func (s *Server) postSignOut(rw http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	gone, err := s.signOut(r.Context(), v)
	if err == nil {
		http.SetCookie(rw, gone)
	}
	return "/sign-in", err
}

func (s *Server) postRevoke(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	d, why := store.Device{Hall: v.sees(r.PostFormValue("hall")), Device: r.PostFormValue("device")}, r.PostFormValue("why")
	if !central.CheckName(d.Hall) || !central.CheckName(d.Device) || why == "" || len(why) > 600 {
		return "", central.Refuse(http.StatusBadRequest, "form", "请填写原因 / say why")
	}
	if _, err := s.o.Store.Revoke(r.Context(), d, v.Name, why); err != nil {
		return "", err
	}
	q := url.Values{"hall": {d.Hall}, "device": {d.Device}}
	return "/box?" + q.Encode(), s.refresh(r.Context())
}

func (s *Server) records(r *http.Request, _ visitor) (string, any, error) {
	conflicts, err := s.o.Store.Conflicts(r.Context())
	if err != nil {
		return "", nil, err
	}
	audits, err := s.audits(r.Context())
	return "records", map[string]any{"Conflicts": conflicts, "Audits": audits}, err
}

type auditLine struct {
	store.Audit
	At time.Time
}

func (s *Server) audits(ctx context.Context) (list []auditLine, err error) {
	events, err := s.o.Store.Audits(ctx, 200)
	for _, e := range events {
		line := auditLine{At: e.At}
		if json.Unmarshal(e.Body, &line.Audit) == nil {
			list = append(list, line)
		}
	}
	return list, err
}

// tidyNumber makes a typed number the printed one.
func tidyNumber(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }
