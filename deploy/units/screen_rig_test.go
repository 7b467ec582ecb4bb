//go:build kiosk

package units_test

import (
	"bufio"
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
	"sync"
	"syscall"
	"testing"
	"time"
)

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
	last   time.Time      // of the beats
}

const (
	width, height = 1024, 768 // of a compositor's window on X
	settled       = 2 * time.Second
	patience      = time.Minute
	unheard       = 3 * time.Second // a page of which nothing is heard for longer is not there
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
	mux.HandleFunc("/kiosk/touch-1/alive", func(rw http.ResponseWriter, r *http.Request) { // as kioskd
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.last.IsZero() && time.Since(s.last) > unheard {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	})
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
		s.last = time.Now()
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
	s.mu.Lock()
	s.last = time.Time{} // a busy machine may need long for its first picture
	s.mu.Unlock()
	id := strconv.Itoa(int(s.user))
	inside := `mount --bind "$1" /etc/chromium/policies && shift && exec setpriv --reuid ` + id + ` --regid ` + id + ` --clear-groups ` + s.unitSays("ExecStart")
	s.unit = exec.Command("unshare", "--pid", "--mount-proc", "--fork", "--kill-child", "sh", "-c", inside, "sh", s.policies)
	if s.locked {
		s.unit.Env = strings.Fields(s.unitSays("Environment"))
	}
	// The later ones are taken: the directories and the page are those of the test.
	s.unit.Env = append(s.unit.Env, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "DISPLAY="+s.display, "HOME="+s.dir+"/home", "XDG_RUNTIME_DIR="+s.dir+"/run",
		"WLR_BACKENDS=x11", "WLR_RENDERER=pixman", "KIOSK_EVERY=1", "KIOSK_URL="+s.page.URL+"/kiosk/touch-1")
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
	for end := time.Now().Add(patience); len(s.living()) != 1 || s.strange(0) > 0; s.mouse("mousemove_relative", "1", "0") { // a hand that moves hides the pointer, as the page wants
		if time.Now().After(end) {
			said, _ := os.ReadFile(log.Name())
			s.t.Fatalf("the page does not come: %d pixels are strange, %d pages live\n%s", s.strange(0), len(s.living()), said[max(0, len(said)-3000):])
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
