//go:build doctor

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	standing "longcheng/cmd/internal/status"
	"longcheng/cmd/kiosksim/sim/onbonpixel"
	"longcheng/cmd/kiosksim/sim/port"
)

// ills are what is not right from the start: a pin that no board has, a door that
// stands open, a centre that nobody was enrolled at, a strip of another model than the
// configuration says.
const ills = `
[centre]
address = "127.0.0.1:1"

[[button]]
name = "button-2"
input = "gpio:NONE99"
item = "social-card"

[[switch]]
name = "cabinet"
kind = "door"
input = "board1:5"

[[line]]
name = "line-2"
port = "ports/line-2"
baud = 57600

[[strip]]
name = "3"
line = "line-2"
driver = "onbon-pixel"
model = "bx-5e1"
address = 3
width = 64
height = 16
window = "1"
`

// ailing is the small hall's document with these, and with a voice whose program fails.
func ailing(t *testing.T) string {
	t.Helper()
	file, _ := edited(t, "kioskd.toml", "[[voice]]", `driver = "transcript"`, "driver = \"command\"\ncommand = \"/bin/false\"")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(text, ills...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// otherModel hangs a strip of two colours on the second line.
func (r *rig) otherModel() {
	r.t.Helper()
	cable, err := port.Open(filepath.Join(r.state, "ports", "line-2"))
	if err != nil {
		r.t.Fatal(err)
	}
	line := onbonpixel.New(cable, face16(), onbonpixel.Config{Name: "3", Address: 3, TwoColour: true})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = cable.Run(ctx, line.Receive) })
	r.t.Cleanup(func() { cancel(); wg.Wait(); cable.Close() })
}

// diagnosis is what the doctor finds with the running daemon, as kioskctl asks it:
// the place of each fault.
func (d *process) diagnosis(state, conf string) map[string]string {
	d.t.Helper()
	p := doctor.Patient{Config: conf, State: state, Version: "another"}
	p.Status, p.Asked = standing.Ask(d.t.Context(), strings.TrimPrefix(d.url, "http://"))
	found := map[string]string{}
	for _, f := range doctor.Examine(d.t.Context(), p) {
		found[f.ID] += f.On + ";"
	}
	return found
}

// finds waits until the doctor has found each fault in its place.
func (d *process) finds(state, conf string, want map[string]string) {
	d.t.Helper()
	for id, on := range want {
		d.until("the doctor to find "+id, func() bool { return strings.Contains(d.diagnosis(state, conf)[id], on+";") })
	}
}

