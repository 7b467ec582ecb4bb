//go:build kiosk

package units_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// An attempt is one way in which somebody before the screen might leave the page:
// keys and buttons, or a script that runs as if a button of the page were pressed.
// FILE and OTHER stand for a file that the page's server offers and for somebody
// else's server.
type attempt struct {
	what   string
	keys   []string // arguments of xdotool; names of keys are made places of keys
	script string
	leaves outcome // what is seen of it on a box; "" is nothing
	free   bool    // a browser without policies and keyboard shows something: the test would notice
}

// An outcome is what was seen of an attempt.
type outcome string

const (
	nothing  outcome = ""
	ended    outcome = "the browser ends, and is started anew"
	anew     outcome = "the same page, loaded anew"
	another  outcome = "the same page in a second tab"
	drawn    outcome = "something else is drawn"
	passing  outcome = "a notice, which goes by itself"
	magnify  outcome = "the page is magnified"
	saved    outcome = "a file is written"
	foreign  outcome = "the other server was asked"
	listens  outcome = "the browser listens on the network"
	pageGone outcome = "another page stands there"
)

// places are where keys are on every keyboard, whatever it gives them to mean.
var places = map[string]int{
	"Escape": 9, "Tab": 23, "Return": 36, "ctrl": 37, "shift": 50, "alt": 64, "super": 133, "Menu": 135, "Home": 110, "Left": 113, "Right": 114, "Delete": 119,
	"F1": 67, "F2": 68, "F5": 71, "F6": 72, "F7": 73, "F10": 76, "F11": 95, "F12": 96, "plus": 21,
	"e": 26, "t": 28, "u": 30, "i": 31, "o": 32, "p": 33, "a": 38, "s": 39, "d": 40, "f": 41, "h": 43, "j": 44, "l": 46, "q": 24, "w": 25, "c": 54, "n": 57, "m": 58, "r": 27,
	"homepage": 180, "search": 225, "mail": 163, "refresh": 181,
}

// key presses chords such as ctrl+shift+i.
func key(chords ...string) []string {
	args := []string{"key"}
	for _, chord := range chords {
		var codes []string
		for name := range strings.SplitSeq(chord, "+") {
			codes = append(codes, strconv.Itoa(places[name]))
		}
		args = append(args, strings.Join(codes, "+"))
	}
	return args
}

