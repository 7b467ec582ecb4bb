package commission

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// network looks for an address, and reaches those whom the box needs.
func (t *Tester) network(ctx context.Context, v *Verdict) {
	far := t.far()
	what := say("网络地址", "network address")
	address := ownAddress()
	switch {
	case address != "":
		v.add(Good, what, say(address, address))
	case len(far) == 0:
		v.add(Skipped, what, say("没有网络，本机不需要", "none; this box needs none"))
	default:
		v.bad(what, say("没有网络地址", "none"), say("检查网线和网络设置：networkctl", "check cable and settings: networkctl"))
	}
	for _, at := range far {
		what := say("连接 "+at, "reach "+at)
		dial := net.Dialer{Timeout: 3 * time.Second}
		c, err := dial.DialContext(ctx, "tcp", at)
		if err != nil {
			v.bad(what, say(err.Error(), err.Error()), say("检查网线、网关、防火墙和对方是否运行", "check cable, gateway, firewalls, and whether it runs"))
			continue
		}
		c.Close()
		v.add(Good, what, say("可达", "reached"))
	}
}

// far are the places on the network that the configuration names.
func (t *Tester) far() (all []string) {
	if a := t.Conf.Centre.Address; a != "" {
		all = append(all, a)
	}
	for _, h := range t.Conf.Join.Host {
		all = append(all, strings.TrimPrefix(h, "https://"))
	}
	return all
}

// ownAddress returns an address of this machine that others can reach.
func ownAddress() string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return n.String()
		}
	}
	return ""
}

// corners is how many targets a touch screen is tested with.
const corners = 5

// touch shows a page with targets in the corners and the middle on the touch screen,
// until each was touched.
func (t *Tester) touch(ctx context.Context, v *Verdict) error {
	if len(t.Conf.Touches) == 0 {
		return nil
	}
	what := say("触摸屏", "touch screen")
	p := &touchPage{left: map[int]bool{}, done: make(chan struct{}), goesOn: t.Screen != nil}
	for i := range corners {
		p.left[i] = true
	}
	takeOff, err := t.onScreen(p)
	if err != nil {
		v.bad(what, say(err.Error(), err.Error()), say("请先停止 kioskd：systemctl stop kioskd", "stop kioskd first: systemctl stop kioskd"))
		return nil
	}
	defer takeOff()
	late := time.NewTimer(2 * t.patience())
	defer late.Stop()
	select {
	case <-p.done:
		v.add(Good, what, say("五处均有反应", "all five places answer"))
		v.picture(touched(p.hit()))
	case <-late.C:
		n := p.missing()
		v.bad(what, say(strconv.Itoa(n)+" 处没有反应", strconv.Itoa(n)+" places did not answer"),
			say("检查触摸屏的 USB 线和校准，浏览器是否打开", "check the screen's USB cable and calibration, and that the browser runs"))
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// onScreen shows a page on the touch screen, and tells where that is.
func (t *Tester) onScreen(p http.Handler) (takeOff func(), err error) {
	if t.Screen != nil {
		return t.Screen(p), nil
	}
	l, err := net.Listen("tcp", t.Conf.Web.Listen)
	if err != nil {
		return nil, err
	}
	s := &http.Server{Handler: p, ReadTimeout: 10 * time.Second}
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve(l) }() // ends with Close
	where := "http://" + l.Addr().String() + "/"
	t.Person.Tell(say("请在触摸屏上点击五个圆点："+where, "touch the five dots on the screen: "+where))
	return func() { lastPage(s); <-served }, nil
}

// lastPage ends a server when the browser has what it asked for.
func lastPage(s *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.Shutdown(ctx) != nil {
		_ = s.Close() // what is still open is cut off
	}
}

// A touchPage is the page with the targets.
type touchPage struct {
	goesOn bool // the screen has another page afterwards

	mu    sync.Mutex
	left  map[int]bool
	spots []spot
	done  chan struct{}
}

// hit are the places that were touched.
func (p *touchPage) hit() []spot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spots
}

func (p *touchPage) missing() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.left)
}

// ServeHTTP shows the targets that are left; a touch is a POST with its number.
// The answer to the last touch is the last page: nobody listens after it.
func (p *touchPage) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(rw, r.Body, 1<<10)
		n, err := strconv.Atoi(r.FormValue("dot"))
		if p.touched(n, err, where(r)) > 0 {
			http.Redirect(rw, r, "/", http.StatusSeeOther)
			return
		}
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	_, _ = rw.Write([]byte(p.html())) // a browser that went away
}

// where is the place in pixels, as the page's script says.
func where(r *http.Request) spot {
	n := func(name string) int { i, _ := strconv.Atoi(r.FormValue(name)); return i } // nothing is nowhere
	return spot{n("x"), n("y"), n("wide"), n("high")}
}

// touched takes a target away and returns how many are left.
func (p *touchPage) touched(n int, err error, at spot) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || !p.left[n] {
		return len(p.left)
	}
	if at.fits() {
		p.spots = append(p.spots, at)
	}
	if delete(p.left, n); len(p.left) == 0 {
		close(p.done)
	}
	return len(p.left)
}

// places are those of the targets.
var places = [corners]string{"left:4vmin;top:4vmin", "right:4vmin;top:4vmin", "left:4vmin;bottom:4vmin", "right:4vmin;bottom:4vmin", "left:calc(50% - 7vmin);top:calc(50% - 7vmin)"}

func (p *touchPage) html() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>触摸测试</title><style>
body{margin:0;height:100vh;background:#f3f6f9;font:26px/1.5 "Noto Sans CJK SC",sans-serif;color:#14283c;text-align:center}
h1{position:absolute;inset:22% 0 auto;margin:0;font-size:40px}button{position:absolute;width:14vmin;height:14vmin;border:0;border-radius:50%;background:#0b5fa5;color:#fff;font:700 5vmin sans-serif}</style>`)
	if len(p.left) == 0 {
		if p.goesOn {
			b.WriteString(`<meta http-equiv="refresh" content="1;url=/">`)
		}
		b.WriteString("<h1>触摸屏合格<br>The touch screen is good</h1></html>")
		return b.String()
	}
	b.WriteString(`<meta http-equiv="refresh" content="10"><h1>请点击每个圆点<br>Touch each dot</h1><form method="post" onclick="x.value=Math.round(event.clientX);y.value=Math.round(event.clientY);wide.value=innerWidth;high.value=innerHeight">` +
		`<input type="hidden" name="x"><input type="hidden" name="y"><input type="hidden" name="wide"><input type="hidden" name="high">`)
	for i, at := range places {
		if p.left[i] {
			b.WriteString(`<button name="dot" value="` + strconv.Itoa(i) + `" style="` + at + `">` + strconv.Itoa(i+1) + `</button>`)
		}
	}
	b.WriteString("</form></html>")
	return b.String()
}
