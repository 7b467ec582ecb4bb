package printer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"longcheng/device/glyph"
	"longcheng/kiosk"
)

// A Slip is what one piece of paper is about.
type Slip struct {
	Hall   *kiosk.Hall
	Issued kiosk.Issued
	Copy   int           // 0 is the original; every later one is marked 补打
	Logo   *glyph.Bitmap // the hall's; nil prints none
}

// Layout builds the page of a ticket for paper of so many columns, after the
// standard template.
func Layout(s Slip, columns int) Page {
	t, _ := Sample("standard")
	return t.Page(s, columns)
}

// Page lays a slip out on paper of so many columns.
func (t *Template) Page(s Slip, columns int) Page {
	b := &builder{slip: s, columns: max(columns, 16)}
	b.run(t.ops)
	return append(b.page, Cut{})
}

// Layouts are the templates of a hall: one for all, and others for some items.
type Layouts struct {
	All   *Template // nil is the standard one
	Items map[string]*Template
}

// Page lays a slip out for a printer.
func (l *Layouts) Page(s Slip, p Profile) Page {
	t := l.Items[s.Issued.Visit.Item]
	if t == nil {
		t = l.All
	}
	if t == nil {
		t, _ = Sample("standard")
	}
	return t.Page(s, p.Columns)
}

// A builder adds lines to a page.
type builder struct {
	slip    Slip
	columns int
	page    Page
}

func (b *builder) run(ops []op) {
	for _, o := range ops {
		b.op(o)
	}
}

func (b *builder) op(o op) {
	switch o.word {
	case "if":
		if (values[o.value](b.slip) != "") != o.not {
			b.run(o.yes)
		} else {
			b.run(o.no)
		}
	case "left":
		b.text(o, Left)
	case "center":
		b.text(o, Center)
	case "right":
		b.text(o, Right)
	case "big":
		n := Clean(b.expand(o.text))
		o.w = min(o.w, max(1, b.columns/max(1, Width(n))))
		o.h = o.w
		b.text(o, Center)
	case "columns":
		c := Columns{Left: Clean(b.expand(o.text)), Right: Clean(b.expand(o.right))}
		if c.Left != "" && (c.Right != "" || len(o.right) == 0 || !optional(o.right)) || c.Right != "" && !optional(o.text) {
			b.page = append(b.page, c)
		}
	case "bring":
		b.bring(o)
	default:
		b.mark(o)
	}
}

// optional reports whether a text is one group.
func optional(ps []part) bool { return len(ps) == 1 && ps[0].group != nil }

// mark adds what is not text.
func (b *builder) mark(o op) {
	text := ""
	if o.text != nil {
		text = Clean(b.expand(o.text))
	}
	switch {
	case o.word == "rule":
		b.page = append(b.page, Rule{})
	case o.word == "feed":
		b.page = append(b.page, Feed{Lines: o.n})
	case o.word == "logo" && b.slip.Logo != nil:
		b.page = append(b.page, Image{Dots: b.slip.Logo, Align: Center, Logo: true})
	case o.word == "qr" && text != "":
		b.page = append(b.page, QR{S: text})
	case o.word == "barcode" && text != "":
		b.page = append(b.page, Barcode{S: text})
	}
}

// text adds a line, in as many as it needs.
func (b *builder) text(o op, a Align) {
	for _, l := range Wrap(b.expand(o.text), b.columns/o.w) {
		b.page = append(b.page, Text{S: l, Width: o.w, Height: o.h, Align: a, Bold: o.bold})
	}
}

// bring adds the list of what to bring: the lead stands before the first line,
// the others under it.
func (b *builder) bring(o op) {
	it, _ := itemOf(b.slip)
	lead := Clean(b.expand(o.text))
	left, indent := o.n, strings.Repeat(" ", Width(lead))
	for _, t := range it.Bring {
		s := t.ZH
		if o.lang == "en" {
			s = t.EN
		}
		for _, l := range Wrap(s, b.columns-Width(lead)) {
			if left--; left < 0 {
				return
			}
			b.page = append(b.page, Text{S: lead + l})
			lead = indent
		}
	}
}

func (b *builder) expand(ps []part) string {
	var out strings.Builder
	for _, p := range ps {
		switch {
		case p.value != "":
			out.WriteString(values[p.value](b.slip))
		case p.group != nil:
			if b.full(p.group) {
				out.WriteString(b.expand(p.group))
			}
		default:
			out.WriteString(p.lit)
		}
	}
	return out.String()
}

// full reports whether no value of a group is empty.
func (b *builder) full(ps []part) bool {
	return !slices.ContainsFunc(ps, func(p part) bool { return p.value != "" && values[p.value](b.slip) == "" })
}

