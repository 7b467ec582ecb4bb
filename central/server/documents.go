package server

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"longcheng/central"
	"longcheng/central/store"
)

// A Finding is one thing wrong with a hall document, and how to mend it.
type Finding struct {
	Line    int // from 1; 0 is the whole document
	Text    string
	Remedy  string
	ZH      string // both in Chinese; empty when there is no Chinese of them
	Warning bool   // it works, but probably not as meant
}

const (
	maxDocument = central.MaxHallText + 64<<10 // bytes of the form that brings a document
	maxNote     = 300
	maxFindings = 100
	farthest    = 366 * 24 * time.Hour // a publication may be planned
	listed      = 20                   // publications of a hall that are shown
)

// documentPages are the pages of the catalogue and the rules of halls.
func (s *Server) documentPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /documents", s.see("document", s.documents))
	mux.HandleFunc("GET /document", s.see("document", s.document))
	mux.HandleFunc("GET /document/compare", s.see("document", s.compareVersions))
	mux.HandleFunc("GET /document/edit", s.see("edit", s.edit))
	mux.HandleFunc("POST "+savePath, func(rw http.ResponseWriter, r *http.Request) {
		if v, ok := s.enter(rw, r, "edit"); ok {
			s.save(rw, r, v)
		}
	})
	mux.HandleFunc("POST /documents/publish", s.post("edit", s.publish))
	mux.HandleFunc("POST /documents/withdraw", s.post("edit", s.withdraw))
}

const savePath = "/documents/save"

// formLimit is how long the body of a form may be.
func formLimit(path string) int64 {
	switch path {
	case savePath:
		return maxDocument
	case orderPath:
		return maxOrderForm
	}
	return maxForm
}

// A boxUse is what one box makes of what its hall was given.
type boxUse struct {
	Device   string
	InUse    int64 // version; 0: its own file
	Class    string
	Now      string
	Refusals string
}

// A hallUse is a hall with what it uses, what is planned, and its boxes.
type hallUse struct {
	Hall     string
	Used     *store.Publication // nil: the boxes' own files
	Before   *store.Publication // to return to
	Planned  []store.Publication
	Boxes    []boxUse
	Past     []store.Publication
	Attended bool // every box uses it
}

type documentsData struct {
	Documents []store.Version
	Halls     []hallUse
	Own       string // the hall whose document may be begun
}

// documents shows every document and what each hall uses.
func (s *Server) documents(r *http.Request, v visitor) (string, any, error) {
	all, err := s.o.Store.Versions(r.Context(), "")
	if err != nil {
		return "", nil, err
	}
	all = slices.DeleteFunc(all, func(d store.Version) bool { return !v.owns(d.Name) })
	halls, err := s.halls(r, v, "")
	return "documents", documentsData{Documents: all, Halls: halls, Own: v.Hall}, err
}

// owns says whether a visitor may look at the document of a hall.
func (v visitor) owns(hall string) bool { return v.Hall == "" || v.Hall == hall }

// halls returns the halls that a visitor sees; only those that were ever given
// the document name, unless it is empty.
func (s *Server) halls(r *http.Request, v visitor, name string) (list []hallUse, err error) {
	using, err := s.o.Store.Using(r.Context(), v.Hall)
	if err != nil {
		return nil, err
	}
	boxes := map[string][]string{}
	for d := range using {
		boxes[d.Hall] = append(boxes[d.Hall], d.Device)
	}
	for hall, devices := range boxes {
		p, err := s.o.Store.Publications(r.Context(), hall, listed)
		if err != nil {
			return nil, err
		}
		if name != "" && hall != name && !slices.ContainsFunc(p, func(p store.Publication) bool { return p.Name == name }) {
			continue
		}
		slices.Sort(devices)
		list = append(list, s.use(hall, p, devices, using, s.lang(r)))
	}
	slices.SortFunc(list, func(a, b hallUse) int { return cmp.Compare(a.Hall, b.Hall) })
	return list, nil
}

