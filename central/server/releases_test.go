package server

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"longcheng/central"
)

// depot is a directory as a centre gets it from the maintainer.
func depot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "targets"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "timestamp.json"), []byte("{}"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "targets", "abc.program_amd64_1.1.tar.gz"), []byte("programs"), 0o600))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "targets", "way-out")))
	return dir
}

func TestABoxIsOfferedWhatWasDecidedForIt(t *testing.T) {
	dir := depot(t)
	c := newCentre(t, func(o *Options) { o.Releases = dir })
	one, other := c.client(c.box("north", "kiosk-1", "box"), nil), c.client(c.box("south", "kiosk-1", "box"), nil)
	offers := func(client *central.Client, want central.Offer) {
		t.Helper()
		if got, err := client.Offer(t.Context(), ""); err != nil || got != want {
			t.Errorf("offered %+v, %v; want %+v", got, err, want)
		}
	}
	offers(one, central.Offer{})
	must(t, Decide(dir, Rollout{Version: "1.0", Percent: 100}))
	must(t, Decide(dir, Rollout{Version: "1.1", Percent: 100, Halls: []string{"north"}, OneWay: true}))
	offers(one, central.Offer{Version: "1.1", OneWay: true})
	offers(other, central.Offer{Version: "1.0"})
	must(t, Decide(dir, Rollout{Version: "1.1"}))
	offers(one, central.Offer{Version: "1.0"})
	host := c.client(c.box("north", "host", central.RoleHost), nil)
	if got, err := host.Offer(t.Context(), "kiosk-1"); err != nil || got.Version != "1.0" {
		t.Errorf("a host asks for a box behind it: %+v, %v", got, err)
	}
	if got, err := one.Offer(t.Context(), "host"); err == nil {
		t.Errorf("a box asks for another one: %+v", got)
	}
}

func TestReleasesAreServedToBoxesAlone(t *testing.T) {
	dir := depot(t)
	must(t, Decide(dir, Rollout{Version: "1.0", Percent: 1}))
	c := newCentre(t, func(o *Options) { o.Releases = dir })
	pass := c.box("north", "kiosk-1", "box")
	get := func(rt http.RoundTripper, file string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, pass.Address()+central.ReleasesPath+"/"+file, nil)
		must(t, err)
		res, err := rt.RoundTrip(r)
		must(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		must(t, err)
		return res.StatusCode, string(text)
	}
	tr := pass.Transport()
	defer tr.CloseIdleConnections()
	for file, want := range map[string]int{
		"timestamp.json": 200, "targets/abc.program_amd64_1.1.tar.gz": 200,
		"rollout.json": 404, "2.root.json": 404, "targets": 404, "targets/": 404, "targets/way-out": 404,
		"..%2f..%2fetc%2fpasswd": 404, "%2fetc%2fpasswd": 404, "": 404,
	} {
		if status, text := get(tr, file); status != want {
			t.Errorf("%q: %d %s", file, status, text)
		}
	}
	stranger := pass.TLS()
	stranger.GetClientCertificate = nil
	plain := &http.Transport{TLSClientConfig: stranger}
	defer plain.CloseIdleConnections()
	if status, _ := get(plain, "timestamp.json"); status != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", status)
	}
}

// TestTheShareGrows: whoever was covered stays covered, and the share is about
// what was asked for.
func TestTheShareGrows(t *testing.T) {
	covered := map[string]bool{}
	for _, percent := range []int{0, 1, 10, 50, 100} {
		r, n := Rollout{Version: "1.1", Percent: percent}, 0
		for i := range 1000 {
			device := fmt.Sprintf("kiosk-%d", i)
			if c := r.Covers("north", device); c {
				n++
				covered[device] = true
			} else if covered[device] {
				t.Fatalf("%s is no longer covered at %d %%", device, percent)
			}
		}
		if want := percent * 10; n < want-want/2-1 || n > want+want/2+1 {
			t.Errorf("%d %% covers %d of 1000", percent, n)
		}
	}
	if (Rollout{Percent: 100, Halls: []string{"north"}}).Covers("south", "kiosk-1") {
		t.Error("another hall is covered")
	}
}
