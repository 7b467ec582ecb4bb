package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"longcheng/cmd/internal/door"
	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/cmd/kiosksim/sim/scanner"
	"longcheng/device/glyph"
)

// A trial calls a command on a box where it has something to say.
type trial struct {
	name string
	args []string
	told error // a verdict behind the JSON; nil is success
}

// TestEveryCommandPrintsJSON calls every command that there is, and wants one JSON
// value and nothing else.
func TestEveryCommandPrintsJSON(t *testing.T) {
	made, version = "1700000000", "1.0"
	t.Cleanup(func() { made, version = "", "unknown" })
	t.Setenv("PATH", shims(t)+":"+os.Getenv("PATH"))
	called := map[string]bool{}
	for _, c := range slices.Concat(boxTrials(t), deviceTrials(t), paperTrials(t), hallTrials(t), provisionTrials(t), releaseTrials(t)) {
		called[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			if c.name == "provision wait" {
				go offer(t.Context(), c.args)
			}
			out, err := ctl(t, append(append(strings.Fields(c.name), c.args...), "--json")...)
			if !errors.Is(err, c.told) {
				t.Fatalf("%v\n%s", err, out)
			}
			isJSON(t, out)
		})
	}
	for _, c := range everyCommand(root(io.Discard)) {
		if c.Runnable() && c.Name() != "help" && !called[pathOf(c)] {
			t.Errorf("nobody called %s with --json", pathOf(c))
		}
		out, err := ctl(t, append(strings.Fields(pathOf(c)), "--help", "--json")...)
		if err != nil {
			t.Errorf("help of %s: %v", pathOf(c), err)
		}
		isJSON(t, out)
	}
}

// isJSON wants one value that is not empty.
func isJSON(t *testing.T, out string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(out))
	var v any
	if err := d.Decode(&v); err != nil || v == nil {
		t.Errorf("no JSON: %v: %q", err, out)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("something stands behind the JSON: %q", out)
	}
}

// shims is a directory with a systemctl that does nothing.
func shims(t *testing.T) string {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "systemctl"), []byte("#!/bin/sh\n"), 0o755))
	return dir
}

// boxTrials are about a box without a daemon, and one whose daemon answers.
func boxTrials(t *testing.T) []trial {
	id, err := age.GenerateX25519Identity()
	must(t, err)
	b, fresh := newBox(t, "[support]\nrecipient = \""+id.Recipient().String()+"\"\n"), t.TempDir()
	alive := newBox(t, "")
	answering(t, alive, `{"state":"ok","version":"v7","store":"ok","devices":[]}`)
	log := filepath.Join(t.TempDir(), "log")
	must(t, os.WriteFile(log, []byte("one\n"), 0o600))
	dir, store := onlyBackup(t, b), filepath.Join(b.state, "hall.db")
	return []trial{
		{"status", alive.flags, nil}, {"doctor", b.flags, errSick}, {"doctor", []string{"--list"}, nil}, {"doctor", []string{"paper-out"}, nil},
		{"logs", []string{"--file", log}, nil},
		{"backup", append(b.flags, "--to", t.TempDir()), nil},
		{"restore", append(b.flags, dir), nil},
		{"replace", []string{"--from", dir, "--config", filepath.Join(fresh, "etc/kioskd.toml"), "--state", filepath.Join(fresh, "state")}, nil},
		{"support-bundle", append(b.flags, "--to", t.TempDir()), nil},
		{"rehearse", []string{store, "--hall", filepath.Join(b.etc, "hall.toml")}, nil},
		{"verify", []string{store}, nil}, {"rebuild", []string{store, filepath.Join(t.TempDir(), "new.db")}, nil},
		{"manual", nil, nil}, {"completion", []string{"bash"}, nil},
	}
}

// deviceTrials are about a reader with a card on it, and a printer.
func deviceTrials(t *testing.T) []trial {
	state, other := aReader(t, sam.Good), aReader(t, sam.Good) // a card is read once
	flags := []string{"--config", smallHall, "--state", state}
	person := append([]string{"--answer", "yes", "--patience", "1m"}, flags...)
	tape := filepath.Join(t.TempDir(), "tape.txt")
	bare := filepath.Join(t.TempDir(), "kioskd.toml")
	hall, err := filepath.Abs("../../deploy/halls/small/hall.toml")
	must(t, err)
	text, _, _ := strings.Cut(fmt.Sprintf(boxDocument, "127.0.0.1:9"), "[[touch]]")
	must(t, os.WriteFile(bare, []byte(strings.Replace(text, "hall.toml", hall, 1)), 0o600))
	printer := aPrinter(t, state)
	cable, err := port.Open(filepath.Join(state, "ports/scanner-1"))
	must(t, err)
	plug(t, cable, scanner.NewGM65(cable).Receive)
	return []trial{
		{"scan", append(flags, "--port", printer), nil},
		{"test", flags, nil}, {"test", append(person, "reader-1"), nil},
		{"probe", append(flags, "printer-1"), nil}, {"setup-scanner", append(flags, "scanner-1"), nil},
		{"record", []string{"reader-1", "-o", tape, "--config", smallHall, "--state", other, "--answer", "yes", "--patience", "1m"}, nil}, {"replay", []string{tape}, nil},
		{"accept", []string{"--config", bare, "--state", t.TempDir(), "--answer", "yes", "--by", "lin"}, nil},
	}
}

