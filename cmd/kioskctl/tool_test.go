package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"longcheng/cmd/internal/backup"
	"longcheng/cmd/internal/sealed"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// A smallBox is a box of the small hall: documents, a store, a key; no daemon.
type smallBox struct {
	etc, state string
	flags      []string
}

const listen = `listen = "127.0.0.1:8080"`

func newBox(t *testing.T, more string) smallBox {
	t.Helper()
	dir := t.TempDir()
	b := smallBox{etc: filepath.Join(dir, "etc"), state: filepath.Join(dir, "state")}
	for _, d := range []string{b.etc, b.state} {
		must(t, os.MkdirAll(d, 0o755))
	}
	for _, name := range []string{"kioskd.toml", "hall.toml"} {
		text, err := os.ReadFile("../../deploy/halls/small/" + name)
		must(t, err)
		// an address where nobody listens
		text = bytes.ReplaceAll(text, []byte(listen), []byte(`listen = "127.0.0.1:9"`))
		if name == "kioskd.toml" {
			text = append([]byte(nil), strings.Replace(string(text), "[store]", more+"\n[store]", 1)...)
		}
		must(t, os.WriteFile(filepath.Join(b.etc, name), text, 0o600))
	}
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(b.state, "hall.db"), Hall: &kiosk.Hall{ID: "small"}, Origin: "kiosk-1"})
	must(t, err)
	must(t, s.Note(t.Context(), kiosk.KindAlarm, kiosk.Alarm{Source: "printer", State: "ready"}))
	must(t, s.Close())
	must(t, os.WriteFile(filepath.Join(b.state, "hall.key"), bytes.Repeat([]byte{7}, 32), 0o600))
	b.flags = []string{"--config", filepath.Join(b.etc, "kioskd.toml"), "--state", b.state}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ctl runs a command on this box.
func (b smallBox) ctl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return ctl(t, append(args, b.flags...)...)
}

// Every command and every flag says in both languages what it is for.
func TestEveryCommandSpeaksBothLanguages(t *testing.T) {
	for lang, other := range map[string]*regexp.Regexp{"zh": regexp.MustCompile(`\p{Han}`), "en": regexp.MustCompile(`^[ -~…]+$`)} {
		c := root(&bytes.Buffer{})
		c.InitDefaultHelpCmd()
		translate(c, lang)
		for _, sub := range everyCommand(c) {
			if !other.MatchString(sub.Short) {
				t.Errorf("%s: %s says %q", lang, sub.CommandPath(), sub.Short)
			}
			sub.Flags().VisitAll(func(f *pflag.Flag) {
				if !other.MatchString(f.Usage) {
					t.Errorf("%s: flag --%s of %s says %q", lang, f.Name, sub.CommandPath(), f.Usage)
				}
			})
		}
	}
	for name, texts := range map[string]map[string]kiosk.Text{"words": words(), "details": details(), "helps": helps()} {
		for key, text := range texts {
			if text.ZH == "" || text.EN == "" || strings.Count(text.ZH, "%") != strings.Count(text.EN, "%") {
				t.Errorf("%s of %q: %+v", name, key, text)
			}
		}
	}
}

// everyCommand is a command and all below it, hidden ones too.
func everyCommand(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		all = append(all, everyCommand(sub)...)
	}
	return all
}

