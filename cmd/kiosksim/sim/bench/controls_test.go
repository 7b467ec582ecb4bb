package bench

import (
	"context"
	"errors"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/device/idcard"
)

// Every fault of the printer is what its real-time status says, shows on the
// page, and goes away again.
func TestPrinterFaults(t *testing.T) {
	for _, c := range []struct {
		give, cure string
		query, bit byte
		shown      func(printerJSON) bool
	}{
		{"cover", "cover", 2, 0x04, func(p printerJSON) bool { return p.Cover }},
		{"out", "roll", 2, 0x20, func(p printerJSON) bool { return p.Out }},
		{"near", "near", 4, 0x0C, func(p printerJSON) bool { return p.Near }},
		{"near", "roll", 4, 0x0C, func(p printerJSON) bool { return p.Near }},
		{"garbled", "garbled", 1, 0xA5, func(p printerJSON) bool { return p.Garbled }},
	} {
		r := lay(t)
		before := r.eot(c.query)
		r.do("printers/0/"+c.give, `{"on":true}`)
		if s := r.eot(c.query); (s^before)&c.bit != c.bit || !c.shown(r.state().Printers[0]) {
			t.Errorf("%s: status %02x, was %02x", c.give, s, before)
		}
		r.do("printers/0/"+c.cure, `{"on":false}`)
		if s := r.eot(c.query); s != before || c.shown(r.state().Printers[0]) {
			t.Errorf("%s: status %02x, want %02x", c.cure, s, before)
		}
	}
}

// A printer without power or told to be silent answers nothing.
func TestPrinterSilence(t *testing.T) {
	for _, c := range []struct{ path, give, cure string }{
		{"printers/0/power", `{"on":false}`, `{"on":true}`},
		{"printers/0/silent", `{"on":true}`, `{"on":false}`},
	} {
		r := lay(t)
		r.do(c.path, c.give)
		if s, p := r.eot(1), r.state().Printers[0]; s != 0 || p.Off == p.Silent {
			t.Errorf("%s: answered %02x, %+v", c.path, s, p)
		}
		r.do(c.path, c.cure)
		if s, p := r.eot(1), r.state().Printers[0]; s != 0x16 || p.Off || p.Silent {
			t.Errorf("%s: answered %02x, %+v", c.path, s, p)
		}
	}
}

// A jammed blade keeps the ticket hanging, as a picture; cleared, it is cut.
func TestJam(t *testing.T) {
	r := lay(t)
	r.do("printers/0/jam", `{"on":true}`)
	p := r.bench.Printers[0]
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	defer func() { cancel(); <-done }()
	p.Receive(ctx, []byte("A013\n\x1dVB\x00"))
	for r.eot(3)&0x08 == 0 && ctx.Err() == nil {
	}
	s := r.state().Printers[0]
	m, err := png.Decode(r.get("/bench/api/printers/0/hanging.png").Body)
	if err != nil || !s.Jam || s.Count != 0 || s.Hanging.Rows != m.Bounds().Dy() || black(m) == 0 {
		t.Fatalf("hanging: %v, %+v", err, s)
	}
	r.do("printers/0/jam", `{"on":false}`)
	if _, err := p.WaitSlips(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if s := r.state().Printers[0]; s.Jam || s.Count != 1 {
		t.Fatalf("cleared: %+v", s)
	}
}

// Each sample card answers with its own fault, and lies there until it is lifted.
func TestCards(t *testing.T) {
	find := []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x20, 1, 0x22}
	choose := []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x20, 2, 0x21}
	read := []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x30, 1, 0x32}
	r := lay(t)
	ask := func(f []byte) []byte {
		r.bench.Readers[0].Receive(t.Context(), f)
		return r.wires[1].take()
	}
	want := map[string]byte{"adult": 0x90, "elderly": 0x90, "expired": 0x90, "damaged": 0x90, "moved": 0x41, "forged": 0x33}
	for _, p := range r.state().People {
		r.do("readers/0/put", `{"person":"`+p.ID+`"}`)
		if got := r.state().Readers[0].Card; got != p.ID {
			t.Errorf("%s: card %q lies there", p.ID, got)
		}
		ask(find)
		ask(choose)
		b := ask(read)
		var x byte
		for _, c := range b[5:] {
			x ^= c
		}
		if b[9] != want[p.ID] || (x != 0) != (p.ID == "damaged") {
			t.Errorf("%s: answer %x, check %x", p.ID, b[9], x)
		}
	}
	r.do("readers/0/lift", "{}")
	if b := ask(find); b[9] != 0x80 || r.state().Readers[0].Card != "" {
		t.Errorf("lifted: %x", b[9])
	}
	if c := r.post("readers/0/put", `{"person":"nobody"}`); c != http.StatusConflict {
		t.Errorf("nobody: %d", c)
	}
}

