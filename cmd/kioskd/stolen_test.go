package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/ca"
	"longcheng/central/centraltest"
	"longcheng/central/store"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
)

// The key of a box was copied, and is used beside it: the centre sees two journals
// of one box. The certificate is revoked on the page and both are out; the true box
// is enrolled again and goes on where it was, the thief stays outside.
func TestAStolenKeyIsSeenAndShutOut(t *testing.T) {
	t.Parallel()
	r, thief := newReporter(t), newRig(t, 3000)
	c := r.centre
	r.enrol()
	c.signIn()
	d := r.work()
	d.ticket(false)
	d.sent()
	if err := os.CopyFS(config.CentrePass(thief.state), os.DirFS(config.CentrePass(r.state))); err != nil {
		t.Fatal(err)
	}
	other := thief.start(r.conf).healthy()
	other.ticket(false)
	other.sent()
	d.until("the alarm of the copy", func() bool {
		d.ticket(false)
		<-time.After(100 * time.Millisecond)
		return strings.Contains(c.page("/"), "identity: two journals go on side by side") && strings.Contains(c.page("/alarms"), "two journals go on side by side")
	})
	c.submit("/revoke", url.Values{"hall": {"small"}, "device": {r.box.Device}, "why": {"its key was copied"}})
	for _, p := range []*process{d, other} {
		p.ticket(false)
		p.until("the door to be shut", func() bool { return strings.Contains(p.health(), "revoked") })
		if !strings.HasPrefix(p.health(), "ok\n") {
			t.Errorf("without the centre it is not well: %s", p.health())
		}
	}
	r.enrol()
	d.ticket(false)
	d.sent()
	other.ticket(false)
	d.stop()
	other.stop()
	if !strings.Contains(other.log.String(), "revoked") || !regexp.MustCompile(`"from":"127\.0\.0\.1:\d+".*"status":403`).MatchString(c.log.String()) {
		t.Error("a log does not say that the thief was refused, or where he is")
	}
	c.same(r.state, r.conf)
}

// Strangers, liars and the slow speak to the real centre while a box works. Each is
// refused with a reason, what needs somebody is on the fleet page, and the box does
// not notice.
func TestForgersAreRefused(t *testing.T) {
	t.Parallel()
	r := newReporter(t)
	c := r.centre
	r.enrol()
	d := r.work()
	d.ticket(false)
	d.sent()
	c.signIn()
	dir := t.TempDir()
	pass, err := central.Enrol(t.Context(), dir, c.tool("enrol-code", "small", "k9", "box"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	closed := c.slowReader(pass)
	c.certificates(pass)
	d.ticket(false)
	c.lies(pass)
	d.ticket(false)
	c.renewed(dir)
	if n := c.number("longcheng_faults_total"); n != "0" {
		t.Errorf("%s requests ended in an internal error", n)
	}
	d.until("the alarm of the forged journal", func() bool {
		return strings.Contains(c.page("/alarms"), "event 5 contradicts") && strings.Contains(c.page("/"), "event 5 contradicts")
	})
	d.until("the end of the slow reader", closed)
	d.sent()
	d.stop()
	c.has(r.state, r.conf)
}

// slowReader asks for messages that it never reads, and returns what tells whether
// the centre has dropped it.
func (c *testCentre) slowReader(p *central.Pass) func() bool {
	c.t.Helper()
	alone := c.number("longcheng_boxes_connected")
	conn, err := tls.Dial("tcp", c.boxes, p.TLS())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET %s/messages/k9 HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\nLast-Event-Id: 0.0\r\n\r\n", central.Base, c.boxes)
	eventually(c.t, "the reader", func() bool { return c.number("longcheng_boxes_connected") != alone })
	body, _ := json.Marshal(strings.Repeat("x", 900_000))
	c.look(func(s *store.Store) error {
		for range 20 { // more than sockets hold
			if _, err := s.Send(c.t.Context(), store.Device{Hall: "small", Device: "k9"}, central.Message{Stream: central.Documents, Name: "noise", Body: body}); err != nil {
				return err
			}
		}
		return nil
	})
	return func() bool { return c.number("longcheng_boxes_connected") == alone }
}

// certificates are presented that are another authority's, over, or nobody's.
func (c *testCentre) certificates(good *central.Pass) {
	c.t.Helper()
	open := func(dir string, now func() time.Time) *ca.Authority {
		a, err := ca.Open(dir, now)
		if err != nil {
			c.t.Fatal(err)
		}
		return a
	}
	id := central.Identity{Hall: "small", Device: "k9", Role: "box"}
	past := open(c.state, func() time.Time { return time.Now().Add(-ca.Life - time.Hour) })
	for name, x := range map[string]struct {
		cert tls.Certificate
		want string
	}{
		"self-made": {c.signed(open(c.t.TempDir(), time.Now), id), "tls: "},
		"over":      {c.signed(past, id), "tls: "},
		"none":      {tls.Certificate{}, "a certificate of this centre is needed"},
	} {
		conf := good.TLS()
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &x.cert, nil }
		transport := &http.Transport{TLSClientConfig: conf}
		client, err := central.NewClient(good.Address(), transport)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := client.Stand(c.t.Context(), kiosk.Origin{Device: "k9", Epoch: 7}); err == nil || !strings.Contains(err.Error(), x.want) {
			c.t.Errorf("%s: %v", name, err)
		}
		transport.CloseIdleConnections()
	}
}

// signed makes a key and has it signed.
func (c *testCentre) signed(a *ca.Authority, id central.Identity) tls.Certificate {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		c.t.Fatal(err)
	}
	s, err := a.Sign(csr, id)
	if err != nil {
		c.t.Fatal(err)
	}
	block, _ := pem.Decode(s.PEM)
	return tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
}