func TestHelpFollowsTheLanguage(t *testing.T) {
	for _, args := range [][]string{{"--lang", "zh", "doctor", "--help"}, {"doctor", "--help", "--lang", "zh"}} {
		if out, err := ctl(t, args...); err != nil || !strings.Contains(out, "查找并解释故障") || !strings.Contains(out, "用法：") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	if out, _ := ctl(t, "doctor", "--help", "--lang", "en"); strings.Contains(out, "用法") || !strings.Contains(out, "Find what is wrong") {
		t.Errorf("english help:\n%s", out)
	}
	env := func(v map[string]string) func(string) string { return func(n string) string { return v[n] } }
	for want, v := range map[string]map[string]string{"zh": {"LANG": "zh_CN.UTF-8"}, "en": {"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}} {
		if got := language(env(v)); got != want {
			t.Errorf("%v: %s", v, got)
		}
	}
	if got := language(env(map[string]string{"LANG": "C.UTF-8"})); got != "en" {
		t.Errorf("C is %s", got)
	}
}

func TestDoctorOnABoxWithoutDaemon(t *testing.T) {
	b := newBox(t, "")
	out, err := b.ctl(t, "doctor", "--lang", "zh")
	if err == nil || !strings.Contains(out, "【故障】 kioskd 没有运行") || !strings.Contains(out, "【故障】 设备未接或端口名错误  [ports/printer-1]") {
		t.Errorf("%v\n%s", err, out)
	}
	var found []struct{ ID, On string }
	out, _ = b.ctl(t, "doctor", "--json")
	if err := json.Unmarshal([]byte(out), &found); err != nil || len(found) < 6 {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := ctl(t, "doctor", "cutter-jam", "--lang", "en"); err != nil || !strings.Contains(out, "free the blade") {
		t.Errorf("%v %s", err, out)
	}
	if _, err := ctl(t, "doctor", "gremlins"); err == nil {
		t.Error("a fault that does not exist is explained")
	}
}

// A daemon that runs is asked, also when its document was broken since it started.
func TestDoctorAsksADaemonWhoseDocumentIsBroken(t *testing.T) {
	b := newBox(t, "devize = 1\n")
	answering(t, b, `{"state":"ok","version":"v7","hall":"small","device":"kiosk-1","store":"ok","loops":[],"devices":[{"device":"strip:1","state":"silent","fault":"strip-silent"}]}`)
	out, err := b.ctl(t, "doctor", "--lang", "zh")
	if !errors.Is(err, errSick) || !strings.Contains(out, "【故障】 配置有错误") || !strings.Contains(out, "[窗口屏 1]") || strings.Contains(out, "kioskd 没有运行") {
		t.Errorf("%v\n%s", err, out)
	}
}

// answering gives a box a daemon that says one thing.
func answering(t *testing.T, b smallBox, answer string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(answer)) }))
	t.Cleanup(srv.Close)
	conf := filepath.Join(b.etc, "kioskd.toml")
	text, err := os.ReadFile(conf)
	must(t, err)
	must(t, os.WriteFile(conf, bytes.ReplaceAll(text, []byte("127.0.0.1:9\""), []byte(strings.TrimPrefix(srv.URL, "http://")+"\"")), 0o600))
}

// Status is what the daemon says, in the reader's words.
func TestStatus(t *testing.T) {
	answer := `{"state":"ok","version":"v7","hall":"small","device":"kiosk-1","store":"ok","loops":[],
		"devices":[{"device":"printer printer-1","state":"printer is out of paper","fault":"paper-out","since":"2026-11-30T01:02:03Z","faults":1},
		           {"device":"acceptance","state":"put off","fault":"not-accepted","since":"2026-11-30T01:02:03Z","faults":1},
		           {"device":"reader reader-1","state":"ready","since":"2026-11-30T01:02:03Z","faults":0}],
		"queues":[{"queue":"A","waiting":7,"windows":2}],"centre":{"address":"c:8443","state":"current","through":41,"waiting":2}}`
	b := newBox(t, "")
	answering(t, b, answer)
	out, err := b.ctl(t, "status", "--lang", "zh")
	for _, want := range []string{"正常  kiosk-1  kioskd v7", "✗ printer printer-1        打印机缺纸", "换纸卷", "! acceptance               验收未通过", "✓ reader reader-1", "7 人等候，2 个窗口", "已上传 41 条，待传 2 条"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("status lacks %q: %v\n%s", want, err, out)
		}
	}
	if out, err := b.ctl(t, "status", "--json"); err != nil || !json.Valid([]byte(out)) {
		t.Errorf("%v %s", err, out)
	}
	if _, err := b.ctl(t, "restore", onlyBackup(t, b)); err == nil || !strings.Contains(err.Error(), backup.ErrRunning.Error()) {
		t.Errorf("restored under a running daemon: %v", err)
	}
}

