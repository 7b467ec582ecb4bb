package printer

import (
	"context"
	"time"

	"longcheng/kiosk"
)

// maxCopies bounds the copies that a slip gets by itself: a printer that spoils
// every one needs a technician, not paper.
const maxCopies = 3

// A watch brings one slip up the ladder.
type watch struct {
	s     *Spool
	job   kiosk.Job
	d     Data
	c     *conn
	step  step
	begin time.Time // of the slip
	since time.Time // when the current bytes went out
	limit time.Time // when trouble or patience ends
	hurt  Status    // conditions that interrupted the slip
	now   Status    // that do so at this moment
	tries int       // tails sent
	quiet int       // queries in a row without an answer
	idle  int       // polls in a row in which a printer without marks was idle
}

// print sends a slip and finds out what became of it. Without an outcome the
// slip waits, whole but uncut, in s.half.
func (s *Spool) print(ctx context.Context, c *conn, job kiosk.Job, d Data) (*outcome, error) {
	w := &watch{s: s, job: job, d: d, c: c, step: body, begin: time.Now()}
	c.begin(d.Mark)
	sent, err := c.write(d.Body)
	w.sent(len(d.Body), bodyTime)
	if err != nil {
		s.zeros = max(s.zeros, d.Pending(sent))
		return w.end(w.to(gone), "connection lost while sending: "+err.Error()), err
	}
	return w.climb(ctx)
}

// resume sends the tail of a slip that was left whole but uncut.
func (s *Spool) resume(ctx context.Context, c *conn) (*outcome, error) {
	w := s.half
	s.half = nil
	w.c = c
	c.begin(w.d.Mark)
	c.marks = 1 // of the body
	w.hurt, w.now, w.quiet, w.idle = w.hurt&^(CutterJam|Jam|Broken), 0, 0, 0
	w.to(well)
	if err := w.tail(true); err != nil {
		return nil, w.keep(gone, err)
	}
	return w.climb(ctx)
}

func (w *watch) sent(n int, more time.Duration) {
	w.since = time.Now()
	w.limit = w.since.Add(w.s.o.Profile.wire(n) + w.s.o.Profile.paper(w.d) + more)
}

// tail sends feed, cut and the request for the last mark.
func (w *watch) tail(again bool) error {
	b := w.d.Tail
	if again {
		b = w.d.Again
	}
	w.tries++
	w.idle = 0
	_, err := w.c.write(b)
	w.sent(len(b), cutTime)
	return err
}

// to takes the step that ev leads to.
func (w *watch) to(ev event) step {
	next, ok := ladder[w.step][ev]
	if !ok { // cannot happen; if it does, nobody can say what became of the slip
		next = unsure
	}
	w.step = next
	return next
}

// keep leaves the slip to be cut later, when the printer is well.
func (w *watch) keep(ev event, err error) error {
	w.to(ev)
	w.s.half = w
	return err
}

// climb follows the ladder until an end, or until the slip must wait for another
// exchange.
func (w *watch) climb(ctx context.Context) (*outcome, error) {
	for {
		from := w.step
		ev, err := w.next(ctx)
		switch w.to(ev) {
		case recut:
			w.s.half = w
			return nil, err
		case printed, voided, unsure:
			if ev == late { // a copy must not wait for marks that do not come
				w.s.marks = false
			}
			return w.end(w.step, w.because(ev, err)), err
		case cutting:
			if from == body {
				w.hurt, w.c.heard = 0, 0 // all that is to be read is on paper: what comes now cannot tear it
				err = w.tail(false)
			}
		case mouth:
			w.sent(0, showTime)
			if w.s.o.Profile.Presenter == "none" || w.s.o.Profile.Take == 0 {
				return w.end(printed, ""), nil
			}
		}
		if err != nil { // only the tail's
			return nil, w.keep(gone, err)
		}
	}
}

// end settles the slip; what a voided one leaves must be cut off before its copy.
func (w *watch) end(e step, reason string) *outcome {
	switch e {
	case voided:
		w.s.stub = true
		w.s.zeros = max(w.s.zeros, w.d.Pending(len(w.d.Body)))
	case unsure:
		w.s.loose = true
	case printed:
		w.s.used(w.d.Dots)
	}
	w.s.owing = w.s.owing || w.d.Marks && w.s.marks && w.c.marks < 2 && !w.c.last
	out := e.outcome(reason)
	if out.again && w.job.Copy >= maxCopies {
		out.again, out.reason = false, reason+"; no more copies by itself"
	}
	return &out
}

// because tells the journal why.
func (w *watch) because(ev event, err error) string {
	switch ev {
	case torn:
		return "paper ran out in the middle"
	case gone:
		return "connection lost before the slip was confirmed: " + err.Error()
	case mute:
		return "printer stopped answering in the middle of the slip"
	case late:
		return "printer is well but did not confirm the slip"
	case blind:
		if w.d.Marks {
			return w.because(late, nil)
		}
		return "this printer cannot say whether it printed"
	case halted:
		return "stopped while waiting: " + w.hurt.String()
	case jammed, dead, overdue:
		return "interrupted: " + w.hurt.String()
	case leftover:
		return "not taken"
	}
	return ""
}

