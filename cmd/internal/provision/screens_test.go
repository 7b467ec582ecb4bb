package provision

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/order"
	"longcheng/cmd/internal/commission"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/device/glyph"
	"longcheng/kiosk"
	"longcheng/kiosk/web/webtest"
	"longcheng/printer/preview"
)

// TestScreens looks at every page of the wizard on a tall and on a low touch screen, with
// long names and many devices: nothing is cut off, covered, below the screen, or too
// small for a finger.
func TestScreens(t *testing.T) {
	browser := webtest.Start(t)
	w, err := NewWizard(Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now}, func() []string { return nil })
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler())
	t.Cleanup(s.Close)
	sizes := [][2]int64{{1080, 1920}, {1024, 600}}
	if os.Getenv("LONGCHENG_SHOTS") != "" {
		sizes = append(sizes, [2]int64{1366, 768})
	}
	for _, size := range sizes {
		p := browser.Open(t, s.URL, size[0], size[1])
		for _, c := range screens() {
			w.mu.Lock()
			w.phase, w.text, w.found, w.progress, w.shown, w.typed, w.again = "waiting", kiosk.Text{}, nil, progress{}, "", false, false
			c.set(w)
			w.revision++
			w.mu.Unlock()
			p.Go(s.URL + c.path)
			for _, bad := range append(append(p.Overflows(), p.Barriers(56)...), p.Collisions()...) {
				t.Errorf("%d: %s: %s", size[0], c.name, bad)
			}
			if high := webtest.Eval[int64](p, "document.documentElement.scrollHeight"); high > size[1] {
				t.Errorf("%d: %s: the page is %d high: not all of it is seen", size[0], c.name, high)
			}
			if dir := os.Getenv("LONGCHENG_SHOTS"); dir != "" {
				p.Shot(filepath.Join(dir, fmt.Sprintf("screen-%s-%d.png", c.name, size[0])))
			}
		}
	}
}

// A screen is one page of the wizard and how it comes about.
type screen struct {
	name, path string
	set        func(w *Wizard)
}

