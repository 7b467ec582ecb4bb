package kiosk

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Finding is one thing wrong with a hall document, and how to mend it.
type Finding struct {
	Path    string // where, in the words of the document, such as "window[3].groups"; indexes count from 0
	Problem string
	Remedy  string
	Warning bool   // the hall works, but probably not as meant
	ZH      string // problem and remedy in Chinese
}

// String returns path, problem and remedy in one line.
func (f Finding) String() string { return f.Path + ": " + f.Problem + ": " + f.Remedy }

// Check reports everything that is wrong with the hall, in the order of the
// document. A hall without findings other than warnings may be opened.
func (h *Hall) Check() []Finding {
	c := &checker{h: h}
	c.zones, c.departments, c.queues = map[string]bool{}, map[string]bool{}, map[string]bool{}
	c.items, c.served = map[string]bool{}, map[string]bool{}
	c.head()
	c.rules()
	c.hours("hours", h.Hours)
	c.places()
	c.lines()
	c.matters()
	c.desks()
	c.unserved()
	c.classes()
	c.flows()
	return c.found
}

type checker struct {
	h                          *Hall
	zones, departments, queues map[string]bool
	items, served              map[string]bool
	found                      []Finding
}

func (c *checker) bad(path, remedy, problem string, args ...any) {
	c.found = append(c.found, Finding{
		Path: path, Problem: fmt.Sprintf(problem, args...), Remedy: remedy,
		ZH: fmt.Sprintf(chinese[problem], args...) + "：" + chinese[remedy],
	})
}

func (c *checker) warn(path, remedy, problem string, args ...any) {
	c.bad(path, remedy, problem, args...)
	c.found[len(c.found)-1].Warning = true
}

var (
	hallID = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)
	partID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	typeID = regexp.MustCompile(`^(0[1-9]|1[0-9]|20)$`)
)

// id checks the spelling of an id and that it is the first of its kind.
func (c *checker) id(path, id string, seen map[string]bool) {
	path += ".id"
	switch {
	case id == "":
		c.bad(path, "give it a short id of letters and digits", "is missing")
	case !partID.MatchString(id):
		c.bad(path, "use 1 to 64 letters, digits, dots, dashes and underscores", "%q cannot be an id", id)
	case seen[id]:
		c.bad(path, "give every one its own id", "%q is used twice", id)
	}
	seen[id] = true
}

func (c *checker) name(path string, t Text) {
	if strings.TrimSpace(t.ZH) == "" {
		c.bad(strings.TrimPrefix(path+".name", "."), "write name.zh; name.en may be left out", "the Chinese name is missing")
	}
}

// known checks a reference to a kind of thing that must exist.
func (c *checker) known(path, kind, id string, all map[string]bool) {
	switch {
	case id == "":
		c.bad(path, "name a "+kind+" of this document", "is missing")
	case !all[id]:
		c.bad(path, "add a [["+kind+"]] with this id, or correct the spelling", "there is no %s %q", kind, id)
	}
}

func (c *checker) head() {
	h := c.h
	if !hallID.MatchString(h.ID) {
		c.bad("id", "use 1 to 32 letters and digits; it becomes part of file names", "%q cannot be the id of a hall", h.ID)
	}
	c.name("", h.Name)
	if _, err := time.LoadLocation(h.TimeZone); err != nil || h.TimeZone == "Local" {
		c.bad("timezone", `write an IANA name such as "Asia/Shanghai"`, "there is no time zone %q", h.TimeZone)
	}
	for _, e := range []struct {
		key string
		n   int
	}{{"zone", len(h.Zones)}, {"department", len(h.Departments)}, {"queue", len(h.Queues)}, {"item", len(h.Items)}, {"window", len(h.Windows)}} {
		if e.n == 0 {
			c.bad(e.key, "add at least one [["+e.key+"]]", "the hall has none")
		}
	}
}

func (c *checker) rules() {
	r := c.h.Rules
	if !slices.Contains([]string{"", "void", "tail", "back"}, r.Skipped) {
		c.bad("rules.skipped", `write "void", "tail" or "back"`, "%q is no rule for skipped tickets", r.Skipped)
	}
	for _, e := range []struct {
		key string
		n   int
	}{
		{"recall_limit", r.RecallLimit}, {"priority_run", r.PriorityRun}, {"open_per_item", r.OpenPerItem}, {"per_item_day", r.PerItemDay},
		{"skipped_back", r.SkippedBack}, {"skipped_return", r.SkippedReturn}, {"near_end_left", r.NearEndLeft},
	} {
		if e.n < 0 {
			c.bad("rules."+e.key, "write a number from 1 up, or leave it out for the default", "%d is negative", e.n)
		}
	}
	if u := r.PhoneURL; u != "" && !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") {
		c.bad("rules.phone_url", "write the whole address, beginning with https://", "%q is not a web address", u)
	}
}

