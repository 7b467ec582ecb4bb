//go:build doctor

package main

import (
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/internal/doctor"
	standing "longcheng/cmd/internal/status"
)

// ailing is the small hall's document with a pin that no board has and a voice
// whose program fails.
func ailing(t *testing.T) string {
	t.Helper()
	file, _ := edited(t, "kioskd.toml", "[[voice]]", `driver = "transcript"`, "driver = \"command\"\ncommand = \"/bin/false\"")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(text, "\n[[button]]\nname = \"button-2\"\ninput = \"gpio:NONE99\"\nitem = \"social-card\"\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// diagnosis is what the doctor finds with the running daemon, as kioskctl asks it:
// the place of each fault.
func (d *process) diagnosis(r *rig, conf string) map[string]string {
	d.t.Helper()
	p := doctor.Patient{Config: conf, State: r.state}
	p.Status, p.Asked = standing.Ask(d.t.Context(), strings.TrimPrefix(d.url, "http://"))
	found := map[string]string{}
	for _, f := range doctor.Examine(d.t.Context(), p) {
		found[f.ID] += f.On + ";"
	}
	return found
}

// finds waits until the doctor has found each fault in its place.
func (d *process) finds(r *rig, conf string, want map[string]string) {
	d.t.Helper()
	for id, on := range want {
		d.until("the doctor to find "+id, func() bool { return strings.Contains(d.diagnosis(r, conf)[id], on+";") })
	}
}

// What is wrong with the hardware reaches the doctor through the running daemon:
// the simulated devices really do it, on the wire. That the daemon and the devices
// themselves have the ports open is no fault.
func TestTheDoctorHearsTheDaemon(t *testing.T) {
	r, conf := newRig(t, 1000), ailing(t)
	d := r.start(conf)
	d.until("strips that are ready", func() bool { return r.line.Card("1").Text() != "" && r.line.Card("2").Text() != "" })
	d.finds(r, conf, map[string]string{"pin-missing": "button button-2", "wall-browser": "wall:main"})
	if busy, ok := d.diagnosis(r, conf)["port-busy"]; ok {
		t.Errorf("in use by the daemon, as it should be, and called busy: %s", busy)
	}

	r.cables["scanner-1"].Unplug()
	d.ticket(true)
	d.open("1")
	d.must("windows/1/next", map[string]any{})
	d.finds(r, conf, map[string]string{"device-gone": "scanner scanner-1", "voice-silent": "voice:hall"})

	r.line.Card("2").Readdress(1)
	d.must("windows/1/state", map[string]any{"desk": "paused"}) // the strip has something to show at once
	d.finds(r, conf, map[string]string{"strip-doubled": "strip:1"})
	d.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	d.must("session", map[string]any{"user": "1002", "secret": "1234", "window": "2"})
	d.must("windows/2/state", map[string]any{"desk": "open"})
	d.finds(r, conf, map[string]string{"strip-silent": "strip:2"}) // nobody has that address now

	d.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	d.must("session", map[string]any{"user": "supervisor", "secret": "1234"})
	if code, text := d.answer("POST", "/technician/printers/printer-1/pause", "", map[string]any{}); code != 200 {
		t.Fatalf("pause: %d %s", code, text)
	}
	d.finds(r, conf, map[string]string{"printer-paused": "printer printer-1"})
	d.stop()

	r.offset = -72 * time.Hour // the battery of the clock is empty
	r.start(conf).finds(r, conf, map[string]string{"clock-alarm": ""})
}
