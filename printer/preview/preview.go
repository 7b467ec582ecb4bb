// Package preview shows how tickets will look, dot by dot, on a chosen printer
// model: as PNG, and in the browser while a template is being written.
//
// It does not know who may see it, and no printer.
package preview

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"strings"
	"time"

	"longcheng/device/glyph"
	"longcheng/kiosk"
	"longcheng/printer"
	"longcheng/printer/escpos"
	"longcheng/printer/raster"
)

// An Order is what is to be drawn.
type Order struct {
	Template string `json:"template"` // the document
	Profile  string `json:"profile"`  // printer.Profile.Name
	Item     string `json:"item"`     // kiosk.Item.ID; empty is the hall's first
	Copy     bool   `json:"copy"`
	Class    string `json:"class"` // kiosk.Class.ID; empty is none
	Logo     []byte `json:"logo"`  // a PNG or JPEG picture, printed where the template says logo; empty is none
}

// A Drawing is the answer: dots, or what is wrong with the template.
type Drawing struct {
	PNG     []byte   `json:"png,omitempty"`
	Rows    int      `json:"rows"`
	Bytes   int      `json:"bytes"`   // on the wire
	Wire    float64  `json:"wire"`    // seconds at the profile's speed
	Missing []string `json:"missing"` // characters no face has
	Errors  []string `json:"errors"`  // line: what is wrong: how to mend it
}

// A Previewer draws tickets of one hall.
type Previewer struct {
	Hall     func() *kiosk.Hall
	Glyphs   escpos.Glyphs
	Logo     *glyph.Bitmap     // may be nil
	Profiles []printer.Profile // beside the built-in ones
}

// Profile finds a profile by name.
func (p *Previewer) Profile(name string) (printer.Profile, error) {
	for _, x := range p.Profiles {
		if x.Name == name {
			return x, nil
		}
	}
	return printer.ProfileNamed(name)
}

// Draw draws an order. An error is a wrong request; what is wrong with a
// template stands in the drawing.
func (p *Previewer) Draw(o Order) (Drawing, error) {
	profile, err := p.Profile(o.Profile)
	if err != nil {
		return Drawing{}, err
	}
	t, err := printer.ParseTemplate("template", []byte(o.Template))
	if err != nil {
		return Drawing{Errors: faults(err)}, nil
	}
	slip := p.slip(o)
	if len(o.Logo) > 0 {
		if slip.Logo, err = logo(o.Logo, profile); err != nil {
			return Drawing{}, err
		}
	}
	page := t.Page(slip, profile.Columns)
	m, missing, err := escpos.Preview(page, profile, p.Glyphs)
	if err != nil {
		return Drawing{Errors: []string{err.Error()}}, nil
	}
	d, err := (&escpos.Encoder{Profile: profile, Glyphs: p.Glyphs}).Encode(page, 1)
	if err != nil {
		return Drawing{Errors: []string{err.Error()}}, nil
	}
	out := Drawing{Rows: m.H, Bytes: len(d.Body) + len(d.Tail)}
	if profile.Baud > 0 {
		out.Wire = float64(out.Bytes*10) / float64(profile.Baud)
	}
	for _, r := range missing {
		out.Missing = append(out.Missing, fmt.Sprintf("%U", r))
	}
	var b bytes.Buffer
	if err := WritePNG(&b, m); err != nil {
		return Drawing{}, err
	}
	out.PNG = b.Bytes()
	return out, nil
}

// logo dithers a picture, half as wide as the paper.
func logo(picture []byte, p printer.Profile) (*glyph.Bitmap, error) {
	m, err := raster.ReadImage(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	return raster.Dither(m, p.Dots/2), nil
}

// faults are the lines of a joined error, without the file's name.
func faults(err error) []string {
	var list []string
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			list = append(list, faults(e)...)
		}
		return list
	}
	return []string{strings.TrimPrefix(err.Error(), "template:")}
}

