package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/centraltest"
	"longcheng/central/store"
	"longcheng/kiosk"
)

// hostile posts a body as a box that is known, and returns the code it got.
func (c *centre) hostile(client *http.Client, path string, body io.Reader) (status int, code string) {
	c.t.Helper()
	r, err := http.NewRequest("POST", "https://"+c.addr+path, body)
	must(c.t, err)
	r.Header.Set("Content-Encoding", "gzip")
	res, err := client.Do(r)
	must(c.t, err)
	defer res.Body.Close()
	var p central.Problem
	must(c.t, json.NewDecoder(res.Body).Decode(&p))
	return res.StatusCode, p.Code
}

func zipped(text string) io.Reader {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return &b
}

func batch(events ...kiosk.Event) io.Reader {
	var b bytes.Buffer
	central.Batch{Events: events}.Encode(&b)
	return &b
}

// endless is a body that does not end.
type endless struct{ sent int }

func (e *endless) Read(p []byte) (int, error) {
	e.sent += len(p)
	return len(p), nil
}

// Whatever a known box sends, it is refused with a reason, and others are not
// disturbed.
func TestLiesAreRefused(t *testing.T) {
	c := newCentre(t)
	tr := c.box("h1", "k1", "box").Transport()
	t.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr}
	honest := centraltest.NewJournal("k2", 7, 500)
	x := ship(t, honest, c.client(c.box("h1", "k2", "box"), nil))

	j := centraltest.NewJournal("k1", 7, 501)
	all := j.Slice(1, 501)
	hole, zero, short := j.Slice(1, 3), j.Slice(1, 1), j.Slice(1, 1)
	hole[2].Seq, zero[0].Seq, short[0].Hash = 9, 0, short[0].Hash[:31]
	big := j.Slice(1, 1)
	big[0].Body = []byte(`"` + strings.Repeat("x", central.MaxField) + `"`)
	nul := j.Slice(1, 1)
	nul[0].Request = "a\x00b"
	path := central.Base + "/journals/k1/7/events"
	gigabyte := &endless{}
	cases := map[string]struct {
		path   string
		body   io.Reader
		status int
		code   string
	}{
		"gap":              {path, batch(all[5:9]...), 409, "gap"},
		"hole":             {path, batch(hole...), 400, "batch"},
		"seq 0":            {path, batch(zero...), 400, "batch"},
		"501 events":       {path, batch(all...), 400, "batch"},
		"nothing":          {path, batch(), 400, "batch"},
		"microseconds":     {path, zipped(`{"events":[{"seq":1,"at":"2026-01-01T00:00:00.0001Z","kind":"x","body":1,"hash":"` + strings.Repeat("A", 43) + `="}]}`), 400, "event"},
		"short hash":       {path, batch(short...), 400, "event"},
		"huge body":        {path, batch(big...), 400, "event"},
		"zero byte":        {path, batch(nul...), 400, "event"},
		"no gzip":          {path, strings.NewReader(`{"events":[]}`), 400, "gzip"},
		"cut off":          {path, io.LimitReader(batch(all[:9]...), 100), 400, "gzip"},
		"no json":          {path, zipped("events"), 400, "json"},
		"deep":             {path, zipped(`{"events":` + strings.Repeat("[", 100_000)), 400, "json"},
		"wrong types":      {path, zipped(`{"events":[{"seq":"1"}]}`), 400, "json"},
		"a gigabyte":       {path, io.LimitReader(gigabyte, 1<<30), 413, "too_large"},
		"a bomb":           {path, zipped(strings.Repeat(" ", central.MaxPlain+1)), 413, "too_large"},
		"another device":   {central.Base + "/journals/k2/7/events", batch(all[:9]...), 403, "device"},
		"no epoch":         {central.Base + "/journals/k1/-7/events", batch(all[:9]...), 400, "epoch"},
		"the future":       {"/sync/v2/journals/k1/7/events", batch(all[:9]...), 404, "version"},
		"huge enrolment":   {central.Base + "/enrol", io.LimitReader(&endless{}, 1<<20), 413, "too_large"},
		"ack of nothing":   {central.Base + "/messages/k1/acks", strings.NewReader(`{"stream":"commands","number":9,"ok":true}`), 409, "gap"},
		"unknown stream":   {central.Base + "/messages/k1/acks", strings.NewReader(`{"stream":"x","number":9,"ok":true}`), 400, "stream"},
		"garbage renewal":  {central.Base + "/renew", strings.NewReader(`{"csr":"AAAA"}`), 400, "csr"},
		"odd relay target": {central.Base + "/journals/%00/7/events", batch(all[:9]...), 403, "device"},
	}
	for name, h := range cases {
		if status, code := c.hostile(client, h.path, h.body); status != h.status || code != h.code {
			t.Errorf("%s: %d %s, want %d %s", name, status, code, h.status, h.code)
		}
	}
	if gigabyte.sent > 64<<20 {
		t.Errorf("%d bytes of the gigabyte were taken", gigabyte.sent)
	}
	a, err := c.store.Stand(t.Context(), store.Origin{Hall: "h1", Origin: j.Origin()})
	if err != nil || a.Through != 0 {
		t.Errorf("a lie was kept: through %d, %v", a.Through, err)
	}
	shipped(t, x, 500)
	c.whole(honest)
}

