package wall

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/display"
	"longcheng/kiosk"
)

func view(seqs ...int64) display.View {
	w := &display.Wall{Title: kiosk.Text{ZH: "龙城"}}
	for _, s := range seqs {
		w.Calls = append(w.Calls, display.WallCall{Seq: s, Number: "A001", Window: 3})
	}
	return display.View{Calls: seqs, Wall: w}
}

// screen is a browser in miniature.
type screen struct {
	t      *testing.T
	url    string
	in     *bufio.Reader
	body   io.Closer
	client string
	build  string
}

func open(t *testing.T, url string) *screen {
	t.Helper()
	res, err := http.Get(url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	s := &screen{t: t, url: url, in: bufio.NewReader(res.Body), body: res.Body}
	var hello struct{ Client, Build string }
	s.next("hello", &hello)
	s.client, s.build = hello.Client, hello.Build
	return s
}

func (s *screen) next(event string, into any) {
	s.t.Helper()
	for {
		name, err := s.in.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		data, _ := s.in.ReadString('\n')
		_, _ = s.in.ReadString('\n')
		if strings.TrimSpace(name) == "event: "+event {
			if err := json.Unmarshal([]byte(strings.TrimPrefix(data, "data: ")), into); err != nil {
				s.t.Fatal(err)
			}
			return
		}
	}
}

func (s *screen) post(a ack) int {
	s.t.Helper()
	b, _ := json.Marshal(a)
	res, err := http.Post(s.url+"/ack", "application/json", bytes.NewReader(b))
	if err != nil {
		s.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func serve(t *testing.T, o Options) (*Wall, string) {
	t.Helper()
	w, err := New("wall:main", o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(w.Handler())
	t.Cleanup(func() { w.Close(); srv.Close() })
	return w, srv.URL
}

func TestShowNeedsABrowser(t *testing.T) {
	w, _ := serve(t, Options{})
	if shown, err := w.Show(t.Context(), view(1)); !errors.Is(err, ErrNoBrowser) || shown != nil {
		t.Fatalf("shown %v, %v", shown, err)
	}
	if _, err := w.Show(t.Context(), display.View{}); err == nil {
		t.Fatal("showed a view that is not a wall's")
	}
}

type result struct {
	shown []int64
	err   error
}

// Only a page that is connected, of this build, with every row of the latest
// message on its glass, proves the calls.
func TestShowBelievesOnlyAPaintedPage(t *testing.T) {
	w, url := serve(t, Options{Wait: time.Minute})
	s := open(t, url)
	done := make(chan result, 1)
	go func() {
		shown, err := w.Show(t.Context(), view(7, 8))
		done <- result{shown, err}
	}()
	var m message
	s.next("state", &m)
	good := ack{Client: s.client, Message: m.Seq, Seq: []int64{7, 8}, Build: s.build}
	for _, change := range []func(*ack){
		func(a *ack) { a.Client = "somebody" }, func(a *ack) { a.Message++ },
		func(a *ack) { a.Seq = []int64{7} }, func(a *ack) { a.Build = "old" },
	} {
		bad := good
		change(&bad)
		if code := s.post(bad); code != http.StatusConflict {
			t.Errorf("%+v: status %d", bad, code)
		}
	}
	for range 2 { // a repeated acknowledgement is harmless
		if code := s.post(good); code != http.StatusNoContent {
			t.Fatalf("status %d", code)
		}
	}
	if r := <-done; r.err != nil || !slices.Equal(r.shown, []int64{7, 8}) {
		t.Fatalf("%+v", r)
	}
}

func TestPageThatDoesNotPaintProvesNothing(t *testing.T) {
	w, url := serve(t, Options{Wait: time.Millisecond})
	open(t, url)
	if _, err := w.Show(t.Context(), view(1)); !errors.Is(err, ErrNotPainted) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.o.Wait = time.Hour
	if _, err := w.Show(ctx, view(1)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// A page that joins later gets the whole latest state, not the history.
func TestLateScreenGetsTheLatestState(t *testing.T) {
	w, url := serve(t, Options{})
	for i := range 3 {
		_, _ = w.Show(t.Context(), view(int64(i)))
	}
	var m message
	open(t, url).next("state", &m)
	if m.Seq != 3 || len(m.Wall.Calls) != 1 || m.Wall.Calls[0].Seq != 2 {
		t.Fatalf("%+v", m)
	}
}

func TestSlowScreenCostsOneMessage(t *testing.T) {
	w, _ := serve(t, Options{})
	c, _ := w.join()
	for i := range 1000 {
		if _, _, err := w.publish(view(int64(i)).Wall); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.out) != 1 || !bytes.Contains(<-c.out, []byte(`"seq":999`)) {
		t.Fatal("the page does not get the latest state")
	}
}

func TestScreensAreCounted(t *testing.T) {
	w, url := serve(t, Options{})
	for range maxClients {
		if _, ok := w.join(); !ok {
			t.Fatal("refused too early")
		}
	}
	res, err := http.Get(url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || w.Screens() != maxClients {
		t.Fatalf("status %d, %d screens", res.StatusCode, w.Screens())
	}
}

func TestHeartbeat(t *testing.T) {
	_, url := serve(t, Options{Beat: time.Millisecond})
	var now int64
	if open(t, url).next("beat", &now); now == 0 {
		t.Fatal("no time in the heartbeat")
	}
}

// The page needs nothing from outside and allows nothing inline.
func TestPageIsSelfContained(t *testing.T) {
	_, url := serve(t, Options{})
	for _, path := range []string{"/", "/wall.css", "/wall.js", "/labels.js", "/media.js"} {
		res, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Security-Policy") != policy {
			t.Errorf("%s: %s", path, res.Status)
		}
		for _, bad := range []string{"http:", "https:", "//cdn", "style=", "onclick", "innerHTML", "@import"} {
			if bytes.Contains(b, []byte(bad)) {
				t.Errorf("%s contains %q", path, bad)
			}
		}
	}
}

func TestHostileAcknowledgements(t *testing.T) {
	w, _ := serve(t, Options{})
	for _, body := range []string{"", "null", "[]", `{"seq":"x"}`, `{"seq":[` + strings.Repeat("1,", 5000) + `1]}`} {
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, httptest.NewRequest("POST", "/ack", strings.NewReader(body)))
		if rec.Code < 400 {
			t.Errorf("%.20q: status %d", body, rec.Code)
		}
	}
}

// A wall that came back after an outage catches up while the hall goes on calling ten
// times a second: it never lags behind for ever.
func TestAFullWallCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := New("wall:main", Options{})
		if err != nil {
			t.Fatal(err)
		}
		began, waiting, shown := time.Now(), 60, 0
		for waiting > display.WallRows {
			if err := w.dwell(t.Context(), waiting-display.WallRows); err != nil {
				t.Fatal(err)
			}
			shown += display.WallRows
			waiting = 60 + int(10*time.Since(began).Seconds()) - shown
			if time.Since(began) > 5*time.Second {
				t.Fatalf("%d still wait after five seconds", waiting)
			}
		}
	})
}
