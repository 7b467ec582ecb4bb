package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk/web/webtest"
)

// watchWall keeps every row that a wall page brings, also over a reload.
const watchWall = `(() => {
  const seen = JSON.parse(sessionStorage.seen || '[]');
  const add = (n, w) => {
    const row = n + ' → ' + parseInt(w);
    if (/^[A-Z]+\d+$/.test(n) && !seen.includes(row)) { seen.push(row); sessionStorage.seen = JSON.stringify(seen); }
  };
  const look = () => {
    add(document.querySelector('#number').textContent, document.querySelector('#window').textContent);
    for (const li of document.querySelectorAll('#recent li')) add(li.children[0].textContent, li.children[1].textContent);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  look();
  return true;
})()`

// atPage is one citizen who wants a ticket at the touch page.
type atPage struct {
	citizen
	number chan string
}

// A whole day: the real daemon on real pseudo-terminals, a real browser as wall
// and as touch page, paper out in mid-ticket, strips unplugged, kill -9.
func TestDay(t *testing.T) {
	noLeaks(t)
	t.Run("small hall", func(t *testing.T) {
		browser := webtest.Start(t)
		o := options{tickets: 18, windows: 2, seed: 3}
		d := testDay(t, o)
		d.walls = nil // the browser is the wall
		wishes := make(chan atPage)
		pages := 0
		for i, p := range d.plan.citizens {
			if p.way == byTouch && i%3 != 0 {
				d.plan.citizens[i].way = byPage
				pages++
			}
		}
		if pages < 3 {
			t.Fatalf("only %d citizens of the plan use the page: choose another seed", pages)
		}
		d.page = func(ctx context.Context, p citizen) (string, error) {
			if !answers(ctx, d.base+"/healthz") {
				return "", ctx.Err()
			}
			w := atPage{p, make(chan string)}
			select {
			case wishes <- w:
			case <-ctx.Done():
				return "", ctx.Err()
			}
			select {
			case n := <-w.number:
				return n, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
		ended := make(chan error, 1)
		running := make(chan struct{})
		go func() { defer close(running); ended <- d.play(ctx, o) }()
		t.Cleanup(func() { cancel(); <-running }) // also when a page gave up
		if !answers(ctx, d.base+"/healthz") {
			t.Fatal("kioskd does not answer")
		}
		wall := browser.Open(t, d.base+"/wall/main/", 1920, 1080)
		webtest.Eval[bool](wall, watchWall)
		touch := browser.Open(t, d.base+"/kiosk/touch-1", 1080, 1920)
		for over := false; !over; {
			select {
			case w := <-wishes:
				w.number <- takeAtPage(d, touch, w.citizen)
			case err := <-ended:
				if err != nil {
					t.Fatal(err)
				}
				over = true
			}
		}
		e, err := d.evidence(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		e.surfaces["wall:main"] = webtest.Eval[[]string](wall, "JSON.parse(sessionStorage.seen || '[]')")
		if err := e.audit(); err != nil {
			t.Error(err)
		}
		if len(e.ledger.numbers) < o.tickets || e.ledger.boots != 2 {
			t.Errorf("%d tickets of %d, %d starts of kioskd, want 2", len(e.ledger.numbers), o.tickets, e.ledger.boots)
		}
	})
}

// takeNow presses the button in the same moment in which it is found enabled.
const takeNow = `(b => b && !b.disabled && (b.click(), true))(document.querySelector('#take'))`

// takeAtPage touches department, item and "take" until a number is on the
// screen. The page is opened afresh: what others took has its own screens.
func takeAtPage(d *day, p *webtest.Page, who citizen) string {
	item, department := d.names(who.item)
	webtest.Eval[bool](p, "location.reload() || true")
	p.Wait("window.hall || document.readyState === 'complete' && document.querySelector('#main button')")
	p.Touch(department)
	p.Touch(item)
	for {
		p.Wait(takeNow) // a printer without paper disables the button: it is waited for
		p.Wait("document.querySelector('#result .number') || document.querySelector('#take:not([disabled])')")
		if n := strings.TrimSpace(p.Text("#result .number")); n != "" {
			p.See("请取走您的号票")
			return n
		}
	}
}

// names are what an item and its department are called on the screen.
func (d *day) names(id string) (item, department string) {
	for _, it := range d.conf.Hall.Items {
		if it.ID != id {
			continue
		}
		for _, dep := range d.conf.Hall.Departments {
			if dep.ID == it.Department {
				return it.Name.ZH, dep.Name.ZH
			}
		}
	}
	return id, ""
}