// What is wrong with the hardware reaches the doctor through the running daemon:
// the simulated devices really do it, on the wire. That the daemon and the devices
// themselves have the ports open is no fault.
func TestTheDoctorHearsTheDaemon(t *testing.T) {
	r, conf := newRig(t, 1000), ailing(t)
	r.otherModel()
	if err := os.WriteFile(filepath.Join(r.state, announceFile), []byte("[{"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := r.start(conf)
	r.board.Press(0, true)
	d.until("strips that are ready", func() bool { return r.line.Card("1").Text() != "" && r.line.Card("2").Text() != "" })
	d.finds(r.state, conf, map[string]string{
		"pin-missing": "button button-2", "wall-browser": "wall:main", "door-open": "door cabinet", "not-enrolled": "centre", "strip-refused": "strip:3",
		"announcements-broken": "announcements",
	})
	if busy, ok := d.diagnosis(r.state, conf)["port-busy"]; ok {
		t.Errorf("in use by the daemon, as it should be, and called busy: %s", busy)
	}

	r.cables["scanner-1"].Unplug()
	d.ticket(true)
	d.open("1")
	d.must("windows/1/next", map[string]any{})
	d.finds(r.state, conf, map[string]string{"device-gone": "scanner scanner-1", "voice-silent": "voice:hall"})

	r.line.Card("2").Readdress(1)
	d.must("windows/1/state", map[string]any{"desk": "paused"}) // the strip has something to show at once
	d.finds(r.state, conf, map[string]string{"strip-doubled": "strip:1"})
	d.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	d.must("session", map[string]any{"user": "1002", "secret": "1234", "window": "2"})
	d.must("windows/2/state", map[string]any{"desk": "open"})
	d.finds(r.state, conf, map[string]string{"strip-silent": "strip:2"}) // nobody has that address now

	r.printer.Clog(true)
	d.finds(r.state, conf, map[string]string{"printer-error": "printer printer-1"})
	r.printer.Clog(false)
	d.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	d.must("session", map[string]any{"user": "supervisor", "secret": "1234"})
	if code, text := d.answer("POST", "/technician/printers/printer-1/pause", "", map[string]any{}); code != 200 {
		t.Fatalf("pause: %d %s", code, text)
	}
	d.finds(r.state, conf, map[string]string{"printer-paused": "printer printer-1", "button-stuck": "button button-1"})
	d.stop()

	r.offset = -72 * time.Hour // the battery of the clock is empty
	r.start(conf).finds(r.state, conf, map[string]string{"clock-alarm": ""})
}

// signs are three windows' signs behind programs of somebody else: one answers after
// longer than a call may take, one says what only its maker understands, one does not
// stay.
const signs = `
[[strip]]
name = "slow"
driver = "external"
command = ['%[1]s', '2', '"ok":true']
window = "1"

[[strip]]
name = "odd"
driver = "external"
command = ['%[1]s', '0', '"error":"E17"']
window = "1"

[[strip]]
name = "gone"
driver = "external"
command = ["/bin/false"]
window = "1"
`

// signProgram answers each state after so many seconds with that.
const signProgram = `#!/bin/sh
while read -r line; do
	n=${line#*:}
	sleep "$1"
	echo "{\"seq\":${n%%,*},$2}"
done
`

// What is wrong with programs of somebody else.
func TestTheDoctorHearsPrograms(t *testing.T) {
	r := newRig(t, 1000)
	conf, _ := edited(t, "kioskd.toml", "", "", "")
	program := filepath.Join(t.TempDir(), "sign")
	text, err := os.ReadFile(conf)
	err = errors.Join(err, os.WriteFile(conf, fmt.Appendf(text, signs, program), 0o600), os.WriteFile(program, []byte(signProgram), 0o700))
	if err != nil {
		t.Fatal(err)
	}
	d := r.start(conf)
	d.finds(r.state, conf, map[string]string{"program-ended": "program /bin/false"})
	d.finds(r.state, conf, map[string]string{"device-trouble": "strip:odd"})
	d.ticket(false)
	d.open("1")
	d.must("windows/1/next", map[string]any{})
	d.finds(r.state, conf, map[string]string{"calls-late": "strip:slow late"})
	if on := d.diagnosis(r.state, conf)["device-trouble"]; strings.Contains(on, "slow") {
		t.Errorf("a sign that is only slow is said to fail: %s", on)
	}
}

// The disk is full, whoever filled it: the store cannot be written.
func TestTheDoctorHearsAFullDisk(t *testing.T) {
	r := &rig{t: t, state: t.TempDir()}
	conf, _ := edited(t, "kioskd.toml", "[[touch]]", `printer = "printer-1"`, "")
	d := r.inMemory("size=30m")(conf).healthy()
	d.open("1") // at the desk nobody is slowed down
	d.until("a store that cannot be written", func() bool {
		r.fill()
		time.Sleep(100 * time.Millisecond)
		for status := http.StatusOK; status == http.StatusOK; { // until the log of the store has no room of its own left
			status, _ = d.answer("POST", "/api/v1/tickets", "", map[string]any{"kiosk": "touch-1", "item": "social-card"})
		}
		return strings.Contains(d.health(), "database or disk is full")
	})
	d.finds(r.state, conf, map[string]string{"kioskd-failing": ""})
	d.finds(r.state, conf, map[string]string{"disk-full": r.state})
}

// A box was tested as the handbook says, and is not good: nobody has enrolled it.
func TestTheDoctorHearsTheTechnician(t *testing.T) {
	r := newRig(t, 1000)
	conf, _ := edited(t, "kioskd.toml", "", "", "")
	text, err := os.ReadFile(conf)
	head, _, _ := strings.Cut(string(text), "[[printer]]")
	if err = errors.Join(err, os.WriteFile(conf, []byte(head+"[centre]\naddress = \"127.0.0.1:1\"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	ctl := filepath.Join(t.TempDir(), "kioskctl")
	if said, err := exec.Command("go", "build", "-o", ctl, "../kioskctl").CombinedOutput(); err != nil {
		t.Fatalf("build kioskctl: %v: %s", err, said)
	}
	if said, err := exec.Command(ctl, "accept", "--config", conf, "--state", r.state, "--by", "lin").CombinedOutput(); err == nil {
		t.Fatalf("the box is accepted: %s", said)
	}
	r.start(conf).finds(r.state, conf, map[string]string{"not-accepted": "acceptance"})
}

// The centre publishes a hall document without a queue where somebody waits; later it
// revokes the box.
func TestTheDoctorHearsTheCentre(t *testing.T) {
	r := newReporter(t)
	r.enrol()
	r.centre.signIn()
	d := r.work()
	d.ticket(false)
	d.sent()
	text := strings.NewReplacer(`["social", "estate"]`, `["estate"]`, `queue = "social"`, `queue = "estate"`).Replace(
		regexp.MustCompile(`(?s)\[\[queue\]\]\nid = "social".*?\n\n`).ReplaceAllString(smallText(t, "", ""), ""))
	body, err := json.Marshal(central.HallDocument{Publication: 1, Version: 2, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	r.centre.sendDocument(r.box.Device, central.NameHall, string(body))
	d.finds(r.state, r.conf, map[string]string{"document-held": "hall document"})
	r.centre.submit("/revoke", url.Values{"hall": {"small"}, "device": {r.box.Device}, "why": {"a test"}})
	d.ticket(false)
	d.finds(r.state, r.conf, map[string]string{"centre-refused": "centre"})
}

// A stand-in dies and comes back, its host dies, and finds the stand-in in its place.
func TestTheDoctorHearsTheStandIn(t *testing.T) {
	h := newSeveralHall(t)
	d1 := h.join("display.toml", "display-1")
	inStep := func() bool { return d1.stands(standinName) == ready && h.host.stands(standinName) == ready }
	d1.until("the stand-in to be in step", inStep)
	d1.kill()
	h.host.finds(h.host.state, h.host.conf, map[string]string{"stand-in-behind": "stand-in"})
	d1.start().until("the stand-in to be in step", inStep)
	h.host.kill()
	d1.finds(d1.state, d1.conf, map[string]string{"stand-in-behind": "stand-in", "host-unreachable": "hall host"})
	if err := os.WriteFile(config.PromoteFile(d1.state), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d1.until("the stand-in to host", func() bool { return d1.stands(standinName) == "" && d1.hostState() == ready })
	h.host.start().finds(h.host.state, h.host.conf, map[string]string{"host-replaced": "hall host"})
}

// built is a daemon of a version that was made at a second.
func built(t *testing.T, version string, made int) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "kioskd")
	said, err := exec.Command("go", "build", "-ldflags", fmt.Sprintf("-X main.version=%s -X main.made=%d", version, made), "-o", bin, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build kioskd: %v: %s", err, said)
	}
	return bin
}

// A box has joined a host that was updated without it; another has a hall document with
// a queue that the host does not know, and gets no numbers for it.
func TestTheDoctorHearsTheHost(t *testing.T) {
	h := &severalHall{t: t, dir: t.TempDir(), at: freePort(t), then: freePort(t)}
	h.host = h.box("host.toml", "host")
	h.host.bin = built(t, "after", 1_800_000_000)
	h.host.start().healthy()
	k := h.box("kiosk.toml", "kiosk-1")
	k.bin = built(t, "before", 1_700_000_000)
	h.enrol(k)
	k.start().joined()
	k.finds(k.state, k.conf, map[string]string{"version-older": "", "tool-differs": ""})

	other := h.box("kiosk.toml", "kiosk-2")
	other.edit(`prefix = "A"`, `prefix = "Z"`)
	h.enrol(other)
	other.start().finds(other.state, other.conf, map[string]string{"host-reserve": "hall host"})
}

// edit gives a box a hall document of its own, with one change.
func (m *member) edit(old, with string) {
	m.t.Helper()
	hall := filepath.Join(m.t.TempDir(), "hall.toml")
	for from, to := range map[string]string{"../../deploy/halls/small/hall.toml": hall, m.conf: m.conf} {
		text, err := os.ReadFile(from)
		if err != nil {
			m.t.Fatal(err)
		}
		text = regexp.MustCompile(`(?m)^hall = .*$`).ReplaceAll(bytes.Replace(text, []byte(old), []byte(with), 1), fmt.Appendf(nil, "hall = %q", hall))
		if err := os.WriteFile(to, text, 0o600); err != nil {
			m.t.Fatal(err)
		}
	}
}