// use says how a hall stands.
func (s *Server) use(hall string, all []store.Publication, devices []string, using map[store.Device]int64, lang int) hallUse {
	u := hallUse{Hall: hall, Past: all, Attended: true}
	now := s.o.Now()
	number := store.InForce(all, now)
	versions := map[int64]int64{}
	for i, p := range all {
		versions[p.Number] = p.Version
		switch {
		case p.Number == number:
			u.Used = &all[i]
		case p.Withdrawn.IsZero() && p.Starts.After(now):
			u.Planned = append(u.Planned, p)
		}
	}
	if u.Used != nil {
		rest := slices.DeleteFunc(slices.Clone(all), func(p store.Publication) bool {
			return p.Name == u.Used.Name && p.Version == u.Used.Version
		})
		if n := store.InForce(rest, now); n != 0 {
			i := slices.IndexFunc(rest, func(p store.Publication) bool { return p.Number == n })
			u.Before = &rest[i]
		}
	}
	for _, d := range devices {
		b := s.boxUse(d, u.Used, using[store.Device{Hall: hall, Device: d}], versions, lang)
		u.Attended = u.Attended && b.Class == "good"
		u.Boxes = append(u.Boxes, b)
	}
	return u
}

func (s *Server) boxUse(device string, used *store.Publication, says int64, versions map[int64]int64, lang int) boxUse {
	b := boxUse{Device: device, InUse: versions[says]}
	if used == nil {
		b.Now, b.Class = [2]string{"使用本机文件", "uses its own file"}[lang], "good"
		return b
	}
	i := slices.IndexFunc(used.Receipts, func(r store.Receipt) bool { return r.Device == device })
	var r store.Receipt
	if i >= 0 {
		r = used.Receipts[i]
	}
	switch {
	case says == used.Number:
		b.Now, b.Class = [2]string{"使用中", "in use"}[lang], "good"
	case i < 0 || r.Acked.IsZero():
		b.Now, b.Class = [2]string{"等待下发", "not yet delivered"}[lang], "wait"
	case !r.OK:
		b.Now, b.Class, b.Refusals = [2]string{"拒绝，旧版本继续使用", "refused: the version before goes on"}[lang], "bad", spoken(r.Text, lang)
	default:
		b.Now, b.Class = [2]string{"已接受，尚未启用", "accepted, not in use yet"}[lang], "wait"
	}
	return b
}

type textLine struct {
	N    int
	Text string
}

type documentData struct {
	store.Version
	Newest   int64
	Versions []store.Version
	Lines    []textLine
	Halls    []hallUse
	Choice   []string // halls that it may be published to
	Soon     string   // the next full hour, for the form
}

// document shows one version of a document.
func (s *Server) document(r *http.Request, v visitor) (string, any, error) {
	q := r.URL.Query()
	list, err := s.versions(r, v, q.Get("name"))
	if err != nil {
		return "", nil, err
	}
	n := list[0].Number
	if t := q.Get("version"); t != "" {
		if n, err = strconv.ParseInt(t, 10, 64); err != nil {
			return "", nil, noSuchPage()
		}
	}
	d := documentData{Newest: list[0].Number, Versions: list, Soon: s.o.Now().In(s.o.Zone).Truncate(time.Hour).Add(time.Hour).Format(formTime)}
	if d.Version, err = s.o.Store.Version(r.Context(), q.Get("name"), n); err != nil {
		return "", nil, err
	}
	for i, l := range strings.Split(strings.TrimSuffix(d.Text, "\n"), "\n") {
		d.Lines = append(d.Lines, textLine{i + 1, l})
	}
	if d.Halls, err = s.halls(r, v, d.Name); err != nil {
		return "", nil, err
	}
	d.Choice, err = s.choice(r, v)
	return "document", d, err
}

const formTime = "2006-01-02T15:04" // of an input of type datetime-local

func noSuchPage() error {
	return central.Refuse(http.StatusNotFound, "no_page", "没有这个页面 / there is no such page")
}

// versions returns the versions of a document that a visitor may see.
func (s *Server) versions(r *http.Request, v visitor, name string) ([]store.Version, error) {
	if !central.CheckName(name) || !v.owns(name) {
		return nil, noSuchPage()
	}
	list, err := s.o.Store.Versions(r.Context(), name)
	if err == nil && len(list) == 0 {
		err = noSuchPage()
	}
	return list, err
}