func attempts() []attempt {
	return []attempt{
		{what: "F12 (developer tools)", keys: key("F12"), free: true},
		{what: "Ctrl-Shift-I (developer tools)", keys: key("ctrl+shift+i"), free: true},
		{what: "Ctrl-Shift-J (console)", keys: key("ctrl+shift+j"), free: true},
		{what: "Ctrl-Shift-C (inspect)", keys: key("ctrl+shift+c"), free: true},
		{what: "Ctrl-U (view-source:)", keys: key("ctrl+u"), free: true},
		{what: "Ctrl-P (print)", keys: key("ctrl+p"), free: true},
		{what: "Ctrl-Shift-P (print by the system)", keys: key("ctrl+shift+p")},
		{what: "Ctrl-S (save)", keys: key("ctrl+s"), free: true},
		{what: "Ctrl-O (open a file)", keys: key("ctrl+o"), free: true},
		{what: "Ctrl-L (address)", keys: key("ctrl+l")},
		{what: "Alt-D (address)", keys: key("alt+d")},
		{what: "F6 (bars)", keys: key("F6")},
		{what: "Ctrl-L, a word, Enter", keys: key("ctrl+l", "h", "e", "l", "p", "Return")},
		{what: "Ctrl-N (window)", keys: key("ctrl+n"), free: true},
		{what: "Ctrl-Shift-N (private window)", keys: key("ctrl+shift+n"), free: true},
		{what: "Ctrl-T (tab)", keys: key("ctrl+t"), free: true},
		{what: "Alt-Home (home page)", keys: key("alt+Home")},
		{what: "Alt-Left, Alt-Right (history)", keys: key("alt+Left", "alt+Right")},
		{what: "F5 (reload)", keys: key("F5"), free: true},
		{what: "Ctrl-W (close tab)", keys: key("ctrl+w"), free: true},
		{what: "Alt-F4 (close window)", keys: key("alt+F4")},
		{what: "Ctrl-Shift-Q (quit)", keys: key("ctrl+shift+q")},
		{what: "Ctrl-H (history)", keys: key("ctrl+h"), free: true},
		{what: "Ctrl-J (downloads)", keys: key("ctrl+j"), free: true},
		{what: "Ctrl-D (bookmark)", keys: key("ctrl+d")},
		{what: "Ctrl-Shift-O (bookmarks)", keys: key("ctrl+shift+o")},
		{what: "Ctrl-Shift-Del (clear data)", keys: key("ctrl+shift+Delete")},
		{what: "Ctrl-Shift-A (search tabs)", keys: key("ctrl+shift+a")},
		{what: "Shift-Esc (task manager)", keys: key("shift+Escape")},
		{what: "Alt-F, Alt-E, F10 (menu)", keys: key("alt+f", "alt+e", "F10")},
		{what: "F1 (help)", keys: key("F1")},
		{what: "F11, Esc (full screen)", keys: key("F11", "Escape")},
		{what: "Ctrl-F (find)", keys: key("ctrl+f")},
		{what: "F7 (caret)", keys: key("F7")},
		{what: "Ctrl-Plus (zoom)", keys: key("ctrl+shift+plus")},
		{what: "Ctrl and wheel (zoom)", keys: []string{"keydown", "37", "click", "4", "click", "4", "keyup", "37"}},
		{what: "right button (menu)", keys: []string{"click", "3"}},
		{what: "Menu key", keys: key("Menu")},
		{what: "Alt-Tab, Super, Alt-Esc", keys: key("alt+Tab", "super", "alt+Escape")},
		{what: "keys for home page, search, mail, reload", keys: key("homepage", "search", "mail", "refresh")},
		{what: "Ctrl-Alt-F2 (console of the system)", keys: key("ctrl+alt+F2")},
		{what: "Ctrl-Alt-Del", keys: key("ctrl+alt+Delete")},
		{what: "a link that is a download", script: `follow("FILE")`, leaves: passing, free: true},
		{what: "a download made by the page", script: `const a = link(URL.createObjectURL(new Blob(["x"]))); a.download = "out.txt"; a.click()`, leaves: passing, free: true},
		{what: "input type=file", script: `const i = document.createElement("input"); i.type = "file"; i.click()`, free: true},
		{what: "showSaveFilePicker()", script: `showSaveFilePicker().catch(() => {})`, free: true},
		{what: "window.print()", script: `print()`, free: true},
		{what: "a link to another server", script: `follow("OTHER")`, free: true},
		{what: "window.open of another server", script: `open("OTHER")`, free: true},
		{what: "window.open, to be filled later", script: `open("about:blank")`, free: true},
		{what: "a link to file:///etc/hostname", script: `follow("file:///etc/hostname")`},
		{what: "a link to chrome://settings", script: `follow("chrome://settings")`},
		{what: "a link to view-source:", script: `follow("view-source:" + location.href)`},
		{what: "mailto:", script: `follow("mailto:x@example.org")`},
		{what: "navigator.usb.requestDevice", script: `navigator.usb.requestDevice({filters: []}).catch(() => {})`, free: true},
		{what: "navigator.serial.requestPort", script: `navigator.serial.requestPort().catch(() => {})`, free: true},
		{what: "where am I", script: `navigator.geolocation.getCurrentPosition(() => {})`, free: true},
		{what: "microphone", script: `navigator.mediaDevices.getUserMedia({audio: true}).catch(() => {})`},
		{what: "the screen's picture", script: `navigator.mediaDevices.getDisplayMedia().catch(() => {})`, free: true},
		{what: "notifications", script: `Notification.requestPermission()`, free: true},
		{what: "the clipboard", script: `navigator.clipboard.readText().catch(() => {})`},
	}
}

// TestNobodyLeavesTheScreen tries every way out at a screen of a box: the unit's
// compositor, script, browser, keyboard and policies on an X server without a
// monitor, with keys and a mouse that xdotool moves. The same is tried with a common keyboard and
// without the policies: what shows something there and nothing here was held.
func TestNobodyLeavesTheScreen(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("needs root for a mount namespace: run the tests as root")
	}
	locked, free := newScreen(t, true), newScreen(t, false)
	free.start()
	locked.start()
	var table strings.Builder
	for _, a := range attempts() {
		t.Run(a.what, func(t *testing.T) {
			locked.t, free.t = t, t
			with, without := locked.try(a), free.try(a)
			fmt.Fprintf(&table, "| %s | %s | %s |\n", a.what, or(without), or(with))
			if with != a.leaves {
				t.Errorf("on a box: %s", or(with))
			}
			if a.free && without == nothing {
				t.Error("without them nothing is seen of it, either: the test sees nothing")
			}
		})
	}
	t.Logf("tried | without policies and keyboard | on a box\n%s", table.String())
}

