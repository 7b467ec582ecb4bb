package printer

import (
	"context"
	"errors"
	"time"

	"longcheng/device"
)

const (
	answerTime = 2 * time.Second        // for one real-time query; Epson's own host waits as long
	barkTime   = 10 * time.Second       // of silence, then the port is reopened
	chunk      = 1024                   // bytes per write, so that a stuck wire is noticed early
	hush       = 250 * time.Millisecond // between two queries in a row that went unanswered
)

// A conn is one exchange with a printer on an open port: it asks, and keeps what
// came unasked.
type conn struct {
	port    device.Port
	lang    Language
	answers Answers
	in      []byte // read and not yet taken apart
	came    int    // bytes since the last question
	trouble Status // the faults that are known already

	mark  int64  // of the slip that is waited for
	marks int    // that came for it
	last  bool   // the one of its tail came, by its ID
	heard Status // all that was reported since the slip began
}

func newConn(p device.Port, l Language, known Status) *conn {
	return &conn{port: p, lang: l, answers: l.Answers(), trouble: known.Faults()}
}

// begin forgets what came for the slip before.
func (c *conn) begin(mark int64) { c.mark, c.marks, c.last, c.heard = mark, 0, false, 0 }

// listen returns the next answer to a query that comes before end. Marks and
// reports on the way are kept; anyAnswer makes them return too.
func (c *conn) listen(ctx context.Context, end time.Time, anyAnswer bool) (Answer, bool, error) {
	buf := make([]byte, 64)
	for {
		if a, ok := c.next(anyAnswer); ok {
			return a, true, nil
		}
		if !time.Now().Before(end) || ctx.Err() != nil {
			return Answer{}, false, nil
		}
		n, err := c.port.Read(buf)
		c.in, c.came = append(c.in, buf[:n]...), c.came+n
		if err != nil && !errors.Is(err, device.ErrTimeout) {
			return Answer{}, false, err
		}
	}
}

// next takes the next answer out of what was read.
func (c *conn) next(anyAnswer bool) (Answer, bool) {
	for len(c.in) > 0 {
		a, ok := c.answers.Next(c.in[0])
		c.in = c.in[1:]
		if ok && (c.keep(a) || anyAnswer) {
			return a, true
		}
	}
	return Answer{}, false
}

// keep notes what came unasked and reports whether a is a reply to a query.
func (c *conn) keep(a Answer) bool {
	switch a.Kind {
	case Marked:
		if a.ID < 0 || a.ID == c.mark {
			c.marks++
			c.last = c.last || a.Last
		}
	case Reported:
		c.heard |= a.Status
	}
	return a.Kind == Replied
}

// ask sends one real-time query and waits for its answer. Only one is ever
// outstanding: answers do not say what they answer. What came before the
// question cannot be its answer.
func (c *conn) ask(ctx context.Context, n int) (s Status, said bool, err error) {
	for len(c.in) > 0 {
		c.next(true)
	}
	c.answers.Ask(n)
	c.came = 0
	if _, err := c.port.Write(c.lang.Query(n)); err != nil {
		return 0, false, err
	}
	a, said, err := c.listen(ctx, time.Now().Add(answerTime), false)
	c.answers.Ask(0)
	return a.Status, said, err
}

// poll asks how the printer is, and once more if it says of something new that it
// is wrong or if what came is no answer: noise on the line can look like one, or
// hide one. Not said means that it kept silent.
func (c *conn) poll(ctx context.Context) (s Status, said bool, err error) {
	s, said, err = c.round(ctx)
	if err == nil && ctx.Err() == nil && (said && s.Faults()&^c.trouble != 0 || !said && c.came > 0) {
		s, said, err = c.round(ctx)
	}
	c.trouble = s.Faults()
	return s, said, err
}

// round asks all that the model answers, once.
func (c *conn) round(ctx context.Context) (s Status, said bool, err error) {
	for _, n := range c.lang.Queries() {
		if n == 3 && s&Faulty == 0 {
			continue
		}
		x, said, err := c.ask(ctx, n)
		if err != nil || !said {
			return Silent, false, err
		}
		if n == 3 && x != 0 {
			s &^= Faulty // now it has a name
		}
		s |= x
	}
	if s&CoverOpen != 0 {
		s &^= PaperOut | PaperLow // Epson: these may be wrong while the cover is open
	}
	return s, true, nil
}

// write sends b, and returns how much of it may have reached the printer.
func (c *conn) write(b []byte) (int, error) {
	sent := 0
	for sent < len(b) {
		n := min(chunk, len(b)-sent)
		sent += n
		if _, err := c.port.Write(b[sent-n : sent]); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// drain swallows marks that were asked for and may still come, and reports
// whether the printer answers marks at all.
func (c *conn) drain(ctx context.Context, mark []byte) (answered bool, err error) {
	c.begin(0)
	if _, err := c.write(mark); err != nil {
		return false, err
	}
	for end := time.Now().Add(2 * answerTime); time.Now().Before(end); {
		if _, _, err := c.listen(ctx, time.Now().Add(hush), false); err != nil || ctx.Err() != nil {
			return false, err
		}
		if c.marks > 0 {
			_, _, err := c.listen(ctx, time.Now().Add(hush), false)
			return true, err
		}
	}
	return false, nil
}
