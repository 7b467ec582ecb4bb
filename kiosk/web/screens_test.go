package web

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"longcheng/kiosk"
	"longcheng/kiosk/web/webtest"
)

var screens = flag.String("screens", "", "write a PNG of every page in every state to this directory")

// sampleHall reads a hall that is delivered with the program.
func sampleHall(t *testing.T, name string) *kiosk.Hall {
	t.Helper()
	h := &kiosk.Hall{}
	files, _ := filepath.Glob(filepath.Join("../../deploy/halls", name, "*.toml"))
	for _, f := range files {
		if filepath.Base(f) == "kioskd.toml" {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := toml.Unmarshal(b, h); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
	}
	if len(h.Items) == 0 {
		t.Fatalf("hall %s has no items", name)
	}
	return h
}

// A scene is a page in one state.
type scene struct {
	name string
	hall string // sample hall; the reference hall when empty
	prep func(s *site)
	path string // default the touch page
	play func(s *site, p *webtest.Page, say func(zh, en string) string)
}

type size struct{ width, height int64 }

var (
	kiosks = []size{{1366, 768}, {1080, 1920}, {1920, 1080}, {1280, 1024}} // the tightest first
	desks  = []size{{1366, 768}, {1920, 1080}}
	phones = []size{{390, 844}}
)

// crowd lets n people take tickets for items.
func crowd(n int, items ...string) func(*site) {
	return func(s *site) {
		for i := range n {
			s.ticket(items[i%len(items)], func(in *kiosk.Intent) {
				if i%4 == 3 {
					in.Class = "elderly"
				}
			})
		}
	}
}

type sayer = func(zh, en string) string

func toConfirm(_ *site, p *webtest.Page, say sayer) {
	p.Touch(say("市公安局", "Public Security"))
	p.Touch(say("机动车登记", "Vehicle registration"))
	p.See(say("请确认", "Please confirm"))
}

var touchScenes = []scene{
	{name: "departments", prep: crowd(9, "police-08"), play: func(_ *site, p *webtest.Page, _ sayer) { p.Wait("document.querySelectorAll('.cell').length > 5") }},
	{name: "departments-small", hall: "small", play: func(_ *site, p *webtest.Page, _ sayer) { p.Wait("document.querySelectorAll('.cell').length == 3") }},
	{name: "items", prep: crowd(9, "police-08"), play: func(_ *site, p *webtest.Page, say sayer) {
		p.Touch(say("市公安局", "Public Security"))
		p.See(say("等候", "waiting"))
	}},
	{name: "items-card-trouble", play: func(s *site, p *webtest.Page, say sayer) {
		p.Touch(say("市公安局", "Public Security"))
		p.See(say("等候", "waiting"))
		s.desk.Say("k1", kiosk.Text{ZH: "读取时身份证被移开，请拿起后重新放置", EN: "The card was moved: lift it and put it back"})
		p.See(say("重新放置", "put it back"))
	}},
	{name: "items-few", hall: "small", prep: crowd(5, "social-card"), play: func(_ *site, p *webtest.Page, say sayer) {
		p.Touch(say("市人力资源", "Human Resources"))
		p.See(say("等候", "waiting"))
	}},
	{name: "search", play: func(_ *site, p *webtest.Page, say sayer) {
		p.Touch(say("搜索事项", "Search"))
		for _, c := range "SFZ" {
			p.Click(fmt.Sprintf("#pad button:nth-child(%d)", c-'A'+1))
		}
		p.Wait("document.querySelectorAll('.cell').length > 0 || document.body.innerText.includes('" + say("没有找到", "Nothing found") + "')")
	}},
	{name: "confirm", prep: crowd(7, "police-08"), play: toConfirm},
	{name: "confirm-card-needed", hall: "small", play: func(_ *site, p *webtest.Page, say sayer) {
		p.Touch(say("市公安局", "Public Security"))
		p.Touch(say("户口迁移", "Move of household"))
		p.See(say("请将身份证放在读卡区", "identity card on the reader"))
	}},
	{name: "card-read", hall: "small", play: func(s *site, p *webtest.Page, say sayer) {
		s.desk.Present("k1", "hash", "张**", 71)
		p.See("张**")
	}},
	{name: "card-trouble", hall: "small", play: func(s *site, p *webtest.Page, say sayer) {
		s.desk.Say("k1", kiosk.Text{ZH: "读取时身份证被移开，请拿起后重新放置", EN: "The card was moved: lift it and put it back"})
		p.See(say("重新放置", "put it back"))
	}},
	{name: "result", prep: crowd(7, "police-08"), play: func(s *site, p *webtest.Page, say sayer) {
		toConfirm(s, p, say)
		p.Touch(say("取号", "Take a ticket"))
		p.See(say("请取走您的号票", "take your ticket"))
	}},
	{name: "refused", play: func(s *site, p *webtest.Page, say sayer) {
		p.See(say("请选择办事部门", "Choose a department"))
		s.desk.Scan(s.t.Context(), "k1", "r1", "NO SUCH CODE")
		p.Wait("document.getElementById('refused')")
	}},
	{name: "closed", prep: func(s *site) { s.later(140 * 60e9) }, play: func(_ *site, p *webtest.Page, say sayer) {
		p.See(say("今天 13:30 开放", "Opens today at 13:30"))
	}},
	{name: "closed-confirm", prep: func(s *site) { s.later(140 * 60e9) }, play: toConfirm},
	{name: "no-paper", prep: func(s *site) {
		s.pullPaper(&kiosk.Refusal{Code: "printer", Text: kiosk.Text{ZH: "打印纸已用完，请到其他取号机", EN: "Out of paper. Please use another kiosk."}})
	}, play: func(_ *site, p *webtest.Page, say sayer) { p.See(say("打印纸已用完", "Out of paper")) }},
	{name: "offline", play: func(s *site, p *webtest.Page, say sayer) {
		p.See(say("请选择办事部门", "Choose a department"))
		s.cut()
		p.See(say("网络中断", "connection is lost"))
	}},
}

func enter(p *webtest.Page, say sayer) {
	p.See(say("用户名", "User"))
	signsIn(p, "1111", "1")
	p.See(say("1 号窗口", "Window 1"))
}

func atWork(s *site, p *webtest.Page, say sayer) {
	s.open("1")
	enter(p, say)
	p.Touch(say("下一位", "Next"))
	p.Wait("document.querySelector('.ticket')")
}

var deskScenes = []scene{
	{name: "sign-in", play: func(_ *site, p *webtest.Page, say sayer) { p.See(say("用户名", "User")) }},
	{name: "sign-in-wrong", play: func(_ *site, p *webtest.Page, say sayer) {
		p.See(say("用户名", "User"))
		signsIn(p, "9999", "1")
		p.See(say("不正确", "not right"))
	}},
	{name: "sign-in-windows", hall: "changzhou", play: func(_ *site, p *webtest.Page, say sayer) {
		p.See(say("用户名", "User"))
		p.Type("[name=window]", "10")
		p.Wait("document.querySelectorAll('#options li').length > 5")
	}},
	{name: "closed", play: func(_ *site, p *webtest.Page, say sayer) {
		enter(p, say)
		p.See(say("窗口未开放", "window is closed"))
	}},
	{name: "queues", play: func(_ *site, p *webtest.Page, say sayer) {
		enter(p, say)
		p.Touch(say("开放窗口", "Open the window"))
		p.See(say("选择本窗口受理的队列", "Queues of this window"))
	}},
	{name: "free", prep: crowd(6, "id-card", "social-card"), play: func(s *site, p *webtest.Page, say sayer) {
		s.open("1")
		enter(p, say)
		p.See(say("窗口空闲", "window is free"))
	}},
	{name: "nobody", play: func(s *site, p *webtest.Page, say sayer) {
		s.open("1")
		enter(p, say)
		p.See(say("当前无人等候", "Nobody is waiting"))
	}},
	{name: "called", prep: crowd(6, "id-card", "social-card"), play: func(s *site, p *webtest.Page, say sayer) {
		atWork(s, p, say)
		s.shown("strip:1", "")
		s.shown("wall:main", "no answer from the board")
		p.See(say("已送达", "shown"))
	}},
	{name: "serving", prep: func(s *site) {
		crowd(8, "id-card", "social-card")(s)
		s.open("1")
		for _, a := range []kiosk.Action{kiosk.DoHold, kiosk.DoSkip} {
			s.next("1")
			s.later(60e9)
			s.act("1", a)
		}
	}, play: func(s *site, p *webtest.Page, say sayer) {
		atWork(s, p, say)
		p.Touch(say("开始办理", "Start"))
		p.See(say("办理中", "Serving"))
	}},
	{name: "found", prep: crowd(6, "id-card", "social-card"), play: func(s *site, p *webtest.Page, say sayer) {
		s.open("1")
		enter(p, say)
		p.Type("[name=number]", "b001\r")
		p.See(say("补打", "Reprint"))
	}},
	{name: "transfer", prep: crowd(6, "id-card"), play: func(s *site, p *webtest.Page, say sayer) {
		atWork(s, p, say)
		p.Touch(say("转移", "Transfer"))
		p.See(say("保持原到达时间", "keep the arrival"))
		p.Click("[name=to]")
		p.See(say("2 号窗口", "Window 2"))
	}},
	{name: "paused", prep: crowd(2, "id-card"), play: func(s *site, p *webtest.Page, say sayer) {
		s.open("1", func(r *kiosk.WindowRequest) { r.Desk, r.Notice = kiosk.Paused, "设备调试，请到 2 号窗口" })
		enter(p, say)
		p.See(say("窗口暂停中", "window is paused"))
	}},
	{name: "offline", prep: crowd(6, "id-card"), play: func(s *site, p *webtest.Page, say sayer) {
		atWork(s, p, say)
		s.cut()
		p.See(say("网络中断", "connection is lost"))
	}},
}

// on opens the visit page of the first ticket after acting at its window.
func on(acts ...kiosk.Action) func(*site, *webtest.Page, sayer) {
	return func(s *site, p *webtest.Page, say sayer) {
		s.ticket("social-card")
		i := s.ticket("id-card")
		if len(acts) > 0 {
			s.open("1")
			s.next("1")
			s.later(60e9)
		}
		for _, a := range acts {
			if a != kiosk.DoCall {
				s.act("1", a)
			}
		}
		p.Go(s.url("/t/" + i.Visit.ID))
		p.See(i.Visit.Number)
		if say("zh", "en") == "en" {
			p.Touch("English")
		}
		p.See(say("您的号码", "Your number"))
	}
}

var phoneScenes = []scene{
	{name: "waiting", play: on()},
	{name: "called", play: func(s *site, p *webtest.Page, say sayer) {
		on(kiosk.DoCall)(s, p, say)
		s.shown("strip:1", "")
		p.See(say("✓ 窗口屏已显示", "✓ on the window sign")) // when the page asks next
	}},
	{name: "serving", play: on(kiosk.DoStart)},
	{name: "skipped", play: on(kiosk.DoSkip)},
	{name: "served", play: on(kiosk.DoDone)},
	{name: "unknown", path: "/t/nothing", play: func(_ *site, p *webtest.Page, say sayer) {
		p.See(say("核对号票", "check the QR"))
	}},
}

var otherScenes = []scene{
	{name: "index", path: "/", play: func(_ *site, p *webtest.Page, _ sayer) { p.See("取号机"); p.See("大屏 main") }},
	{name: "docs", path: base + "/docs", play: func(_ *site, p *webtest.Page, _ sayer) { p.See("/api/v1/tickets") }},
	{name: "no-page", path: "/nothing", play: func(_ *site, p *webtest.Page, _ sayer) { p.See("没有这个页面") }},
}

// shoot plays a scene in one size, language and letter size, and photographs it.
func shoot(t *testing.T, b *webtest.Browser, group string, sc scene, z size, lang string, elder bool) {
	t.Helper()
	hall := sc.hall
	if hall == "" {
		hall = "changzhou"
		if group != "touch" {
			hall = "small"
		}
	}
	s := newSite(t, sampleHall(t, hall))
	if sc.prep != nil {
		sc.prep(s)
	}
	path := sc.path
	if path == "" {
		path = map[string]string{"touch": "/kiosk/k1", "console": "/console", "visit": "/"}[group]
	}
	p := b.Open(t, s.url(path), z.width, z.height)
	defer p.Close()
	if group == "touch" {
		p.Wait("hall && linked && now") // the banner of the beginning has gone: nothing moves any more
	}
	say := func(zh, _ string) string { return zh }
	if lang == "en" {
		say = func(_, en string) string { return en }
		if sc.path == "" && group != "visit" || group == "visit" && sc.path != "" {
			p.Touch("English")
		}
	}
	if elder {
		p.Touch(say("大字版", "Large text"))
	}
	sc.play(s, p, say)
	for _, o := range p.Overflows() {
		t.Errorf("sticks out or is cut off: %s", o)
	}
	if group == "touch" { // elsewhere a dialog lies on the page
		for _, o := range p.Collisions() {
			t.Errorf("on each other: %s", o)
		}
	}
	least := map[string]int{"touch": 60, "visit": 44}[group] // pixels; elsewhere there is a mouse: WCAG 2.2, 2.5.8
	for _, x := range p.Barriers(max(least, 24)) {
		t.Error(x)
	}
	name := fmt.Sprintf("%s-%s-%dx%d-%s", group, sc.name, z.width, z.height, lang)
	if elder {
		name += "-large"
	}
	if *screens == "" {
		return
	}
	p.Shot(filepath.Join(*screens, name+".png"))
}

// testStates plays every page in every state: once, or, when -screens names a
// directory, in every size, language and letter size with a photograph of each.
func testStates(t *testing.T, b *webtest.Browser) {
	for _, g := range []struct {
		name   string
		scenes []scene
		sizes  []size
		langs  []string
		large  []bool
	}{
		{"touch", touchScenes, kiosks, []string{"zh", "en"}, []bool{false, true}},
		{"console", deskScenes, desks, []string{"zh", "en"}, []bool{false}},
		{"visit", phoneScenes, phones, []string{"zh", "en"}, []bool{false}},
		{"other", otherScenes, desks, []string{"zh"}, []bool{false}},
	} {
		if *screens == "" {
			g.sizes, g.langs, g.large = g.sizes[:1], g.langs[:1], g.large[:1]
		}
		for _, sc := range g.scenes {
			for _, z := range g.sizes {
				for _, lang := range g.langs {
					for _, elder := range g.large {
						t.Run(fmt.Sprintf("%s/%s/%dx%d/%s/%v", g.name, sc.name, z.width, z.height, lang, elder), func(t *testing.T) {
							t.Parallel()
							shoot(t, b, g.name, sc, z, lang, elder)
						})
					}
				}
			}
		}
	}
}