// slip makes up a ticket that shows as much of a layout as it can.
func (p *Previewer) slip(o Order) printer.Slip {
	hall := p.Hall()
	v := kiosk.Visit{
		ID: "k3v9q2m7x4c8b5n6w2t7", Number: "A012", Item: o.Item, Kiosk: "K1", Class: o.Class, Name: "张**",
		TakenAt: time.Date(2026, 7, 30, 1, 15, 0, 0, time.UTC),
	}
	if v.Item == "" && len(hall.Items) > 0 {
		v.Item = hall.Items[0].ID
	}
	s := printer.Slip{Hall: hall, Issued: kiosk.Issued{Visit: v, Ahead: 12, Estimate: 25 * time.Minute}, Logo: p.Logo}
	if o.Copy {
		s.Copy = 1
	}
	return s
}

// WritePNG writes dots as a picture, one bit each.
func WritePNG(w io.Writer, m *glyph.Bitmap) error {
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, raster.Paper(m))
}

//go:embed static
var static embed.FS

// maxOrder bounds a request.
const maxOrder = 128 << 10

// Handler serves the page on which a template is written and seen. Mount it
// below a prefix of its own, with http.StripPrefix, behind a sign-in.
func (p *Previewer) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, file := range map[string]string{"/{$}": "preview.html", "/preview.js": "preview.js", "/preview.css": "preview.css"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, static, "static/"+file)
		})
	}
	mux.HandleFunc("GET /choices", p.choices)
	mux.HandleFunc("POST /draw", p.draw)
	mux.HandleFunc("POST /logo", p.logo)
	return mux
}

// choice is an entry of a menu.
type choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Text string `json:"text,omitempty"`
}

func (p *Previewer) choices(w http.ResponseWriter, _ *http.Request) {
	list := map[string][]choice{"classes": {{"", "—", ""}}}
	for _, x := range append(printer.Profiles(), p.Profiles...) {
		list["profiles"] = append(list["profiles"], choice{x.Name, x.Name + ": " + x.Model, ""})
	}
	for _, name := range []string{"standard", "bilingual", "elder", "plain"} {
		text, _ := printer.SampleText(name)
		list["samples"] = append(list["samples"], choice{name, name, text})
	}
	for _, it := range p.Hall().Items {
		list["items"] = append(list["items"], choice{it.ID, it.Name.ZH, ""})
	}
	for _, c := range p.Hall().Classes {
		list["classes"] = append(list["classes"], choice{c.ID, c.Name.ZH, ""})
	}
	for _, v := range printer.Values() {
		list["values"] = append(list["values"], choice{v, "{" + v + "}", ""})
	}
	answer(w, http.StatusOK, list)
}

// logo answers with the bytes that store a logo in a printer. Only a person sends
// them there, once: makers allow few such writes.
func (p *Previewer) logo(w http.ResponseWriter, r *http.Request) {
	var o Order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil {
		answer(w, http.StatusBadRequest, Drawing{Errors: []string{"the request is not understood"}})
		return
	}
	profile, err := p.Profile(o.Profile)
	var m *glyph.Bitmap
	if err == nil {
		m, err = logo(o.Logo, profile)
	}
	if err != nil {
		answer(w, http.StatusUnprocessableEntity, Drawing{Errors: []string{err.Error()}})
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="logo.bin"`)
	_, _ = w.Write(escpos.StoreLogo(m)) // the browser has gone: nobody to tell
}

func (p *Previewer) draw(w http.ResponseWriter, r *http.Request) {
	var o Order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil {
		answer(w, http.StatusBadRequest, Drawing{Errors: []string{"the request is not understood"}})
		return
	}
	d, err := p.Draw(o)
	if err != nil {
		answer(w, http.StatusUnprocessableEntity, Drawing{Errors: []string{err.Error()}})
		return
	}
	answer(w, http.StatusOK, d)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the browser has gone: nobody to tell
}