// aPrinter is a simulated printer where the small hall has one.
func aPrinter(t *testing.T, state string) (node string) {
	cable, err := port.Open(filepath.Join(state, "ports/printer-1"))
	must(t, err)
	p := escpos.New(escpos.Config{Dots: 576, Font: escpos.FaceFont(glyph.Face24()), Units: 1}, cable)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{}, 2)
	go func() { _ = p.Run(ctx); ended <- struct{}{} }()
	go func() { _ = cable.Run(ctx, p.Receive); ended <- struct{}{} }()
	t.Cleanup(func() { stop(); cable.Close(); <-ended; <-ended })
	return cable.Path()
}

func paperTrials(t *testing.T) []trial {
	dir := t.TempDir()
	var b bytes.Buffer
	must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 80, 40))))
	picture := filepath.Join(dir, "logo.png")
	must(t, os.WriteFile(picture, b.Bytes(), 0o600))
	return []trial{
		{"print-preview", []string{"-o", filepath.Join(dir, "ticket.png")}, nil},
		{"logo", []string{picture, "-o", filepath.Join(dir, "logo.bin")}, nil},
	}
}

// hallTrials are about boxes of a hall: its host, a stand-in, and one that joins.
func hallTrials(t *testing.T) []trial {
	d, at := aDoor(t)
	code, err := d.NewCode(at, "kiosk-1", "box")
	must(t, err)
	host, joins := boxOf(t, "host.toml", "127.0.0.1:8443", at), boxOf(t, "kiosk.toml", "127.0.0.1:8443", at)
	standin := boxOf(t, "display.toml", "127.0.0.1:8443", at)
	turned := append([]string{"kiosk-1"}, "--state", d.dir)
	return []trial{
		{"enrol-code", append(host, "kiosk-1"), nil}, {"enrol", append(joins, code.String()), nil},
		{"turn-out", turned, nil}, {"promote", standin, nil},
	}
}

// A aHost is the door of a hall, and where its keys are.
type aHost struct {
	*door.Door
	dir string
}

// aDoor is the host of a hall that lets boxes in.
func aDoor(t *testing.T) (h aHost, at string) {
	h.dir = t.TempDir()
	var err error
	h.Door, err = door.Open(h.dir, "small", door.Names("127.0.0.1:1"), time.Now)
	must(t, err)
	s := h.Serve(http.NotFoundHandler())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.ServeTLS(l, "", "") }()
	t.Cleanup(func() { s.Close(); <-ended })
	return h, l.Addr().String()
}

// boxOf is a box of the hall of three, with another address for the host.
func boxOf(t *testing.T, name, old, at string) (flags []string) {
	text, err := os.ReadFile("../../deploy/halls/three/" + name)
	must(t, err)
	hall, err := filepath.Abs("../../deploy/halls/small/hall.toml")
	must(t, err)
	file := filepath.Join(t.TempDir(), "kioskd.toml")
	changed := strings.NewReplacer("../small/hall.toml", hall, old, at).Replace(string(text))
	must(t, os.WriteFile(file, []byte(changed), 0o600))
	return []string{"--config", file, "--state", t.TempDir()}
}

// provisionTrials make an order and carry it out, twice.
func provisionTrials(t *testing.T) []trial {
	dir, files := t.TempDir(), t.TempDir()
	for to, from := range map[string]string{"kioskd.toml": "small/kioskd.toml", "hall.toml": "small/hall.toml"} {
		text, err := os.ReadFile("../../deploy/halls/" + from)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(files, to), text, 0o600))
	}
	key, stick := filepath.Join(dir, "key"), filepath.Join(dir, "stick")
	must(t, os.Mkdir(stick, 0o755))
	order := []string{"--hall", "small", "--device", "kiosk-7", "--key", key}
	_, err := ctl(t, append([]string{"provision", "make", "--stick", stick, "--files", files}, order...)...)
	must(t, err)
	digits := digitsOf(t, append([]string{"provision", "make", "--json"}, order...)...)
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "etc/longcheng"), 0o755))
	must(t, os.CopyFS(filepath.Join(root, "etc/longcheng"), os.DirFS(files)))
	return []trial{
		{"provision make", append([]string{"--qr", filepath.Join(dir, "order.png")}, order...), nil},
		{"provision use", []string{"--stick", stick, "--digits", digits, "--root", t.TempDir(), "--state", t.TempDir()}, nil},
		{"provision wait", []string{"--listen", freePort(t), "--root", root, "--state", t.TempDir()}, nil},
	}
}

func digitsOf(t *testing.T, args ...string) string {
	out, err := ctl(t, args...)
	must(t, err)
	var made struct{ Digits string }
	must(t, json.Unmarshal([]byte(out), &made))
	return made.Digits
}

