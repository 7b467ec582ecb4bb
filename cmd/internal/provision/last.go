package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"longcheng/cmd/internal/commission"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/faults"
	"longcheng/kiosk"
)

// How long the wizard waits for somebody before it lets the box begin its work.
const (
	idle       = 2 * time.Minute  // at the last screen
	unanswered = 10 * time.Minute // at a question of the acceptance test
	forHands   = time.Minute      // for a card, a press, a touch
)

// An act is what a person wants done at the last screen.
type act struct {
	what  string // look, take, accept or later
	offer string // take: commission.Offer.ID
	by    string // accept: the technician, may be empty
}

// A progress is how far the acceptance test is.
type progress struct {
	Device  kiosk.Text
	N, Of   int
	Told    []kiosk.Text
	Asks    *commission.Question
	Sheet   *commission.Sheet // to be looked through
	Number  int               // of the question: a second finger does not answer the next one
	waiting bool              // for the answer to it
}

// last shows how the devices of a box stand that was set up, before kioskd takes
// their ports: what answers elsewhere is taken, and the box is tested, by touch. It
// ends when that is done or put off, or nobody is there. A box that has no touch
// screen has no such page. One that is cut off is begun again by the next start.
func (w *Wizard) last(ctx context.Context, s *stand) {
	again, said, show := s.Starts > 0, kiosk.Text{}, false
	if w.box.configured() && len(w.box.Survey.Conf.Touches) > 0 && (again || w.watched()) {
		said, show = w.begin(s)
	}
	if show || !again {
		b := w.box
		b.Step = func(what kiosk.Text) { w.say(looking, what) }
		s.Done.Found = b.LookAround(ctx)
	}
	switch {
	case show && again && w.arrives(ctx):
		bounded, cancel := context.WithTimeout(ctx, longest)
		defer cancel()
		w.stands(bounded, &s.Done, said)
	case show && !again && w.watched():
		w.stands(ctx, &s.Done, said)
	}
	if ctx.Err() == nil {
		w.end()
	}
}

// stands shows the last screen until somebody is done with it, or nobody is there.
func (w *Wizard) stands(ctx context.Context, d *Done, said kiosk.Text) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	w.ready(d.Found, said)
	for w.attended() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case a := <-w.acts:
			if w.do(ctx, a, d) {
				return
			}
		}
	}
}

// attended reports whether a browser is there, and was touched not long ago.
func (w *Wizard) attended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.asked) < silence && time.Since(w.touched) < idle
}

// ready shows the last screen, and what came of what was done there.
func (w *Wizard) ready(found []commission.Standing, said kiosk.Text) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.found, w.text, w.touched = ready, found, said, time.Now()
	w.revision++
}

// do does what a person wants, and reports whether that was the last thing.
func (w *Wizard) do(ctx context.Context, a act, d *Done) (over bool) {
	said := kiosk.Text{}
	switch a.what {
	case "later":
		return true
	case "accept":
		sheet, err := w.accept(ctx, a.by)
		if err == nil {
			d.Sheet = &sheet
			return true
		}
		said = told(err, "验收没有完成，可重新开始或以后验收")
	case "take":
		w.say(looking, kiosk.Text{ZH: "正在核对并写入端口", EN: "asking once more, and writing the port"})
		if err := w.box.Survey.Take(ctx, a.offer, w.box.Now()); err != nil {
			said = told(err, "没有改动："+inChinese(err))
		}
	case "look":
		w.say(looking, kiosk.Text{ZH: "正在查找设备，约半分钟", EN: "looking for devices: about half a minute"})
		if err := w.box.Survey.Look(ctx); err != nil {
			said = told(err, "无法查找设备")
		}
	}
	d.Found = w.box.Survey.Standings(ctx)
	w.ready(d.Found, said)
	return false
}

// accept runs the acceptance test with who stands before the screen.
func (w *Wizard) accept(ctx context.Context, by string) (commission.Sheet, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.mu.Lock()
	w.phase, w.stop, w.progress = accepting, cancel, progress{Number: w.progress.Number}
	w.mu.Unlock()
	t := commission.Tester{Conf: w.box.Survey.Conf, State: w.box.State, Person: onScreen{w}, Patience: forHands, Now: w.box.Now, Screen: w.overlay}
	sheet, _, err := t.Accept(ctx, by, w.box.Version, true)
	if ctx.Err() != nil {
		err = ErrBrokenOff
	}
	return sheet, errors.Join(err, config.Own(w.box.State, w.box.State)) // the test's devices wrote there as root
}

// overlay puts another page in the place of the wizard's.
func (w *Wizard) overlay(page http.Handler) (takeOff func()) {
	put := func(page http.Handler) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.over = page
		w.revision++
	}
	put(page)
	return func() { put(nil) }
}