func (c *checker) hours(path string, h Hours) {
	taken := [7][]Band{}
	for i, b := range h.Bands {
		p := fmt.Sprintf("%s.band[%d]", path, i)
		days, err := ParseDays(b.Days)
		if err != nil {
			c.bad(p+".days", `write days as "mon-fri", "sat" or "mon,wed"`, "%v", err)
		}
		if b.From >= b.To || b.From < 0 || b.To > 24*60 {
			c.bad(p+".to", "let a band end after it begins and on the same day", "the band %s-%s has no time in it", b.From, b.To)
		}
		if b.Quota < 0 {
			c.bad(p+".quota", "write 0 for no limit", "%d is negative", b.Quota)
		}
		c.overlap(p, b, days, &taken)
	}
	c.dates(path+".holidays", h.Holidays, nil)
	c.dates(path+".workdays", h.Workdays, h.Holidays)
}

func (c *checker) overlap(path string, b Band, days [7]bool, taken *[7][]Band) {
	said := false
	for d, on := range days {
		if !on {
			continue
		}
		for _, o := range taken[d] {
			if b.From < o.To && o.From < b.To && !said {
				c.bad(path+".from", "let the bands of one day follow each other", "%s-%s overlaps %s-%s on %s", b.From, b.To, o.From, o.To, weekdays[d])
				said = true
			}
		}
		taken[d] = append(taken[d], b)
	}
}

func (c *checker) dates(path string, dates, not []string) {
	for i, d := range dates {
		p := fmt.Sprintf("%s[%d]", path, i)
		if _, err := time.Parse(time.DateOnly, d); err != nil {
			c.bad(p, `write dates as "2026-10-01"`, "%q is not a date", d)
		}
		if slices.Contains(not, d) {
			c.bad(p, "keep the date in one of the two lists", "%s is a holiday and a workday", d)
		}
	}
}

func (c *checker) places() {
	for i, z := range c.h.Zones {
		p := fmt.Sprintf("zone[%d]", i)
		c.id(p, z.ID, c.zones)
		c.name(p, z.Name)
	}
	for i, d := range c.h.Departments {
		p := fmt.Sprintf("department[%d]", i)
		c.id(p, d.ID, c.departments)
		c.name(p, d.Name)
	}
}

func (c *checker) lines() {
	prefixes := map[string]string{}
	for i, q := range c.h.Queues {
		p := fmt.Sprintf("queue[%d]", i)
		c.id(p, q.ID, c.queues)
		c.name(p, q.Name)
		c.known(p+".zone", "zone", q.Zone, c.zones)
		c.prefix(p+".prefix", q.ID, q.Prefix, prefixes)
		if q.Appointment != "" {
			c.prefix(p+".appointment", q.ID, q.Appointment, prefixes)
		}
		if q.Service < 0 {
			c.bad(p+".service", `write a time such as "8m"`, "is negative")
		}
	}
}

func (c *checker) prefix(path, queue, s string, taken map[string]string) {
	if err := CheckPrefix(s); err != nil {
		c.bad(path, "choose other letters", "%v", err)
		return
	}
	if q, ok := taken[s]; ok {
		c.bad(path, "choose letters that no other queue has", "prefix %q is taken by queue %q", s, q)
		return
	}
	for other := range taken {
		if alike(s, other) {
			c.warn(path, "choose letters that differ more when called out", "prefix %q sounds like %q of queue %q", s, other, taken[other])
			break
		}
	}
	taken[s] = queue
}

// alike reports whether two prefixes of one length differ by one letter only,
// and by one that is easily misheard.
func alike(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	pair := ""
	for i := range a {
		if a[i] != b[i] {
			pair += string([]byte{min(a[i], b[i]), max(a[i], b[i])})
		}
	}
	return len(pair) == 2 && strings.Contains("BP BD DT PT MN FS GJ BV SX", pair)
}

