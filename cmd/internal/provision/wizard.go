package provision

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"sync"
	"time"

	"longcheng/central/order"
	"longcheng/kiosk"
)

//go:embed wizard.html
var pageFile embed.FS

// A phase is where the wizard stands.
type phase string

const (
	waiting    phase = "waiting"
	confirming phase = "confirming"
	working    phase = "working"
	failed     phase = "failed"
	done       phase = "done"
)

// A Wizard waits for an order from a stick, a scanner or its page, lets a person
// confirm who made it, and carries it out. Its page is for the box's own screen:
// serve it on the loopback address only.
type Wizard struct {
	box    Box
	sticks func() []string // folders in which a stick may be
	page   *template.Template
	orders chan carried
	answer chan bool

	mu     sync.Mutex
	phase  phase
	text   kiosk.Text // what is done, or what went wrong
	digits string
	found  []kiosk.Text // what hangs on the box, when all is done
}

// carried is an order with the files beside it.
type carried struct {
	text  []byte
	files string
}

// NewWizard returns a wizard for a box. sticks lists the folders in which a stick
// may be now.
func NewWizard(b Box, sticks func() []string) (*Wizard, error) {
	page, err := template.ParseFS(pageFile, "wizard.html")
	if err != nil {
		return nil, err
	}
	w := &Wizard{box: b, sticks: sticks, page: page, orders: make(chan carried), answer: make(chan bool), phase: waiting}
	w.box.Step = func(what string) { w.say(working, kiosk.Text{ZH: what, EN: what}) }
	return w, nil
}

func (w *Wizard) say(p phase, t kiosk.Text) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.text = p, t
}

// Offer hands in an order that came as text: from a scanner, or typed. It is
// dropped while another one is carried out.
func (w *Wizard) Offer(ctx context.Context, text string) {
	select {
	case w.orders <- carried{text: []byte(text)}:
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}

// Run waits until an order was carried out, or ctx ends. A stick that failed is
// tried again when it was changed or pulled out and put in again.
func (w *Wizard) Run(ctx context.Context) (Done, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	tried := ""
	for {
		var c carried
		select {
		case <-ctx.Done():
			return Done{}, ctx.Err()
		case c = <-w.orders:
		case <-tick.C:
			c = w.look()
			if string(c.text) == tried {
				continue
			}
			if tried = string(c.text); tried == "" {
				continue
			}
		}
		d, err := w.use(ctx, c)
		if err == nil {
			w.finish(d)
			return d, nil
		}
		w.say(failed, kiosk.Text{ZH: "设置失败：" + err.Error(), EN: err.Error()})
	}
}

func (w *Wizard) finish(d Done) {
	w.say(done, kiosk.Text{ZH: "设置完成：" + d.Order.Device, EN: "Done: " + d.Order.Device + ", " + d.Pass})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found = d.Found
}

// look finds an order on a stick.
func (w *Wizard) look() carried {
	for _, dir := range w.sticks() {
		if text, files, err := FromStick(dir); err == nil {
			return carried{text, files}
		}
	}
	return carried{}
}

func (w *Wizard) use(ctx context.Context, c carried) (Done, error) {
	b := w.box
	b.Confirm = func(digits string) (bool, error) { return w.confirm(ctx, digits) }
	return b.Use(ctx, c.text, c.files)
}

// confirm shows the digits and waits for the person's answer.
func (w *Wizard) confirm(ctx context.Context, digits string) (bool, error) {
	w.mu.Lock()
	w.phase, w.digits = confirming, digits
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
	mux.HandleFunc("GET /", w.show)
	mux.HandleFunc("POST /order", func(rw http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(rw, r.Body, 16<<10)
		w.Offer(r.Context(), r.FormValue("order"))
		http.Redirect(rw, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /confirm", func(rw http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(rw, r.Body, 1<<10)
		select {
		case w.answer <- r.FormValue("yes") == "1":
		case <-time.After(time.Second): // nobody asked
		}
		http.Redirect(rw, r, "/", http.StatusSeeOther)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

func (w *Wizard) show(rw http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	v := struct {
		Phase, ZH, EN, Digits string
		Found                 []kiosk.Text
	}{string(w.phase), w.text.ZH, w.text.EN, w.digits, w.found}
	w.mu.Unlock()
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	rw.Header().Set("Cache-Control", "no-store")
	_ = w.page.Execute(rw, v) // a browser that went away
}
