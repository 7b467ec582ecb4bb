package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"slices"
	"strings"
	"testing"

	"longcheng/cmd/internal/workshop"
	"longcheng/cmd/kiosksim/sim/sam"
)

// bench reads what the technician's page is told first.
func (d *process) bench() (all map[string]workshop.Device) {
	d.t.Helper()
	res, err := d.http.Get(d.url + "/technician/box/events")
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var s struct{ Devices []workshop.Device }
		if err := json.Unmarshal(data, &s); err != nil {
			d.t.Fatal(err)
		}
		all = map[string]workshop.Device{}
		for _, x := range s.Devices {
			all[x.Device.Device] = x
		}
		return all
	}
	d.t.Fatalf("no event: %v", res.Status)
	return nil
}

// try runs a test on the page.
func (d *process) try(device string, n int) (ok bool, text string) {
	d.t.Helper()
	status, body := d.answer("POST", "/technician/box/test", "", map[string]any{"device": device, "test": n})
	var said struct {
		OK   bool
		Text struct{ EN string }
	}
	if err := json.Unmarshal(body, &said); err != nil || status != http.StatusOK {
		d.t.Fatalf("try %s: %d %s", device, status, body)
	}
	return said.OK, said.Text.EN
}

// asTechnician is a daemon on the small hall whose technician has signed in.
func (r *rig) asTechnician() *process {
	r.t.Helper()
	d := r.start(smallHall).healthy()
	if status, _ := d.answer("GET", "/technician/box/", "text/html", nil); status != http.StatusUnauthorized && status != http.StatusForbidden {
		r.t.Fatalf("everybody sees the page: %d", status)
	}
	d.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	d.must("session", map[string]any{"user": "supervisor", "secret": "1234"})
	d.until("devices that are ready", func() bool {
		all := d.bench()
		return all["printer printer-1"].State == ready && all["strip:1"].State == ready && all["reader reader-1"].State == ready
	})
	return d
}

// On the running daemon a test slip comes out, a strip lights, a fault has the
// doctor's words, and a daemon whose page is open stops cleanly.
func TestTechnicianTriesDevices(t *testing.T) {
	r := newRig(t, 1000)
	d := r.asTechnician()
	if ok, text := d.try("printer printer-1", 0); !ok {
		t.Errorf("test slip: %s", text)
	}
	d.slips(r, 1)
	if ok, text := d.try("strip:1", 0); !ok {
		t.Errorf("light a strip: %s", text)
	}
	if ok, _ := d.try("printer printer-1", 7); ok {
		t.Error("a test that does not exist was run")
	}
	d.ticket(true) // the test slip has left nothing behind that a ticket stumbles over
	d.slips(r, 2)
	r.printer.Cover(true)
	d.until("the doctor's words", func() bool {
		p := d.bench()["printer printer-1"]
		return p.Fault == "cover-open" && p.Remedy.ZH == "合上盖直到听到咔嗒声。"
	})
	if status, body := d.answer("POST", "/technician/box/examine", "", map[string]any{}); status != http.StatusOK || !bytes.Contains(body, []byte(`"cover-open"`)) {
		t.Errorf("examine: %d %s", status, body)
	}
	res, err := d.http.Get(d.url + "/technician/box/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	d.stop()
}

// What a card said is never shown, nor a password; another site can do nothing.
func TestTechniciansPageKeepsSecrets(t *testing.T) {
	r := newRig(t, 1000)
	d := r.asTechnician()
	r.reader.Place(sam.Person{Name: "张三丰", Sex: "1", Nation: "01", Birth: "19900101", Address: "x", Number: "11010519491231002X", Issuer: "y", From: "20200101", Until: "20400101"}, sam.Good)
	d.until("bytes of a card", func() bool { w := d.bench()["reader reader-1"].Wire; return w != nil && w.Read > 1000 })
	all := d.bench()
	for _, p := range all["reader reader-1"].Tail {
		if p.Hex != "" || p.Text != "" {
			t.Fatalf("the page shows what the reader said: %+v", p)
		}
	}
	status := func(p workshop.Piece) bool { return p.Out && strings.HasPrefix(p.Hex, "10 04") }
	if p := all["printer printer-1"]; len(all["reader reader-1"].Tail) == 0 || p.Wire == nil || !slices.ContainsFunc(p.Tail, status) {
		t.Errorf("nothing passed: %+v", p)
	}
	for _, short := range []string{"/technician", "/technician/"} {
		if status, body := d.answer("GET", short, "text/html", nil); status != http.StatusOK || !bytes.Contains(body, []byte("workshop.js")) {
			t.Errorf("%s leads to %d %.200s", short, status, body)
		}
	}
	if status, body := d.answer("GET", "/technician/box/settings", "", nil); status != http.StatusOK || bytes.Contains(body, []byte("argon2id")) || !bytes.Contains(body, []byte("printer[0].baud")) {
		t.Errorf("settings: %d %.300s", status, body)
	}
	if status, _ := d.answer("POST", "/technician/box/bundle", "", map[string]any{}); status != http.StatusConflict {
		t.Errorf("a bundle for nobody: %d", status)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "POST", d.url+"/technician/box/test", strings.NewReader("{}"))
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := d.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("another site may use the page: %s", res.Status)
	}
}

// Who pauses a printer is not told for the length of a slip that it is ready.
func TestAPauseIsSeenAtOnce(t *testing.T) {
	r := newRig(t, 0.1)
	d := r.start(smallHall).healthy()
	d.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	d.must("session", map[string]any{"user": "supervisor", "secret": "1234"})
	d.ticket(true)
	d.until("a slip on its way", func() bool { return !r.taps.lastByte().IsZero() && !r.taps.idle() })
	for _, press := range []string{"pause", "resume"} {
		if code, text := d.answer("POST", "/technician/printers/printer-1/"+press, "", map[string]any{}); code != http.StatusOK {
			t.Fatalf("%s: %d %s", press, code, text)
		}
		line := regexp.MustCompile(`(?m)^device  printer printer-1 .*$`).FindString(d.health())
		if strings.Contains(line, "printer is paused") != (press == "pause") {
			t.Errorf("after %s: %q", press, line)
		}
	}
}