// offer is the person at the touch screen: pastes an order and confirms it, again
// and again, for the wizard may not be listening yet.
func offer(ctx context.Context, args []string) {
	at := "http://" + args[1]
	var made bytes.Buffer
	c := root(&made)
	c.SetArgs([]string{"provision", "make", "--hall", "small", "--device", "kiosk-8", "--key", filepath.Join(args[3], "key")})
	if c.ExecuteContext(ctx) != nil {
		return
	}
	order, _, _ := strings.Cut(made.String(), "\n")
	for ctx.Err() == nil {
		post(ctx, at+"/order", url.Values{"order": {order}})
		post(ctx, at+"/confirm", url.Values{"yes": {"1"}})
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// post sends a form; nobody may be there.
func post(ctx context.Context, at string, form url.Values) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if res, err := http.DefaultTransport.RoundTrip(r); err == nil {
		res.Body.Close()
	}
}

// releaseTrials are a maintainer's day: two releases, the second of which a box
// takes and gives back.
func releaseTrials(t *testing.T) []trial {
	dir, etc := t.TempDir(), t.TempDir()
	keys, depot, bundle := filepath.Join(dir, "keys"), filepath.Join(dir, "depot"), filepath.Join(dir, "program.tar.gz")
	programs := map[string]string{}
	for _, v := range []string{"packaged", "next"} {
		programs[v] = filepath.Join(dir, v)
		must(t, os.Mkdir(programs[v], 0o755))
		for _, p := range []string{"kioskd", "kioskctl"} {
			must(t, os.WriteFile(filepath.Join(programs[v], p), []byte("#!/bin/sh\necho 2.0\n"), 0o755))
		}
	}
	box := []string{"--etc", etc, "--state", t.TempDir(), "--home", filepath.Join(dir, "home"), "--packaged", programs["packaged"], "--from", depot, "--good", "10ms"}
	must(t, os.WriteFile(filepath.Join(etc, "update.toml"), fmt.Appendf(nil, "trust = %q\n", filepath.Join(depot, "1.root.json")), 0o600))
	next := programs["next"]
	_, err := ctl(t, append([]string{"update", "adopt"}, box...)...)
	must(t, err)
	made, version = "1800000000", "2.0"
	return []trial{
		{"release keys", []string{keys}, nil}, {"release init", []string{depot, "--keys", keys}, nil},
		{"release bundle", []string{bundle, filepath.Join(next, "kioskd"), filepath.Join(next, "kioskctl")}, nil},
		{"release describe", []string{"program"}, nil}, {"release add", []string{depot, bundle, "--keys", keys}, nil}, {"release renew", []string{depot, "--keys", keys}, nil},
		{"release rotate", []string{depot, "timestamp", filepath.Join(dir, "new"), "--keys", keys}, nil}, {"release list", []string{depot}, nil},
		{"update status", box, nil}, {"update check", box, nil}, {"update apply", box, nil},
		{"update settle", box, nil}, {"update rollback", box, nil}, {"update run", box, nil}, {"update adopt", box, nil},
	}
}

// TestFailuresInChinese: what a technician meets most is told in Chinese.
func TestFailuresInChinese(t *testing.T) {
	b := newBox(t, "")
	broken := filepath.Join(t.TempDir(), "kioskd.toml")
	must(t, os.WriteFile(broken, []byte("devize = 1\n"), 0o600))
	for _, c := range []struct {
		args []string
		want string
	}{
		{append([]string{"status"}, b.flags...), "kioskd 没有应答"},
		{append([]string{"support-bundle"}, b.flags...), "support.recipient"},
		{append([]string{"restore", "/nowhere"}, b.flags...), "不存在"},
		{[]string{"promote", "--config", broken}, "配置有错误"},
		{[]string{"gremlins"}, "没有这个命令"}, {[]string{"status", "--gremlins"}, "没有这个选项"}, {[]string{"verify"}, "参数个数不对"},
		{append([]string{"replace"}, b.flags...), "--from"}, {append([]string{"enrol", "x"}, b.flags...), "注册码不完整"}, {append([]string{"enrol-code", "k"}, b.flags...), "host.listen"},
		{append([]string{"promote"}, b.flags...), "[standin]"}, {append([]string{"test", "gremlin"}, b.flags...), "配置中没有这个设备"}, {append([]string{"probe", "printer-1"}, b.flags...), "没有这个设备文件"},
		{append([]string{"support-bundle", "--recipient", "age1x", "--to", t.TempDir()}, b.flags...), "age 公钥"}, {[]string{"provision", "make"}, "--hall"},
	} {
		var said bytes.Buffer
		tl := &tool{in: strings.NewReader(""), out: io.Discard}
		r := tl.root()
		r.SetArgs(append(c.args, "--lang", "zh"))
		err := r.ExecuteContext(t.Context())
		if err == nil {
			t.Errorf("%q succeeded", c.args)
			continue
		}
		tl.lang = "zh" // a line that is not understood may not have been read so far
		tl.fail(&said, err)
		if !strings.Contains(said.String(), c.want) || !strings.Contains(said.String(), err.Error()) {
			t.Errorf("%q: %s", c.args, said.String())
		}
		tl.json = true
		said.Reset()
		tl.fail(&said, err)
		isJSON(t, said.String())
	}
}
