package web

import (
	"errors"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
	"longcheng/kiosk/web/webtest"
)

// toItem goes to an item of the small hall, as a citizen does.
func toItem(p *webtest.Page) {
	p.Touch("市场监管局")
	p.Touch("营业执照办理")
}

// A citizen takes a number at the touch page.
func testTaking(t *testing.T, b *webtest.Browser) {
	t.Run("three touches to paper", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		toItem(p)
		p.Touch("取号")
		p.See("A001")
		p.See("请取走您的号票")
		if n := s.taken(); n != 1 {
			t.Errorf("%d tickets", n)
		}
		p.Touch("完成")
		p.See("请选择办事部门")
	})
	// The first answer is lost after the ticket was given: the page asks again with
	// the same key and shows the same number.
	t.Run("a lost answer is asked for again", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		s.lose = 1
		p := s.touch(b)
		toItem(p)
		p.Touch("取号")
		p.See("A001")
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.keys) != 2 || s.keys[0] != s.keys[1] {
			t.Errorf("keys %v", s.keys)
		}
	})
	// A new state must not take the button from under the finger.
	t.Run("a finger on a button while the queue moves", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		p.Touch("市场监管局")
		p.See("等候 0 人")
		lift := p.Press("营业执照办理")
		s.ticket("yyzz")
		p.See("等候 1 人")
		lift()
		p.See("请确认")
	})
	t.Run("priority on the citizen's word", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		toItem(p)
		p.Touch("优先：老年人")
		p.See("已选择")
		p.Touch("取号")
		p.See("A001")
		if v, err := s.store.Find(t.Context(), "A001"); err != nil || v.Class != "elderly" {
			t.Errorf("visit %+v, %v", v, err)
		}
	})
	t.Run("card first", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		s.desk.Say("k1", kiosk.Text{ZH: "身份证读取失败，请拿起后重新放置"})
		p.See("请拿起后重新放置")
		s.desk.Present("k1", "hash", "张**", 30)
		p.See("已读取身份证：张**")
		p.Gone("请拿起后重新放置")
		p.Touch("市场监管局")
		p.Touch("股权变更")
		p.Touch("取号")
		p.See("请取走您的号票和身份证")
	})
	t.Run("the reader's sentence goes away", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		s.desk.Say("k1", kiosk.Text{ZH: "身份证已过有效期，请到咨询台"})
		p.See("身份证已过有效期")
		p.Later(13)
		p.Gone("身份证已过有效期")
	})
	t.Run("button and appointment code", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		s.ticket("yyzz", func(in *kiosk.Intent) { in.Channel = kiosk.ByButton })
		p.See("A001")
		s.later(time.Second)
		if _, err := s.desk.Scan(t.Context(), "k1", "r", "NO SUCH CODE"); err == nil {
			t.Fatal("an unknown code gave a ticket")
		}
		p.Wait("document.getElementById('refused')")
		p.Touch("返回首页")
		p.See("请选择办事部门")
	})
}

// What there is can be found and read.
func testFinding(t *testing.T, b *webtest.Browser) {
	t.Run("large letters and English", func(t *testing.T) {
		t.Parallel()
		p := newSite(t, smallHall()).touch(b)
		size := "parseFloat(getComputedStyle(document.documentElement).fontSize)"
		normal := webtest.Eval[float64](p, size)
		p.Touch("大字版")
		if large := webtest.Eval[float64](p, size); large < normal*1.2 {
			t.Errorf("letters of %v px, large ones of %v px", normal, large)
		}
		p.Touch("English")
		p.Touch("Market Regulation")
		p.Touch("Business licence")
		p.Touch("Take a ticket")
		p.See("Please take your ticket")
	})
	t.Run("search by pinyin initials", func(t *testing.T) {
		t.Parallel()
		p := newSite(t, smallHall()).touch(b)
		p.Touch("搜索")
		for _, c := range "YYZZX" {
			p.Touch(string(c))
		}
		p.See("没有找到")
		p.Touch("删除")
		p.See("找到 1 项")
		p.Touch("营业执照办理")
		p.See("请确认")
	})
	t.Run("a very long name", func(t *testing.T) {
		t.Parallel()
		h := smallHall()
		name := strings.Repeat("建设工程消防设计审查验收及备案", 12)
		h.Items[0].Name = kiosk.Text{ZH: name, EN: strings.Repeat("Fire protection ", 30)}
		h.Items[0].Bring = nil
		for range 20 {
			h.Items[0].Bring = append(h.Items[0].Bring, kiosk.Text{ZH: name})
		}
		p := newSite(t, h).touch(b)
		p.Touch("市场监管局")
		p.Touch("建设工程")
		p.See(name)
		p.Touch("取号")
		p.See("A001")
		p.Touch("完成")
	})
	t.Run("a department without items is not offered", func(t *testing.T) {
		t.Parallel()
		h := smallHall()
		h.Departments = append(h.Departments, kiosk.Department{ID: "none", Name: kiosk.Text{ZH: "空部门"}})
		p := newSite(t, h).touch(b)
		if strings.Contains(p.Text("body"), "空部门") {
			t.Error("a touch on it leads nowhere")
		}
	})
}

