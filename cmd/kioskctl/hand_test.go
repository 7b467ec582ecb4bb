package main

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk/web/webtest"
)

// aFingerSetsUpABox: a box that has its image's documents alone, and no keyboard, is
// told by touches who it is. Its documents name another port than that of its printer:
// a touch takes the right one. The power goes at that last screen, and again in the midst
// of the test, and each time the screen comes back. It is accepted by touches; then its
// browser shows the touch page, a ticket is taken there, and the signed sheet is in the
// journal.
func aFingerSetsUpABox(t *testing.T, bin string) {
	s := newStory(t, bin)
	image := filepath.Join(s.root, "usr/share/longcheng/box")
	must(t, os.MkdirAll(filepath.Dir(image), 0o755))
	must(t, os.Rename(filepath.Join(s.root, "etc/longcheng"), image))
	text, err := os.ReadFile(filepath.Join(image, "kioskd.toml"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(image, "kioskd.toml"), bytes.Replace(text, []byte(`"ports/printer-1"`), []byte(`"ports/elsewhere" # of the plan`), 1), 0o644))
	page := s.post(s.people, "http://"+s.pages+"/code?lang=en", url.Values{"hall": {"small"}, "device": {"kiosk-7"}, "role": {"host"}})
	code := regexp.MustCompile(`longcheng://([^/]+)/([A-Z2-7-]+)\?ca=([0-9a-f]{16})`).FindStringSubmatch(page)
	if code == nil {
		t.Fatalf("no code: %s", page)
	}
	powerOn := func() running {
		return s.start("kioskctl", "provision", "wait", "--root", s.root, "--state", s.state, "--listen", s.touch, "--port", filepath.Join(s.state, "ports/printer-1"))
	}
	box := powerOn()
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
	s.until("the printer's other port", func() bool { // a machine with too much to do may not hear an answer in time
		text := f.p.Text("main")
		if !strings.Contains(text, "Use it") && strings.Contains(text, "重新查找") {
			f.p.Touch("重新查找")
		}
		return strings.Contains(text, "Use it")
	})
	f.looks("found")
	f.p.Touch("使用")
	f.p.Wait(`document.querySelector("li.ok")?.innerText.includes("printer printer-1")`)
	f.looks("taken")
	powerCut := func() {
		must(t, box.Process.Kill())
		_ = box.Wait() // it was killed
		f.p.Close()
		if all, _ := filepath.Glob(filepath.Join(s.state, "acceptance/*")); len(all) != 1 || filepath.Base(all[0]) != "put-off" {
			t.Errorf("after a power cut there is %v", all)
		}
		box = powerOn()
		s.until("the wizard", func() bool { return s.get(s.people, home) != "" })
		f.p = browser.Open(t, home, 1080, 1920)
		f.p.See("上次在此断电")
	}
	powerCut()
	f.looks("again")
	f.begins()
	f.touches(0)
	powerCut()
	f.accepts(s)
	if err := box.Wait(); err != nil {
		t.Error(err)
	}
	s.start("kioskd", "run", "-config", filepath.Join(s.root, "etc/longcheng/kioskd.toml"), "-state", s.state, "-clock-offset", monday().String())
	f.p.See("市公安局") // without anybody's doing
	f.p.Touch("市公安局")
	f.p.Touch("居民身份证申领")
	f.looks("item")
	f.p.Touch("取号")
	s.until("the paper", func() bool { return len(s.printer.Slips()) == 5 })
	f.looks("ticket")
	s.until("the sheet in the journal, which carries it to the centre", func() bool {
		noted, _ := filepath.Glob(filepath.Join(s.state, "acceptance/*.json.noted"))
		return len(noted) == 1
	})
	kept, _ := filepath.Glob(filepath.Join(s.state, "acceptance/*.json"))
	said, err := exec.Command(filepath.Join(bin, "kioskctl"), "accept", "--lang", "en", "--state", s.state, "--verify", kept[0]).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "signed by kiosk-7 of hall small") {
		t.Errorf("%v: %s", err, said)
	}
}

// begins begins the acceptance test.
func (f finger) begins() {
	f.p.Touch("开始验收")
	for _, c := range "lin" {
		f.p.Click(fmt.Sprintf("[data-key=%q]", string(c)))
	}
	f.looks("by")
	f.p.Touch("开始")
	f.p.See("请点击每个圆点")
}

// accepts goes through the acceptance test; the ticket is looked at once more, and the
// printer tested again.
func (f finger) accepts(s *newBoxStory) {
	f.begins()
	for dot := range 5 {
		f.touches(dot)
	}
	f.sees("测试票是否完整")
	f.looks("question")
	f.p.Touch("再来一次")
	f.p.Gone("测试票是否完整")
	f.sees("测试票是否完整")
	f.p.Touch("否")
	f.p.See("有不合格项")
	f.looks("review")
	f.p.Touch("再测一次")
	f.sees("测试票是否完整")
	f.p.Touch("是")
	f.p.See("全部合格")
	f.looks("good")
	f.p.Touch("完成")
	f.p.See("验收单已打印")
	f.looks("done")
	if n := len(s.printer.Slips()); n != 4 {
		f.t.Errorf("%d slips came out, want three test tickets and the sheet", n)
	}
}

// touches touches a dot of the touch test, when those before it are gone.
func (f finger) touches(dot int) {
	f.p.Touch(strconv.Itoa(dot + 1))
	f.p.Wait(fmt.Sprintf(`document.body?.innerText && document.querySelectorAll("[name=dot]").length == %d`, 4-dot))
}

// sees waits for a question and for the picture of what it is about.
func (f finger) sees(question string) {
	f.t.Helper()
	f.p.See(question)
	f.p.Wait(`document.querySelector("img.seen")?.naturalWidth > 100`)
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
	f.p.See("1 / 3")
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
	f.p.Wait(`document.readyState === "complete"`) // with its style
	if dir := os.Getenv("LONGCHENG_SHOTS"); dir != "" {
		time.Sleep(300 * time.Millisecond) // pictures of a page that stands still
		f.p.Shot(filepath.Join(dir, "hand-"+f.screen+"-"+what+".png"))
	}
	for _, bad := range append(append(f.p.Overflows(), f.p.Barriers(56)...), f.p.Collisions()...) {
		f.t.Errorf("%s: %s", what, bad)
	}
}
