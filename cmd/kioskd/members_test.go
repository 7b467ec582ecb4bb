package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// A member is one box of a hall of several, as a real process.
type member struct {
	*process
	device, conf, state string
	bin                 string // the daemon; "": that of this commit
	offset              time.Duration
	at                  *namespace // nil: this machine's own network
}

// A severalHall is the three-box sample with real processes and certificates on
// this machine.
type severalHall struct {
	t      *testing.T
	dir    string
	at     string // of the host, for boxes
	then   string // of the stand-in, once it hosts
	host   *member
	places map[string]*namespace // by device; none: all on this machine's own network
}

// document copies one of the sample's documents with what differs here.
func (h *severalHall) document(sample, device string) string {
	h.t.Helper()
	text, err := os.ReadFile("../../deploy/halls/three/" + sample)
	if err != nil {
		h.t.Fatal(err)
	}
	hall, _ := filepath.Abs("../../deploy/halls/small/hall.toml")
	s := strings.NewReplacer(
		"../small/hall.toml", hall, "127.0.0.1:8443", h.at, "127.0.0.1:8444", h.then,
		`device = "kiosk-1"`, `device = "`+device+`"`,
		"printer = \"printer-1\"\n", "", "reader = \"reader-1\"\n", "", // no paper here
	).Replace(string(text))
	path := filepath.Join(h.dir, device+".toml")
	if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

func newSeveralHall(t *testing.T) *severalHall {
	h := &severalHall{t: t, dir: t.TempDir(), at: freePort(t), then: freePort(t)}
	h.host = h.box("host.toml", "host").start()
	h.host.healthy()
	return h
}

func (h *severalHall) box(sample, device string) *member {
	h.t.Helper()
	m := &member{device: device, conf: h.document(sample, device), state: filepath.Join(h.dir, device), at: h.places[device]}
	m.process = &process{t: h.t}
	if err := os.MkdirAll(filepath.Join(m.state, "ports"), 0o755); err != nil {
		h.t.Fatal(err)
	}
	return m
}

// start runs the box as systemd does.
func (m *member) start() *member {
	m.t.Helper()
	d := &process{t: m.t, name: m.device, bin: m.bin, listen: m.at.address(m.t, 8080), http: m.at.client()}
	m.process = d.run(m.at, nil, "-config", m.conf, "-state", m.state,
		"-clock-offset", (m.offset + awayFromMidnight()).String(), "-clock-steps", m.clock())
	return m
}

func (m *member) kill() {
	m.t.Helper()
	m.signal(syscall.SIGKILL)
	<-m.done
	m.http.CloseIdleConnections()
}

// join enrols a box with a code of the host and starts it.
func (h *severalHall) join(sample, device string) *member {
	h.t.Helper()
	m := h.box(sample, device)
	h.enrol(m)
	m.start().joined()
	return m
}

func (h *severalHall) enrol(m *member) {
	h.t.Helper()
	d, err := door.Open(h.host.state, "small", door.Names(h.at), time.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	role := "box"
	if m.device == "display-1" {
		role = door.StandinRole
	}
	code, err := d.NewCode(h.at, m.device, role)
	if err != nil {
		h.t.Fatal(err)
	}
	m.at.enrol(h.t, door.PassDir(m.state), code.String())
}

// host says how the hall's host stands, in the box's own words.
func (m *member) hostState() string {
	_, text := m.answer("GET", "/healthz", "application/json", nil)
	var d diagnosis
	if json.Unmarshal(text, &d) != nil {
		return ""
	}
	for _, r := range d.Devices {
		if r.Device == hostAway {
			return r.State
		}
	}
	return ""
}

func (m *member) joined() {
	m.t.Helper()
	m.until("the host and a full reserve", func() bool { return m.hostState() == ready })
}

// take takes a ticket, however often it has to ask with the same key.
func (m *member) take(key string) kiosk.Issued {
	m.t.Helper()
	var got kiosk.Issued
	m.until("ticket "+key, func() bool {
		status, text := m.post("tickets", key, map[string]any{"kiosk": "touch-1", "item": "social-card"})
		if status/100 == 2 {
			if err := json.Unmarshal(text, &got); err != nil {
				m.t.Fatal(err)
			}
		} else if status == http.StatusConflict && !bytes.Contains(text, []byte("no_reserve")) {
			m.t.Fatalf("%s refuses ticket %s: %s", m.device, key, text)
		}
		return status/100 == 2
	})
	return got
}

func (m *member) post(path, key string, body any) (int, []byte) {
	b, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(m.t.Context(), "POST", m.url+"/api/v1/"+path, bytes.NewReader(b))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := m.http.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		return 0, nil
	}
	return res.StatusCode, text.Bytes()
}

// journal stops nothing: it reads a store whose daemon has ended.
func (m *member) journal() (events []kiosk.Event) {
	m.t.Helper()
	if r, err := sqlite.Verify(context.Background(), filepath.Join(m.state, "hall.db")); err != nil || len(r.Faults) > 0 {
		m.t.Fatalf("%s: verify: %v %v", m.device, err, r.Faults)
	}
	c, _ := config.Load(m.conf)
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(m.state, "hall.db"), Hall: c.Hall, Origin: m.device, Version: "audit"})
	if err != nil {
		m.t.Fatal(err)
	}
	defer s.Close()
	for {
		page, err := s.Journal(context.Background(), int64(len(events)), 10_000)
		if err != nil {
			m.t.Fatal(err)
		}
		if events = append(events, page...); len(page) == 0 {
			return events
		}
	}
}

// signIn makes requests come from the desk.
func (m *member) signIn() {
	m.t.Helper()
	m.http.Jar, _ = cookiejar.New(nil) // never fails with nil options
	m.must("session", map[string]any{"user": "supervisor", "secret": "1234"})
}

// owed is how many tickets the box still has to hand in.
func (m *member) owed() int {
	_, text := m.answer("GET", "/healthz", "application/json", nil)
	var d diagnosis
	if json.Unmarshal(text, &d) != nil || d.Owed == nil {
		return -1
	}
	return *d.Owed
}

// sees reports whether the box knows of at least so many online numbers.
func (m *member) sees(numbers int) bool {
	s, err := readSeen(m.state)
	return err == nil && s.Numbers["B"] >= numbers
}
