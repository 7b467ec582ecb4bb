package provision

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/central"
)

// entered is what somebody has put into the form.
func entered(t *testing.T, with url.Values) (typed, error) {
	t.Helper()
	form := url.Values{"hall": {"small"}, "device": {"kiosk-7"}, "role": {"kiosk"}, "cable": {"auto"}}
	for name, values := range with {
		form[name] = values
	}
	r := httptest.NewRequest("POST", "/hand", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return readTyped(r, time.Now())
}

// What is entered wrong is told in Chinese, on the page of the form where it is.
func TestMistakesOfAForm(t *testing.T) {
	for zh, c := range map[string]struct {
		with url.Values
		page int
	}{
		"大厅和设备名": {url.Values{"device": {"Kiosk 7"}}, 0}, "请选择角色": {url.Values{"role": {""}}, 0},
		"请填写地址": {url.Values{"cable": {"fixed"}}, 1}, "地址的写法": {url.Values{"cable": {"fixed"}, "address": {"10.0.0.7"}}, 1},
		"网关的写法":   {url.Values{"cable": {"fixed"}, "address": {"10.0.0.7/24"}, "gateway": {"x"}}, 1},
		"域名服务器":   {url.Values{"cable": {"fixed"}, "address": {"10.0.0.7/24"}, "dns": {"x"}}, 1},
		"注册码为16位": {url.Values{"at": {"10.0.0.2"}, "secret": {"abcd-efgh"}}, 2}, "须填写生成它的地址": {url.Values{"secret": {"abcd-efgh-jklm-npqr"}}, 2},
	} {
		_, err := entered(t, c.with)
		if err == nil {
			t.Errorf("%v was taken", c.with)
			continue
		}
		if said, page := mistake(err); !strings.Contains(said.ZH, zh) || page != c.page {
			t.Errorf("%v: %v, on page %d", c.with, said, page)
		}
	}
	got, err := entered(t, url.Values{"at": {"10.0.0.2"}, "secret": {"abcd-efgh-jklm-npqr"}, "address": {"left from before"}})
	if err != nil || got.at != "10.0.0.2:8443" || got.secret != "ABCDEFGHJKLMNPQR" || got.Network.Address != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// A typed order takes the documents of the image, and enrols where the fingerprint
// is confirmed.
func TestUseTyped(t *testing.T) {
	d, at := host(t)
	root := t.TempDir()
	image := filepath.Join(root, imageDir)
	if err := errors.Join(os.MkdirAll(image, 0o755), os.CopyFS(image, os.DirFS(documents(t, at)))); err != nil {
		t.Fatal(err)
	}
	code, err := d.NewCode(at, "kiosk-7", "box")
	if err != nil {
		t.Fatal(err)
	}
	typed, err := entered(t, url.Values{"at": {at}, "secret": {strings.ToLower(code.Secret)}})
	if err != nil {
		t.Fatal(err)
	}
	yes, asked := false, ""
	b := Box{Root: root, State: t.TempDir(), Now: time.Now, Confirm: func(shown string) (bool, error) { asked = shown; return yes, nil }}
	if _, err := b.useTyped(t.Context(), typed); !errors.Is(err, ErrOther) || asked != central.Short(code.Root) {
		t.Errorf("another place: %v, asked for %q", err, asked)
	}
	yes = true
	done, err := b.useTyped(t.Context(), typed)
	if err != nil || !strings.HasPrefix(done.Pass.EN, "enrolled as kiosk-7") {
		t.Errorf("%+v, %v", done, err)
	}
	for _, name := range []string{"hall.toml", "keyboards-off"} {
		if _, err := os.Stat(filepath.Join(root, etc, name)); err != nil {
			t.Error(err)
		}
	}
	b.Root = t.TempDir()
	if _, err := b.useTyped(t.Context(), typed); !errors.Is(err, ErrNoDocument) {
		t.Errorf("an image without documents: %v", err)
	}
}

// Who stands before a box that cannot reach its centre sees why, and can begin again.
func TestStopWhileAway(t *testing.T) {
	w, err := NewWizard(Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now}, func() []string { return nil })
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(w.box.Root, imageDir)
	if err := errors.Join(os.MkdirAll(image, 0o755), os.CopyFS(image, os.DirFS(documents(t, "127.0.0.1:1")))); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler())
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = w.Run(ctx) }()
	defer func() { stop(); <-ended }()
	post(t, s.URL+"/hand", url.Values{"hall": {"small"}, "device": {"kiosk-7"}, "role": {"kiosk"}, "at": {"127.0.0.1:1"}, "secret": {"ABCDEFGHJKLMNPQR"}})
	shows(t, s.URL, "连不上，正在重试")
	post(t, s.URL+"/stop", nil)
	shows(t, s.URL, "已停止")
	shows(t, s.URL, "手工设置")
}
