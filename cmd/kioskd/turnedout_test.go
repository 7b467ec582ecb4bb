package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/door"
	"longcheng/kiosk/hall"
)

// askAs asks the host for a ticket in the name of a kiosk; 0 when it was not let in.
func (h *severalHall) askAs(name string, with *tls.Config) (status int) {
	h.t.Helper()
	transport := &http.Transport{TLSClientConfig: with}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	body := `{"request":"stolen","kiosk":"` + name + `/touch-1","channel":"touch","item":"social-card"}`
	res, err := client.Post("https://"+h.at+hall.Base+"/take", "application/json", strings.NewReader(body))
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

// forger enrols a box of this name with an authority of its own.
func forger(t *testing.T, name string) *central.Pass {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	d, err := door.Open(t.TempDir(), "small", door.Names(at), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server := d.Serve(http.NotFoundHandler())
	ended := make(chan struct{})
	go func() { _ = server.ServeTLS(l, "", ""); close(ended) }()
	t.Cleanup(func() { server.Close(); <-ended })
	code, err := d.NewCode(at, name, "box")
	if err != nil {
		t.Fatal(err)
	}
	p, err := central.Enrol(t.Context(), filepath.Join(t.TempDir(), "pass"), code.String(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A kiosk is stolen, and its key is used elsewhere. Once it is turned out the host
// hears neither of them, also on the connection that was open. A forger whose
// authority is its own is never heard. The other kiosk does not notice.
func TestAStolenAndAForgedBox(t *testing.T) {
	h := newSeveralHall(t)
	k1, k2 := h.join("kiosk.toml", "kiosk-1"), h.join("kiosk.toml", "kiosk-2")
	forged := forger(t, "kiosk-1").TLS()
	forged.InsecureSkipVerify = true // a forger does not mind who answers
	if status := h.askAs("kiosk-1", forged); status/100 == 2 {
		t.Errorf("a forged kiosk got a ticket: %d", status)
	}
	elsewhere := t.TempDir()
	if err := os.CopyFS(elsewhere, os.DirFS(door.PassDir(k2.state))); err != nil {
		t.Fatal(err)
	}
	thief, err := central.OpenPass(elsewhere, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if status := h.askAs("kiosk-1", thief.TLS()); status/100 == 2 {
		t.Errorf("one kiosk's key speaks for another: %d", status)
	}
	if status := h.askAs("kiosk-2", thief.TLS()); status != http.StatusOK {
		t.Fatalf("a stolen key before it is known to be: %d", status)
	}
	if err := door.TurnOut(h.host.state, "kiosk-2"); err != nil {
		t.Fatal(err)
	}
	if status := h.askAs("kiosk-2", thief.TLS()); status != http.StatusForbidden {
		t.Errorf("a stolen key afterwards: %d", status)
	}
	k2.until("the stolen kiosk to be shut out", func() bool { return strings.HasPrefix(k2.hostState(), "away") })
	k1.take("1")
	k1.joined()
}