func (c *checker) matters() {
	for i, it := range c.h.Items {
		p := fmt.Sprintf("item[%d]", i)
		c.id(p, it.ID, c.items)
		c.name(p, it.Name)
		c.known(p+".department", "department", it.Department, c.departments)
		c.known(p+".queue", "queue", it.Queue, c.queues)
		c.hours(p+".hours", it.Hours)
		if !typeID.MatchString(it.Type) {
			c.bad(p+".type", `write two digits from "01" (行政许可) to "20" (公共服务)`, "%q is no item type", it.Type)
		}
		for j, b := range it.Bring {
			if strings.TrimSpace(b.ZH) == "" {
				c.bad(fmt.Sprintf("%s.bring[%d]", p, j), "write its zh, or remove the line", "the Chinese text is missing")
			}
		}
		c.term(p, it)
	}
}

func (c *checker) term(p string, it Item) {
	switch {
	case it.Case != Immediate && it.Case != Promised:
		c.bad(p+".case", `write "immediate" or "promised"`, "%q is no case type", it.Case)
	case it.Statutory < 0 || it.Promised < 0:
		c.bad(p+".promised", "write working days from 0 up", "the term is negative")
	case it.Case == Immediate && it.Statutory+it.Promised > 0:
		c.bad(p+".case", `write "promised", or leave statutory and promised out`, "an immediate item has a term of days")
	case it.Promised > it.Statutory:
		c.bad(p+".promised", "promise at most what the law allows", "%d working days are promised, the law allows %d", it.Promised, it.Statutory)
	}
}

func (c *checker) desks() {
	ids, numbers := map[string]bool{}, map[int]bool{}
	for i, w := range c.h.Windows {
		p := fmt.Sprintf("window[%d]", i)
		c.id(p, w.ID, ids)
		c.name(p, w.Name)
		c.known(p+".zone", "zone", w.Zone, c.zones)
		if w.Number < 1 || numbers[w.Number] {
			c.bad(p+".number", "give every window its own number from 1 up", "%d is no number, or is used twice", w.Number)
		}
		numbers[w.Number] = true
		c.groups(p+".groups", w.Groups)
	}
}

func (c *checker) groups(path string, groups [][]string) {
	mine := map[string]bool{}
	for i, g := range groups {
		for j, q := range g {
			p := fmt.Sprintf("%s[%d][%d]", path, i, j)
			c.known(p, "queue", q, c.queues)
			if mine[q] {
				c.bad(p, "name a queue once; the best group counts", "queue %q is named twice", q)
			}
			mine[q], c.served[q] = true, true
		}
	}
	if len(mine) == 0 {
		c.bad(path, `write the queues it serves, such as groups = [["a"], ["b"]]`, "the window serves no queue")
	}
}

func (c *checker) unserved() {
	for i, q := range c.h.Queues {
		if !c.served[q.ID] {
			c.warn(fmt.Sprintf("queue[%d]", i), "name it in the groups of a window", "no window serves queue %q", q.ID)
		}
	}
}

func (c *checker) classes() {
	ids := map[string]bool{}
	for i, k := range c.h.Classes {
		p := fmt.Sprintf("class[%d]", i)
		c.id(p, k.ID, ids)
		c.name(p, k.Name)
		if k.Claim != "self" && k.Claim != "desk" {
			c.bad(p+".claim", `write "self" or "desk"`, "%q does not say who grants the class", k.Claim)
		}
		if k.Credit <= 0 {
			c.bad(p+".credit", `write a head start such as "15m"`, "a class without credit is never called earlier")
		}
		if k.MinAge < 0 || k.MinAge > 150 {
			c.bad(p+".min_age", "write years, or 0 for never by card", "%d is no age", k.MinAge)
		}
	}
}

func (c *checker) flows() {
	ids := map[string]bool{}
	for i, f := range c.h.Flows {
		p := fmt.Sprintf("flow[%d]", i)
		c.id(p, f.ID, ids)
		c.name(p, f.Name)
		if len(f.Stages) == 0 {
			c.bad(p+".stage", "add at least one [[flow.stage]]", "the flow has no stage")
		}
		stages := map[string]bool{}
		for j, s := range f.Stages {
			c.stage(fmt.Sprintf("%s.stage[%d]", p, j), s, stages)
		}
	}
}

func (c *checker) stage(p string, s Stage, stages map[string]bool) {
	c.id(p, s.ID, stages)
	c.name(p, s.Name)
	if len(s.Items) == 0 {
		c.bad(p+".items", "name the items that are handled together", "the stage has no item")
	}
	seen := map[string]bool{}
	for k, id := range s.Items {
		q := fmt.Sprintf("%s.items[%d]", p, k)
		c.known(q, "item", id, c.items)
		if seen[id] {
			c.bad(q, "name an item once", "item %q is named twice", id)
		}
		seen[id] = true
	}
}
