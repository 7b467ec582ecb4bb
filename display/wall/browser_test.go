package wall

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/display"
	"longcheng/kiosk"
	"longcheng/kiosk/freeport"
	"longcheng/kiosk/web/webtest"
)

// shots, when set, is a directory for photographs of every state.
const shots = "LONGCHENG_SHOTS"

// glass is a wall on a real socket that can be cut.
type glass struct {
	t    *testing.T
	w    *Wall
	addr string
	srv  *http.Server
}

func newGlass(t *testing.T, o Options) *glass {
	t.Helper()
	w, err := New("wall:main", o)
	if err != nil {
		t.Fatal(err)
	}
	g := &glass{t: t, w: w}
	if g.addr, err = freeport.Address(); err != nil {
		t.Fatal(err)
	}
	g.up()
	t.Cleanup(func() { w.Close(); g.srv.Close() })
	return g
}

func (g *glass) up() {
	g.t.Helper()
	l, err := net.Listen("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.srv = &http.Server{Handler: g.w.Handler()}
	go g.srv.Serve(l)
}

func (g *glass) open(b *webtest.Browser, width, height int64) *webtest.Page {
	g.t.Helper()
	p := b.Open(g.t, "http://"+g.addr+"/", width, height)
	p.Wait("document.querySelectorAll('#recent li').length === 5")
	return p
}

// show returns when a page has painted and acknowledged the view.
func (g *glass) show(v display.View) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 2*time.Minute)
	defer cancel()
	for {
		_, err := g.w.Show(ctx, v)
		if err == nil {
			return
		}
		if !errors.Is(err, ErrNoBrowser) && !errors.Is(err, ErrNotPainted) || ctx.Err() != nil {
			g.t.Fatal(err)
		}
	}
}

var hallName = kiosk.Text{ZH: "龙城市政务服务中心", EN: "Longcheng Government Service Hall"}

// busy is a wall in the middle of the day.
func busy() display.View {
	w := &display.Wall{Title: hallName, Floors: 1}
	names := []string{"A012", "B007", "C103", "A011", "D021", "AB0123"}
	v := display.View{Wall: w}
	for i, n := range names {
		w.Calls = append(w.Calls, display.WallCall{Seq: int64(20 - i), Number: n, Window: []int{3, 12, 108, 5, 7, 21}[i], Floor: 1 + i%2, Zone: kiosk.Text{ZH: "社保医保区", EN: "Social Insurance"}, Live: i < 3})
		v.Calls = append(v.Calls, int64(20-i))
	}
	phases := []display.Phase{display.PhaseCalling, display.PhaseServing, display.PhaseIdle, display.PhasePaused, display.PhaseServing, display.PhaseSignedOut}
	for i := range 26 {
		x := display.WallWindow{Window: i + 1, Phase: phases[i%6]}
		if i%6 < 2 || i%6 == 4 {
			x.Number = fmt.Sprintf("A%03d", i+1)
		}
		if i == 3 {
			x.Notice = "午间休息 13:30 恢复"
		}
		w.Windows = append(w.Windows, x)
	}
	for i, n := range []string{"企业开办综合窗口", "社会保险经办服务（含灵活就业）", "医疗保障", "不动产登记与交易", "户政与出入境", "公积金提取贷款", "税务办理", "工程建设项目审批", "公安交管", "综合咨询"} {
		w.Queues = append(w.Queues, display.WallQueue{Name: kiosk.Text{ZH: n, EN: "Service " + n[:3]}, Prefix: string(rune('A' + i)), Waiting: i * 7, Minutes: i * 9, Windows: i % 3})
	}
	return v
}

// picture writes a 16:9 picture for the playlist.
func picture(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	svg := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1600 900"><rect width="1600" height="900" fill="#14532d"/><text x="800" y="480" font-size="120" fill="#fff" text-anchor="middle">社保卡 一卡通用</text></svg>`
	png := "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	b, err := base64.StdEncoding.DecodeString(png)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"card.svg": []byte(svg), "dot.png": b} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func photograph(t *testing.T, p *webtest.Page, name string) {
	t.Helper()
	if dir := os.Getenv(shots); dir != "" {
		p.Shot(filepath.Join(dir, name+".png"))
	}
}