func or(o outcome) string {
	if o == nothing {
		return "nothing"
	}
	return string(o)
}

// A screen is one browser before one X server. Nobody else of this machine has its
// user.
type screen struct {
	t             *testing.T
	locked        bool // with the policies and the keyboard of a box
	dir, policies string
	display       string
	page, other   *httptest.Server
	user          uint32
	unit          *exec.Cmd
	over          chan struct{} // closed when the unit has ended

	mu     sync.Mutex
	script string
	asked  int            // requests to the other server
	beats  map[string]int // of each page that lives, by its own number
	ratio  float64        // how large the page is drawn
}

const (
	width, height = 1024, 768 // of a compositor's window on X
	settled       = 2 * time.Second
	patience      = time.Minute
)

// front fills the screen with one colour: whatever else is there is not the page.
const front = `<!doctype html><meta charset="utf-8"><title>hall</title>
<style>html, body { margin: 0; height: 100%; background: #1e5b3a; cursor: none; overflow: hidden }</style>
<script>
addEventListener("contextmenu", (e) => e.preventDefault()) // as the touch page does
const me = Math.random()
const link = (to) => Object.assign(document.createElement("a"), { href: to })
const follow = (to) => link(to).click()
setInterval(() => fetch("/beat", { method: "POST", body: JSON.stringify({ me: String(me), ratio: devicePixelRatio * visualViewport.scale, seen: document.visibilityState }) }), 200)
addEventListener("click", async () => (0, eval)(await (await fetch("/script")).text()))
</script>`

func newScreen(t *testing.T, locked bool) *screen {
	dir, err := os.MkdirTemp("", "longcheng-screen-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &screen{t: t, locked: locked, dir: dir, policies: filepath.Join(dir, "policies"), user: 64301, beats: map[string]int{}}
	if !locked {
		s.user++
	}
	s.page, s.other = httptest.NewServer(s.hall()), httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked++
		fmt.Fprint(rw, "<p>a way out</p>")
	}))
	t.Cleanup(s.page.Close)
	t.Cleanup(s.other.Close)
	managed := filepath.Join(s.policies, "managed")
	s.must(os.MkdirAll(managed, 0o755), os.MkdirAll("/etc/chromium/policies", 0o755))
	if locked {
		text, err := os.ReadFile("../chromium/longcheng.json")
		s.must(err, os.WriteFile(filepath.Join(managed, "longcheng.json"), text, 0o644))
		_, err = policy(t, managed, s.page.URL+"/kiosk/touch-1")
		s.must(err)
	}
	for _, d := range []string{"home", "run"} {
		at := filepath.Join(dir, d)
		s.must(os.Mkdir(at, 0o700), os.Chown(at, int(s.user), int(s.user)))
	}
	s.must(os.Chmod(dir, 0o755))
	s.monitor()
	t.Cleanup(s.stop)
	return s
}

func (s *screen) must(errs ...error) {
	s.t.Helper()
	if err := errors.Join(errs...); err != nil {
		s.t.Fatal(err)
	}
}

// hall is the server of the page.
func (s *screen) hall() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) { fmt.Fprint(rw, front) })
	mux.HandleFunc("/file", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Disposition", `attachment; filename="out.txt"`)
		fmt.Fprint(rw, "x")
	})
	mux.HandleFunc("/script", func(rw http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprint(rw, s.script)
		s.script = ""
	})
	mux.HandleFunc("/beat", func(rw http.ResponseWriter, r *http.Request) {
		var b struct {
			Me, Seen string
			Ratio    float64
		}
		if json.NewDecoder(r.Body).Decode(&b) != nil || b.Seen != "visible" {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.beats[b.Me]++
		s.ratio = b.Ratio
	})
	return mux
}

