package provision

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"path"
	"sync"
	"time"

	"longcheng/central/order"
	"longcheng/cmd/internal/commission"
	"longcheng/kiosk"
)

//go:embed wizard.html wizard.css wizard.js
var files embed.FS

// A phase is where the wizard stands.
type phase string

const (
	waiting    phase = "waiting"
	typing     phase = "typing" // of one page only: the wizard itself waits
	confirming phase = "confirming"
	working    phase = "working"
	failed     phase = "failed"
	ready      phase = "ready"   // set up: ports are taken, and the test begins
	looking    phase = "looking" // again, for what hangs on the box
	naming     phase = "naming"  // of one page only, before the test
	accepting  phase = "accepting"
	done       phase = "done"
)

// A Wizard waits for an order from a stick, a scanner or its page, lets a person
// confirm who made it, and carries it out. Then its page shows how the devices stand,
// and leads through the acceptance test. It is for the box's own screen: serve it on
// the loopback address only.
type Wizard struct {
	// Scanners, if set, listens for orders at the scanners of the box until ctx ends,
	// and has given the ports back when it returns.
	Scanners func(ctx context.Context, offer func(code string))

	box    Box
	sticks func() []string // folders in which a stick may be
	page   *template.Template
	orders chan carried
	answer chan bool
	acts   chan act
	reply  chan string // to a question of the test

	mu     sync.Mutex
	phase  phase
	text   kiosk.Text        // what is done, or what went wrong
	shown  string            // what is to be confirmed
	typed  bool              // shown is the fingerprint of a place, not the digits of a maker
	fields map[string]string // that were entered last, but for the code: it is good once
	found  []commission.Standing
	again  bool   // the last screen came back
	noFile bool   // a stick is there, without an order
	stop   func() // ends what is being done

	progress progress     // of the test
	over     http.Handler // a page in front of the wizard's; nil for none
	revision int          // counts what changed at the last screen and in the test
	touched  time.Time    // when the last screen was touched last

	seen  chan struct{} // closed when a browser has fetched the last page
	asked time.Time     // when one asked last how the wizard stands
}

// carried is an order with the files beside it, or one that was typed.
type carried struct {
	text  []byte
	files string
	typed *typed
}

// NewWizard returns a wizard for a box. sticks lists the folders in which a stick
// may be now.
func NewWizard(b Box, sticks func() []string) (*Wizard, error) {
	page, err := template.ParseFS(files, "wizard.html")
	if err != nil {
		return nil, err
	}
	w := &Wizard{box: b, sticks: sticks, page: page, orders: make(chan carried), answer: make(chan bool), acts: make(chan act), reply: make(chan string, 1), phase: waiting, stop: func() {}, seen: make(chan struct{})}
	w.box.Step = func(what kiosk.Text) { w.say(working, what) }
	return w, nil
}

func (w *Wizard) say(p phase, t kiosk.Text) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.text = p, t
}

// Offer hands in an order that came as text: from a scanner, or typed. It is
// dropped while another one is carried out.
func (w *Wizard) Offer(ctx context.Context, text string) { w.offer(ctx, carried{text: []byte(text)}) }

func (w *Wizard) offer(ctx context.Context, c carried) {
	select {
	case w.orders <- c:
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}

// Run waits until an order was carried out, unless an earlier start has done that, and
// who stands before the screen has done with it, or ctx ends.
func (w *Wizard) Run(ctx context.Context) (Done, error) {
	s, again := w.cutOff()
	if !again {
		d, err := w.order(ctx)
		if err != nil {
			return Done{}, err
		}
		s.Done = d
	}
	w.last(ctx, &s)
	if err := ctx.Err(); err != nil {
		return Done{}, err
	}
	w.finish(s.Done)
	return s.Done, nil
}

// order waits until an order was carried out.
func (w *Wizard) order(ctx context.Context) (Done, error) {
	tried := ""
	for {
		c, err := w.await(ctx, &tried)
		if err != nil {
			return Done{}, err
		}
		d, err := w.use(ctx, c)
		if err == nil {
			return d, nil
		}
		w.say(failed, told(err, inChinese(err)))
	}
}

// await waits for an order. A stick that failed, which was tried, is tried again when
// it was changed or pulled out and put in again. The ports are free when it returns.
func (w *Wizard) await(ctx context.Context, tried *string) (carried, error) {
	listening, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	if w.Scanners != nil {
		all.Go(func() { w.Scanners(listening, func(code string) { w.Offer(listening, code) }) })
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return carried{}, ctx.Err()
		case c := <-w.orders:
			return c, nil
		case <-tick.C:
			c := w.look()
			if string(c.text) == *tried {
				continue
			}
			if *tried = string(c.text); *tried != "" {
				return c, nil
			}
		}
	}
}

func (w *Wizard) finish(d Done) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.text, w.found = done, kiosk.Text{ZH: d.Order.Hall + " / " + d.Order.Device + "：" + d.Pass.ZH, EN: d.Pass.EN}, d.Found
	w.progress.Sheet = d.Sheet
	w.revision++
}

// A browser asks every second how the wizard stands; one of which nothing was heard
// for longer is not there.
const silence = 10 * time.Second

// Seen waits until a browser has fetched the last page, if there is one.
func (w *Wizard) Seen() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && w.watched(); {
		select {
		case <-w.seen:
			return
		case <-tick.C:
		}
	}
}

func (w *Wizard) watched() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.asked) < silence
}