// A captured batch that is sent again and again changes nothing.
func TestReplayChangesNothing(t *testing.T) {
	c := newCentre(t)
	client := c.client(c.box("h1", "k1", "box"), nil)
	j := centraltest.NewJournal("k1", 7, 300)
	for range 20 {
		for at := 0; at < 300; at += 100 {
			if _, err := client.Push(t.Context(), j.Origin(), central.Batch{Events: j.Slice(at+1, at+100)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.whole(j)
}

// frozen stops the clock, so that no bucket fills while a slow machine works.
func frozen(o *Options) {
	at := time.Now()
	o.Now = func() time.Time { return at }
}

// A flood is turned away, and others do not notice.
func TestFloodIsTurnedAway(t *testing.T) {
	c := newCentre(t, frozen, func(o *Options) { o.Rate = 5 })
	flood, other := c.client(c.box("h1", "k1", "box"), nil), c.client(c.box("h1", "k2", "box"), nil)
	refused := 0
	for range 100 {
		if code(stand(t, flood, "k1")) == central.CodeBusy {
			refused++
		}
	}
	if refused != 90 { // 10 at once
		t.Errorf("%d of 100 requests were turned away", refused)
	}
	wants(t, "another box", stand(t, other, "k2"), "none")
}

// Too much is turned away like too often; what was said before counts.
func TestTooMuchIsTurnedAway(t *testing.T) {
	c := newCentre(t, frozen, func(o *Options) { o.Rate = 5 }) // 50 KiB a second, 1.6 MiB at once
	client := c.client(c.box("h1", "k1", "box"), nil)
	var noise [700 << 10]byte
	rand.Read(noise[:])
	j := centraltest.NewJournal("k1", 7, 0)
	got := ""
	for n := 1; n <= 3; n++ {
		j.AppendRaw("noise", `"`+base64.StdEncoding.EncodeToString(noise[:])+`"`)
		_, err := client.Push(t.Context(), j.Origin(), central.Batch{Events: j.Slice(n, n)})
		got += code(err) + " "
	}
	if got != "none none busy " {
		t.Errorf("three large batches: %s", got)
	}
	a, err := c.store.Stand(t.Context(), store.Origin{Hall: "h1", Origin: j.Origin()})
	if err != nil || a.Through != 2 {
		t.Errorf("through %d, %v", a.Through, err)
	}
}

// A box that does not read what it asked for is dropped; the rest hears on.
func TestSlowReaderIsDropped(t *testing.T) {
	t.Parallel()
	c := newCentre(t, func(o *Options) { o.Slow = 300 * time.Millisecond })
	p := c.box("h1", "k1", "box")
	conf := p.TLS()
	conn, err := tls.Dial("tcp", c.addr, conf)
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s/messages/k1 HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\nLast-Event-Id: 0.0\r\n\r\n", central.Base, c.addr)
	soon(t, "the reader", func() bool { return c.srv.count.Connected.Load() == 1 })
	d := &desk{}
	body, _ := json.Marshal(strings.Repeat("x", 500_000))
	for range 40 { // 20 MB: more than sockets hold
		_, err := c.store.Send(t.Context(), store.Device{Hall: "h1", Device: "k1"}, central.Message{Stream: central.Documents, Name: "hall", Body: body})
		must(t, err)
	}
	soon(t, "the end of the slow reader", func() bool { return c.srv.count.Connected.Load() == 0 })
	listen(t, d, c.client(p, nil))
	soon(t, "the messages", func() bool { at, _ := d.Position(context.Background()); return at.Documents == 40 })
}

// Who begins a request and does not finish it is cut off.
func TestSlowSenderIsCutOff(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	h, err := c.srv.Boxes()
	must(t, err)
	if h.ReadHeaderTimeout <= 0 || h.ReadHeaderTimeout > 10*time.Second || h.ReadTimeout <= 0 || h.ReadTimeout > 2*time.Minute || h.WriteTimeout <= 0 || h.IdleTimeout <= 0 || h.MaxHeaderBytes > 64<<10 {
		t.Errorf("limits %+v", h)
	}
	conn, err := tls.Dial("tcp", c.addr, c.box("h1", "k1", "box").TLS())
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s/journals/k1/7 HTTP/1.1\r\nX: ", central.Base)
	must(t, conn.SetReadDeadline(time.Now().Add(h.ReadHeaderTimeout+20*time.Second)))
	if b, err := io.ReadAll(conn); err != nil || len(b) > 0 && !bytes.HasPrefix(b, []byte("HTTP/1.1 4")) {
		t.Errorf("%q, %v", b, err)
	}
}