// next waits for the next event.
func (w *watch) next(ctx context.Context) (event, error) {
	stop := context.WithoutCancel(ctx) // a stop lets the slip in hand finish
	probe := time.Now().Add(w.pace())
	if first := w.since.Add(w.s.o.Profile.wire(len(w.d.Body))); w.step != mouth && first.Add(hush).After(probe) {
		probe = first.Add(hush) // earlier, the query would queue behind the slip
	}
	for {
		if _, _, err := w.c.listen(stop, probe, true); err != nil {
			return gone, err
		}
		w.hurt |= w.c.heard & stops
		if ev, ok := w.marked(); ok {
			return ev, nil
		}
		if time.Now().Before(probe) {
			continue
		}
		ev, err := w.look(stop, ctx.Err() != nil)
		if err != nil || ev != "" {
			return ev, err
		}
		probe = time.Now().Add(w.pace())
	}
}

// marked reports whether the mark of this step has come.
func (w *watch) marked() (event, bool) {
	need := 1
	if w.step == cutting {
		need = 2
	}
	if w.step == mouth || w.c.marks < need && !w.c.last {
		return "", false
	}
	w.s.marks = true
	return w.proven(), true
}

func (w *watch) proven() event {
	if w.step == body && w.hurt&PaperOut != 0 {
		return torn
	}
	return proof
}

func (w *watch) pace() time.Duration {
	switch {
	case w.quiet > 0 || !w.d.Marks:
		return hush
	case w.now != 0:
		return tick
	}
	return time.Second
}

// look asks the printer how it is, and decides whether that is an event.
func (w *watch) look(ctx context.Context, stopping bool) (event, error) {
	if !w.s.o.Profile.Answers() {
		if time.Now().Before(w.limit) {
			return "", nil
		}
		return blind, nil
	}
	st, said, err := w.c.poll(ctx)
	if err != nil {
		return gone, err
	}
	if ev, ok := w.marked(); ok {
		return ev, nil
	}
	if !said {
		if w.quiet++; w.quiet < 2 && w.d.Marks {
			return "", nil // without marks, a printer that was off for a moment must not pass for done
		}
		w.s.note(Silent, w.job.ID)
		return mute, nil
	}
	w.quiet = 0
	w.s.note(st, w.job.ID)
	if w.step == mouth {
		return w.watched(st, stopping)
	}
	return w.judge(st, stopping), nil
}

// judge decides by what the printer says while the mark is missing.
func (w *watch) judge(st Status, stopping bool) event {
	before := w.now
	w.now = st & stops
	w.hurt |= w.now
	late := !time.Now().Before(w.limit)
	switch {
	case w.now&Broken != 0:
		return dead
	case w.now&(CutterJam|Jam) != 0:
		return jammed
	case w.now != 0 && before == 0:
		w.limit = time.Now().Add(w.s.o.Profile.Recover)
		return w.trouble()
	case w.now != 0 && stopping:
		return halted
	case w.now != 0 && late:
		return overdue
	case w.now != 0:
		return ""
	case before != 0:
		w.limit = time.Now().Add(w.s.o.Profile.paper(w.d) + cutTime)
		return well
	}
	return w.well(st, late)
}

func (w *watch) trouble() event {
	if w.now&PaperOut != 0 {
		return noPaper
	}
	return stopped
}

// well decides while nothing is wrong: a printer without marks has proved itself
// when it is idle, or when its time is over.
func (w *watch) well(st Status, over bool) event {
	if !w.d.Marks {
		if w.idle++; st&Busy != 0 {
			w.idle = 0
		}
		if w.s.o.Profile.Completion == "dialect" && w.idle >= 3 || w.s.o.Profile.Completion == "none" && over {
			return w.proven()
		}
		if !over {
			return ""
		}
	}
	switch {
	case !over:
		return ""
	case w.d.Marks && !w.s.marks:
		return blind // it never gave a mark: its profile is wrong, its slips are not
	case w.step == cutting && w.tries > 1, w.step == body && w.job.Copy > 0:
		return blind // once more would be no better
	}
	return late
}

// watched decides about a slip in the mouth.
func (w *watch) watched(st Status, stopping bool) (event, error) {
	shown := w.hurt&Presented != 0
	w.hurt |= st & Presented
	switch {
	case st&Presented == 0 && (shown || !time.Now().Before(w.limit)):
		return taken, nil
	case st&Presented != 0 && time.Since(w.since) > time.Duration(w.s.o.Profile.Take)*time.Second:
		_, err := w.c.write(w.s.o.Language.Retract())
		return leftover, err
	case stopping:
		return halted, nil
	}
	return "", nil
}