// choice returns the halls that a visitor can choose from, in the order in which the
// page's reader looks for their names.
func (s *Server) choice(r *http.Request, v visitor) (list []string, err error) {
	using, err := s.o.Store.Using(r.Context(), v.Hall)
	if err != nil {
		return nil, err
	}
	said, err := s.o.Store.Statuses(r.Context(), v.Hall)
	for d := range using {
		if !slices.Contains(list, d.Hall) {
			list = append(list, d.Hall)
		}
	}
	sortHalls(list, namesOfHalls(said, s.lang(r)), s.lang(r))
	return list, err
}

type compareData struct {
	Name    string
	A, B    store.Version
	Changes []change
}

// compareVersions lays two versions side by side.
func (s *Server) compareVersions(r *http.Request, v visitor) (string, any, error) {
	q := r.URL.Query()
	if _, err := s.versions(r, v, q.Get("name")); err != nil {
		return "", nil, err
	}
	d := compareData{Name: q.Get("name")}
	for key, at := range map[string]*store.Version{"a": &d.A, "b": &d.B} {
		n, err := strconv.ParseInt(q.Get(key), 10, 64)
		if err != nil {
			return "", nil, noSuchPage()
		}
		if *at, err = s.o.Store.Version(r.Context(), d.Name, n); err != nil {
			return "", nil, err
		}
	}
	if d.A.Number > d.B.Number {
		d.A, d.B = d.B, d.A
	}
	d.Changes = compare(d.A.Text, d.B.Text)
	return "compare", d, nil
}

// A findingLine is a finding with the line it is about.
type findingLine struct {
	Finding
	Excerpt string
}

type editData struct {
	Name, Note, Text string
	Base             int64
	Found            []findingLine
	Bad              bool
	Checked          bool   // without being saved
	Fault            string // why it was not saved
}

func (d editData) status() int {
	switch {
	case d.Bad:
		return http.StatusUnprocessableEntity
	case d.Fault != "":
		return http.StatusConflict
	}
	return http.StatusOK
}

// edit shows the form for the next version of a document.
func (s *Server) edit(r *http.Request, v visitor) (string, any, error) {
	q := r.URL.Query()
	d := editData{Name: v.sees(q.Get("name"))}
	if d.Name == "" {
		return "edit", d, nil // a new document
	}
	list, err := s.o.Store.Versions(r.Context(), d.Name)
	if err != nil || len(list) == 0 {
		return "edit", d, err
	}
	from := list[0].Number
	if t := q.Get("from"); t != "" {
		if from, err = strconv.ParseInt(t, 10, 64); err != nil {
			return "", nil, noSuchPage()
		}
	}
	one, err := s.o.Store.Version(r.Context(), d.Name, from)
	d.Base, d.Text = list[0].Number, one.Text
	return "edit", d, err
}

// save keeps a version that the checker has nothing against, or shows the form
// again with what is wrong.
func (s *Server) save(rw http.ResponseWriter, r *http.Request, v visitor) {
	d, err := readDocument(r)
	if err == nil && (!central.CheckName(d.Name) || !v.owns(d.Name) || d.Base < 0) {
		err = central.Refuse(http.StatusForbidden, "role", "您只能修改本大厅的文档 / you may change the document of your own hall only")
	}
	if err != nil {
		s.show(rw, r, v, nil, err)
		return
	}
	again := func(*http.Request, visitor) (string, any, error) { return "edit", d, nil }
	d.Found, d.Bad = s.examine(d.Text)
	d.Checked = r.PostFormValue("do") == "check"
	if d.Checked || d.Bad {
		s.show(rw, r, v, again, nil)
		return
	}
	n, err := s.o.Store.SaveVersion(r.Context(), store.Version{Name: d.Name, Text: d.Text, Note: d.Note, Author: v.Name}, d.Base)
	if refused := (*central.Problem)(nil); errors.As(err, &refused) { // what was typed is not lost
		d.Fault, err = s.sentence(r, err), nil
		s.show(rw, r, v, again, nil)
		return
	}
	if err != nil {
		s.show(rw, r, v, nil, err)
		return
	}
	q := url.Values{"name": {d.Name}, "version": {fmt.Sprint(n)}}
	http.Redirect(rw, r, "/document?"+q.Encode(), http.StatusSeeOther)
}

