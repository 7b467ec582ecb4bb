package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/display/voice"
	"longcheng/kiosk"
	"longcheng/kiosk/freeport"
)

// A benchView is what the bench page is told of signs and voices.
type benchView struct {
	Strips []struct {
		Name, Line, Text string
		Plugged          bool
	}
	Voices []struct {
		Name string
		Said []struct{ Text, File string }
	}
}

// signsRig is the hall of signs, run as a visitor runs it.
type signsRig struct {
	t     *testing.T
	ctx   context.Context
	hall  *client // a citizen
	bench *client
}

func newSignsRig(t *testing.T) *signsRig {
	t.Helper()
	o := options{hall: "signs", halls: "../../deploy/halls", state: t.TempDir(), kioskd: kioskd(t)}
	awayFromMidnight(t, filepath.Join(o.state, o.hall))
	var err error
	if o.listen, err = freeport.Address(); err != nil {
		t.Fatal(err)
	}
	if o.bench, err = freeport.Address(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	ended, errs := make(chan error, 1), &bytes.Buffer{}
	go func() { ended <- run(ctx, o, &bytes.Buffer{}, &turns{w: errs}) }()
	r := &signsRig{t: t, ctx: ctx, hall: newClient("http://" + o.listen), bench: newClient("http://" + o.bench)}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil || strings.Contains(errs.String(), "level=ERROR") {
			t.Errorf("it ended with %v and said %s", err, errs)
		}
		r.hall.http.CloseIdleConnections()
		r.bench.http.CloseIdleConnections()
		http.DefaultClient.CloseIdleConnections()
	})
	for _, page := range []string{r.hall.base + "/healthz", r.bench.base + "/"} {
		if !answers(ctx, page) {
			t.Fatalf("%s does not answer", page)
		}
	}
	return r
}

// ticket takes a ticket for an item.
func (r *signsRig) ticket(item string) {
	r.t.Helper()
	if err := r.hall.post(r.ctx, "/api/v1/tickets", map[string]any{"kiosk": "touch-1", "item": item, "print": false}, nil); err != nil {
		r.t.Fatal(err)
	}
}

// clerk signs in at a window and opens it.
func (r *signsRig) clerk(window int) *clerk {
	r.t.Helper()
	k := &clerk{client: newClient(r.hall.base), window: fmt.Sprint(window)}
	r.t.Cleanup(k.http.CloseIdleConnections)
	err := k.signIn(r.ctx, fmt.Sprint(1000+window), sampleSecret)
	if err == nil {
		err = k.post(r.ctx, k.path("state"), map[string]any{"desk": "open"}, nil)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

// next calls the next citizen, after the one who is there.
func (r *signsRig) next(k *clerk, verbs ...string) string {
	r.t.Helper()
	var call kiosk.Call
	for _, v := range append(verbs, "next") {
		if err := k.post(r.ctx, k.path(v), map[string]any{}, &call); err != nil {
			r.t.Fatalf("window %s: %s: %v", k.window, v, err)
		}
	}
	return call.Number
}

func (r *signsRig) view() (v benchView) {
	r.t.Helper()
	if err := r.bench.get(r.ctx, "/bench/api/state", &v); err != nil {
		r.t.Fatal(err)
	}
	return v
}

// see waits until a number can be read on the sign above a window.
func (r *signsRig) see(window int, number string) {
	r.t.Helper()
	err := until(r.ctx, fmt.Sprintf("%s on sign %d", number, window), func() bool {
		return strings.Contains(r.view().Strips[window-1].Text, number)
	})
	if err != nil {
		r.t.Fatalf("%v: %+v", err, r.view().Strips)
	}
}

// act uses a control of the bench.
func (r *signsRig) act(control string, on bool) {
	r.t.Helper()
	if err := r.bench.post(r.ctx, "/bench/api/"+control, map[string]any{"on": on}, nil); err != nil {
		r.t.Fatal(err)
	}
}

// file downloads from the bench.
func (r *signsRig) file(path string) []byte {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, r.bench.base+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := r.bench.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d, %v", path, res.StatusCode, err)
	}
	return b
}

// glow counts the bright dots of a sign's picture, red ones and green ones.
func (r *signsRig) glow(window int) (red, green int) {
	r.t.Helper()
	m, err := png.Decode(bytes.NewReader(r.file(fmt.Sprintf("/bench/api/strips/%d/strip.png", window-1))))
	if err != nil {
		r.t.Fatal(err)
	}
	count := func(at func(image.Image, int, int) uint32) (n int) {
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				if at(m, x, y) > 0xF000 {
					n++
				}
			}
		}
		return n
	}
	red = count(func(m image.Image, x, y int) uint32 { c, _, _, _ := m.At(x, y).RGBA(); return c })
	green = count(func(m image.Image, x, y int) uint32 { _, c, _, _ := m.At(x, y).RGBA(); return c })
	return red, green
}

