package escpos

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"longcheng/device/glyph"
	"longcheng/printer"
	"longcheng/printer/raster"
)

var update = flag.Bool("update", false, "write the golden files anew")

// faces are unpacked once for all tests.
var faces = sync.OnceValue(func() Glyphs { return raster.Faces(glyph.Face24(), glyph.Face16()) })

// stamp is a small picture with white rows in its middle.
func stamp() *glyph.Bitmap {
	m := glyph.NewBitmap(16, 40)
	for x := range 16 {
		m.Set(x, 0)
		m.Set(x, 39)
	}
	return m
}

// elements are one of each kind, and each way it can be rendered.
func elements() []struct {
	name string
	el   printer.Element
} {
	return []struct {
		name string
		el   printer.Element
	}{
		{"latin text", printer.Text{S: "Window 12"}},
		{"han text", printer.Text{S: "龙城¥€"}},
		{"large number", printer.Text{S: "A012", Width: 4, Height: 4, Align: printer.Center}},
		{"double han, bold", printer.Text{S: "补打", Width: 2, Height: 2, Align: printer.Right, Bold: true}},
		{"wide han", printer.Text{S: "号", Width: 3, Height: 1}},
		{"accents", printer.Text{S: "Müller Ñ"}},
		{"cyrillic", printer.Text{S: "Да"}},
		{"rare han", printer.Text{S: "龘"}},
		{"beyond gbk", printer.Text{S: "㐀"}},
		{"minority script", printer.Text{S: "ཀ"}},
		{"no glyph", printer.Text{S: "😀"}},
		{"drawn text", printer.Text{S: "A", Draw: true}},
		{"columns", printer.Columns{Left: "09:15", Right: "K1"}},
		{"cells", printer.Columns{Cells: []printer.Cell{{S: "窗口", Width: 8}, {S: "7", Width: 4, Align: printer.Right}, {S: "x", Width: 3, Align: printer.Center}}}},
		{"rule", printer.Rule{}},
		{"qr", printer.QR{S: "Q1"}},
		{"qr, small", printer.QR{S: "Q1", Module: 3}},
		{"barcode", printer.Barcode{S: "A012", Height: 30}},
		{"image", printer.Image{Dots: stamp(), Align: printer.Center}},
		{"logo", printer.Image{Dots: stamp(), Logo: true}},
		{"feed", printer.Feed{Lines: 3}},
		{"cut", printer.Cut{}},
	}
}

func goldenPage(t *testing.T, p printer.Profile) []byte {
	t.Helper()
	e := &Encoder{Profile: p, Glyphs: faces()}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s. The bytes of each element between ESC @ and the marks; dots in brackets.\n", p.Name)
	for _, x := range elements() {
		d, err := e.Encode(printer.Page{x.el}, 7)
		if err != nil {
			t.Fatalf("%s: %s: %v", p.Name, x.name, err)
		}
		missing := ""
		if len(d.Missing) > 0 {
			missing = fmt.Sprintf(" missing %U", d.Missing)
		}
		fmt.Fprintf(&b, "%s [%d]%s:\n", x.name, d.Dots, missing)
		for body := hex.EncodeToString(d.Body); body != ""; body = body[min(96, len(body)):] {
			fmt.Fprintf(&b, "  %s\n", body[:min(96, len(body))])
		}
		if _, cut := x.el.(printer.Cut); cut {
			fmt.Fprintf(&b, "tail:\n  %x\nvoid:\n  %x\n", d.Tail, e.Clear(2, true))
		}
	}
	return b.Bytes()
}

// Every element is the same bytes on every model as the day it was looked at.
// After a change on purpose: go test -run Golden -update, and read the diff.
func TestGoldenElements(t *testing.T) {
	for _, p := range printer.Profiles() {
		name := filepath.Join("testdata", "golden", p.Name+".txt")
		got := goldenPage(t, p)
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs: %s", name, firstDiff(string(got), string(want)))
		}
	}
}

func firstDiff(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d is\n%s\nwant\n%s", i+1, g[i], w[i])
		}
	}
	return "its length"
}