// monitor starts an X server that keeps its picture in a file.
func (s *screen) monitor() {
	says, number, err := os.Pipe()
	s.must(err)
	defer says.Close()
	x := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height), "-fbdir", s.dir, "-nolisten", "tcp", "-noreset", "-ac")
	x.ExtraFiles = []*os.File{number}
	x.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.must(x.Start(), number.Close())
	s.t.Cleanup(func() { _ = x.Process.Kill(); _ = x.Wait() })
	said, err := bufio.NewReader(says).ReadString('\n')
	s.must(err)
	s.display = ":" + strings.TrimSpace(said)
	if s.locked {
		s.keyboard()
	}
}

// keyboard gives the X server the keyboard of a box. On a real box the compositor
// alone makes modifiers of keys; on X it takes the server's word for them.
func (s *screen) keyboard() {
	c := exec.Command("xkbcomp", "-w0", "-I../xkb", "-", s.display)
	c.Stdin = strings.NewReader(`xkb_keymap {
		xkb_keycodes { include "evdev" }; xkb_types { include "complete" }; xkb_compat { include "complete" }; xkb_symbols { include "longcheng(page)" };
	};`)
	if said, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("xkbcomp: %v: %s", err, said)
	}
}

// unitSays is what the unit of a touch page sets to key, with the files of this tree.
func (s *screen) unitSays(key string) string {
	unit, err := os.ReadFile("kiosk-touch.service")
	s.must(err)
	deploy, err := filepath.Abs("..")
	s.must(err)
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(string(unit), -1) {
		all = append(all, m[1])
	}
	return strings.NewReplacer("/usr/lib/longcheng/", deploy+"/units/", "/usr/share/longcheng/", deploy+"/").Replace(strings.Join(all, " "))
}

// start begins the unit, in a mount namespace for the policies and a process namespace
// that ends with it, and waits until the page is all that is drawn.
func (s *screen) start() {
	s.t.Helper()
	id := strconv.Itoa(int(s.user))
	inside := `mount --bind "$1" /etc/chromium/policies && shift && exec setpriv --reuid ` + id + ` --regid ` + id + ` --clear-groups ` + s.unitSays("ExecStart")
	s.unit = exec.Command("unshare", "--pid", "--mount-proc", "--fork", "--kill-child", "sh", "-c", inside, "sh", s.policies)
	s.unit.Env = []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "DISPLAY=" + s.display, "HOME=" + s.dir + "/home", "XDG_RUNTIME_DIR=" + s.dir + "/run",
		"WLR_BACKENDS=x11", "WLR_RENDERER=pixman", "KIOSK_EVERY=1", "KIOSK_URL=" + s.page.URL + "/kiosk/touch-1"}
	if s.locked {
		s.unit.Env = append(s.unit.Env, strings.Fields(s.unitSays("Environment"))...)
	}
	s.unit.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	s.must(err)
	defer log.Close()
	s.unit.Stdout, s.unit.Stderr = log, log
	s.must(s.unit.Start())
	over := make(chan struct{})
	s.over = over
	go func(c *exec.Cmd) { _ = c.Wait(); close(over) }(s.unit)
	s.mouse("mousemove", "400", "400")
	for end := time.Now().Add(patience); len(s.living()) != 1 || s.strange() > 0; s.mouse("mousemove_relative", "1", "0") { // a hand that moves hides the pointer, as the page wants
		if time.Now().After(end) {
			said, _ := os.ReadFile(log.Name())
			s.t.Fatalf("the page does not come: %d pixels are strange, %d pages live\n%s", s.strange(), len(s.living()), said[max(0, len(said)-3000):])
		}
	}
}

// stop ends the unit, and takes away what an X server for programs without Wayland
// leaves of itself when it is killed.
func (s *screen) stop() {
	if s.unit == nil {
		return
	}
	_ = syscall.Kill(-s.unit.Process.Pid, syscall.SIGKILL)
	<-s.over
	for _, pattern := range []string{"/tmp/.X*-lock", "/tmp/.X11-unix/X*"} {
		left, _ := filepath.Glob(pattern) // the pattern is good
		for _, file := range left {
			if i, err := os.Lstat(file); err == nil && i.Sys().(*syscall.Stat_t).Uid == s.user {
				s.must(os.Remove(file))
			}
		}
	}
}

