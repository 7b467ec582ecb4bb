package preview

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"longcheng/device/glyph"
	"longcheng/kiosk"
	"longcheng/kiosk/web/webtest"
	"longcheng/printer"
	"longcheng/printer/raster"
)

// faces are unpacked once for all tests.
var faces = sync.OnceValue(func() raster.Glyphs { return raster.Faces(glyph.Face24(), glyph.Face16()) })

func previewer() *Previewer {
	hall := &kiosk.Hall{
		Name:  kiosk.Text{ZH: "龙城市政务服务中心", EN: "Longcheng Service Centre"},
		Rules: kiosk.Rules{PhoneURL: "https://q.example/"},
		Items: []kiosk.Item{{ID: "id", Name: kiosk.Text{ZH: "居民身份证申领", EN: "Identity card"}, Bring: []kiosk.Text{{ZH: "户口簿", EN: "Household register"}}}},
	}
	return &Previewer{Hall: func() *kiosk.Hall { return hall }, Glyphs: faces()}
}

// Every sample is a picture as wide as the paper of every model, with something
// on it, and no line is lost at the edge.
func TestEverySampleOnEveryModel(t *testing.T) {
	p := previewer()
	for _, name := range []string{"standard", "bilingual", "elder", "plain"} {
		text, ok := printer.SampleText(name)
		if !ok {
			t.Fatalf("no sample %s", name)
		}
		for _, profile := range printer.Profiles() {
			d, err := p.Draw(Order{Template: text, Profile: profile.Name, Copy: true})
			if err != nil || len(d.Errors) > 0 || len(d.Missing) > 0 {
				t.Fatalf("%s on %s: %v %v, missing %v", name, profile.Name, err, d.Errors, d.Missing)
			}
			m, err := png.Decode(bytes.NewReader(d.PNG))
			if err != nil || m.Bounds().Dx() != profile.Dots || m.Bounds().Dy() != d.Rows || d.Rows < 200 {
				t.Fatalf("%s on %s: picture of %v, %v", name, profile.Name, m.Bounds(), err)
			}
		}
	}
}

func TestMistakesHaveLines(t *testing.T) {
	d, err := previewer().Draw(Order{Template: "center: a\ncentre: b\nleft: {nmber}\nif copy\n", Profile: "generic80"})
	if err != nil || len(d.PNG) > 0 || len(d.Errors) != 3 {
		t.Fatalf("%v %q", err, d.Errors)
	}
	for i, want := range []string{"2: centre: is not a word", "3: {nmber}: there is no such value", "4: if: has no end"} {
		if !strings.HasPrefix(d.Errors[i], want) {
			t.Errorf("error %d is %q, want %q", i, d.Errors[i], want)
		}
	}
	if _, err := previewer().Draw(Order{Profile: "nope"}); err == nil {
		t.Error("an unknown model was drawn")
	}
}

// The page and its parts are served, and a drawing comes as JSON.
func TestHandler(t *testing.T) {
	h := previewer().Handler()
	get := func(method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w
	}
	for _, path := range []string{"/", "/preview.js", "/preview.css", "/choices"} {
		if w := get("GET", path, ""); w.Code != http.StatusOK || w.Body.Len() < 200 {
			t.Errorf("%s is %d with %d bytes", path, w.Code, w.Body.Len())
		}
	}
	var d Drawing
	w := get("POST", "/draw", `{"template":"center: {hall}","profile":"generic58"}`)
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 200 || len(d.PNG) == 0 || d.Bytes == 0 {
		t.Errorf("drawing is %d %s, %v", w.Code, w.Body.String(), err)
	}
	for _, body := range []string{"", "{", `{"profile":"x"}`, `{"profile":"generic58","logo":"AAAA"}`, strings.Repeat("x", maxOrder+1)} {
		if w := get("POST", "/draw", body); w.Code < 400 || w.Code > 499 {
			t.Errorf("%.20q is answered %d", body, w.Code)
		}
	}
}

// An uploaded logo is dithered onto the ticket, and its file for the printer's memory
// is FS q with one logo half as wide as the paper.
func TestLogo(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 96, 48))); err != nil {
		t.Fatal(err)
	}
	o := Order{Template: "logo\n", Profile: "generic58", Logo: picture.Bytes()}
	with, err := previewer().Draw(o)
	if err != nil || len(with.Errors) > 0 || with.Rows < 96 {
		t.Fatalf("%v %q, %d rows", err, with.Errors, with.Rows)
	}
	body, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	previewer().Handler().ServeHTTP(w, httptest.NewRequest("POST", "/logo", bytes.NewReader(body)))
	want := []byte{0x1C, 'q', 1, 192 / 8, 0, 96 / 8, 0, 0xFF}
	if !bytes.HasPrefix(w.Body.Bytes(), want) || w.Body.Len() != 7+192*96/8 {
		t.Errorf("%d: % x, %d bytes", w.Code, w.Body.Bytes()[:min(8, w.Body.Len())], w.Body.Len())
	}
}

// The page's own script makes a picture small and shows it on the ticket.
func TestLogoInABrowser(t *testing.T) {
	srv := httptest.NewServer(http.StripPrefix("/x", previewer().Handler()))
	defer srv.Close()
	page := webtest.Start(t).Open(t, srv.URL+"/x/", 1280, 900)
	page.Wait("document.querySelector('#dots').complete && document.querySelector('#facts').textContent.includes('rows')")
	page.Eval(`const c = document.createElement("canvas"); c.width = 3000; c.height = 1500;
		c.getContext("2d").fillRect(100, 100, 2000, 1000);
		c.toBlob((b) => { const d = new DataTransfer(); d.items.add(new File([b], "logo.png", { type: "image/png" }));
			document.querySelector("#picture").files = d.files; document.querySelector("#picture").onchange(); })`)
	page.Wait("document.querySelector('#template').value.startsWith('logo') && !document.querySelector('#store').hidden")
	page.Wait("!document.querySelector('#paper').classList.contains('old')")
	for _, bad := range page.Barriers(24) {
		t.Error(bad)
	}
}