// The profile decides how an element is rendered.
func TestProfileDecides(t *testing.T) {
	text := printer.Text{S: "号", Width: 3, Height: 3}
	code := printer.QR{S: "Q"}
	picture := printer.Image{Dots: stamp()}
	for _, c := range []struct {
		name   string
		change func(*printer.Profile)
		el     printer.Element
		want   string // hex that must be there
		not    string // hex that must not
	}{
		{"han by gs", func(p *printer.Profile) {}, text, "1d2122", "1d7630"},
		{"han by fs, twofold", func(p *printer.Profile) { p.HanSize = "fs" }, printer.Text{S: "号", Width: 2, Height: 2}, "1c5701", "1d7630"},
		{"han by fs, threefold", func(p *printer.Profile) { p.HanSize = "fs" }, text, "1d7630", "1c57"},
		{"han without sizes", func(p *printer.Profile) { p.HanSize = "none" }, text, "1d7630", "1d2122"},
		{"no chinese font", func(p *printer.Profile) { p.Chinese = false }, printer.Text{S: "号"}, "1c2e1d7630", "1c26"},
		{"code page", func(p *printer.Profile) { p.Chinese = false }, printer.Text{S: "Да"}, "1b741184a0", "1d7630"},
		{"qr native", func(p *printer.Profile) {}, code, "1d286b", "1d7630"},
		{"qr drawn", func(p *printer.Profile) { p.QR = "raster" }, code, "1d7630", "1d286b"},
		{"gs ( l", func(p *printer.Profile) { p.Raster = "gs_l" }, picture, "1d284c", "1d7630"},
		{"esc *", func(p *printer.Profile) { p.Raster = "esc_star" }, picture, "1b33181b2a211000", "1d7630"},
		{"white rows skipped", func(p *printer.Profile) {}, picture, "1d76300002000100ffff1b4a26", "0000000000000000"},
		{"in half dots", func(p *printer.Profile) { p.RowFeed = 2 }, picture, "1b4a4c", "0000000000000000"},
		{"white rows sent", func(p *printer.Profile) { p.RowFeed = 0 }, picture, "0000000000000000", "1b4a"},
		{"stored logo", func(p *printer.Profile) { p.NVLogo = 1 }, printer.Image{Dots: stamp(), Logo: true}, "1c700100", "1d7630"},
	} {
		p := profile(t, "generic80")
		c.change(&p)
		d := encode(t, &Encoder{Profile: p, Glyphs: faces()}, printer.Page{c.el})
		got := hex.EncodeToString(d.Body)
		if !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%s: %.200s: want %s, not %s", c.name, got, c.want, c.not)
		}
	}
}

// A logo that would take over two seconds on the wire is left out, and told.
func TestSlowWireLeavesTheLogoOut(t *testing.T) {
	big := glyph.NewBitmap(576, 160) // 11.5 kB
	for _, c := range []struct{ baud, want int }{{9600, 1}, {115200, 0}, {0, 0}} {
		p := profile(t, "generic80")
		p.Baud = c.baud
		d := encode(t, &Encoder{Profile: p}, printer.Page{printer.Image{Dots: big, Logo: true}})
		if d.LeftOut != c.want {
			t.Errorf("at %d baud %d logos are left out, want %d", c.baud, d.LeftOut, c.want)
		}
	}
}

// FS q: columns from the left, 8 rows a byte.
func TestStoreLogo(t *testing.T) {
	m := glyph.NewBitmap(8, 16)
	m.Set(0, 0)
	m.Set(0, 15)
	m.Set(7, 8)
	want := "1c710101000200" + "8001" + strings.Repeat("0000", 6) + "0080"
	if got := hex.EncodeToString(StoreLogo(m)); got != want {
		t.Errorf("logo is %s, want %s", got, want)
	}
}

// Bands are at most as long as the profile says, and together they are the
// picture.
func TestBands(t *testing.T) {
	m := glyph.NewBitmap(576, 300)
	for i := range m.Rows {
		m.Rows[i] = byte(i) | 1
	}
	p := profile(t, "generic80")
	d := encode(t, &Encoder{Profile: p}, printer.Page{printer.Image{Dots: m}})
	var rows []byte
	for _, f := range d.Frames {
		if n := int(d.Body[f.From+6]) | int(d.Body[f.From+7])<<8; n > 128 || n > p.Band {
			t.Errorf("band of %d rows", n)
		}
		rows = append(rows, d.Body[f.From+8:f.To]...)
	}
	if !bytes.Equal(rows, m.Rows) {
		t.Error("the bands are not the picture")
	}
}

// The cost of a ticket is bounded: bytes, allocations.
func TestEncodeAllocations(t *testing.T) {
	for _, name := range []string{"generic80", "epson-t82"} {
		e := &Encoder{Profile: profile(t, name)}
		page := printer.Layout(slip(), e.Profile.Columns)
		encode(t, e, page)
		if n := testing.AllocsPerRun(100, func() { encode(t, e, page) }); n > 5 {
			t.Errorf("%s: %g allocations, budget 5", name, n)
		}
	}
}

// A whole ticket in dots, 576 by 800, is the baseline of the budget of 15 ms.
func BenchmarkRasterTicket(b *testing.B) {
	p := profile(b, "generic80")
	g := faces()
	var page printer.Page
	for range 15 {
		page = append(page, printer.Text{S: "请留意叫号屏和语音，过号请到咨询台排队", Draw: true})
	}
	page = append(page, printer.Text{S: "A012", Width: 5, Height: 5, Align: printer.Center, Draw: true}, printer.QR{S: "https://q.lc.gov.cn/v/k3v9q2m7x4c8b5n6w2t7"})
	e := &Encoder{Profile: p, Glyphs: g}
	var d printer.Data
	b.ReportAllocs()
	for b.Loop() {
		d = encode(b, e, page)
	}
	b.ReportMetric(float64(d.Dots), "rows")
	b.ReportMetric(float64(len(d.Body)), "wire-B/op")
}

// BenchmarkDrawTicket draws the same ticket whole, as a preview shows it.
func BenchmarkDrawTicket(b *testing.B) {
	p := profile(b, "generic80")
	g := faces()
	page := printer.Layout(slip(), p.Columns)
	page = append(page[:len(page)-1:len(page)-1], page[:len(page)-1]...)
	var m *glyph.Bitmap
	for b.Loop() {
		var err error
		if m, _, err = Preview(page, p, g); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(m.H), "rows")
}
