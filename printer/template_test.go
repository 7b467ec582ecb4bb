package printer

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"longcheng/device/glyph"
	"longcheng/kiosk"
)

func template(t *testing.T, text string) *Template {
	t.Helper()
	x, err := ParseTemplate("x.ticket", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Each word of the language does what it says.
func TestTemplateWords(t *testing.T) {
	s := testSlip()
	s.Logo = glyph.NewBitmap(8, 8)
	s.Hall.Items[0].Bring = []kiosk.Text{{ZH: "甲", EN: "one"}, {ZH: "乙", EN: "two"}, {ZH: "丙", EN: "three"}}
	for _, c := range []struct {
		name, text string
		want       Page
	}{
		{"text", "left: a {number}", Page{Text{S: "a A012", Width: 1, Height: 1}}},
		{"sizes", "center 2x3 bold: a", Page{Text{S: "a", Width: 2, Height: 3, Align: Center, Bold: true}}},
		{"one size", "right 4: a", Page{Text{S: "a", Width: 4, Height: 4, Align: Right}}},
		{"big shrinks to fit", "big 8: ABCDEFGH", Page{Text{S: "ABCDEFGH", Width: 4, Height: 4, Align: Center}}},
		{"empty line", "left: {name}", nil},
		{"optional part, there", "left: x[, {number}]", Page{Text{S: "x, A012", Width: 1, Height: 1}}},
		{"optional part, empty", "left: x[, {name}]", Page{Text{S: "x", Width: 1, Height: 1}}},
		{"columns", "columns: {kiosk} | {number}", Page{Columns{Left: "K1", Right: "A012"}}},
		{"optional columns", "columns: [a | {name}]", nil},
		{"columns of which one is empty", "columns: a | {name}", Page{Columns{Left: "a"}}},
		{"bring", "bring 2: Bring:", Page{Text{S: "Bring:甲"}, Text{S: "      乙"}}},
		{"bring in English", "bring en 1: B", Page{Text{S: "Bone"}}},
		{"codes", "qr: {phone}\nbarcode: {number}\nqr: {name}", Page{QR{S: "https://q/abc"}, Barcode{S: "A012"}}},
		{"rule, feed, logo", "rule\nfeed 3\nlogo", Page{Rule{}, Feed{Lines: 3}, Image{Dots: s.Logo, Align: Center, Logo: true}}},
		{"if", "if copy\nleft: a\nelse\nleft: b\nend", Page{Text{S: "b", Width: 1, Height: 1}}},
		{"if not", "if not copy\nif number\nleft: a\nend\nend", Page{Text{S: "a", Width: 1, Height: 1}}},
		{"remarks", "# x\n\n  left: a  ", Page{Text{S: "a", Width: 1, Height: 1}}},
	} {
		if got := template(t, c.text).Page(s, 32); !slices.EqualFunc(got, append(c.want, Cut{}), same) {
			t.Errorf("%s: page is %+v, want %+v", c.name, got, c.want)
		}
	}
}

func same(a, b Element) bool {
	x, isColumns := a.(Columns)
	y, too := b.(Columns)
	if isColumns && too {
		return x.Left == y.Left && x.Right == y.Right
	}
	return !isColumns && !too && a == b
}

func TestTemplateMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"centre: a", "x.ticket:1: centre: is not a word of this language"},
		{"left", "x.ticket:1: left: has no text"},
		{"\nleft: {nope}", "x.ticket:2: {nope}: there is no such value: write one of ahead, "},
		{"left: {number", `x.ticket:1: "{" is not closed`},
		{"left: a]", `x.ticket:1: "]" is not closed or not opened`},
		{"left: [a [b]]", "x.ticket:1: [ inside ["},
		{"left 9: a", `x.ticket:1: left: "9" is out of range`},
		{"left huge: a", `x.ticket:1: left: "huge" means nothing here`},
		{"big 2x3: a", `x.ticket:1: big: "2x3" is out of range`},
		{"qr 3: a", `x.ticket:1: qr: "3" is out of range`},
		{"columns: a", "x.ticket:1: columns: has no |"},
		{"rule: a", "x.ticket:1: rule: takes no text"},
		{": a", "x.ticket:1: a line begins with a word"},
		{"end", "x.ticket:1: end: there is no if"},
		{"if copy\nleft: a", "x.ticket:1: if: has no end"},
		{"if copy\nelse\nelse\nend", "x.ticket:3: else: is the second one"},
		{"if nope\nend", "x.ticket:1: {nope}: there is no such value"},
		{strings.Repeat("if copy\n", 9) + strings.Repeat("end\n", 9), "x.ticket:9: if: is inside 8 others"},
		{strings.Repeat("rule\n", 501), "x.ticket:501: has over 500 lines"},
		{strings.Repeat("x", maxTemplate+1), "x.ticket:1: is over 64 KiB"},
	} {
		_, err := ParseTemplate("x.ticket", []byte(c.text))
		var e *TemplateError
		if err == nil || !errors.As(err, &e) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want %q", c.text, err, c.want)
		}
	}
}

// An item may have a layout of its own.
func TestLayoutsOfItems(t *testing.T) {
	l := &Layouts{All: template(t, "left: all"), Items: map[string]*Template{"i": template(t, "left: own")}}
	s := testSlip()
	p := Profile{Columns: 32}
	if got := lines(l.Page(s, p)); !slices.Equal(got, []string{"own"}) {
		t.Errorf("the item's page is %q", got)
	}
	s.Issued.Visit.Item = "other"
	if got := lines(l.Page(s, p)); !slices.Equal(got, []string{"all"}) {
		t.Errorf("another item's page is %q", got)
	}
	if got := lines((&Layouts{}).Page(s, p)); !slices.Contains(got, "排队号票") {
		t.Errorf("without templates the page is %q", got)
	}
}

// Whatever a hall writes, its pages fit the paper or are refused with a line.
func FuzzTemplate(f *testing.F) {
	for _, n := range []string{"standard", "bilingual", "elder", "plain"} {
		text, _ := SampleText(n)
		f.Add(text, 32)
	}
	f.Fuzz(func(t *testing.T, text string, columns int) {
		x, err := ParseTemplate("x", []byte(text))
		if err != nil {
			return
		}
		columns = 16 + (columns&0x7FFF)%64
		for _, e := range x.Page(testSlip(), columns) {
			if l, ok := e.(Text); ok && Width(l.S)*max(1, l.Width) > max(columns, 2*max(1, l.Width)) {
				t.Fatalf("%q at size %d is wider than %d", l.S, l.Width, columns)
			}
		}
	})
}
