package web

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"longcheng/kiosk"
	"longcheng/kiosk/web/webtest"
)

// deskHall lets a window serve two queues, ranked, out of three.
func deskHall() *kiosk.Hall {
	h := smallHall()
	h.Rules.RecallLimit = 2
	h.Queues = append(h.Queues, kiosk.Queue{ID: "b", Name: kiosk.Text{ZH: "税务", EN: "Taxes"}, Prefix: "B"}, kiosk.Queue{ID: "c", Name: kiosk.Text{ZH: "社保", EN: "Insurance"}, Prefix: "C"})
	h.Items = append(h.Items, kiosk.Item{ID: "tax", Department: "sj", Queue: "b", Name: kiosk.Text{ZH: "涉税事项", EN: "Taxes"}})
	h.Windows[0].Groups = [][]string{{"a"}, {"b"}}
	return h
}

// can says whether the console's key that bears a text can be pressed.
func can(text string) string {
	return "[...document.querySelectorAll('#keys button')].some(b => b.innerText.startsWith('" + text + "') && !b.disabled)"
}

func cannot(text string) string { return "document.querySelector('#keys') && !(" + can(text) + ")" }

// openDesk is a clerk's open window with that many people waiting.
func openDesk(t *testing.T, b *webtest.Browser, tickets int) (*site, *webtest.Page) {
	t.Helper()
	s := newSite(t, deskHall())
	for range tickets {
		s.ticket("yyzz")
	}
	s.open("1")
	p := s.signedIn(b)
	p.See("开放")
	return s, p
}

// deskWithCall is that window with the first of them called.
func deskWithCall(t *testing.T, b *webtest.Browser, tickets int) (*site, *webtest.Page) {
	t.Helper()
	s, p := openDesk(t, b, tickets)
	p.Touch("下一位")
	p.See("已叫号")
	return s, p
}

// A clerk signs in, and is asked again when the session is over.
func testSessions(t *testing.T, b *webtest.Browser) {
	t.Run("wrong password and lock-out", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, deskHall())
		p := b.Open(t, s.url("/console"), 1366, 768)
		signsIn(p, "0000", "1")
		p.See("用户名或密码不正确")
		for range 4 {
			p.Eval(`document.querySelector('#note').textContent = ''; document.querySelector('#sign').requestSubmit()`)
			p.Wait("document.querySelector('#note').textContent")
		}
		p.Eval(`document.querySelector('#sign').requestSubmit()`)
		p.See("请10分钟后再试")
		s.later(10 * time.Minute)
		p.Eval(`document.querySelector('[name=secret]').value = ''`)
		p.Type("[name=secret]", "1111\r")
		p.See("1 号窗口")
	})
	t.Run("session ended", func(t *testing.T) {
		t.Parallel()
		s, p := openDesk(t, b, 1)
		s.later(9 * time.Hour)
		p.Eval("if (me) act('next')") // the page may have found out by itself
		p.See("登录已失效，请重新登录")
		p.Type("[name=user]", "li")
		p.Type("[name=secret]", "1111\r")
		p.See("窗口空闲")
	})
	t.Run("signed out while it asks who is signed in", func(t *testing.T) {
		t.Parallel()
		_, p := openDesk(t, b, 1)
		p.Eval(`const real = fetch; let held = new Promise((free) => { window.free = free });
			window.fetch = async (at, o) => { const r = await real(at, o); if (/session$/.test(at) && o.method === 'GET') await held; return r };
			whoAmI().then(() => { window.answered = true })`)
		p.Touch("退出")
		p.Wait("document.querySelector('[name=user]')")
		p.Eval("window.free()")
		p.Wait("window.answered")
		p.Wait("document.querySelector('[name=user]')")
	})
	t.Run("second tab at another window", func(t *testing.T) {
		t.Parallel()
		s, p := openDesk(t, b, 1)
		q := p.Tab(s.url("/console"))
		q.See("1 号窗口")
		q.Touch("退出")
		signsIn(q, "1111", "2")
		q.See("2 号窗口")
		p.Touch("下一位")
		p.See("本页已切换")
		p.See("2 号窗口")
	})
}

