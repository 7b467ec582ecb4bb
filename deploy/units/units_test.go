package units_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServicesAreLocked: what systemd itself says of each unit's exposure, from 0
// to 10. The browsers need a screen, a card and namespaces for their own sandbox.
func TestServicesAreLocked(t *testing.T) {
	level := regexp.MustCompile(`exposure level for \S+: ([0-9.]+)`)
	for unit, most := range map[string]float64{
		"kioskd.service": 2.0, "centrald.service": 2.0, "longcheng-clock.service": 2.0,
		"longcheng-updater.service": 2.0, "kiosk-touch.service": 7.0, "kiosk-wall.service": 7.0,
	} {
		said, _ := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "./"+unit).CombinedOutput()
		m := level.FindSubmatch(said)
		if m == nil {
			t.Errorf("%s: %s", unit, said)
			continue
		}
		if got, _ := strconv.ParseFloat(string(m[1]), 64); got > most {
			t.Errorf("%s: exposure %.1f, at most %.1f is allowed", unit, got, most)
		}
	}
}

// clock runs saved-clock with a file of its own; SET_CLOCK stands for date -s.
func clock(t *testing.T, dir, what string) string {
	t.Helper()
	c := exec.Command("./saved-clock", what)
	c.Env = append(os.Environ(), "SAVED_CLOCK="+filepath.Join(dir, "time"), "SET_CLOCK=echo")
	said, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return string(said)
}

func TestTheClockNeverGoesBack(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "time")
	if said := clock(t, dir, "load"); said != "" {
		t.Errorf("a good clock was set: %s", said)
	}
	clock(t, dir, "save")
	now := time.Now().Unix()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil || n > now || n < now-60 {
		t.Errorf("saved %s, it is %d", text, now)
	}
	later := fmt.Sprint(now + 1e6)
	for _, damaged := range []string{"", "12x", later} {
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if said := clock(t, dir, "load"); strings.Contains(said, "set on") != (damaged == later) {
			t.Errorf("with %q: %q", damaged, said)
		}
	}
	clock(t, dir, "save")
	if text, _ := os.ReadFile(file); string(text) != later {
		t.Errorf("the saved time went back to %s", text)
	}
}

// TestTheClockIsSavedAtTheEnd of the program that saves it every minute.
func TestTheClockIsSavedAtTheEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "time")
	c := exec.Command("./saved-clock", "keep")
	c.Env = append(os.Environ(), "SAVED_CLOCK="+file)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // also its pause
	for tries := 0; os.Remove(file) != nil; tries++ {
		if tries == 6000 {
			t.Fatal("it does not save the time")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// policy writes the policy of an address and returns its path.
func policy(t *testing.T, dir, url string) (string, error) {
	t.Helper()
	out := filepath.Join(dir, "address.json")
	c := exec.Command("./kiosk-policy")
	c.Env = append(os.Environ(), "KIOSK_URL="+url, "KIOSK_POLICY="+out)
	said, err := c.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return out, err
}

func TestOnlyThePageIsAllowed(t *testing.T) {
	dir := t.TempDir()
	out, err := policy(t, dir, "http://127.0.0.1:8080/kiosk/touch-1?elder=1")
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		URLAllowlist     []string
		HomepageLocation string
	}
	text, _ := os.ReadFile(out)
	if err := json.Unmarshal(text, &p); err != nil || p.URLAllowlist[0] != "http://127.0.0.1:8080" || p.HomepageLocation != "http://127.0.0.1:8080/kiosk/touch-1?elder=1" {
		t.Errorf("%s, %v", text, err)
	}
	for _, bad := range []string{"", "file:///etc/passwd", "javascript:alert(1)", `http://x/"],"URLBlocklist":[]`, "http://x/ y", "http://x/\ny"} {
		if _, err := policy(t, dir, bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestThereIsNoWayOutOfThePage shows pages to the real browser, with the policies
// of a box and without. A namespace of its own keeps them from other browsers of
// this machine. Two policies are left out, for the test itself reads the page
// through the developer's door that they close: TestNobodyDebugsThePage.
func TestThereIsNoWayOutOfThePage(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("needs root for a mount namespace: run the tests as root")
	}
	serve := func(text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { fmt.Fprint(rw, text) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	page, other := serve("<p>the way in</p>"), serve("<p>a way out</p>")
	dir := t.TempDir()
	managed := filepath.Join(dir, "managed")
	if err := errors.Join(os.Mkdir(managed, 0o755), os.MkdirAll("/etc/chromium/policies", 0o755)); err != nil {
		t.Fatal(err)
	}
	if _, err := policy(t, managed, page+"/kiosk/touch-1"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../chromium/longcheng.json")
	for _, key := range []string{"RemoteDebuggingAllowed", "DeveloperToolsAvailability"} {
		text = regexp.MustCompile(`(?m)^ *"`+key+`": .*\n`).ReplaceAll(text, nil)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(managed, "longcheng.json"), text, 0o644)
	}
	if err != nil || !json.Valid(text) {
		t.Fatal(err, string(text))
	}
	for _, c := range []struct {
		policies, url, mark string
		want                bool
	}{
		{dir, page, "the way in", true}, {dir, other, "a way out", false}, {dir, "file:///etc/hostname", "<pre", false},
		{t.TempDir(), other, "a way out", true}, {t.TempDir(), "file:///etc/hostname", "<pre", true},
	} {
		if got := shown(t, c.policies, c.url, c.want); strings.Contains(got, c.mark) != c.want {
			t.Errorf("%s: shown is %v, want %v: %.300s", c.url, !c.want, c.want, got)
		}
	}
}

// browser is a browser without a screen, under the policies in dir. Its children end
// with ctx.
func browser(ctx context.Context, t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	const inside = `mount --bind "$1" /etc/chromium/policies && shift && exec chromium --headless=new --no-sandbox --disable-gpu --no-first-run --user-data-dir="$@"`
	home, err := os.MkdirTemp("", "shown-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) }) // the browser's children may still write
	c := exec.CommandContext(ctx, "unshare", append([]string{"-m", "sh", "-c", inside, "sh", dir, home}, args...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 5 * time.Second
	return c
}

// shown is what the browser makes of an address under the policies in dir. It
// may wait for ever at one that is forbidden.
func shown(t *testing.T, dir, url string, want bool) string {
	t.Helper()
	patience := 10 * time.Second
	if want {
		patience = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	said, err := browser(ctx, t, dir, "--dump-dom", url).Output()
	if err != nil && want {
		t.Fatalf("%s: %v", url, err)
	}
	return string(said)
}

// TestNobodyDebugsThePage asks the real browser to listen for debuggers: under the
// policies of a box it says that it may not, without them it listens.
func TestNobodyDebugsThePage(t *testing.T) {
	policies := t.TempDir()
	managed := filepath.Join(policies, "managed")
	text, err := os.ReadFile("../chromium/longcheng.json")
	if err := errors.Join(err, os.Mkdir(managed, 0o755), os.WriteFile(filepath.Join(managed, "longcheng.json"), text, 0o644), os.MkdirAll("/etc/chromium/policies", 0o755)); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{policies: "disallowed by the system admin", t.TempDir(): "listening on ws://"} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		c := browser(ctx, t, dir, "--remote-debugging-port=0", "about:blank")
		says, err := c.StderrPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for lines := bufio.NewScanner(says); !strings.Contains(said, "DevTools") && lines.Scan(); {
			said = lines.Text()
		}
		cancel()
		_ = c.Wait() // it was ended
		if !strings.Contains(said, want) {
			t.Errorf("it says %q, want %q", said, want)
		}
	}
}
