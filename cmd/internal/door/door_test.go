package door

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"longcheng/central"
)

// serve opens a door on this machine and returns its address.
func serve(t *testing.T, state string, now func() time.Time) (*Door, string) {
	t.Helper()
	d, err := Open(state, "hall-1", Names("127.0.0.1:1"), now)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		name, _ := d.Who(r)
		io.WriteString(rw, name)
	}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.ServeTLS(l, "", "")
	t.Cleanup(func() { s.Close() })
	return d, l.Addr().String()
}

func get(t *testing.T, p *central.Pass, at string) (int, string) {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: p.TLS()}
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get("https://" + at + "/")
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}

// A box comes in once with its code, is known by its certificate, renews it, is
// replaced by another of the same name, and is turned out.
func TestABoxIsLetInAndTurnedOut(t *testing.T) {
	state := t.TempDir()
	d, at := serve(t, state, time.Now)
	c, err := d.NewCode(at, "kiosk-1", "box")
	if err != nil {
		t.Fatal(err)
	}
	p, err := central.Enrol(t.Context(), t.TempDir(), c.String(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if status, who := get(t, p, at); status != http.StatusOK || who != "kiosk-1" {
		t.Fatalf("after enrolment: %d %s", status, who)
	}
	if _, err := central.Enrol(t.Context(), t.TempDir(), c.String(), time.Now); err == nil || !strings.Contains(err.Error(), "used by another box") {
		t.Errorf("the code let a second box in: %v", err)
	}
	client, err := p.Client()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Renew(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if status, who := get(t, p, at); status != http.StatusOK {
		t.Errorf("after renewal: %d %s", status, who)
	}
	if c, err = d.NewCode(at, "kiosk-1", "box"); err != nil {
		t.Fatal(err)
	}
	again, err := central.Enrol(t.Context(), t.TempDir(), c.String(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, p, at); status != http.StatusForbidden {
		t.Errorf("the replaced box is still welcome: %d", status)
	}
	if err := TurnOut(state, "kiosk-1"); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, again, at); status != http.StatusForbidden {
		t.Errorf("a box that was turned out is welcome: %d", status)
	}
}

// Codes end; boxes of other halls and nobodies stay outside.
func TestWhoStaysOutside(t *testing.T) {
	now := time.Now()
	d, at := serve(t, t.TempDir(), func() time.Time { return now })
	c, err := d.NewCode(at, "kiosk-1", "box")
	if err != nil {
		t.Fatal(err)
	}
	late, lateAt := serve(t, t.TempDir(), func() time.Time { return now.Add(CodeLife + time.Minute) })
	late.dir, late.ca = d.dir, d.ca
	c.At = lateAt
	if _, err := central.Enrol(t.Context(), t.TempDir(), c.String(), time.Now); err == nil || !strings.Contains(err.Error(), "unknown, used or over") {
		t.Errorf("a code that is over: %v", err)
	}
	other, otherAt := serve(t, t.TempDir(), time.Now)
	if c, err = other.NewCode(otherAt, "kiosk-1", "box"); err != nil {
		t.Fatal(err)
	}
	p, err := central.Enrol(t.Context(), t.TempDir(), c.String(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, p, at); status == http.StatusOK {
		t.Error("a certificate of another hall opened the door")
	}
	for _, name := range []string{"", "../x", "a/b"} {
		if _, err := d.NewCode(at, name, "box"); err == nil {
			t.Errorf("a code for %q", name)
		}
		if err := TurnOut(t.TempDir(), name); err == nil {
			t.Errorf("turned out %q", name)
		}
	}
}
