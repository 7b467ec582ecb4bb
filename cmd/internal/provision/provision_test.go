package provision

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/order"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
)

// host is the host of a hall that lets boxes in.
func host(t *testing.T) (d *door.Door, at string) {
	t.Helper()
	return hostAt(t, time.Now)
}

// hostAt is a host with a clock of its own.
func hostAt(t *testing.T, now func() time.Time) (d *door.Door, at string) {
	t.Helper()
	d, err := door.Open(t.TempDir(), "small", door.Names("127.0.0.1:1"), now)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Serve(http.NotFoundHandler())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.ServeTLS(l, "", "")
	t.Cleanup(func() { s.Close() })
	return d, l.Addr().String()
}

// documents are what a stick brings for a kiosk of the small hall.
func documents(t *testing.T, at string) string {
	t.Helper()
	dir := t.TempDir()
	copied := func(from, to string, change func(string) string) {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), []byte(change(string(b))), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	same := func(s string) string { return s }
	copied("../../../deploy/halls/small/hall.toml", "hall.toml", same)
	copied("../../../deploy/halls/three/kiosk.toml", "kioskd.toml", func(s string) string {
		return strings.NewReplacer("../small/hall.toml", "hall.toml", "127.0.0.1:8443", at).Replace(s)
	})
	if err := os.WriteFile(filepath.Join(dir, "keyboards-off"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// anOrder makes a stick for kiosk-7.
func anOrder(t *testing.T, d *door.Door, at string) (stick string, text []byte, digits string) {
	t.Helper()
	code, err := d.NewCode(at, "kiosk-7", "box")
	if err != nil {
		t.Fatal(err)
	}
	files := documents(t, at)
	sums, err := order.Sum(files)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	o := order.Order{Made: now, Until: now.Add(order.Life), Hall: "small", Device: "kiosk-7", Role: "kiosk", Code: code.String(), Files: sums,
		Network: order.Network{Address: "10.0.0.7/24", Gateway: "10.0.0.1"}}
	key, err := order.MakeKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = order.Seal(o, key); err != nil {
		t.Fatal(err)
	}
	stick = t.TempDir()
	if err := order.WriteStick(stick, text, files, o); err != nil {
		t.Fatal(err)
	}
	_, maker, _ := order.Open(text, now)
	return stick, text, order.Digits(maker)
}

// From a stick to an enrolled box: documents, name, network, certificate. The
// maker is confirmed once and known from then on.
func TestUseFromAStick(t *testing.T) {
	d, at := host(t)
	stick, text, digits := anOrder(t, d, at)
	root, state := t.TempDir(), t.TempDir()
	asked := ""
	b := Box{Root: root, State: state, Now: time.Now, Confirm: func(d string) (bool, error) { asked = d; return true, nil }}
	_, files, err := FromStick(stick)
	if err != nil {
		t.Fatal(err)
	}
	done, err := b.Use(t.Context(), text, files)
	if err != nil || !strings.HasPrefix(done.Pass.EN, "enrolled as kiosk-7") || asked != digits {
		t.Fatalf("%+v, %v, asked for %q", done, err, asked)
	}
	c, found := config.Load(filepath.Join(root, "etc/longcheng/kioskd.toml"))
	if config.Broken(found) || c.Device != "kiosk-7" {
		t.Errorf("%v, device %q", found, c.Device)
	}
	unit, err := os.ReadFile(filepath.Join(root, networkFile))
	if err != nil || !strings.Contains(string(unit), "Address=10.0.0.7/24\nGateway=10.0.0.1\n") {
		t.Errorf("%s, %v", unit, err)
	}
	if p, err := central.OpenPass(door.PassDir(state), time.Now); err != nil || p.Identity().Device != "kiosk-7" {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "etc/longcheng/keyboards-off")); err != nil {
		t.Error(err)
	}
	screen := filepath.Join(root, "etc/longcheng/touch.env")
	if page, err := os.ReadFile(screen); err != nil || string(page) != "KIOSK_URL=http://127.0.0.1:8081/kiosk/touch-1\n" {
		t.Errorf("the screen's page: %q, %v", page, err)
	}
	if err := os.WriteFile(screen, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.Confirm = nil
	if _, err := b.Use(t.Context(), text, files); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if page, err := os.ReadFile(screen); err != nil || string(page) != "mine" {
		t.Errorf("the screen's page, which somebody had set: %q, %v", page, err)
	}
}

// What must not be carried out changes nothing.
func TestUseRefuses(t *testing.T) {
	d, at := host(t)
	stick, text, _ := anOrder(t, d, at)
	untouched := func(t *testing.T, b Box, files, want string) {
		t.Helper()
		_, err := b.Use(t.Context(), text, files)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := os.Stat(filepath.Join(b.Root, "etc/longcheng/kioskd.toml")); err == nil {
			t.Error("documents were written")
		}
	}
	yes := func(string) (bool, error) { return true, nil }
	files := filepath.Join(stick, order.FilesDir)
	untouched(t, Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now}, files, "does not know who signed")
	untouched(t, Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now, Confirm: func(string) (bool, error) { return false, nil }}, files, "not those of its maker")
	untouched(t, Box{Root: t.TempDir(), State: t.TempDir(), Now: func() time.Time { return time.Now().Add(time.Hour) }, Confirm: yes}, files, "make a new one")
	untouched(t, Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now, Confirm: yes}, "", "not beside it")
	if err := os.WriteFile(filepath.Join(files, "hall.toml"), []byte("id = 'x'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	untouched(t, Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now, Confirm: yes}, files, "was changed after")
}

// The wizard takes what its page sends, shows the digits, and goes on when they
// are confirmed; a stick that is plugged in needs no key at all.
func TestWizard(t *testing.T) {
	d, at := host(t)
	stick, _, digits := anOrder(t, d, at)
	plugged := make(chan struct{})
	w, err := NewWizard(Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now}, func() []string {
		select {
		case <-plugged:
			return []string{stick}
		default:
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler())
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		done, err := w.Run(ctx)
		if err == nil && !strings.HasPrefix(done.Pass.EN, "enrolled as kiosk-7") {
			err = errors.New(done.Pass.EN)
		}
		ended <- err
	}()
	post(t, s.URL+"/order", url.Values{"order": {"nonsense"}})
	shows(t, s.URL, "读到的不是设置单")
	close(plugged)
	shows(t, s.URL, digits)
	post(t, s.URL+"/confirm", url.Values{"yes": {"1"}})
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(3 * time.Minute):
		t.Fatal("the wizard does not end")
	}
	shows(t, s.URL, "设置完成")
}

func post(t *testing.T, at string, v url.Values) {
	t.Helper()
	res, err := http.PostForm(at, v)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}

// shows waits until the page has a word.
func shows(t *testing.T, at, word string) {
	t.Helper()
	text := ""
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if text = page(t, at); strings.Contains(text, word) {
			return
		}
	}
	t.Fatalf("the page never says %q:\n%s", word, text)
}

// page is what the wizard shows now.
func page(t *testing.T, at string) string {
	t.Helper()
	res, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
