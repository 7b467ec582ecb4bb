package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"longcheng/cmd/internal/config"
)

// aBoxDies, and another takes its place: it works and reports,
// is backed up, gives more tickets and is gone. An empty box becomes it, gives no
// number twice, and reports to the centre where the dead one stopped. Then its store
// is damaged: the doctor says so, and the backup of a stick is restored. The centre
// keeps backups, too: the first of these boxes comes back from there.
func aBoxDies(t *testing.T, bin string) {
	s := newStory(t, bin)
	dead := s.box(s.state)
	s.enrol(dead)
	kioskd := s.work(dead)
	var last given
	for range 3 {
		last = s.ticket(last)
	}
	s.kioskctl(dead, nil, "backup", "--to", "centre")
	for range 4 {
		last = s.ticket(last) // the backup knows nothing of these
	}
	must(t, kioskd.Process.Kill())
	_ = kioskd.Wait() // killed

	spare := s.box(t.TempDir())
	must(t, os.RemoveAll(filepath.Dir(spare.conf)))
	said := s.kioskctl(spare, nil, "replace", "--from", "centre", "--code", s.code())
	if !strings.Contains(said, "goes on behind number") || !strings.Contains(said, "this box is kiosk-7 now") {
		t.Errorf("replace said %s", said)
	}
	kioskd = s.work(spare)
	last = s.ticket(last)
	s.until("the centre to hear of the new box", func() bool {
		return strings.Contains(s.get(s.people, "http://"+s.pages+"/box?hall=small&device=kiosk-7&lang=en"), "in the last of 2 journals")
	})
	s.has("/?lang=en", "<b>0</b> conflicts")
	backup := s.backup(spare, t.TempDir())

	must(t, kioskd.Process.Kill())
	_ = kioskd.Wait() // killed
	s.damage(spare)
	if said := s.kioskctl(spare, errSick, "doctor"); !strings.Contains(said, "FAULT The store is damaged") && !strings.Contains(said, "FAULT The journal is not whole") {
		t.Errorf("the doctor said %s", said)
	}
	s.kioskctl(spare, nil, "restore", backup)
	kioskd = s.work(spare)
	s.ticket(last)
	if said := s.kioskctl(spare, nil, "backup", "--to", "centre", "--json"); !strings.Contains(said, `"centre":{"name":`) {
		t.Errorf("backup said %s", said)
	}
	s.has("/box?hall=small&device=kiosk-7&lang=en", "Backups")
	must(t, kioskd.Process.Kill())
	_ = kioskd.Wait() // killed
	s.kioskctl(spare, nil, "restore", "centre")
	if said := s.kioskctl(spare, nil, "verify", filepath.Join(spare.state, "hall.db")); !strings.Contains(said, " 0 faults") {
		t.Errorf("verify said %s", said)
	}
}

// has looks for words on a page of the centre.
func (s *newBoxStory) has(at, words string) {
	s.t.Helper()
	if page := s.get(s.people, "http://"+s.pages+at); !strings.Contains(page, words) {
		s.t.Errorf("%s has no %q: %s", at, words, page)
	}
}

// A boxDir is where a box keeps what it has.
type boxDir struct{ conf, state string }

// box is a whole hall without paper.
func (s *newBoxStory) box(state string) boxDir {
	b := boxDir{filepath.Join(s.t.TempDir(), "etc", "kioskd.toml"), state}
	must(s.t, os.MkdirAll(filepath.Dir(b.conf), 0o755))
	hall, err := os.ReadFile("../../deploy/halls/small/hall.toml")
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(filepath.Dir(b.conf), "hall.toml"), hall, 0o644))
	text := strings.NewReplacer(`"kiosk-1"`, `"kiosk-7"`, "[web]", "[centre]\naddress = \""+s.boxes+"\"\n[web]").Replace(fmt.Sprintf(boxDocument, s.touch))
	must(s.t, os.WriteFile(b.conf, []byte(text), 0o644))
	return b
}

// code is an enrolment code of the centre's page.
func (s *newBoxStory) code() string {
	page := s.post(s.people, "http://"+s.pages+"/code", url.Values{"hall": {"small"}, "device": {"kiosk-7"}, "role": {"host"}})
	m := regexp.MustCompile(`class="mono">([^<]+)<`).FindStringSubmatch(page)
	if m == nil {
		s.t.Fatalf("no code: %s", page)
	}
	return strings.ReplaceAll(m[1], "&#43;", "+")
}

func (s *newBoxStory) enrol(b boxDir) {
	s.kioskctl(b, nil, "enrol", s.code())
	if _, err := os.Stat(config.CentrePass(b.state)); err != nil {
		s.t.Fatal(err)
	}
}

// work starts the box's daemon and waits until it is well.
func (s *newBoxStory) work(b boxDir) running {
	s.t.Helper()
	d := s.start("kioskd", "run", "-config", b.conf, "-state", b.state)
	s.until("kioskd", func() bool { return strings.HasPrefix(s.get(http.DefaultClient, "http://"+s.touch+"/healthz"), "ok") })
	return d
}

// A given is the number that a ticket bears, and its day.
type given struct {
	day string
	n   int
}

// ticket takes a ticket, whose number must be behind the last one of its day.
func (s *newBoxStory) ticket(last given) given {
	s.t.Helper()
	body := []byte(`{"kiosk": "touch-1", "item": "social-card", "print": false}`)
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.touch+"/api/v1/tickets", bytes.NewReader(body))
	must(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", rand.Text())
	res, err := http.DefaultClient.Do(r)
	must(s.t, err)
	defer res.Body.Close()
	var got struct{ Visit struct{ Day, Number string } }
	must(s.t, json.NewDecoder(res.Body).Decode(&got))
	is := given{day: got.Visit.Day}
	_, err = fmt.Sscanf(strings.TrimLeft(got.Visit.Number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "%d", &is.n)
	if err != nil || is.day < last.day || is.day == last.day && is.n <= last.n {
		s.t.Fatalf("number %q of %s after %+v (%s)", got.Visit.Number, is.day, last, res.Status)
	}
	return is
}

func (s *newBoxStory) backup(b boxDir, stick string) string {
	s.t.Helper()
	var made struct{ Dir string }
	must(s.t, json.Unmarshal([]byte(s.kioskctl(b, nil, "backup", "--to", stick, "--json")), &made))
	return made.Dir
}

// damage takes the store's first pages away, as a bad card does.
func (s *newBoxStory) damage(b boxDir) {
	f, err := os.OpenFile(filepath.Join(b.state, "hall.db"), os.O_WRONLY, 0)
	must(s.t, err)
	_, err = f.WriteAt(make([]byte, 8192), 0)
	must(s.t, errors.Join(err, f.Close()))
}

// kioskctl runs the real program on a box; told is a verdict that ends it with
// status 1.
func (s *newBoxStory) kioskctl(b boxDir, told error, args ...string) string {
	s.t.Helper()
	c := exec.CommandContext(s.t.Context(), filepath.Join(s.bin, "kioskctl"), append(args, "--lang", "en", "--config", b.conf, "--state", b.state)...)
	var fails bytes.Buffer
	c.Stderr = &fails
	out, err := c.Output()
	if told != nil && strings.Contains(fails.String(), told.Error()) {
		err = nil
	}
	if err != nil {
		s.t.Fatalf("kioskctl %v: %v: %s%s", args, err, fails.String(), out)
	}
	return string(out)
}