// A clerk among many windows finds hers by number, by a part of its name or with
// the arrow keys, in either language; one that does not exist is refused.
func testPicker(t *testing.T, b *webtest.Browser) {
	t.Parallel()
	hall := deskHall()
	for n := 3; n <= 130; n++ {
		hall.Windows = append(hall.Windows, kiosk.Window{ID: fmt.Sprint("w", n), Number: n, Zone: hall.Windows[0].Zone, Groups: [][]string{{"a"}}})
	}
	hall.Windows[119].Name = kiosk.Text{ZH: "不动产登记", EN: "Real estate"}
	s := newSite(t, hall)
	p := b.Open(t, s.url("/console"), 1366, 768)
	p.See("用户名")
	count := func(n int) {
		p.Wait(fmt.Sprintf("document.querySelectorAll('#options [role=option]').length === %d", n))
	}
	typed := func(keys string) {
		p.Eval("document.querySelector('[name=window]').value = ''")
		p.Type("[name=window]", keys)
	}
	value := func(want string) { p.Wait(fmt.Sprintf("document.querySelector('[name=window]').value === '%s'", want)) }
	p.Click("[name=window]")
	count(130)
	typed("12")
	count(11) // 12 and 120 to 129
	p.Key(webtest.Down)
	p.Key(webtest.Down)
	p.Key("\r")
	value("120 号窗口 不动产登记")
	typed("estate")
	count(1)
	p.Key(webtest.Escape)
	count(0)
	for _, restored := range []string{"999", "  "} { // by the browser, which tells the page nothing
		p.Eval(fmt.Sprintf("const f = document.querySelector('[name=window]').form; f.elements.window.setCustomValidity(''); f.elements.window.value = %q; f.elements.user.value = 'x'; f.elements.secret.value = 'x'; f.requestSubmit(); f.elements.user.value = f.elements.secret.value = ''", restored))
		p.Wait("document.querySelector('[name=window]').validationMessage.startsWith('没有这个窗口')")
	}
	typed("999")
	p.See("没有相符的窗口")
	if !webtest.Eval[bool](p, "document.querySelector('[name=window]').validationMessage.startsWith('没有这个窗口')") {
		t.Error("a window that does not exist is taken")
	}
	p.Touch("English")
	signsIn(p, "1111", "不动产")
	p.See("Window 120")
}

// A clerk opens, pauses and closes the window, in either language.
func testWindow(t *testing.T, b *webtest.Browser) {
	t.Run("open with chosen queues, pause and close", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, deskHall())
		p := s.signedIn(b)
		p.See("窗口未开放")
		p.Touch("开放窗口")
		p.Click("[name=a]")
		p.Touch("其他队列")
		p.Click("[name=c]")
		p.Touch("开放窗口")
		p.See("当前无人等候")
		p.Wait("!document.getElementById('waiting').innerText.includes('企业登记') && document.getElementById('waiting').innerText.includes('社保')")
		p.Touch("暂停")
		p.Eval(`document.querySelector('[name=notice]').value = '设备调试，请稍候'`)
		p.Click("dialog .main")
		p.See("窗口暂停中")
		p.See("设备调试，请稍候")
		if w := s.window("1"); w.Desk != kiosk.Paused || w.Notice != "设备调试，请稍候" || len(w.Groups) != 2 {
			t.Errorf("window %+v", w)
		}
		p.Touch("恢复服务")
		p.See("当前无人等候")
		if w := s.window("1"); len(w.Groups) != 2 || w.Groups[0][0] != "b" || w.Groups[1][0] != "c" {
			t.Errorf("after the pause it serves %v", w.Groups)
		}
		p.Touch("关闭窗口")
		p.See("窗口未开放")
	})
	t.Run("nobody waiting", func(t *testing.T) {
		t.Parallel()
		s, p := openDesk(t, b, 0)
		p.See("当前无人等候")
		p.Touch("下一位")
		p.Wait("document.getElementById('note').innerText === '当前无人等候'")
		s.ticket("yyzz")
		p.See("窗口空闲")
	})
	t.Run("English", func(t *testing.T) {
		t.Parallel()
		_, p := deskWithCall(t, b, 1)
		p.Touch("English")
		p.See("first in line")
		p.See("Recall (2 left)")
		p.Touch("Sign out")
		p.See("Clerk console")
	})
}