// The touch page forgets who stood there.
func testForgetting(t *testing.T, b *webtest.Browser) {
	t.Run("the page forgets the person", func(t *testing.T) {
		t.Parallel()
		p := newSite(t, smallHall()).touch(b)
		p.Touch("English")
		p.Touch("Large text")
		p.Touch("Market Regulation")
		p.Touch("Business licence")
		p.See("Please confirm")
		p.Later(31)
		p.See("请选择办事部门")
		p.Wait("!document.documentElement.classList.contains('elder') && document.documentElement.lang === 'zh-CN'")
	})
	t.Run("a number does not stay on the screen", func(t *testing.T) {
		t.Parallel()
		p := newSite(t, smallHall()).touch(b)
		toItem(p)
		p.Touch("取号")
		p.See("A001")
		p.Later(16)
		p.Gone("A001")
		p.See("请选择办事部门")
	})
	t.Run("a sensor sees who comes and goes", func(t *testing.T) {
		t.Parallel()
		const asleep = "document.body.classList.contains('asleep')"
		s := newSite(t, smallHall())
		p := s.touch(b)
		s.desk.Somebody("k1", true)
		p.Wait("now.touch.person === true")
		p.Touch("市场监管局")
		p.See("营业执照办理")
		p.Later(5) // touched a while ago, but not for as long as privacy takes
		s.desk.Somebody("k1", false)
		p.See("请选择办事部门")
		p.Later(100)
		p.Wait(asleep)
		s.desk.Somebody("k1", true)
		p.Wait("!" + asleep)
		s.desk.Somebody("k1", false)
		p.Wait(asleep)
		s.desk.Unwatched("k1")
		p.Wait("!" + asleep)
	})
}

// What the touch page says when it cannot give a ticket: a sentence in place of
// the button, never a dead one.
func testWhyNot(t *testing.T, b *webtest.Browser) {
	const noButton = "document.querySelector('.sheet') && !document.getElementById('take')"
	t.Run("closed until after lunch", func(t *testing.T) {
		t.Parallel()
		h := smallHall()
		h.Hours = kiosk.Hours{Bands: []kiosk.Band{{Days: "mon-fri", From: 9 * 60, To: 12 * 60}, {Days: "mon-fri", From: 13*60 + 30, To: 17 * 60}}}
		s := newSite(t, h)
		p := s.touch(b)
		s.later(150 * time.Minute)
		p.See("今天 13:30 开放")
		p.Touch("市场监管局")
		p.Touch("营业执照办理")
		p.Wait(noButton)
		s.later(time.Hour)
		p.Touch("取号")
		p.See("A001")
		s.later(5 * time.Hour)
		p.Touch("完成")
		p.See("3月3日 09:00 开放")
	})
	t.Run("printer out of paper", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		s.pullPaper(&kiosk.Refusal{Code: "printer", Text: kiosk.Text{ZH: "打印纸已用完，请到其他取号机", EN: "Out of paper"}})
		p.See("打印纸已用完，请到其他取号机")
		p.Touch("市场监管局")
		p.Touch("营业执照办理")
		p.Wait(noButton)
		p.See("打印纸已用完，请到其他取号机")
		s.pullPaper(nil)
		p.Touch("取号")
		p.See("A001")
	})
	t.Run("printer silent", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		s.pullPaper(errors.New("no answer"))
		p := b.Open(t, s.url("/kiosk/k1"), 1080, 1920)
		p.See("打印机暂不可用，请到其他取号机")
		p.Touch("English")
		p.See("Please use another kiosk")
	})
	t.Run("refused by the rules", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		s.desk.Present("k1", "hash", "张**", 30)
		s.ticket("card", func(in *kiosk.Intent) { in.Person, in.Channel = "hash", kiosk.ByCard })
		s.desk.Present("k1", "hash", "张**", 30)
		p := s.touch(b)
		p.Touch("市场监管局")
		p.Touch("股权变更")
		p.Touch("取号")
		p.Wait("document.querySelector('.side .warn')")
		if n := s.taken(); n != 1 {
			t.Errorf("%d tickets", n)
		}
	})
	t.Run("cut off and back", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		s.cut()
		p.See("网络中断")
		p.See("connection is lost")
		s.up()
		p.Gone("网络中断")
		p.Touch("市场监管局")
		p.Touch("营业执照办理")
		p.Touch("取号")
		p.See("A001")
	})
	t.Run("store broken", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, smallHall())
		p := s.touch(b)
		s.breakStore(errors.New("disk I/O error"))
		p.See("网络中断")
		s.breakStore(nil)
		p.Gone("网络中断")
	})
}

// A browser that starts or reloads while the daemon is away shows a sentence of
// ours, and the page as soon as the daemon is back.
func testReload(t *testing.T, b *webtest.Browser) {
	s := newSite(t, smallHall())
	p := s.touch(b)
	p.Wait("!!navigator.serviceWorker.controller")
	s.cut()
	p.Eval("setTimeout(() => location.reload(), 0)")
	p.See("系统正在恢复")
	s.up()
	p.See("请选择办事部门")
}

// The pages in one real browser.
func TestPagesInABrowser(t *testing.T) {
	b := webtest.Start(t)
	t.Run("taking", func(t *testing.T) { t.Parallel(); testTaking(t, b) })
	t.Run("finding", func(t *testing.T) { t.Parallel(); testFinding(t, b) })
	t.Run("forgetting", func(t *testing.T) { t.Parallel(); testForgetting(t, b) })
	t.Run("why not", func(t *testing.T) { t.Parallel(); testWhyNot(t, b) })
	t.Run("sessions", func(t *testing.T) { t.Parallel(); testSessions(t, b) })
	t.Run("picker", func(t *testing.T) { testPicker(t, b) })
	t.Run("window", func(t *testing.T) { t.Parallel(); testWindow(t, b) })
	t.Run("calls", func(t *testing.T) { t.Parallel(); testCalls(t, b) })
	t.Run("console cut off", func(t *testing.T) { t.Parallel(); testConsoleCutOff(t, b) })
	t.Run("reload", func(t *testing.T) { t.Parallel(); testReload(t, b) })
	t.Run("visit", func(t *testing.T) { t.Parallel(); testVisit(t, b) })
	t.Run("every state", func(t *testing.T) { t.Parallel(); testStates(t, b) })
}
