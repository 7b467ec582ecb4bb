package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"
)

// theCallsAtNight runs the command lines of the recovery guide as they are printed there,
// in a hall of real processes: a kiosk dies and is replaced, with a backup and without;
// the host dies, and the stand-in takes its place. What is told to be tried elsewhere is.
func theCallsAtNight(t *testing.T, bin string) {
	n := &night{newBoxStory: &newBoxStory{t: t, bin: bin}, tried: map[string]bool{
		// make test-image, with the system around it
		"status": true, "doctor": true, "logs": true, "backup": true,
		// the other stories
		"backup --to centre": true, "replace --from centre --code": true, "restore /mnt/": true, "accept": true,
	}}
	n.read()
	n.ports()
	host, k1, d1 := n.three("host", "host"), n.three("kiosk", "kiosk-1"), n.three("display", "display-1")
	running := n.run(host)
	n.kioskctl(k1, nil, "enrol", n.code(host))
	kiosk := n.run(k1)
	n.until("the kiosk to join", func() bool { return n.stands(k1, "hall host", "ready") })
	backup := n.backup(k1, t.TempDir())
	n.kill(kiosk)

	spare := n.three("kiosk", "kiosk-1")
	must(t, os.RemoveAll(filepath.Dir(spare.conf)))
	n.does(spare, "replace --from /mnt/ --code", "/mnt/longcheng-kiosk-1-20261130T130254Z", backup, "'longcheng://…'", n.code(host))
	kiosk = n.run(spare)
	n.until("the spare box to join", func() bool { return n.stands(spare, "hall host", "ready") })
	n.kill(kiosk)

	bare := n.three("kiosk", "kiosk-1")
	n.does(bare, "replace --code", "…", n.code(host))
	kiosk = n.run(bare)
	n.until("the box without a backup to join", func() bool { return n.stands(bare, "hall host", "ready") })
	n.does(host, "turn-out kiosk-1")
	n.until("the stolen box to be let in no more", func() bool { return !n.stands(bare, "hall host", "ready") })
	n.kill(kiosk)

	n.kioskctl(d1, nil, "enrol", strings.TrimSpace(n.kioskctl(host, nil, "enrol-code", "display-1", "--standin")))
	n.run(d1)
	n.until("the stand-in to be in step", func() bool { return n.stands(d1, "stand-in", "ready") })
	n.kill(running)
	n.does(d1, "promote")
	n.until("the stand-in to host the hall", func() bool {
		return n.stands(d1, "hall host", "ready") && !n.stands(d1, "stand-in", "")
	})
	n.does(d1, "support-bundle --to /mnt", "/mnt", t.TempDir())
	must(t, os.WriteFile(d1.conf, []byte("divice ="), 0o600)) // who needs help most
	n.kioskctl(d1, nil, "support-bundle", "--to", t.TempDir(), "--recipient", n.recipient)
	must(t, os.Remove(d1.conf))
	n.kioskctl(d1, nil, "support-bundle", "--to", t.TempDir(), "--recipient", n.recipient)
	for _, line := range n.printed {
		if !n.tried[line] {
			t.Errorf("recovery.md prints %q, which nobody has tried", line)
		}
	}
}

// A night is a hall of several boxes and the page beside the telephone.
type night struct {
	*newBoxStory
	page      string
	printed   []string // the command lines of the page, without what differs each time
	tried     map[string]bool
	at        map[string]string // addresses of the samples, and here
	recipient string
}

var commandLine = regexp.MustCompile("kioskctl ([a-z][^`|\n]*)")

// read finds what the page tells to type.
func (n *night) read() {
	text, err := os.ReadFile("../../deploy/docs/technician/recovery.md")
	must(n.t, err)
	n.page, _, _ = strings.Cut(string(text), "## What of this was tried")
	for _, m := range commandLine.FindAllStringSubmatch(n.page, -1) {
		n.printed = append(n.printed, kindOf(m[1]))
	}
}

// kindOf is a command line without its codes and names of directories.
func kindOf(line string) string {
	line = regexp.MustCompile(`(/mnt/)\S+|(--code) .*| -n \d+`).ReplaceAllString(line, "$1$2")
	return strings.TrimSpace(line)
}

// does types a line of the page, with other words in it.
func (n *night) does(b boxDir, kind string, replace ...string) {
	n.t.Helper()
	for _, m := range commandLine.FindAllStringSubmatch(n.page, -1) {
		if kindOf(m[1]) != kind {
			continue
		}
		n.tried[kind] = true
		n.kioskctl(b, nil, strings.Fields(strings.NewReplacer(replace...).Replace(m[1]))...)
		return
	}
	n.t.Errorf("recovery.md does not print %q", kind)
}

// code is what the host says to the line of the page.
func (n *night) code(host boxDir) string {
	n.t.Helper()
	if !strings.Contains(n.page, "kioskctl enrol-code kiosk-1`") {
		n.t.Error("recovery.md does not print enrol-code kiosk-1")
	}
	n.tried["enrol-code kiosk-1"] = true
	return strings.TrimSpace(n.kioskctl(host, nil, "enrol-code", "kiosk-1"))
}

func (n *night) ports() {
	id, err := age.GenerateX25519Identity()
	must(n.t, err)
	n.recipient, n.at = id.Recipient().String(), map[string]string{}
	for _, sample := range []string{"127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8443", "127.0.0.1:8444"} {
		n.at[sample] = freePort(n.t)
	}
}

// three is a box of the sample of three.
func (n *night) three(sample, device string) boxDir {
	text, err := os.ReadFile("../../deploy/halls/three/" + sample + ".toml")
	must(n.t, err)
	hall, err := os.ReadFile("../../deploy/halls/small/hall.toml")
	must(n.t, err)
	b := boxDir{filepath.Join(n.t.TempDir(), "etc", "kioskd.toml"), n.t.TempDir()}
	must(n.t, os.MkdirAll(filepath.Dir(b.conf), 0o755))
	must(n.t, os.WriteFile(filepath.Join(filepath.Dir(b.conf), "hall.toml"), hall, 0o644))
	s := strings.NewReplacer("../small/hall.toml", "hall.toml", `device = "kiosk-1"`, fmt.Sprintf("device = %q", device)).Replace(string(text))
	for from, to := range n.at {
		s = strings.ReplaceAll(s, from, to)
	}
	must(n.t, os.WriteFile(b.conf, []byte(s+"\n[support]\nrecipient = \""+n.recipient+"\"\n"), 0o644))
	return b
}

// run starts the daemon of a box and waits until it is well.
func (n *night) run(b boxDir) running {
	n.t.Helper()
	d := n.start("kioskd", "run", "-config", b.conf, "-state", b.state)
	n.until("kioskd", func() bool { return strings.HasPrefix(n.health(b), "ok") })
	return d
}

func (n *night) kill(r running) {
	must(n.t, r.Process.Kill())
	_ = r.Wait() // killed
}

// stands reports whether a box says so of a device; of any state, without one.
func (n *night) stands(b boxDir, device, state string) bool {
	return regexp.MustCompile(`(?m)^device  ` + device + ` .*: ` + state).MatchString(n.health(b))
}

var listensAt = regexp.MustCompile(`(?m)^\[web\]\nlisten = "([^"]+)"`)

func (n *night) health(b boxDir) string {
	text, err := os.ReadFile(b.conf)
	must(n.t, err)
	return n.get(http.DefaultClient, "http://"+string(listensAt.FindSubmatch(text)[1])+"/healthz")
}