// lit waits until a sign glows in its colours, or does not.
func (r *signsRig) lit(window int, red, green bool) {
	r.t.Helper()
	if err := until(r.ctx, fmt.Sprintf("sign %d to glow red %v, green %v", window, red, green), func() bool {
		a, b := r.glow(window)
		return (a > 0) == red && (b > 0) == green
	}); err != nil {
		r.t.Fatal(err)
	}
}

// Twelve signs of four protocols, a wall and two voices, as the bench shows them: each
// sign has its call in its own colours, a line that was out catches up, a sign without
// power is dark, and what was spoken can be read and downloaded.
func TestRunSigns(t *testing.T) {
	noLeaks(t)
	r := newSignsRig(t)
	if v := r.view(); len(v.Strips) != 12 || len(v.Voices) != 2 {
		t.Fatalf("%d signs, %d voices", len(v.Strips), len(v.Voices))
	}
	var things sync.WaitGroup
	wall := &wallScreen{client: newClient(r.hall.base), path: "/wall/main"}
	watching, blind := context.WithCancel(r.ctx)
	things.Go(func() { wall.watch(watching) })
	defer things.Wait()
	defer wall.http.CloseIdleConnections()
	defer blind()
	clerks := map[int]*clerk{1: r.clerk(1), 4: r.clerk(4), 7: r.clerk(7), 10: r.clerk(10)}
	for _, item := range []string{"text", "dots", "digits", "board", "board"} {
		r.ticket(item)
	}
	r.lit(4, false, true) // 欢迎光临
	numbers := map[int]string{}
	for _, w := range []int{1, 4, 7, 10} {
		numbers[w] = r.next(clerks[w])
	}
	for w, n := range numbers {
		r.see(w, n)
		r.lit(w, true, false) // a call is red
	}
	r.act("strips/9/cable", false)
	second := r.next(clerks[10], "start", "done")
	if v := r.view().Strips[9]; v.Plugged || strings.Contains(v.Text, second) {
		t.Errorf("a line that is unplugged: %+v", v)
	}
	r.act("strips/9/cable", true)
	r.see(10, second)
	r.act("strips/0/power", false)
	r.lit(1, false, false)
	r.act("strips/0/power", true)
	for w, n := range map[int]string{1: numbers[1], 10: second} {
		if err := until(r.ctx, n+" on the wall", func() bool { return strings.Contains(strings.Join(wall.seen(), "\n"), row(n, w)) }); err != nil {
			t.Errorf("%v: %q", err, wall.seen())
		}
	}
	r.hear(0, spoken(numbers[1])+"号，到一号窗口")
	r.hear(1, "please go to window seven")
}

// hear waits until a voice has spoken, and downloads its sound.
func (r *signsRig) hear(zone int, words string) {
	r.t.Helper()
	file := ""
	if err := until(r.ctx, words, func() bool {
		for _, s := range r.view().Voices[zone].Said {
			if strings.Contains(strings.ReplaceAll(s.Text, " ", ""), strings.ReplaceAll(words, " ", "")) {
				file = s.File
			}
		}
		return file != ""
	}); err != nil {
		r.t.Fatalf("%v: %+v", err, r.view().Voices)
	}
	s, err := voice.ParseWAV(r.file(fmt.Sprintf("/bench/api/voices/%d/%s", zone, file)))
	if err != nil || s.Duration() < 3*time.Second {
		r.t.Errorf("the sound of %q lasts %s, %v", words, s.Duration(), err)
	}
}