// readDocument reads the form of a document: the text of a file goes before that
// of the field.
func readDocument(r *http.Request) (d editData, err error) {
	if err := r.ParseMultipartForm(maxDocument); err != nil {
		return d, central.Refuse(http.StatusRequestEntityTooLarge, "too_large", "文档过大或不完整，最大 %d KiB / the document is too long, or was cut off: at most %d KiB", central.MaxHallText>>10, central.MaxHallText>>10)
	}
	d = editData{Name: r.PostFormValue("name"), Note: strings.TrimSpace(r.PostFormValue("note")), Text: r.PostFormValue("text")}
	d.Base, err = strconv.ParseInt(cmp.Or(r.PostFormValue("base"), "0"), 10, 64)
	if err != nil || utf8.RuneCountInString(d.Note) > maxNote {
		return d, central.Refuse(http.StatusBadRequest, "form", "表单不完整 / the form is not complete")
	}
	if files := r.MultipartForm.File["file"]; len(files) > 0 && files[0].Size > 0 {
		if d.Text, err = readFile(files[0]); err != nil {
			return d, err
		}
	}
	d.Text = strings.ReplaceAll(strings.TrimPrefix(d.Text, "\ufeff"), "\r\n", "\n")
	if len(d.Text) > central.MaxHallText || !utf8.ValidString(d.Text) || strings.ContainsRune(d.Text, 0) {
		return d, central.Refuse(http.StatusRequestEntityTooLarge, "too_large", "文档须为 UTF-8 文本，最大 %d KiB / a document is UTF-8 text of at most %d KiB", central.MaxHallText>>10, central.MaxHallText>>10)
	}
	return d, nil
}

func readFile(h *multipart.FileHeader) (string, error) {
	f, err := h.Open()
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

// examine asks the checker of the boxes what is wrong with a text.
func (s *Server) examine(text string) (found []findingLine, bad bool) {
	lines := strings.Split(text, "\n")
	_, all := s.o.ReadHall([]byte(text))
	for _, f := range all {
		bad = bad || !f.Warning
		l := findingLine{Finding: f}
		if f.Line > 0 && f.Line <= len(lines) {
			l.Excerpt = clipped(lines[f.Line-1])
		}
		if len(found) < maxFindings {
			found = append(found, l)
		}
	}
	return found, bad
}

func clipped(s string) string {
	if r := []rune(s); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return s
}

// publish gives a version to halls, now or at a moment.
func (s *Server) publish(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	if err := r.ParseForm(); err != nil {
		return "", formFault()
	}
	name, halls := r.PostFormValue("name"), r.PostForm["hall"]
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil || len(halls) > 10_000 {
		return "", formFault()
	}
	if len(halls) == 0 {
		return "", central.Refuse(http.StatusBadRequest, "form", "请至少选择一个大厅 / choose at least one hall")
	}
	for _, h := range append([]string{name}, halls...) {
		if !central.CheckName(h) || !v.owns(h) {
			return "", central.Refuse(http.StatusForbidden, "role", "您只能发布到本大厅 / you may publish to your own hall only")
		}
	}
	now := s.o.Now()
	starts := now
	if r.PostFormValue("when") == "at" {
		if starts, err = time.ParseInLocation(formTime, r.PostFormValue("at"), s.o.Zone); err != nil || starts.Before(now.Add(-time.Minute)) || starts.After(now.Add(farthest)) {
			return "", central.Refuse(http.StatusBadRequest, "form", "生效时间须在一年之内且不早于现在 / the moment must be within a year from now")
		}
	}
	slices.Sort(halls)
	err = s.o.Store.Publish(r.Context(), store.Publication{Name: name, Version: version, Starts: starts, Author: v.Name}, slices.Compact(halls))
	return "/documents", err
}

func formFault() error {
	return central.Refuse(http.StatusBadRequest, "form", "表单不完整 / the form is not complete")
}

// withdraw takes back what was planned.
func (s *Server) withdraw(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	hall := r.PostFormValue("hall")
	n, err := strconv.ParseInt(r.PostFormValue("number"), 10, 64)
	if err != nil || !central.CheckName(hall) || !v.owns(hall) {
		return "", formFault()
	}
	return "/documents", s.o.Store.Withdraw(r.Context(), hall, n, v.Name)
}
