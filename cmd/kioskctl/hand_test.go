package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk/web/webtest"
)

// aFingerSetsUpABox: a box that has its image's documents alone, and no keyboard, is
// told by touches who it is; then its browser shows the touch page, and a ticket is
// taken there.
func aFingerSetsUpABox(t *testing.T, bin string) {
	s := newStory(t, bin)
	image := filepath.Join(s.root, "usr/share/longcheng/box")
	must(t, os.MkdirAll(filepath.Dir(image), 0o755))
	must(t, os.Rename(filepath.Join(s.root, "etc/longcheng"), image))
	page := s.post(s.people, "http://"+s.pages+"/code?lang=en", url.Values{"hall": {"small"}, "device": {"kiosk-7"}, "role": {"host"}})
	code := regexp.MustCompile(`longcheng://([^/]+)/([A-Z2-7-]+)\?ca=([0-9a-f]{16})`).FindStringSubmatch(page)
	if code == nil {
		t.Fatalf("no code: %s", page)
	}
	s.start("kioskctl", "provision", "wait", "--root", s.root, "--state", s.state, "--listen", s.touch)
	home := "http://" + s.touch + "/kiosk/touch-1"
	s.until("the wizard", func() bool { return s.get(s.people, home) != "" })
	browser := webtest.Start(t)
	for _, size := range [][2]int64{{1366, 768}, {1280, 1024}} {
		f := finger{browser.Open(t, home, size[0], size[1]), t, fmt.Sprint(size[0])}
		f.leafs()
	}
	f := finger{browser.Open(t, home, 1080, 1920), t, "1080"}
	f.fills(code[1], code[2])
	f.p.See("请核对中心的指纹")
	f.looks("compare")
	if got := strings.ToLower(strings.ReplaceAll(f.p.Text(".digits"), "-", "")); got != code[3] {
		t.Errorf("the fingerprint shown is %s, want %s", got, code[3])
	}
	f.p.Touch("一致")
	f.p.See("设置完成")
	f.p.See("✓ printer printer-1")
	f.looks("done")
	s.start("kioskd", "run", "-config", filepath.Join(s.root, "etc/longcheng/kioskd.toml"), "-state", s.state, "-clock-offset", monday().String())
	f.p.See("市公安局") // without anybody's doing
	f.p.Touch("市公安局")
	f.p.Touch("居民身份证申领")
	f.looks("item")
	f.p.Touch("取号")
	s.until("the paper", func() bool { return len(s.printer.Slips()) == 1 })
	f.looks("ticket")
}

// A finger is a person who has no keyboard.
type finger struct {
	p      *webtest.Page
	t      *testing.T
	screen string
}

// leafs looks at the pages of the form, each of which is whole on the screen.
func (f finger) leafs() {
	f.looks("first")
	f.p.Touch("手工设置")
	for _, what := range []string{"box", "network", "code"} {
		if what == "network" {
			f.p.Click(`[value="fixed"]`)
		}
		f.looks(what)
		f.p.Wait("document.body.scrollHeight <= innerHeight")
		if what != "code" {
			f.p.Touch("下一步")
		}
	}
}

// fills goes through the wizard's pages, after a mistake once again.
func (f finger) fills(at, secret string) {
	f.looks("first")
	f.p.Touch("手工设置")
	f.p.See("1 / 3")
	f.writes("hall", "small")
	f.writes("device", "kiosk-7")
	f.p.Click(`[value="whole"]`)
	f.looks("box")
	f.p.Touch("下一步")
	f.p.Click(`[value="fixed"]`)
	f.writes("address", "10.0.0.7")
	f.writes("gateway", "10.0.0.1")
	f.looks("network")
	f.p.Touch("下一步")
	f.writes("at", at)
	f.writes("secret", strings.ToLower(secret))
	f.looks("code")
	f.p.Touch("开始设置")
	f.p.See("地址的写法不对")
	f.looks("mistake")
	f.writes("address", "/24")
	f.p.Touch("下一步")
	f.p.Touch("开始设置")
}

// writes touches a field and the keys on the screen.
func (f finger) writes(field, text string) {
	f.t.Helper()
	f.p.Eval(fmt.Sprintf("document.querySelector('[name=%q]').focus()", field))
	for _, c := range text {
		f.p.Click(fmt.Sprintf("[data-key=%q]", string(c)))
	}
}

// looks wants nothing cut off or covered, and everything large enough for a finger.
func (f finger) looks(what string) {
	f.t.Helper()
	if dir := os.Getenv("LONGCHENG_SHOTS"); dir != "" {
		time.Sleep(300 * time.Millisecond) // pictures of a page that stands still
		f.p.Shot(filepath.Join(dir, "hand-"+f.screen+"-"+what+".png"))
	}
	for _, bad := range append(append(f.p.Overflows(), f.p.Barriers(56)...), f.p.Collisions()...) {
		f.t.Errorf("%s: %s", what, bad)
	}
}