func onlyBackup(t *testing.T, b smallBox, args ...string) string {
	t.Helper()
	to := t.TempDir()
	if out, err := b.ctl(t, append([]string{"backup", "--to", to}, args...)...); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	all, err := os.ReadDir(to)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v: %v", all, err)
	}
	return filepath.Join(to, all[0].Name())
}

// A box dies; another becomes it from its backup: documents, store in a new epoch,
// and with the right key its secrets.
func TestReplaceFromABackup(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	must(t, err)
	old := newBox(t, "[support]\nrecipient = \""+id.Recipient().String()+"\"\n")
	dir := onlyBackup(t, old)
	key := filepath.Join(t.TempDir(), "key.txt")
	must(t, os.WriteFile(key, []byte(id.String()+"\n"), 0o600))

	fresh := t.TempDir()
	flags := []string{"--config", filepath.Join(fresh, "etc", "kioskd.toml"), "--state", filepath.Join(fresh, "state"), "--lang", "en"}
	out, err := ctl(t, append([]string{"replace", "--from", dir, "--identity", key}, flags...)...)
	if err != nil || !strings.Contains(out, "goes on behind number") {
		t.Fatalf("%v\n%s", err, out)
	}
	before, err := sqlite.Verify(t.Context(), filepath.Join(old.state, "hall.db"))
	must(t, err)
	after, err := sqlite.Verify(t.Context(), filepath.Join(fresh, "state", "hall.db"))
	must(t, err)
	if after.Origin.Device != "kiosk-1" || after.Origin.Epoch <= before.Origin.Epoch || len(after.Faults) > 0 || after.Events < before.Events {
		t.Errorf("before %+v, after %+v", before, after)
	}
	for name, of := range map[string]string{"state/hall.key": filepath.Join(old.state, "hall.key"), "etc/hall.toml": filepath.Join(old.etc, "hall.toml")} {
		want, err := os.ReadFile(of)
		must(t, err)
		if got, err := os.ReadFile(filepath.Join(fresh, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s did not come back: %v", name, err)
		}
	}
}

// A backup that was changed is refused, and so is one that is used twice over a
// store in use; the old store is kept.
func TestRestoreIsCareful(t *testing.T) {
	b := newBox(t, "")
	dir := onlyBackup(t, b)
	if plain, err := os.ReadFile(filepath.Join(dir, "manifest.json")); err != nil || !strings.Contains(string(plain), `"secrets": false`) {
		t.Errorf("%v %s", err, plain)
	}
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(b.state, "hall.db"), Hall: &kiosk.Hall{ID: "small"}, Origin: "kiosk-1"})
	must(t, err)
	if _, err := b.ctl(t, "restore", dir); err == nil || !strings.Contains(err.Error(), "kioskd is running") {
		t.Errorf("a store in use was restored over: %v", err)
	}
	must(t, s.Close())
	if out, err := b.ctl(t, "restore", dir, "--lang", "zh"); err != nil || !strings.Contains(out, "原存储移到") {
		t.Fatalf("%v %s", err, out)
	}
	aside, err := filepath.Glob(filepath.Join(b.state, "hall.db.before-*"))
	if err != nil || len(aside) == 0 {
		t.Error("the old store is gone")
	}
	f := filepath.Join(dir, "etc", "hall.toml")
	must(t, os.WriteFile(f, []byte("# changed"), 0o600))
	if _, err := b.ctl(t, "restore", dir); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a changed backup was restored: %v", err)
	}
}