// Values returns the names that a template may use.
func Values() []string {
	var names []string
	for n := range values {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// flag is a value that is there or not.
func flag(on bool) string {
	if on {
		return "1"
	}
	return ""
}

// values are what a template can say about a slip. Empty means that there is
// none.
var values = map[string]func(Slip) string{
	"hall":          func(s Slip) string { return s.Hall.Name.ZH },
	"hall.en":       func(s Slip) string { return s.Hall.Name.EN },
	"department":    func(s Slip) string { _, d := itemOf(s); return d.ZH },
	"department.en": func(s Slip) string { _, d := itemOf(s); return d.EN },
	"item":          func(s Slip) string { it, _ := itemOf(s); return it.Name.ZH },
	"item.en":       func(s Slip) string { it, _ := itemOf(s); return it.Name.EN },
	"flow":          func(s Slip) string { f, _ := flowOf(s); return f.ZH },
	"flow.en":       func(s Slip) string { f, _ := flowOf(s); return f.EN },
	"stage":         func(s Slip) string { _, st := flowOf(s); return st.ZH },
	"stage.en":      func(s Slip) string { _, st := flowOf(s); return st.EN },
	"number":        func(s Slip) string { return s.Issued.Visit.Number },
	"name":          func(s Slip) string { return s.Issued.Visit.Name },
	"class":         func(s Slip) string { return classOf(s.Hall, s.Issued.Visit.Class).ZH },
	"class.en":      func(s Slip) string { return classOf(s.Hall, s.Issued.Visit.Class).EN },
	"claimed":       func(s Slip) string { return classOf(s.Hall, s.Issued.Visit.Claimed).ZH },
	"claimed.en":    func(s Slip) string { return classOf(s.Hall, s.Issued.Visit.Claimed).EN },
	"ahead":         func(s Slip) string { return strconv.Itoa(s.Issued.Ahead) },
	"minutes":       func(s Slip) string { return minutes(s.Issued.Estimate) },
	"missed":        func(s Slip) string { return s.Hall.Rules.WithDefaults().Missed.ZH },
	"missed.en":     func(s Slip) string { return s.Hall.Rules.WithDefaults().Missed.EN },
	"date":          func(s Slip) string { return s.Issued.Visit.TakenAt.In(s.Hall.Location()).Format("2006-01-02") },
	"time":          func(s Slip) string { return s.Issued.Visit.TakenAt.In(s.Hall.Location()).Format("15:04") },
	"kiosk":         func(s Slip) string { return s.Issued.Visit.Kiosk },
	"phone":         phoneOf,
	"copy":          func(s Slip) string { return flag(s.Copy > 0) },
	"appointment":   func(s Slip) string { return flag(s.Issued.Visit.Channel == kiosk.ByAppointment) },
	"unsettled":     func(s Slip) string { return flag(s.Issued.Visit.Unsettled) },
}

// phoneOf is what the ticket's code holds.
func phoneOf(s Slip) string {
	if s.Hall.Rules.PhoneURL == "" {
		return ""
	}
	return s.Hall.Rules.PhoneURL + s.Issued.Visit.ID
}

// minutes rounds a wait up; 0 is unknown and says nothing.
func minutes(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return strconv.Itoa(int((d + time.Minute - 1) / time.Minute))
}

// itemOf returns a slip's item and the name of its department.
func itemOf(s Slip) (kiosk.Item, kiosk.Text) {
	for _, it := range s.Hall.Items {
		if it.ID == s.Issued.Visit.Item && it.ID != "" {
			for _, d := range s.Hall.Departments {
				if d.ID == it.Department {
					return it, d.Name
				}
			}
			return it, kiosk.Text{}
		}
	}
	return kiosk.Item{}, kiosk.Text{}
}

// flowOf returns the names of a slip's flow and stage; a visit for one item has
// neither.
func flowOf(s Slip) (flow, stage kiosk.Text) {
	v := s.Issued.Visit
	for _, f := range s.Hall.Flows {
		if f.ID != v.Flow || v.Item != "" {
			continue
		}
		for _, st := range f.Stages {
			if st.ID == v.Stage {
				return f.Name, st.Name
			}
		}
		return f.Name, kiosk.Text{}
	}
	return kiosk.Text{}, kiosk.Text{}
}

func classOf(h *kiosk.Hall, id string) kiosk.Text {
	for _, c := range h.Classes {
		if c.ID == id {
			return c.Name
		}
	}
	return kiosk.Text{ZH: id, EN: id}
}