// front shows the page that lies in front of the wizard's, and reports whether there
// is one.
func (w *Wizard) front(rw http.ResponseWriter, r *http.Request) bool {
	w.mu.Lock()
	page := w.over
	if page != nil {
		w.asked = time.Now()
	}
	w.mu.Unlock()
	if page != nil {
		page.ServeHTTP(rw, r)
	}
	return page != nil
}

// onScreen is who stands before the touch screen.
type onScreen struct{ *Wizard }

// change changes what the page shows of the test.
func (p onScreen) change(f func(s *progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.progress)
	p.revision++
}

// Begin shows which device it is about.
func (p onScreen) Begin(device string, n, of int) {
	p.change(func(s *progress) { *s = progress{Device: faults.Called(device), N: n, Of: of, Number: s.Number} })
}

// Tell shows a sentence below those before.
func (p onScreen) Tell(what kiosk.Text) {
	p.change(func(s *progress) { s.Told = append(s.Told, what) })
}

// Ask shows a question with its picture.
func (p onScreen) Ask(ctx context.Context, q commission.Question) (commission.Answer, error) {
	a, err := p.wait(ctx, func(s *progress) { s.Asks = &q })
	return commission.Answer(a), err
}

// Review shows what is good and what is not.
func (p onScreen) Review(ctx context.Context, s commission.Sheet) (again string, err error) {
	return p.wait(ctx, func(now *progress) { *now = progress{Sheet: &s, Number: now.Number} })
}

// wait shows something and waits for the touch that answers it.
func (p onScreen) wait(ctx context.Context, show func(s *progress)) (string, error) {
	select {
	case <-p.reply: // of a question that was given up
	default:
	}
	p.change(func(s *progress) { show(s); s.Number++; s.waiting = true })
	defer p.change(func(s *progress) { s.Asks, s.Sheet, s.waiting = nil, nil, false })
	late := time.NewTimer(unanswered)
	defer late.Stop()
	select {
	case a := <-p.reply:
		return a, nil
	case <-late.C:
		return "", ErrNobody
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// answered takes the answer to a question, once.
func (w *Wizard) answered(number int, answer string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := &w.progress; s.waiting && s.Number == number {
		s.waiting = false
		w.reply <- answer
	}
}

// lastPages serves what the last screen and the test add.
func (w *Wizard) lastPages(mux *http.ServeMux) {
	want := func(r *http.Request, a act) {
		select {
		case w.acts <- a:
		case <-r.Context().Done():
		case <-time.After(time.Second): // something else is being done
		}
	}
	mux.HandleFunc("GET /by", func(rw http.ResponseWriter, _ *http.Request) {
		w.mu.Lock()
		w.touched = time.Now()
		w.mu.Unlock()
		w.show(rw, view{Phase: naming})
	})
	mux.HandleFunc("POST /take", w.posted(4<<10, func(r *http.Request) { want(r, act{what: "take", offer: r.FormValue("offer")}) }))
	mux.HandleFunc("POST /look", w.posted(1<<10, func(r *http.Request) { want(r, act{what: "look"}) }))
	mux.HandleFunc("POST /accept", w.posted(1<<10, func(r *http.Request) { want(r, act{what: "accept", by: tidyName(r.FormValue("by"))}) }))
	mux.HandleFunc("POST /later", w.posted(1<<10, func(r *http.Request) { want(r, act{what: "later"}) }))
	mux.HandleFunc("POST /answer", w.posted(1<<10, func(r *http.Request) {
		if n, err := strconv.Atoi(r.FormValue("number")); err == nil {
			w.answered(n, r.FormValue("answer"))
		}
	}))
	mux.HandleFunc("GET /picture", func(rw http.ResponseWriter, r *http.Request) {
		v := w.view()
		if v.Asks == nil || len(v.Asks.Picture) == 0 || r.URL.RawQuery != fmt.Sprint(v.Number) {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "image/png")
		_, _ = rw.Write(v.Asks.Picture) // a browser that went away
	})
}

// tidyName is the name of a technician as it stands on a sheet.
func tidyName(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s))
	return string([]rune(s)[:min(longestName, utf8.RuneCountInString(s))])
}

const longestName = 32 // characters

// A verdict is one line of the sheet on the screen.
type verdict struct {
	commission.Verdict
	Name kiosk.Text
}

// Verdicts are those of the sheet, what is not good first.
func (p progress) Verdicts() (all []verdict) {
	for _, good := range []bool{false, true} {
		for _, v := range append([]commission.Verdict{p.Sheet.Box}, p.Sheet.Devices...) {
			if v.Good == good {
				all = append(all, verdict{v, faults.Called(v.Device)})
			}
		}
	}
	return all
}