// alive answers whoever watches over the browser, as kioskd does for its own pages: 503
// while none shows the wizard. The page on which points are touched does not ask.
func (w *Wizard) alive(rw http.ResponseWriter) {
	w.mu.Lock()
	there := w.over != nil || time.Since(w.asked) < silence
	w.mu.Unlock()
	if !there {
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}

// look finds an order on a stick.
func (w *Wizard) look() carried {
	all := w.sticks()
	for _, dir := range all {
		if text, files, err := FromStick(dir); err == nil {
			w.without(false)
			return carried{text: text, files: files}
		}
	}
	w.without(len(all) > 0)
	return carried{}
}

// without notes whether a stick is there that has no order.
func (w *Wizard) without(is bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noFile = is
}

func (w *Wizard) use(ctx context.Context, c carried) (Done, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.mu.Lock()
	w.stop, w.typed = func() { cancel(ErrStopped) }, c.typed != nil
	w.mu.Unlock()
	b := w.box
	b.Confirm = func(shown string) (bool, error) { return w.confirm(ctx, shown) }
	d, err := Done{}, error(nil)
	if c.typed != nil {
		d, err = b.useTyped(ctx, *c.typed)
	} else {
		d, err = b.Use(ctx, c.text, c.files)
	}
	if err != nil && errors.Is(context.Cause(ctx), ErrStopped) {
		return d, ErrStopped
	}
	return d, err
}

// confirm shows what is to be compared and waits for the person's answer.
func (w *Wizard) confirm(ctx context.Context, shown string) (bool, error) {
	w.mu.Lock()
	w.phase, w.shown = confirming, shown
	w.mu.Unlock()
	select {
	case yes := <-w.answer:
		return yes, nil
	case <-time.After(order.Life):
		return false, errors.New("nobody confirmed the digits")
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Handler serves the page.
func (w *Wizard) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case path.Base(r.URL.Path) == "alive":
			w.alive(rw)
		case !w.front(rw, r):
			w.show(rw, w.view())
		}
	})
	mux.HandleFunc("POST /", func(rw http.ResponseWriter, r *http.Request) {
		if !w.front(rw, r) {
			http.Redirect(rw, r, "/", http.StatusSeeOther)
		}
	})
	w.lastPages(mux)
	mux.HandleFunc("GET /hand", w.form)
	mux.HandleFunc("GET /wizard.css", func(rw http.ResponseWriter, r *http.Request) { http.ServeFileFS(rw, r, files, "wizard.css") })
	fetched := sync.OnceFunc(func() { close(w.seen) })
	mux.HandleFunc("GET /wizard.js", func(rw http.ResponseWriter, r *http.Request) { // what a page asks for last
		http.ServeFileFS(rw, r, files, "wizard.js")
		if phase(r.URL.RawQuery) == done {
			fetched()
		}
	})
	mux.HandleFunc("GET /state", func(rw http.ResponseWriter, _ *http.Request) {
		w.mu.Lock()
		w.asked = time.Now()
		w.mu.Unlock()
		rw.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(rw, w.view().Key()) // a browser that went away
	})
	mux.HandleFunc("POST /order", w.posted(16<<10, func(r *http.Request) { w.Offer(r.Context(), r.FormValue("order")) }))
	mux.HandleFunc("POST /hand", w.byHand)
	mux.HandleFunc("POST /stop", w.posted(1<<10, func(*http.Request) { w.halt() }))
	mux.HandleFunc("POST /confirm", w.posted(1<<10, func(r *http.Request) {
		select {
		case w.answer <- r.FormValue("yes") == "1":
		case <-time.After(time.Second): // nobody asked
		}
	}))
	return http.NewCrossOriginProtection().Handler(mux)
}

// posted is a form after which the page is shown anew.
func (w *Wizard) posted(limit int64, do func(*http.Request)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(rw, r.Body, limit)
		do(r)
		http.Redirect(rw, r, "/", http.StatusSeeOther)
	}
}

// form shows the pages on which an order is entered, with what was entered before.
func (w *Wizard) form(rw http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	before := w.fields
	w.mu.Unlock()
	w.show(rw, view{Phase: typing, Fields: before})
}

// byHand takes an order that was entered on the screen. With a mistake the form is
// shown again as it was.
func (w *Wizard) byHand(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, 8<<10)
	t, err := readTyped(r, w.box.Now().UTC().Truncate(time.Second))
	fields := map[string]string{}
	for name, values := range r.PostForm {
		fields[name] = values[0]
	}
	if err != nil {
		v := view{Phase: typing, Fields: fields}
		v.Text, v.Step = mistake(err)
		w.show(rw, v)
		return
	}
	delete(fields, "secret")
	w.mu.Lock()
	w.fields = fields
	w.mu.Unlock()
	w.offer(r.Context(), carried{typed: &t})
	http.Redirect(rw, r, "/", http.StatusSeeOther)
}

func (w *Wizard) halt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop()
}

// A view is what the page shows.
type view struct {
	Phase  phase
	Text   kiosk.Text
	Shown  string
	Typed  bool
	Found  []commission.Standing
	NoFile bool
	Again  bool
	progress

	Fields map[string]string // of the form, as they were entered
	Step   int               // page of the form

	revision int
}

func (w *Wizard) view() view {
	w.mu.Lock()
	defer w.mu.Unlock()
	return view{Phase: w.phase, Text: w.text, Shown: w.shown, Typed: w.typed, Found: w.found, NoFile: w.noFile, Again: w.again, progress: w.progress, revision: w.revision}
}

// Key tells one view from another.
func (v view) Key() string { return fmt.Sprint(v.Phase, v.Text, v.Shown, v.NoFile, v.revision) }

func (w *Wizard) show(rw http.ResponseWriter, v view) {
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
	rw.Header().Set("Cache-Control", "no-store")
	_ = w.page.Execute(rw, v) // a browser that went away
}