// Every state in both orientations and in one, two and three languages: nothing is
// cut off or sticks out, numbers are as large as the distance asks for, and every
// text has its contrast.
func TestPageInABrowser(t *testing.T) {
	b := webtest.Start(t)
	media := picture(t)
	empty, closed, many, urgent := busy(), busy(), busy(), busy()
	empty.Wall = &display.Wall{Title: hallName, Calls: []display.WallCall{}, Windows: []display.WallWindow{}, Queues: empty.Wall.Queues[:2]}
	empty.Calls = nil
	closed.Wall.Closed = true
	for i := range closed.Wall.Calls {
		closed.Wall.Calls[i].Live = false
	}
	many.Wall.Floors = 2
	urgent.Wall.Announce = []display.Announcement{{Text: kiosk.Text{ZH: "请所有人员立即从最近的安全出口有序撤离，不要乘坐电梯", EN: "Please leave by the nearest exit now. Do not use the lifts."}, Urgent: true}}
	long := busy()
	long.Wall.Title = kiosk.Text{ZH: "龙城高新技术产业开发区暨综合保税区企业与居民政务服务中心（社会保障分中心）", EN: "Longcheng High-Tech Industrial Development Zone Government Service Centre for Enterprises and Residents"}
	long.Wall.Calls[0].Number = "AB01234"
	long.Wall.Announce = []display.Announcement{{Text: kiosk.Text{ZH: strings.Repeat("因设备检修，今日下午三点起不动产登记窗口暂停办理，请改日再来或前往二楼。", 2), EN: "Owing to maintenance the windows of real estate registration close at three this afternoon; please come another day or go to the second floor"}}}
	tests := []struct {
		name string
		o    Options
		v    display.View
	}{
		{"long-zh-en", Options{Languages: []string{"zh", "en"}}, long},
		{"busy-zh", Options{}, busy()},
		{"busy-zh-en", Options{Languages: []string{"zh", "en"}, Notices: []Notice{{Text: kiosk.Text{ZH: "请保管好随身物品，办理业务请提前准备身份证原件", EN: "Please keep your belongings with you"}}}}, many},
		{"busy-en-zh-ja", Options{Languages: []string{"en", "zh", "ja"}}, many},
		{"media-zh", Options{Media: media, Playlist: []Piece{{File: "card.svg"}}}, busy()},
		{"urgent-zh-en", Options{Languages: []string{"zh", "en"}}, urgent},
		{"empty-zh-en", Options{Languages: []string{"zh", "en"}}, empty},
		{"closed-zh", Options{}, closed},
		{"night-zh", Options{Night: Schedule{From: "00:00", To: "24:00"}}, busy()},
		{"asleep-zh", Options{Night: Schedule{From: "00:00", To: "24:00"}}, closed},
	}
	for _, size := range [][2]int64{{1920, 1080}, {1080, 1920}, {1366, 768}} {
		for i, tt := range tests {
			if size[1] < 1000 && !strings.HasPrefix(tt.name, "empty") && os.Getenv(shots) == "" {
				continue // a small screen is a large one drawn smaller, but for where its lines break
			}
			if size[0] < size[1] && i > 4 && os.Getenv(shots) == "" {
				continue // upright, the first five are the hard ones; photographs are taken of all
			}
			name := fmt.Sprintf("%s-%dx%d", tt.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				tt.o.Now = func() time.Time { return time.Date(2026, 9, 30, 10, 8, 0, 0, time.UTC) } // "Wed, 30 Sept": no date is wider
				g := newGlass(t, tt.o)
				p := g.open(b, size[0], size[1])
				g.show(tt.v)
				p.Wait("document.fonts.status === 'loaded' && document.fonts.check('700 40px \"Longcheng Hei\"')")
				if strings.HasPrefix(tt.name, "media") {
					p.Wait("document.querySelector('#picture').complete && !document.querySelector('#picture').hidden")
				}
				photograph(t, p, name)
				for _, o := range p.Overflows() {
					if !strings.HasPrefix(o, "SPAN#.") && !strings.Contains(o, "#sleep") { // names of queues end in an ellipsis
						t.Errorf("cut off: %s", o)
					}
				}
				for _, f := range faint(p) {
					t.Errorf("too faint: %s", f)
				}
				for _, a := range alone(p) {
					t.Errorf("a word alone on its line: %s", a)
				}
				for _, h := range high(p) {
					t.Errorf("higher than its row: %s", h)
				}
				if size[1] > 1000 && (strings.HasPrefix(tt.name, "busy") || strings.HasPrefix(tt.name, "media")) {
					sizes(t, p)
				}
			})
		}
	}
}

