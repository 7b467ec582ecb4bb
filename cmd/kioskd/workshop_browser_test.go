package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"longcheng/cmd/internal/faults"
	"longcheng/kiosk/web/webtest"
)

// screens are what technicians look at: a desk, a small touch panel, a kiosk.
var screens = [][2]int64{{1366, 768}, {800, 480}, {1080, 1920}}

// photograph keeps a picture where LONGCHENG_SHOTS says.
func photograph(p *webtest.Page, name string) {
	if dir := os.Getenv("LONGCHENG_SHOTS"); dir != "" {
		p.Shot(filepath.Join(dir, name+".png"))
	}
}

// A technician finds the page from the box's first page, signs in, watches the
// printer's bytes, prints a test slip, hears of a fault in the doctor's words, and
// reads what each setting means: on three screens, in both languages.
func TestTechnicianInABrowser(t *testing.T) {
	r := newRig(t, 1000)
	d := r.start(smallHall).healthy()
	browser := webtest.Start(t)
	fault := faults.Named("cover-open")
	words := map[string][]string{
		"zh": {"打测试票", "已完成", fault.Name.ZH, fault.Remedy.ZH, "诊断", "开始诊断", "设置", "打印机指令集", "打印机 printer-1"},
		"en": {"Print a test slip", "done:", fault.Name.EN, fault.Remedy.EN, "Doctor", "Examine", "Settings", "its language", "printer printer-1"},
	}
	for i, size := range screens {
		p := browser.Open(t, d.url+"/", size[0], size[1])
		p.See("设备维护")
		p.Click(`a[href="/technician/box/"]`)
		p.See("请先登录")
		photograph(p, fmt.Sprintf("sign-in-%d", size[0]))
		p.Type("[name=user]", "supervisor")
		p.Type("[name=secret]", "1234")
		p.Click("button.main")
		p.See("本机")
		for n, lang := range []string{"zh", "en"} {
			if lang == "en" {
				p.Click("#lang")
			}
			if n != i%2 && os.Getenv("LONGCHENG_SHOTS") == "" {
				continue // one language a screen is enough when nobody looks
			}
			technician(t, r, p, words[lang], fmt.Sprintf("technician-%s-%d", lang, size[0]), i == 0)
		}
		p.Close()
	}
}

// technician goes through the page in one language; with paper, it prints.
func technician(t *testing.T, r *rig, p *webtest.Page, says []string, name string, paper bool) {
	t.Helper()
	const printer = `document.querySelector('[data-device="printer printer-1"]')`
	p.Click(`[data-tab="devices"]`)
	p.Wait(printer + `?.querySelector("pre").textContent.includes("10 04")`)
	p.Eval(printer + ".querySelector('details').open = true")
	p.See("10 04")
	if paper {
		before := len(r.printer.Slips())
		p.Touch(says[0])
		p.See(says[1])
		if n := len(r.printer.Slips()); n != before+1 {
			t.Errorf("%d slips came out, want one", n-before)
		}
	}
	r.printer.Cover(true)
	p.See(says[2])
	p.See(says[3])
	photograph(p, name+"-devices")
	whole(t, p, name+"-devices")
	p.Click(`[data-tab="doctor"]`)
	p.See(says[5])
	p.Click("#examine")
	p.Wait(`document.querySelector("#found").innerText.includes(` + fmt.Sprintf("%q", says[3]) + `)`)
	p.Wait(`document.querySelector("#found").innerText.includes(` + fmt.Sprintf("%q", says[8]) + `)`)
	photograph(p, name+"-doctor")
	whole(t, p, name+"-doctor")
	p.Click(`[data-tab="settings"]`)
	p.See(says[7])
	photograph(p, name+"-settings")
	whole(t, p, name+"-settings")
	r.printer.Cover(false)
	p.Click(`[data-tab="devices"]`)
	p.Gone(says[3])
}

// whole wants nothing cut off, and everything large enough and readable.
func whole(t *testing.T, p *webtest.Page, name string) {
	t.Helper()
	if list := p.Overflows(); len(list) > 0 {
		t.Errorf("%s: cut off: %v", name, list)
	}
	if list := p.Barriers(34); len(list) > 0 {
		t.Errorf("%s: hard to see or to touch: %v", name, list)
	}
}