// renewed renews a certificate of which a third is over, and is let in with it.
func (c *testCentre) renewed(dir string) {
	c.t.Helper()
	p, err := central.OpenPass(dir, func() time.Time { return time.Now().Add(ca.Life/3 + time.Hour) })
	if err != nil {
		c.t.Fatal(err)
	}
	transport := p.Transport()
	defer transport.CloseIdleConnections()
	client, err := central.NewClient(p.Address(), transport)
	if err != nil {
		c.t.Fatal(err)
	}
	first := p.Identity().Serial
	if renewed, err := p.Keep(c.t.Context(), client); !renewed || err != nil || p.Identity().Serial == first {
		c.t.Errorf("renewed at a third: %v, %v", renewed, err)
	}
	transport.CloseIdleConnections() // the next one shows the new certificate
	if a, err := client.Stand(c.t.Context(), kiosk.Origin{Device: "k9", Epoch: 7}); err != nil || a.Through != 5 {
		c.t.Errorf("with the renewed certificate: through %d, %v", a.Through, err)
	}
}

// nothing is a body of zeros without end.
type nothing struct{ taken atomic.Int64 }

// Read gives zeros.
func (n *nothing) Read(p []byte) (int, error) {
	clear(p)
	n.taken.Add(int64(len(p)))
	return len(p), nil
}

// packed is a batch as it is sent.
func packed(events []kiosk.Event) []byte {
	var b bytes.Buffer
	_ = central.Batch{Events: events}.Encode(&b) // into memory
	return b.Bytes()
}

// push sends a body as a batch, and returns the status and the code of the answer.
func push(client *http.Client, address string, body io.Reader) (string, error) {
	req, err := http.NewRequest(http.MethodPost, address, body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Encoding", "gzip")
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var said central.Problem
	_ = json.NewDecoder(res.Body).Decode(&said) // an answer that is no problem has no code
	return fmt.Sprint(res.StatusCode, " ", said.Code), nil
}

// lies are told by a box that is known.
func (c *testCentre) lies(p *central.Pass) {
	c.t.Helper()
	transport := p.Transport()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	j := centraltest.NewJournal("k9", 7, 20)
	path := central.Base + "/journals/k9/7/events"
	truth, broken, past := j.Slice(1, 5), j.Slice(1, 8), j.Slice(5, 5)
	broken[5].Body = []byte(`{"forged":true}`)
	past[0].Body = broken[5].Body
	past[0].Hash = past[0].Chain(truth[3].Hash)
	for _, x := range []struct {
		what, path string
		events     []kiosk.Event
		want       string // status and code
	}{
		{"the truth", path, truth, "200 "},
		{"a replay", path, truth, "200 "},
		{"a second replay", path, truth, "200 "},
		{"a gap", path, j.Slice(9, 12), "409 gap"},
		{"a broken chain", path, broken, "409 broken"},
		{"another past", path, past, "409 conflict"},
		{"another device's journal", central.Base + "/journals/kiosk-1/7/events", truth, "403 device"},
		{"a version of the future", "/sync/v9/journals/k9/7/events", truth, "404 version"},
	} {
		if got, err := push(client, p.Address()+x.path, bytes.NewReader(packed(x.events))); err != nil || got != x.want {
			c.t.Errorf("%s: %s, %v, want %s", x.what, got, err, x.want)
		}
	}
	n := &nothing{}
	got, err := push(client, p.Address()+path, io.LimitReader(n, 1<<30))
	if err == nil && got != "413 too_large" || n.taken.Load() > 64<<20 { // an error: it was cut off while it still sent
		c.t.Errorf("a gigabyte: %s, %v, %d bytes were taken", got, err, n.taken.Load())
	}
	if kept := len(c.events(j.Origin())); kept != 5 {
		c.t.Errorf("the centre keeps %d events of it, want 5", kept)
	}
}