// The samples' numbers have right check characters, so only their faults differ.
func TestNumbers(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range samples() {
		if n := s.person.Number; !idcard.ValidNumber([]byte(n)) || seen[n] {
			t.Errorf("%s: %s", s.ID, n)
		}
		seen[s.person.Number] = true
	}
}

func TestScan(t *testing.T) {
	r := lay(t)
	r.do("scanners/0/scan", `{"code":"AP-20261124-007"}`)
	if got := string(r.wires[2].take()); got != "AP-20261124-007\r" || r.state().Scanners[0].Last != "AP-20261124-007" {
		t.Fatalf("host got %q", got)
	}
	for _, code := range []string{``, `a\rb`, strings.Repeat("x", maxCode+1)} {
		if c := r.post("scanners/0/scan", `{"code":"`+code+`"}`); c != http.StatusConflict {
			t.Errorf("%.10q: %d", code, c)
		}
	}
	if b := r.wires[2].take(); len(b) != 0 {
		t.Errorf("host got %q", b)
	}
}

// A button stays down for the time it is held; a second press prolongs the first.
func TestPress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := lay(t)
		down := func() bool { // read discrete inputs 0 to 7 of unit 1
			r.bench.Boards[0].Receive(t.Context(), []byte{1, 2, 0, 0, 0, 8, 0x79, 0xCC})
			b := r.wires[3].take()
			return b[3] == 1<<2 && r.state().Boards[0].Keys[0].Held
		}
		for _, ms := range []string{"250", "3000", "250"} {
			r.do("boards/0/press", `{"key":2,"hold_ms":`+ms+`}`)
		}
		time.Sleep(200 * time.Millisecond) // of the bubble's clock
		if !down() {
			t.Error("let go early")
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if down() {
			t.Error("held for ever")
		}
		for _, bad := range []string{`{"key":8,"hold_ms":250}`, `{"key":-1,"hold_ms":250}`, `{"key":1}`, `{"key":1,"hold_ms":99999}`} {
			if c := r.post("boards/0/press", bad); c != http.StatusConflict {
				t.Errorf("%s: %d", bad, c)
			}
		}
	})
}

// Only wired buttons are shown, with their lamps.
func TestLamp(t *testing.T) {
	r := lay(t)
	r.bench.Boards[0].Receive(t.Context(), []byte{1, 5, 0, 2, 0xFF, 0, 0x2D, 0xFA})
	k := r.state().Boards[0].Keys
	if len(k) != 1 || k[0].N != 2 || k[0].Label != "取号" || !k[0].Lamp || k[0].Held {
		t.Fatalf("keys %+v", k)
	}
}

