package printer

import (
	"context"
	"time"

	"longcheng/device"
)

// parameters are zeros for a command that was cut off in its head, before we knew of
// it: the bytes of a query would be taken for its size, and the printer would eat
// megabytes. As zeros they say that no data follow. A slip that only lacks its cut gets
// none: zero completes GS V to a cut through the text.
const parameters = 16

// preflight reports whether a slip may be sent now.
func (s *Spool) preflight(ctx context.Context, c *conn) (bool, error) {
	if s.fresh && s.half == nil {
		if _, err := c.write(make([]byte, parameters)); err != nil {
			return false, err
		}
		s.fresh = false
	}
	if !s.o.Profile.Answers() {
		s.note(0, s.atWork())
		return true, nil
	}
	if err := device.Drop(c.port); err != nil { // noise that came while nobody read
		return false, err
	}
	st, said, err := c.poll(ctx)
	if err != nil || ctx.Err() != nil {
		return false, err
	}
	if !said {
		return false, s.rouse(c)
	}
	s.silent = time.Time{}
	s.note(st, s.atWork())
	if st&CutterJam != 0 && st&CoverOpen == 0 && time.Since(s.kicked) > kickTime {
		s.kicked = time.Now()
		s.stub = s.stub || s.half == nil
		_, err := c.write(s.o.Language.Retry())
		return false, err
	}
	return st.Faults() == 0, nil
}

// rouse tries to wake a printer that may be eating everything as the data of a
// broken command. A printer silent for long gets its port reopened.
func (s *Spool) rouse(c *conn) error {
	s.note(Silent, s.atWork())
	if !s.silent.IsZero() {
		if time.Since(s.silent) < barkTime {
			return nil
		}
		s.silent = time.Now()
		return &device.Wire{Op: "query", Port: c.port.String(), Err: device.ErrTimeout}
	}
	s.silent = time.Now()
	_, err := c.write(make([]byte, max(s.zeros, s.longest())))
	return err
}

// longest is the longest command that a slip can have been cut in.
func (s *Spool) longest() int { return max(512, s.o.Profile.Dots/8*s.o.Profile.Band+16) }

// repair completes the command and cuts what a broken slip has left, and waits
// for marks that would be taken for the next slip's. It reports whether the
// printer came through well: a blade that is still stuck says so only now.
func (s *Spool) repair(ctx context.Context, c *conn) (bool, error) {
	cleared := s.stub || s.loose
	if cleared {
		if _, err := c.write(s.o.Language.Clear(s.zeros, s.stub)); err != nil {
			return false, err
		}
	}
	if !cleared && !s.owing {
		return true, nil
	}
	answered, err := s.drain(ctx, c)
	if err != nil || ctx.Err() != nil {
		return false, err
	}
	if !answered && cleared && s.o.Profile.Answers() {
		st, said, err := c.poll(ctx)
		if err != nil || ctx.Err() != nil {
			return false, err
		}
		if !said || st.Faults() != 0 {
			s.note(st, 0)
			return false, err
		}
	}
	s.stub, s.loose, s.zeros, s.owing = false, false, 0, false
	return true, nil
}

// drain asks for a mark, waits for it and for what may still come with it.
func (s *Spool) drain(ctx context.Context, c *conn) (answered bool, err error) {
	mark := s.o.Language.Mark(0, true)
	if len(mark) == 0 {
		_, _, err := c.listen(ctx, time.Now().Add(answerTime), false)
		return false, err
	}
	answered, err = c.drain(ctx, mark)
	s.marks = answered
	return answered, err
}

// overdue gives up a slip that was whole but could not be cut for as long as the
// profile waits.
func (s *Spool) overdue() {
	if s.half == nil || time.Since(s.half.begin) < s.o.Profile.Recover {
		return
	}
	ev := overdue
	if s.half.hurt&(CutterJam|Jam|Broken|PaperOut) != 0 {
		ev = jammed // it was certainly not cut
	}
	s.settleHalf(ev)
}

// halt settles a slip that waits for its cut when the program ends: after the
// next start its remains are voided and the copy is printed.
func (s *Spool) halt() {
	if s.half != nil {
		s.settleHalf(halted)
	}
}

func (s *Spool) settleHalf(ev event) {
	w := s.half
	s.half = nil
	s.owed = &owed{job: w.job.ID, outcome: *w.end(w.to(ev), w.because(ev, nil))}
}