// A ticket at the clerk's console, from the call to its end.
func testCalls(t *testing.T, b *webtest.Browser) {
	t.Run("call, recall to the limit, start, done", func(t *testing.T) {
		t.Parallel()
		s, p := deskWithCall(t, b, 2)
		p.See("A001 10:00:00 取号，排在最前")
		p.Wait("document.querySelectorAll('.shown .sending').length === 2")
		s.shown("strip:1", "")
		p.See("窗口屏 1 已送达 10:00:00")
		s.shown("wall:main", "no answer from the board")
		p.See("未送达：no answer from the board")
		p.Touch("重呼（剩 2 次）")
		p.Touch("重呼（剩 1 次）")
		p.Wait(cannot("重呼"))
		p.See("第 2 次重呼")
		p.Touch("开始办理")
		p.See("办理中")
		p.Touch("办结")
		p.See("窗口空闲")
		p.Key(webtest.F2)
		p.See("A002")
	})
	t.Run("skip too early, skip, requeue", func(t *testing.T) {
		t.Parallel()
		s, p := deskWithCall(t, b, 1)
		p.Touch("过号")
		p.See("叫号显示时间不足，请稍候再过号")
		s.later(time.Minute)
		p.Touch("过号")
		p.Wait("document.querySelector('#parked .skipped')")
		p.Touch("重新排队")
		p.Wait("document.getElementById('parked').innerText.includes('无')")
		p.Touch("下一位")
		p.See("已叫号")
	})
	t.Run("hold, reload, take back", func(t *testing.T) {
		t.Parallel()
		s, p := deskWithCall(t, b, 2)
		p.Touch("挂起")
		p.Wait("document.querySelector('#parked .held')")
		p.Go(s.url("/console"))
		p.Wait("document.querySelector('#parked .held')")
		p.Touch("取回")
		p.See("由 li 指定呼叫（原为挂起）")
		p.Wait("document.querySelector('.ticket .number').innerText === 'A001'")
	})
	t.Run("transfer", func(t *testing.T) {
		t.Parallel()
		s, p := deskWithCall(t, b, 1)
		p.Touch("转移")
		p.Choose("[name=queue]", "b")
		p.Choose("[name=position]", "end")
		p.Click("dialog .main")
		p.See("窗口空闲")
		if v, err := s.store.Find(t.Context(), "A001"); err != nil || v.Legs[0].Queue != "b" || v.Legs[0].State != kiosk.Waiting {
			t.Errorf("visit %+v, %v", v, err)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		t.Parallel()
		s, p := deskWithCall(t, b, 1)
		p.Touch("取消此号")
		p.Type("dialog [name=reason]", "办事人放弃")
		p.Click("dialog .main")
		p.See("当前无人等候")
		if v, err := s.store.Find(t.Context(), "A001"); err != nil || v.Legs[0].State != kiosk.Cancelled {
			t.Errorf("visit %+v, %v", v, err)
		}
	})
	t.Run("find, priority, reprint, call out of turn", func(t *testing.T) {
		t.Parallel()
		s, p := openDesk(t, b, 3)
		p.Type("[name=number]", "A009\r")
		p.Wait("document.getElementById('note').innerText")
		p.Eval("document.querySelector('[name=number]').value = ''")
		p.Type("[name=number]", "a003\r")
		p.Wait("document.querySelector('#found .waiting')")
		p.Click("#found button:nth-child(2)")
		p.Type("dialog [name=reason]", "已出示老年证")
		p.Click("dialog .main")
		p.Wait("document.querySelector('#found mark')")
		p.Click("#found button:nth-child(3)")
		p.Type("dialog [name=reason]", "号票遗失")
		p.Click("dialog .main")
		p.Wait("!document.querySelector('dialog').open && !busy")
		p.Touch("下一位")
		p.See("老年人优先 15 分钟，按 09:45:00 排队；早于 A001 10:00:00 取号")
		if v, err := s.store.Find(t.Context(), "A003"); err != nil || len(v.Jobs) != 2 || v.Jobs[1].Copy != 1 {
			t.Errorf("visit %+v, %v", v, err)
		}
	})
}

// The console says what it has lost, and has it again by itself.
func testConsoleCutOff(t *testing.T, b *webtest.Browser) {
	t.Run("cut off and back", func(t *testing.T) {
		t.Parallel()
		s, p := openDesk(t, b, 1)
		s.cut()
		p.See("网络中断")
		s.up()
		p.Gone("网络中断")
		p.Touch("下一位")
		p.See("A001")
	})
	t.Run("store broken", func(t *testing.T) {
		t.Parallel()
		s, p := openDesk(t, b, 1)
		s.breakStore(errors.New("disk I/O error"))
		s.ticket("yyzz")
		p.See("网络中断")
		s.breakStore(nil)
		s.ticket("yyzz")
		p.Gone("网络中断")
	})
}

// The page behind the QR of a ticket.
func testVisit(t *testing.T, b *webtest.Browser) {
	t.Run("from waiting to done", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, deskHall())
		s.ticket("yyzz")
		i := s.ticket("yyzz")
		p := b.Open(t, s.url("/t/"+i.Visit.ID), 390, 844)
		p.See("A002")
		p.See("1 人")
		again := func() { p.Eval("refresh()") }
		s.open("1")
		s.next("1")
		s.act("1", kiosk.DoDone)
		again()
		p.See("您是下一位")
		s.next("1")
		again()
		p.See("请到窗口办理")
		p.See("1 号窗口")
		s.later(time.Minute)
		s.act("1", kiosk.DoSkip)
		again()
		p.See("已过号")
		p.See("过号请到咨询台重新排队")
		p.Touch("English")
		p.See("You were called and missed it")
	})
	t.Run("cut off and back", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, deskHall())
		i := s.ticket("yyzz")
		p := b.Open(t, s.url("/t/"+i.Visit.ID), 390, 844)
		p.See("A001")
		s.cut()
		p.Eval("refresh()")
		p.See("网络中断")
		p.See("A001")
		s.up()
		p.Eval("refresh()")
		p.Gone("网络中断")
	})
	t.Run("unknown ticket", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, deskHall())
		b.Open(t, s.url("/t/nothing"), 390, 844).See("请核对号票上的二维码")
	})
}