// sizes checks heights against 5 mm per metre on a 55-inch panel of 0.634 mm a pixel:
// capital digits are 0.72 of the font's size.
func sizes(t *testing.T, p *webtest.Page) {
	t.Helper()
	for _, tt := range []struct {
		css    string
		metres float64
	}{{"#number", 11}, {"#window", 11}, {"#recent li span", 6}, {"#queues li span:nth-child(3)", 2.8}, {"#windows li span:nth-child(2)", 2.8}} {
		px := webtest.Eval[float64](p, fmt.Sprintf("(e => e && e.getClientRects().length ? parseFloat(getComputedStyle(e).fontSize) : 1e9)(document.querySelector(%q))", tt.css))
		if px == 1e9 && (strings.HasPrefix(tt.css, "#number") || strings.HasPrefix(tt.css, "#recent")) {
			t.Errorf("%s is not to be seen", tt.css)
		}
		if m := px * 0.72 * 0.634 / 5; m < tt.metres {
			t.Errorf("%s is %.0f px: readable to %.1f m, want %.1f", tt.css, px, m, tt.metres)
		}
	}
}

// high lists the texts of rows whose lines of letters do not fit their row.
func high(p *webtest.Page) []string {
	return strings.Fields(webtest.Eval[string](p, `[...document.querySelectorAll('li span')].filter(e => {
  const c = getComputedStyle(e), lines = Math.round(e.clientHeight / parseFloat(c.lineHeight));
  return e.clientHeight && lines * parseFloat(c.fontSize) > e.parentElement.clientHeight + 1;
}).map(e => e.textContent.replaceAll(' ', '')).join(' ')`))
}

// alone lists the large centred texts whose last line is less than a third of their
// widest.
func alone(p *webtest.Page) []string {
	return strings.Fields(webtest.Eval[string](p, `[...document.querySelectorAll('#greeting span, #urgent span')].filter(e => {
  const text = document.createRange(), lines = {};
  text.selectNodeContents(e);
  for (const r of text.getClientRects()) lines[Math.round(r.top)] = (lines[Math.round(r.top)] || 0) + r.width;
  const widths = Object.values(lines);
  return widths.at(-1) < Math.max(...widths) / 3;
}).map(e => e.textContent.replaceAll(' ', '')).join(' ')`))
}