func screens() []screen {
	stand := []commission.Standing{
		{Device: "printer printer-hall-north-1", Result: commission.Bad, Text: kiosk.Text{ZH: "打印机 printer-hall-north-1：没有这个设备文件", EN: "printer printer-hall-north-1: there is no such device file"}, Port: "/dev/serial/by-id/usb-Prolific_Technology_Inc._USB-Serial_Controller_CMA1b103Y20-if00-port0",
			Offers: []commission.Offer{
				{Changes: []config.Change{{Device: "printer printer-hall-north-1", Port: "/dev/a", Baud: 19200}}, Text: kiosk.Text{ZH: "在此应答：EPSON TM-T88V，19200；也可能是打印机 printer-2，请看接线", EN: "it answers here: EPSON TM-T88V, 19200 baud; or is it printer printer-2? Look at the cable"}, Port: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:3.2:1.0-port0"},
				{Changes: []config.Change{{Device: "printer printer-hall-north-1", Port: "/dev/b", Baud: 9600}}, Text: kiosk.Text{ZH: "在此应答，9600", EN: "it answers here, 9600 baud"}, Port: "/dev/ttyS3"},
			}},
		{Device: "reader reader-1", Result: commission.Good, Text: kiosk.Text{ZH: "读卡器 reader-1", EN: "reader reader-1"}, Port: "/dev/ttyS1"},
		{Device: "scanner scanner-1", Result: commission.Skipped, Text: kiosk.Text{ZH: "扫码器 scanner-1：端口可打开，此类设备不应答询问", EN: "scanner scanner-1: its port opens; such a device answers no questions"}, Port: "/dev/ttyS2"},
	}
	many := stand
	sheet := commission.Sheet{Box: commission.Verdict{Device: "box kiosk-7", Good: true}}
	for i := range 9 {
		many = append(many, commission.Standing{Device: fmt.Sprint("line line-", i), Result: commission.Good, Text: kiosk.Text{ZH: fmt.Sprint("线路 line-", i), EN: fmt.Sprint("line line-", i)}, Port: fmt.Sprint("/dev/ttyUSB", i)})
		sheet.Devices = append(sheet.Devices, commission.Verdict{Device: fmt.Sprint("strip window-east-", i), Good: i > 1, Remedy: kiosk.Text{ZH: "检查屏的电源、地址、波特率和 A/B 线：kioskctl scan", EN: "check the sign's power, address, speed and wires A and B: kioskctl scan"}})
	}
	all := sheet
	all.Good, all.Devices = true, sheet.Devices[2:]
	asked := func(picture []byte, zh, en string) func(w *Wizard) {
		return func(w *Wizard) {
			w.phase, w.progress = accepting, progress{Device: kiosk.Text{ZH: "窗口屏 window-east-1", EN: "strip window-east-1"}, N: 12, Of: 34, Asks: &commission.Question{Text: kiosk.Text{ZH: zh, EN: en}, Picture: picture}}
		}
	}
	phaseOf := func(p phase, zh, en string) func(w *Wizard) {
		return func(w *Wizard) { w.phase, w.text = p, kiosk.Text{ZH: zh, EN: en} }
	}
	used := fmt.Errorf("%w: %w", ErrNotEnrolled, central.Refuse(http.StatusForbidden, "code", "the code is not good, was used, or has ended: get a new one"))
	return []screen{
		{"waiting", "/", func(*Wizard) {}},
		{"used", "/", func(w *Wizard) { w.phase, w.text = failed, told(used, inChinese(used)) }},
		{"old", "/", func(w *Wizard) { w.phase, w.text = failed, told(order.ErrOld, inChinese(order.ErrOld)) }},
		{"hand", "/hand", func(*Wizard) {}},
		{"digits", "/", func(w *Wizard) { w.phase, w.shown = confirming, "1234-5678" }},
		{"fingerprint", "/", func(w *Wizard) { w.phase, w.shown, w.typed = confirming, "abcd-efgh-jklm-npqr", true }},
		{"working", "/", phaseOf(working, "连不上，正在重试：请检查网线和地址（dial tcp 10.0.0.2:8443: connect: no route to host）", "cannot be reached, trying again: check cable and addresses (dial tcp 10.0.0.2:8443: connect: no route to host)")},
		{"found", "/", func(w *Wizard) { w.phase, w.found = ready, stand }},
		{"again", "/", func(w *Wizard) { w.phase, w.found, w.again = ready, stand, true }},
		{"many", "/", func(w *Wizard) {
			w.phase, w.found = ready, many
			w.text = told(commission.ErrLeft, "没有改动："+inChinese(commission.ErrLeft))
		}},
		{"looking", "/", phaseOf(looking, "正在查找设备，约半分钟", "looking for devices: about half a minute")},
		{"by", "/by", func(w *Wizard) { w.phase = ready }},
		{"told", "/", func(w *Wizard) {
			w.phase, w.progress = accepting, progress{Device: kiosk.Text{ZH: "按键板 board-1", EN: "board board-1"}, N: 4, Of: 9, Told: []kiosk.Text{{ZH: "请按一下按钮 0", EN: "press button 0"}, {ZH: "按下的是 3，请按 0", EN: "that was 3, press 0"}}}
		}},
		{"ticket", "/", asked(drawn(576, 700), "测试票是否完整、清晰、已切断？", "is the test ticket whole, clear and cut off?")},
		{"strip", "/", asked(drawn(216, 72), "屏上是否全部点亮（■■■■ 或 8888），没有暗点、暗段？", "is everything lit (■■■■ or 8888), without a dark dot or segment?")},
		{"sound", "/", asked(nil, "是否听到提示音和 请A001号，到1号窗口？", "did you hear a chime and 请A001号，到1号窗口?")},
		{"review", "/", func(w *Wizard) { w.phase, w.progress = accepting, progress{Sheet: &sheet} }},
		{"good", "/", func(w *Wizard) { w.phase, w.progress = accepting, progress{Sheet: &all} }},
		{"done", "/", func(w *Wizard) {
			w.phase, w.found, w.text = done, many, kiosk.Text{ZH: "small / kiosk-7：已注册为大厅 small 的 kiosk-7，证书有效至 2027-02-28", EN: "enrolled as kiosk-7 of hall small until 2027-02-28"}
		}},
		{"accepted", "/", func(w *Wizard) {
			w.phase, w.text, w.progress = done, kiosk.Text{ZH: "small / kiosk-7：已注册为大厅 small 的 kiosk-7，证书有效至 2027-02-28", EN: "enrolled as kiosk-7 of hall small until 2027-02-28"}, progress{Sheet: &all, Told: []kiosk.Text{{ZH: "验收单已打印", EN: "the sheet is printed"}}}
		}},
	}
}

// drawn is a picture of a size.
func drawn(wide, high int) []byte {
	m := glyph.NewBitmap(wide, high)
	glyph.Face24().Draw(m, 8, 8, "请A001号")
	var b bytes.Buffer
	_ = preview.WritePNG(&b, m) // into memory
	return b.Bytes()
}

// A code that was used by another box, and one whose time is over, are told on the
// screen in both languages with what to do; the next try has everything but the code.
func TestCodesThatAreSpent(t *testing.T) {
	var ahead atomic.Int64
	d, at := hostAt(t, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	newCode := func() central.Code {
		code, err := d.NewCode(at, "kiosk-7", "box")
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	used := newCode()
	if _, err := central.Enrol(t.Context(), t.TempDir(), used.String(), time.Now); err != nil {
		t.Fatal(err)
	}
	old := newCode()
	k := empty(t, at)
	browser := webtest.Start(t)
	p := browser.Open(t, k, 1024, 600)
	for _, c := range []struct {
		name, said string
		code       central.Code
		late       time.Duration
	}{
		{"used", "the code was used by another box: make a new one with kioskctl enrol-code", used, 0},
		{"old", "the code is unknown, used or over: make a new one with kioskctl enrol-code", old, door.CodeLife + time.Second},
	} {
		ahead.Store(int64(c.late))
		post(t, k+"/hand", url.Values{"hall": {"small"}, "device": {"kiosk-7"}, "role": {"kiosk"}, "at": {at}, "secret": {c.code.Secret}})
		p.See("一致")
		p.Touch("一致")
		p.See("注册码无效、已用过或已过期：请在中心或大厅主机上重新生成")
		p.See(c.said)
		if dir := os.Getenv("LONGCHENG_SHOTS"); dir != "" {
			p.Shot(filepath.Join(dir, "code-"+c.name+".png"))
		}
		p.Touch("手工设置")
		p.Wait(`document.querySelector("[name=at]")?.value === "` + at + `" && document.querySelector("[name=secret]").value === ""`)
		p.Go(k)
	}
}

// empty is the wizard of an image whose documents name a host, at its address.
func empty(t *testing.T, host string) string {
	t.Helper()
	b := Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now}
	image := filepath.Join(b.Root, imageDir)
	if err := os.MkdirAll(image, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(image, os.DirFS(documents(t, host))); err != nil {
		t.Fatal(err)
	}
	w, err := NewWizard(b, func() []string { return nil })
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler())
	t.Cleanup(s.Close)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = w.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return s.URL
}