func (s *screen) mouse(args ...string) {
	s.t.Helper()
	c := exec.Command("xdotool", args...)
	c.Env = append(os.Environ(), "DISPLAY="+s.display)
	if said, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("xdotool %v at %s: %v: %s", args, s.display, err, said)
	}
}

// living are the pages that were heard within half a second.
func (s *screen) living() []string {
	s.mu.Lock()
	clear(s.beats)
	s.mu.Unlock()
	time.Sleep(600 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for me := range s.beats {
		all = append(all, me)
	}
	return all
}

// try makes an attempt, says what became of it and puts the screen in order again.
func (s *screen) try(a attempt) outcome {
	s.t.Helper()
	before := s.living()
	s.mu.Lock()
	s.asked, s.script = 0, strings.NewReplacer("FILE", "/file", "OTHER", s.other.URL).Replace(a.script)
	s.mu.Unlock()
	if a.script != "" {
		s.mouse("click", "1")
	} else {
		s.mouse(a.keys...)
	}
	time.Sleep(settled)
	seen := s.became(before)
	if seen == drawn && s.passes() {
		seen = passing
	}
	if seen != nothing && seen != anew && seen != passing {
		s.picture(a.what)
		s.stop()
		s.start() // as systemd does
	}
	return seen
}

// passes reports whether what was drawn goes by itself.
func (s *screen) passes() bool {
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if s.strange() == 0 {
			return true
		}
	}
	return false
}

// became is what is to be seen now, where before was all.
func (s *screen) became(before []string) outcome {
	s.mouse("mousemove_relative", "1", "0") // which hides the pointer
	now := s.living()
	if len(now) == 0 && s.gone() {
		return ended
	}
	strange := s.strange()
	s.mu.Lock()
	asked, ratio := s.asked, s.ratio
	s.mu.Unlock()
	switch {
	case asked > 0:
		return foreign
	case s.files() > 0:
		return saved
	case s.listening():
		return listens
	case len(now) == 0:
		return pageGone
	case strange > 0:
		return drawn
	case ratio != 1:
		return magnify
	case len(now) > 1:
		return another
	case !slices.Equal(now, before):
		return anew
	}
	return nothing
}

// gone waits a moment for the end of a browser that was told to end.
func (s *screen) gone() bool {
	select {
	case <-s.over:
		return true
	case <-time.After(3 * time.Second):
		return false
	}
}

// frame is the picture of the X server: a header of big-endian words, a table of
// colours, lines of pixels.
func (s *screen) frame() (pixels []byte, line int) {
	b, err := os.ReadFile(filepath.Join(s.dir, "Xvfb_screen0"))
	s.must(err)
	word := func(n int) int { return int(binary.BigEndian.Uint32(b[4*n:])) }
	line = word(12)
	return b[word(0)+12*word(19):][:line*height], line
}

// strange counts pixels that are not the page's.
func (s *screen) strange() (n int) {
	pixels, line := s.frame()
	for y := range height {
		for x := range width {
			if !bytes.Equal(pixels[y*line+4*x:][:3], []byte{0x3a, 0x5b, 0x1e}) {
				n++
			}
		}
	}
	return n
}

// picture keeps what is on the screen, where PICTURES says.
func (s *screen) picture(what string) {
	to := os.Getenv("PICTURES")
	if to == "" {
		return
	}
	pixels, line := s.frame()
	out := fmt.Appendf(nil, "P6 %d %d 255\n", width, height)
	for y := range height {
		for x := range width {
			p := pixels[y*line+4*x:]
			out = append(out, p[2], p[1], p[0])
		}
	}
	name := regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(fmt.Sprint(s.user, " ", what), "-")
	s.must(os.WriteFile(filepath.Join(to, name+".ppm"), out, 0o644))
}

// files counts what the browser wrote beside its own profile, and takes it away.
func (s *screen) files() (n int) {
	s.must(filepath.WalkDir(s.dir+"/home", func(at string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "out") && d.Type().IsRegular() {
			n++
			return os.Remove(at)
		}
		return nil
	}))
	return n
}

// listening reports whether a program of the screen's user waits for connections.
func (s *screen) listening() bool {
	const listen = "0A"
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) > 7 && f[3] == listen && f[7] == strconv.Itoa(int(s.user)) {
				return true
			}
		}
	}
	return false
}