// faint lists the visible texts whose contrast is below 4.5 to 1, as they are seen:
// a page that is cut off is grey and darker.
func faint(p *webtest.Page) []string {
	s := webtest.Eval[string](p, `(() => {
  const lum = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
  const dim = Number((getComputedStyle(document.querySelector('main')).filter.match(/brightness\(([\d.]+)/) || [0, 0])[1]);
  const seen = (e, c) => dim && e.closest('main, h1') ? Array(3).fill(dim * (.2126 * c[0] + .7152 * c[1] + .0722 * c[2])) : c;
  const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e), b = rgb(c.backgroundColor), g = rgb(c.backgroundImage.replace(/[^(]*gradient\(\d+deg, /, '')); if (c.backgroundImage !== 'none' && g.length > 2) return g.slice(0, 3); if (b.length < 4 || b[3] > 0) return b; } return [0, 0, 0]; };
  return [...document.querySelectorAll('body *')].filter(e => {
    const c = getComputedStyle(e);
    return e.getClientRects().length && c.visibility !== 'hidden' && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  }).map(e => { const a = lum(seen(e, rgb(getComputedStyle(e).color))), b = lum(seen(e, back(e))); return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e]; })
    .filter(([k]) => k < 4.5).map(([k, e]) => k.toFixed(2) + ' ' + e.tagName + '#' + e.id + ' ' + e.textContent.slice(0, 30)).join('\n');
})()`)
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// Cut off, the page keeps its last numbers and says so; back again it shows what is
// new, and an upgrade reloads it.
func TestPageCutOffAndBack(t *testing.T) {
	b := webtest.Start(t)
	g := newGlass(t, Options{})
	p := g.open(b, 1920, 1080)
	g.show(busy())
	p.See("A012")
	g.srv.Close()
	p.Later(30)
	p.See("连接中断")
	p.See("A012")
	photograph(t, p, "cut-off")
	p.Later(60)
	p.Wait("document.body.classList.contains('stale')")
	for _, f := range faint(p) {
		t.Errorf("too faint when cut off: %s", f)
	}
	photograph(t, p, "stale")
	g.up()
	next := busy()
	next.Wall.Calls[0].Number, next.Wall.Calls[0].Seq, next.Calls[0] = "A013", 99, 99
	g.show(next)
	p.See("A013")
	p.Gone("连接中断")
	lost := display.LostWall(next)
	g.show(lost)
	p.See("连接中断")
	webtest.Eval[bool](p, "window.old = true")
	g.srv.Close()
	w, err := New("wall:main", Options{Build: "another"})
	if err != nil {
		t.Fatal(err)
	}
	g.w = w
	g.up()
	p.Wait("window.old === undefined")
	g.show(next)
	p.See("A013")
}

// A call blinks at most once a second, four times, and then stays; a recall blinks
// again.
func TestABlinkEnds(t *testing.T) {
	b := webtest.Start(t)
	g := newGlass(t, Options{})
	p := g.open(b, 1920, 1080)
	v := busy()
	g.show(v)
	anim := "(() => { const c = getComputedStyle(document.querySelector('#number')); return c.animationName + ' ' + c.animationDuration + ' ' + c.animationIterationCount })()"
	if got := webtest.Eval[string](p, anim); got != "blink 1s 4" {
		t.Errorf("animation %q", got)
	}
	p.Wait("document.querySelector('#number').getAnimations().every(a => a.playState === 'finished')")
	webtest.Eval[bool](p, "(addEventListener('animationstart', e => { window.again ||= e.target.id === 'number' }), true)")
	v.Wall.Calls[0].Seq, v.Calls[0] = 50, 50
	g.show(v)
	p.Wait("window.again")
}

// The clock is the hall's, by day and hour, whatever zone the screen is set to.
func TestTheClockIsTheHalls(t *testing.T) {
	b := webtest.Start(t)
	zone := time.FixedZone("hall", 8*3600)
	g := newGlass(t, Options{Now: func() time.Time { return time.Date(2026, 12, 31, 17, 5, 0, 0, time.UTC).In(zone) }})
	p := g.open(b, 1920, 1080)
	g.show(busy())
	p.Wait("document.querySelector('#time').innerText === '01:05' && document.querySelector('#date').innerText.startsWith('1月1日')")
}

// The heartbeat says what is really drawn: a page that is connected and stuck is not
// alive.
func TestAStuckPageIsNoticed(t *testing.T) {
	b := webtest.Start(t)
	g := newGlass(t, Options{Stall: 9 * time.Second})
	p := g.open(b, 1280, 720)
	g.show(busy())
	g.w.mu.Lock()
	g.w.born = time.Now().Add(-time.Hour)
	g.w.mu.Unlock()
	if err := g.w.Alive(); err != nil {
		t.Fatal(err)
	}
	webtest.Eval[bool](p, "window.requestAnimationFrame = () => 0, true") // nothing is drawn any more
	if _, err := g.w.Show(t.Context(), busy()); !errors.Is(err, ErrNotPainted) {
		t.Fatal(err)
	}
	end := time.Now().Add(2 * time.Minute)
	for !errors.Is(g.w.Alive(), ErrStalled) {
		if time.Now().After(end) {
			t.Fatal("a stuck page is alive")
		}
		p.Wait("true")
	}
	res, err := http.Get("http://" + g.addr + "/alive")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", res.StatusCode)
	}
}