// Pulling the cable and the power of a strip, and its picture of round lamps.
func TestStripAndCables(t *testing.T) {
	r := lay(t)
	m, err := png.Decode(r.get("/bench/api/strips/0/strip.png").Body)
	if err != nil || m.Bounds().Dx() != 2*cell || m.Bounds().Dy() != cell {
		t.Fatalf("strip: %v", err)
	}
	lit, _, _, _ := m.At(2, 2).RGBA()
	if dark, _, _, _ := m.At(cell+2, 2).RGBA(); lit != 0xFFFF || dark > 0x4000 {
		t.Fatalf("lit %x, dark %x", lit, dark)
	}
	before := r.state().Strips[0]
	r.do("strips/0/dead", `{"on":true}`)
	if s := r.state().Strips[0]; !s.Dead || !r.strip.dead || s.Version == before.Version || s.Text != "A001" {
		t.Fatalf("dead strip: %+v", s)
	}
	r.do("strips/0/power", `{"on":false}`)
	if s := r.state().Strips[0]; !s.Off || !r.strip.off {
		t.Fatalf("strip without power: %+v", s)
	}
	for _, kind := range []string{"printers", "readers", "scanners", "boards"} {
		r.do(kind+"/0/cable", `{"on":false}`)
		if r.cable.in || r.state().Printers[0].Plugged {
			t.Errorf("%s: cable is in", kind)
		}
		r.do(kind+"/0/cable", `{"on":true}`)
		if !r.cable.in || !r.state().Boards[0].Plugged {
			t.Errorf("%s: cable is out", kind)
		}
	}
	r.do("strips/0/cable", `{"on":false}`) // it has none to pull
}

// A picture of segments is shown as it is, not as lamps.
func TestSegments(t *testing.T) {
	r := lay(t)
	r.bench.Strips[0].Segments = true
	r.h = New(r.bench)
	if m, err := png.Decode(r.get("/bench/api/strips/0/strip.png").Body); err != nil || m.Bounds().Dx() != 2 {
		t.Fatalf("%v, %v", m, err)
	}
}

// What was spoken is on the page as words, and its sound can be downloaded: that of
// the speaker, and no other file.
func TestVoice(t *testing.T) {
	r := lay(t)
	if v := r.state().Voices; len(v) != 1 || len(v[0].Said) != 0 {
		t.Fatalf("%+v", v)
	}
	dir := r.bench.Voices[0].Dir
	for name, text := range map[string]string{"20260102T030405.678Z.wav": "RIFF", "20260102T030405.678Z.txt": "请A 零零一号\n", "secret.wav": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	said := r.state().Voices[0].Said
	if len(said) != 1 || said[0].Text != "请A 零零一号" {
		t.Fatalf("%+v", said)
	}
	w := r.get("/bench/api/voices/0/" + said[0].File)
	if w.Body.String() != "RIFF" || w.Header().Get("Content-Type") != "audio/wav" || w.Header().Get("Content-Disposition") != `attachment; filename="hall-20260102T030405.678Z.wav"` {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, path := range []string{"0/secret.wav", "1/" + said[0].File, "0/20260102T030405.678Z.txt"} {
		if c := r.get("/bench/api/voices/" + path).Code; c != http.StatusNotFound {
			t.Errorf("%s: %d", path, c)
		}
	}
}

type stuck struct{ cable }

func (*stuck) Replug() error { return errors.New("no terminals left") }

// What is not asked by this page, or not understood, changes nothing.
func TestRefusals(t *testing.T) {
	r := lay(t)
	for path, want := range map[string]int{
		"printers/0/explode": 404, "printers/1/cover": 404, "printers/-1/cover": 404, "printers/x/cover": 404,
		"strips/0/lift": 404, "windows/0/cable": 404,
	} {
		if c := r.post(path, `{"on":true}`); c != want {
			t.Errorf("%s: %d", path, c)
		}
	}
	for _, body := range []string{"", "{", `{"on":1}`, `{"code":"` + strings.Repeat("x", maxBody) + `"}`} {
		if c := r.post("printers/0/cover", body); c != http.StatusBadRequest {
			t.Errorf("body %.10q: %d", body, c)
		}
	}
	for header, want := range map[string]int{"Content-Type": 415, "Sec-Fetch-Site": 403} {
		q := httptest.NewRequest("POST", "/bench/api/printers/0/cover", strings.NewReader(`{"on":true}`))
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set(header, map[string]string{"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}[header])
		w := httptest.NewRecorder()
		if r.h.ServeHTTP(w, q); w.Code != want {
			t.Errorf("%s: %d", header, w.Code)
		}
	}
	if r.state().Printers[0].Cover {
		t.Error("the cover is open")
	}
	r.bench.Readers[0].Cable = &stuck{}
	r.h = New(r.bench)
	if c := r.post("readers/0/cable", `{"on":true}`); c != http.StatusConflict {
		t.Errorf("stuck cable: %d", c)
	}
}