// Nothing of a person, and no secret, is in a support bundle, and only its
// recipient can open it.
func TestSupportBundle(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	must(t, err)
	b := newBox(t, "")
	if _, err := b.ctl(t, "support-bundle"); err == nil || !strings.Contains(err.Error(), "support.recipient") {
		t.Errorf("a bundle for nobody: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(b.state, "kioskd.log"), []byte("level=ERROR card=11010519491231002X phone=13812345678 seq=42\n"), 0o600))
	to := t.TempDir()
	if out, err := b.ctl(t, "support-bundle", "--to", to, "--recipient", id.Recipient().String()); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	all, _ := filepath.Glob(filepath.Join(to, "support-kiosk-1-*.tar.gz.age"))
	if len(all) != 1 {
		t.Fatalf("%v", all)
	}
	f, err := os.Open(all[0])
	must(t, err)
	defer f.Close()
	files, err := sealed.Read(f, id.String())
	must(t, err)
	seen := map[string]string{}
	for _, x := range files {
		seen[x.Name] = string(x.Body)
		for _, bad := range []string{"argon2id", "11010519491231002X", "13812345678", strings.Repeat("\x07", 8)} {
			if strings.Contains(string(x.Body), bad) {
				t.Errorf("%s holds %q", x.Name, bad)
			}
		}
	}
	for name, want := range map[string]string{"versions.txt": "kernel Linux", "findings.json": "kioskd-down", "log.txt": "level=ERROR card=***", "documents/kioskd.toml": "generic80", "journal.json": "kiosk-1"} {
		if !strings.Contains(seen[name], want) {
			t.Errorf("%s lacks %q: %.300s", name, want, seen[name])
		}
	}
	other, err := age.GenerateX25519Identity()
	must(t, err)
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := sealed.Read(f, other.String()); err == nil {
		t.Error("anybody can open it")
	}
}

func TestLogsFallBackToAFile(t *testing.T) {
	b := newBox(t, "")
	t.Setenv("PATH", t.TempDir()) // no journalctl
	if _, err := b.ctl(t, "logs"); err == nil {
		t.Error("no log at all was shown")
	}
	must(t, os.WriteFile(filepath.Join(b.state, "kioskd.log"), []byte("one\ntwo\nthree\n"), 0o600))
	if out, err := b.ctl(t, "logs", "-n", "2"); err != nil || out != "two\nthree\n" {
		t.Errorf("%v %q", err, out)
	}
}

func TestOneStickIsFound(t *testing.T) {
	if got, err := stick("proc /proc proc rw 0 0\n/dev/sda1 /media/USB\\040KEY vfat rw 0 0\n"); err != nil || got != "/media/USB KEY" {
		t.Errorf("%q %v", got, err)
	}
	if got, err := stick("/dev/sda1 /mnt vfat rw 0 0\n/dev/sda2 /mntx ext4 rw 0 0\n"); err != nil || got != "/mnt" { // as the handbook mounts it
		t.Errorf("%q %v", got, err)
	}
	for _, none := range []string{"", "/dev/sda1 /media/a vfat rw 0 0\n/dev/sdb1 /media/b vfat rw 0 0\n"} {
		if got, err := stick(none); err == nil {
			t.Errorf("chose %q", got)
		}
	}
}

// The man page, whose commands the program writes itself, names every command.
func TestManPageIsComplete(t *testing.T) {
	frame, err := os.ReadFile("../../deploy/man/kioskctl.8")
	must(t, err)
	if !strings.Contains(string(frame), "\n@COMMANDS@\n") {
		t.Error("the man page has no place for the commands")
	}
	page, err := ctl(t, "manual")
	must(t, err)
	for _, c := range root(&bytes.Buffer{}).Commands() {
		if c.IsAvailableCommand() && !regexp.MustCompile(`(?m)^\.It Cm `+c.Name()+`\b`).MatchString(page) {
			t.Errorf("the man page does not name %s", c.Name())
		}
	}
}
