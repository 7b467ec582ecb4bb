// Package webtest drives the hall's pages in a real browser, Debian's Chromium,
// for tests. It does not know any page: tests name elements by CSS selector or by
// the text that people see. A test without the browser fails and says what to
// install; it is never skipped.
package webtest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	program  = "/usr/bin/chromium"
	patience = time.Minute // a slow machine with too much to do, not a budget
	look     = 25 * time.Millisecond
)

// A Browser is one running Chromium with a profile of its own.
type Browser struct{ ctx context.Context }

// Start runs a browser until the test ends. The profile is a temporary directory of
// chromedp, which waits for the browser's helpers before it removes it.
func Start(t *testing.T) *Browser {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("start browser: %v: install it with: apt-get install chromium fonts-noto-cjk", err)
	}
	o := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("lang", "zh-CN"), chromedp.Flag("accept-lang", "zh-CN"), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), o...)
	ctx, quit := chromedp.NewContext(alloc)
	t.Cleanup(func() { quit(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	return &Browser{ctx}
}

// A Page is one tab with its own cookies and storage.
type Page struct {
	t    *testing.T
	ctx  context.Context
	shut func()

	width, height int64

	mu     sync.Mutex
	faults []string
}

// Open opens url in a new tab of the given size, with cookies and storage of its
// own. A script that throws fails the test when it ends.
func (b *Browser) Open(t *testing.T, url string, width, height int64) *Page {
	t.Helper()
	p := &Page{t: t, width: width, height: height}
	p.begin(chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext()))
	p.Go(url)
	return p
}

// Tab opens url in a second tab of the same person: it has the same cookies.
func (p *Page) Tab(url string) *Page {
	p.t.Helper()
	q := &Page{t: p.t, width: p.width, height: p.height}
	q.begin(chromedp.NewContext(p.ctx))
	q.Go(url)
	return q
}

// begin makes the tab and listens to its scripts. The tab lives as long as the
// context of its first step, so that one has no deadline.
func (p *Page) begin(ctx context.Context, closeTab func()) {
	p.t.Helper()
	p.t.Cleanup(closeTab)
	p.ctx, p.shut = ctx, closeTab
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(p.width, p.height)); err != nil {
		p.t.Fatalf("open tab: %v", err)
	}
	log := chromedp.Console(ctx)
	go func() {
		for m, err := range log {
			if err != nil {
				return
			}
			if m.IsException() {
				p.mu.Lock()
				p.faults = append(p.faults, m.Text)
				p.mu.Unlock()
			}
		}
	}()
	p.t.Cleanup(p.noFaults)
}

func (p *Page) noFaults() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		p.t.Errorf("the page's script threw: %s", f)
	}
}

func (p *Page) do(a chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, a); err != nil {
		p.t.Fatalf("drive page: %v", err)
	}
}

// Eval returns the value of a JavaScript expression, which only looks: while the tab
// goes to another address it is asked again.
func Eval[T any](p *Page, js string) T {
	p.t.Helper()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if v, left := evaluate[T](p, js); !left {
			return v
		}
	}
	p.t.Fatalf("evaluate %s: the page does not stand still", js)
	panic("unreachable")
}

// evaluate asks once; left says that the tab went to another address meanwhile.
func evaluate[T any](p *Page, js string) (v T, left bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	left = err != nil && strings.Contains(err.Error(), "navigated or closed")
	if err != nil && !left {
		p.t.Fatalf("evaluate %s: %v", js, err)
	}
	return v, left
}

// Eval runs a JavaScript statement, once.
func (p *Page) Eval(js string) {
	p.t.Helper()
	if _, left := evaluate[bool](p, "(() => {"+js+"; return true})()"); left {
		p.t.Fatalf("evaluate %s: the page was left meanwhile", js)
	}
}

// Click presses the first element of a selector, once it is there and enabled.
func (p *Page) Click(css string) {
	p.t.Helper()
	p.Wait("(e => e && !e.disabled)(document.querySelector(" + strconv.Quote(css) + "))")
	p.Eval("document.querySelector(" + strconv.Quote(css) + ").click()")
}

// Choose chooses an option of a list by its value.
func (p *Page) Choose(css, value string) {
	p.t.Helper()
	p.Wait("document.querySelector(" + strconv.Quote(css) + ")")
	p.Eval("document.querySelector(" + strconv.Quote(css) + ").value = " + strconv.Quote(value))
}

// Wait waits until a JavaScript expression is true.
func (p *Page) Wait(js string) {
	p.t.Helper()
	if !p.until(js) {
		p.t.Fatalf("waited in vain for %s\nthe page says:\n%.800s", js, p.Text("body"))
	}
}

