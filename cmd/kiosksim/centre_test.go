package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A centre and its halls start by themselves, every box is enrolled and reports,
// Ctrl-C ends them, and a second start goes on with the same passes.
func TestCity(t *testing.T) {
	noLeaks(t)
	programs := filepath.Dir(kioskd(t))
	if out, err := exec.Command("go", "build", "-o", programs, "longcheng/cmd/centrald").CombinedOutput(); err != nil {
		t.Fatalf("build centrald: %v: %s", err, out)
	}
	o := cityOptions{state: t.TempDir(), halls: "../../deploy/halls", programs: programs}
	first, second := oneCity(t, o), oneCity(t, o)
	if first != second {
		t.Errorf("the second start gave another password")
	}
}

// oneCity runs the city until every box has reported, and presses Ctrl-C.
func oneCity(t *testing.T, o cityOptions) (password string) {
	t.Helper()
	ctx, interrupt := context.WithTimeout(context.Background(), 6*time.Minute)
	defer interrupt()
	said, logged, ended := &heard{}, &heard{}, make(chan error, 1)
	go func() { ended <- runCity(ctx, o, said, logged) }()
	if err := until(ctx, "the pages", func() bool { return strings.Contains(said.String(), "Ctrl-C") }); err != nil {
		t.Fatalf("%v: %s\n%s", err, said, logged)
	}
	m := regexp.MustCompile(`(http://\S+)/    name: admin   password: (\S+)`).FindStringSubmatch(said.String())
	fleet := fleetOf(ctx, t, m[1], m[2])
	boxes := len(theCity) * len(boxesOfHall)
	heard := func() bool {
		page := fleet()
		return strings.Count(page, `"state good"`)+strings.Count(page, `"state warn"`) == boxes
	}
	if err := until(ctx, "every box", heard); err != nil {
		t.Errorf("%v: %s", err, fleet())
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if text := logged.String(); strings.Contains(text, "panic") || strings.Contains(text, "level=ERROR") {
		t.Errorf("it logged %s", text)
	}
	return m[2]
}

// heard is what was said so far.
type heard struct {
	mu sync.Mutex
	b  strings.Builder
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// fleetOf signs in and returns what reads the fleet page.
func fleetOf(ctx context.Context, t *testing.T, base, password string) func() string {
	t.Helper()
	jar, _ := cookiejar.New(nil) // never fails with nil options
	client := &http.Client{Jar: jar, Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	body := func(res *http.Response, err error) string {
		if err != nil {
			return err.Error()
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body) // what came is judged
		return string(text)
	}
	if page := body(client.PostForm(base+"/sign-in", url.Values{"name": {"admin"}, "secret": {password}})); !strings.Contains(page, "设备总览") {
		t.Fatalf("cannot sign in: %s", page)
	}
	return func() string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		return body(client.Do(r))
	}
}
