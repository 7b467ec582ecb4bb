package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/modbusio"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/cmd/kiosksim/sim/scanner"
	"longcheng/cmd/kiosksim/sim/speaker"
)

// wire is the host's end of a device: it keeps what was answered.
type wire struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

// take returns the answers since the last call.
func (w *wire) take() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := bytes.Clone(w.b.Bytes())
	w.b.Reset()
	return b
}

type cable struct{ in bool }

func (c *cable) Plugged() bool { return c.in }
func (c *cable) Unplug()       { c.in = false }
func (c *cable) Replug() error { c.in = true; return nil }

type dotFont struct{}

func (dotFont) Glyph(r rune) (int, int, func(x, y int) bool, bool) {
	return 12, 24, func(x, y int) bool { return x < 10 && y < 20 }, true
}

// dots is a strip of two dots, the left one lit.
type dots struct{ dead, off bool }

func (d *dots) Text() string    { return "A001" }
func (d *dots) Unplug(off bool) { d.dead = off }
func (d *dots) PowerOff()       { d.off = true }
func (d *dots) PowerOn()        { d.off = false }
func (d *dots) Image() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 2, 1))
	if !d.dead {
		m.Set(0, 0, color.RGBA{R: 255, A: 255})
	}
	return m
}

type rig struct {
	t     *testing.T
	h     http.Handler
	bench Bench
	wires [4]wire // printer, reader, scanner, board
	strip dots
	cable cable
}

// lay puts one device of each kind on a bench.
func lay(t *testing.T) *rig {
	r := &rig{t: t, cable: cable{in: true}}
	r.bench = Bench{
		Printers: []Printer{{"p", escpos.New(escpos.Config{Dots: 384, Font: dotFont{}}, &r.wires[0]), &r.cable}},
		Readers:  []Reader{{"r", sam.New(&r.wires[1]), &r.cable}},
		Scanners: []Scanner{{"s", scanner.New(&r.wires[2]), &r.cable}},
		Boards:   []Board{{"b", modbusio.New(1, &r.wires[3]), &r.cable, map[int]string{2: "取号"}}},
		Voices:   []Voice{{"hall", speaker.Speaker{Dir: t.TempDir()}}},
		Strips:   []Strip{{Name: "l", Line: "line-1", Kind: "two dots", Card: &r.strip}},
	}
	r.h = New(r.bench)
	return r
}

func (r *rig) get(path string, header ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.h.ServeHTTP(w, q)
	return w
}

func (r *rig) post(path, body string) int {
	q := httptest.NewRequest("POST", "/bench/api/"+path, strings.NewReader(body))
	q.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	r.h.ServeHTTP(w, q)
	return w.Code
}

func (r *rig) do(path, body string) {
	r.t.Helper()
	if code := r.post(path, body); code != http.StatusNoContent {
		r.t.Fatalf("%s %s: %d", path, body, code)
	}
}

func (r *rig) state() (s stateJSON) {
	r.t.Helper()
	if err := json.Unmarshal(r.get("/bench/api/state").Body.Bytes(), &s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// eot asks the printer for real-time status n.
func (r *rig) eot(n byte) byte {
	r.t.Helper()
	r.bench.Printers[0].Receive(context.Background(), []byte{0x10, 4, n})
	b := r.wires[0].take()
	if len(b) == 0 {
		return 0
	}
	return b[len(b)-1]
}

// print runs the printer until n slips have left it.
func (r *rig) print(bytes string, n int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	done := make(chan error, 1)
	go func() { done <- r.bench.Printers[0].Run(ctx) }()
	defer func() { cancel(); <-done }()
	r.bench.Printers[0].Receive(ctx, []byte(bytes))
	if _, err := r.bench.Printers[0].WaitSlips(ctx, n); err != nil {
		r.t.Fatal(err)
	}
}

// A printed slip is on the bench as a picture that a browser keeps, until it is
// taken to the pile.
func TestSlip(t *testing.T) {
	r := lay(t)
	r.print("A012\n\x1dVB\x00", 1)
	p := r.state().Printers[0]
	if p.Count != 1 || p.Taken != 0 || len(p.Slips) != 1 || p.Slips[0].Text[0] != "A012" || !p.Slips[0].Complete {
		t.Fatalf("state %+v", p)
	}
	w := r.get("/bench/api/printers/0/slips/1")
	m, err := png.Decode(w.Body)
	if err != nil || m.Bounds().Dx() != 384 || m.Bounds().Dy() != p.Slips[0].Rows {
		t.Fatalf("picture: %v", err)
	}
	if black(m) != 4*10*20 {
		t.Fatalf("%d black dots", black(m))
	}
	if c := r.get("/bench/api/printers/0/slips/1", "If-None-Match", w.Header().Get("ETag")).Code; c != http.StatusNotModified {
		t.Fatalf("second time %d", c)
	}
	r.do("printers/0/take", "{}")
	if p := r.state().Printers[0]; p.Taken != 1 {
		t.Fatalf("taken %d", p.Taken)
	}
	for _, path := range []string{"printers/0/slips/2", "printers/1/slips/1", "printers/0/slips/x", "strips/7/strip.png"} {
		if c := r.get("/bench/api/" + path).Code; c != http.StatusNotFound {
			t.Errorf("%s: %d", path, c)
		}
	}
}

func black(m image.Image) (n int) {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if c, _, _, _ := m.At(x, y).RGBA(); c < 0x8000 {
				n++
			}
		}
	}
	return n
}

// The page names its own files only and forbids everything else.
func TestPage(t *testing.T) {
	r := lay(t)
	for path, want := range map[string]string{"/": "工作台", "/bench/bench.js": "refresh", "/bench/bench.css": "--"} {
		w := r.get(path)
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "http://") {
			t.Errorf("%s: %d", path, w.Code)
		}
		if !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: no policy", path)
		}
	}
}