func (p *Page) until(js string) bool {
	p.t.Helper()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if p.holds(js) {
			return true
		}
	}
	return false
}

// holds evaluates a condition. While the tab goes to another address nothing holds.
func (p *Page) holds(js string) bool {
	p.t.Helper()
	yes, left := evaluate[bool](p, "!!("+js+")")
	return yes && !left
}

// See waits until the page shows a text.
func (p *Page) See(text string) {
	p.t.Helper()
	p.Wait("document.body?.innerText.includes(" + strconv.Quote(text) + ")")
}

// Gone waits until the page no longer shows a text.
func (p *Page) Gone(text string) {
	p.t.Helper()
	p.Wait("!document.body?.innerText.includes(" + strconv.Quote(text) + ")")
}

// Text returns the visible text of the first element of a selector.
func (p *Page) Text(css string) string {
	p.t.Helper()
	return Eval[string](p, "(document.querySelector("+strconv.Quote(css)+")||{innerText:''}).innerText")
}

// button finds the enabled, visible, uncovered button that bears a text and
// returns its middle, or nothing: while the page's style is not there yet, it lies
// elsewhere.
const button = `(() => {
  if (document.readyState !== 'complete') return '';
  for (const b of document.querySelectorAll('button,a,summary')) {
    if (b.disabled || !b.innerText.includes(%s)) continue;
    const r = b.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
    if (r.width && b.contains(document.elementFromPoint(x, y))) return x + ' ' + y;
  }
  return '';
})()`

// find waits for a button and returns its middle.
func (p *Page) find(text string) (x, y float64) {
	p.t.Helper()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if n, _ := fmt.Sscan(Eval[string](p, fmt.Sprintf(button, strconv.Quote(text))), &x, &y); n == 2 {
			return x, y
		}
	}
	p.t.Fatalf("no button to touch bears %q\nthe page says:\n%.800s", text, p.Text("body"))
	return 0, 0
}

// Touch presses and releases the button that bears a text.
func (p *Page) Touch(text string) {
	p.t.Helper()
	x, y := p.find(text)
	p.do(chromedp.MouseClickXY(x, y))
}

// Press puts the finger on the button that bears a text; the returned function
// lifts it.
func (p *Page) Press(text string) (lift func()) {
	p.t.Helper()
	x, y := p.find(text)
	p.do(chromedp.MouseEvent(chromedp.MousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	return func() {
		p.t.Helper()
		p.do(chromedp.MouseEvent(chromedp.MouseReleased, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
}

// Type puts text into the field that a selector finds.
func (p *Page) Type(css, text string) {
	p.t.Helper()
	p.Wait("document.querySelector(" + strconv.Quote(css) + ")")
	p.do(chromedp.SendKeys(chromedp.CSS(css), text))
}

// Keys that have no character, for Key.
const (
	F2     = kb.F2
	Down   = kb.ArrowDown
	Escape = kb.Escape
)

// Key presses a key, such as "\r" or F2.
func (p *Page) Key(key string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(key))
}

// Later tells the page that seconds have passed: its monotonic clock leaps.
func (p *Page) Later(seconds int) {
	p.t.Helper()
	Eval[bool](p, fmt.Sprintf("(f => { performance.now = () => f.call(performance) + %d000; return true })(performance.now)", seconds))
}

// Overflows lists the elements whose text is cut off or that stick out of the
// window, as "tag.class: text".
func (p *Page) Overflows() []string {
	p.t.Helper()
	return lines(Eval[string](p, `[...document.querySelectorAll('body *')].filter(e => {
    const r = e.getBoundingClientRect(), c = getComputedStyle(e);
    if (!r.width || c.visibility === 'hidden') return false;
    const cut = e.clientWidth && e.scrollWidth > e.clientWidth + 1 && c.overflowX !== 'visible'
      || e.clientHeight && e.scrollHeight > e.clientHeight + parseFloat(c.fontSize) / 2 && c.overflowY === 'hidden';
    return cut || r.right > innerWidth + 1 || r.left < -1;
  }).map(e => e.tagName + '#' + e.id + '.' + e.className + ': ' + e.innerText.slice(0, 60).replaceAll('\n', ' ')).join('\n')`))
}

// Shot writes what the page looks like to a PNG file.
func (p *Page) Shot(file string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(file, b, 0o644)
	}
	if err != nil {
		p.t.Fatalf("photograph page: %v", err)
	}
}

// Front makes the tab the one that is painted.
func (p *Page) Front() {
	p.t.Helper()
	command(p, page.BringToFront)
}

// Go takes the tab to another address.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// Close closes the tab before the test ends.
func (p *Page) Close() { p.shut() }
