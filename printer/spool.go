package printer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"longcheng/device"
	"longcheng/kiosk"
)

// tick is how often an idle printer is asked how it is, and the store for work
// that nobody announced.
const tick = 2 * time.Second

// Jobs is the store's view of paper.
type Jobs interface {
	// NextJob returns the oldest pending job of a printer, false when there is
	// none. It changes nothing.
	NextJob(ctx context.Context, printer string) (kiosk.Job, kiosk.Issued, bool, error)
	// SetJob makes a new state durable before it returns. A Refusal says that
	// the job can no longer take that state.
	SetJob(ctx context.Context, id int64, state kiosk.JobState, reason string) error
	// CopyAfterUnknown adds a pending, marked copy of an unknown job. Where
	// there is a later slip of the same visit already, it adds none and may
	// return a Refusal.
	CopyAfterUnknown(ctx context.Context, id int64) error
}

// A Mover is a Jobs that can give a pending job to another printer.
type Mover interface {
	// MoveJob makes the new printer of a pending job durable before it returns.
	MoveJob(ctx context.Context, id int64, printer string) error
}

// Options configure a Spool. Language and Profile belong together.
type Options struct {
	Name     string // of the printer, as in kiosk.Job.Printer
	Profile  Profile
	Language Language
	Link     *device.Link
	Jobs     Jobs
	Hall     func() *kiosk.Hall       // the hall document in force
	Layout   func(Slip, Profile) Page // nil is Layout for the profile's columns
	OnChange func(State)              // told of every change of Status, in the goroutine of Run, Pause or Resume; may be nil
	OnNotice func(id int64, s string) // told what a job's paper lacks, in Run's goroutine; may be nil
}

// A State is how a printer stands.
type State struct {
	Printer string
	Status  Status // see also Clerk and Technician of State itself
	Since   time.Time
	Job     int64 // the job on the printer now; 0 is none
	Left    int   // tickets that the roll is expected to hold still; negative is unknown
}

// A Spool owns one printer: it prints the store's pending jobs one by one, and
// says of each what is known about it, and no more.
type Spool struct {
	o    Options
	wake chan struct{}

	mu     sync.Mutex
	state  State
	told   bool // OnChange has heard of the printer
	paused bool
	spare  *Spool
	meter  meter

	// The rest belongs to Run.
	owed   *owed  // an outcome that the store has not taken yet
	half   *watch // a slip that is whole but not known to be cut
	stub   bool   // the paper under the head belongs to a broken slip
	loose  bool   // the paper under the head may be a whole slip, not cut
	zeros  int    // bytes that complete a broken command
	fresh  bool   // nothing was said since the port was opened
	begun  bool   // a job was printed since the start
	owing  bool   // marks may still come that nobody waits for
	marks  bool   // the printer has given marks
	silent time.Time
	kicked time.Time // when a jammed cutter was last asked to try again
}

// owed is an outcome on its way into the store.
type owed struct {
	job int64
	outcome
	said bool // SetJob is done, the copy is not
}

// NewSpool checks o and returns a spool that has not touched its printer yet.
func NewSpool(o Options) (*Spool, error) {
	if o.Language == nil || o.Link == nil || o.Jobs == nil || o.Hall == nil {
		return nil, fmt.Errorf("printer %q: language, link, jobs and hall are needed", o.Name)
	}
	if err := o.Profile.Check(); err != nil {
		return nil, err
	}
	if o.Layout == nil {
		o.Layout = func(s Slip, p Profile) Page { return Layout(s, p.Columns) }
	}
	s := &Spool{o: o, wake: make(chan struct{}, 1), fresh: true, owing: len(o.Language.Mark(0, true)) > 0}
	s.state = State{Printer: o.Name, Status: Silent, Since: time.Now(), Left: -1}
	s.meter = meter{metre: 1000 * float64(o.Profile.DPI) / 25.4, roll: float64(o.Profile.Roll)}
	return s, nil
}

// Wake says that there may be a new job. It never blocks.
func (s *Spool) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Status returns how the printer stands, from memory.
func (s *Spool) Status() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stands()
}

// stands is the state that Run has noted, with a pause that it may not know yet.
// Called with mu held.
func (s *Spool) stands() State {
	now := s.state
	now.Status &^= Paused
	if s.paused {
		now.Status |= Paused
	}
	return now
}

// Ready returns nil when a slip could be printed now, here or on the spare, else
// a Refusal for the citizen. It answers from memory, at most one tick old.
func (s *Spool) Ready() error {
	st := s.Status().Status
	if st.Faults() == 0 {
		return nil
	}
	if spare := s.standIn(); spare != nil {
		return nil
	}
	return &kiosk.Refusal{Code: "printer_not_ready", Text: st.Citizen()}
}

// Run prints until ctx ends, then returns nil after the slip in hand is settled.
// It returns an error only of the store; run again, it goes on where it was.
func (s *Spool) Run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for ctx.Err() == nil {
		more, err := s.turn(ctx)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("printer %s: %w", s.o.Name, err)
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-t.C:
		}
	}
	s.halt()
	return s.settle(ctx)
}

// turn looks at the printer and prints at most one job; more says that it did.
func (s *Spool) turn(ctx context.Context) (more bool, err error) {
	if err := s.settle(ctx); err != nil {
		return false, err
	}
	s.overdue()
	var store error
	err = s.o.Link.Do(ctx, func(p device.Port) error {
		c := newConn(p, s.o.Language, s.Status().Status)
		ok, err := s.preflight(ctx, c)
		if err != nil || !ok {
			return err
		}
		more, store, err = s.next(ctx, c)
		return err
	})
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, device.ErrTimeout):
		s.note(Silent, s.atWork())
	case err != nil:
		s.note(Unplugged, s.atWork())
	}
	if err != nil {
		more, s.fresh = false, true
	}
	return more, errors.Join(store, s.settle(ctx), s.handOver(ctx))
}

// atWork returns the job of the slip that is still to be cut; 0 is none.
func (s *Spool) atWork() int64 {
	if s.half == nil {
		return 0
	}
	return s.half.job.ID
}

// next cuts the slip that waits for it, or prints the next job. What the store
// said and what the wire did are apart: a busy store is no reason to close a
// port.
func (s *Spool) next(ctx context.Context, c *conn) (more bool, store, wire error) {
	if s.half != nil {
		more, wire = s.exchange(s.half.job.ID, func() (*outcome, error) { return s.resume(ctx, c) })
		return more, nil, wire
	}
	if s.isPaused() {
		return false, nil, nil
	}
	if s.owing && !s.stub && !s.loose { // while nobody waits
		if ok, err := s.repair(ctx, c); err != nil || !ok {
			return false, nil, err
		}
	}
	job, issued, ok, err := s.o.Jobs.NextJob(ctx, s.o.Name)
	if err != nil || !ok {
		return false, err, nil
	}
	if !s.begun && job.Copy > 0 {
		// A copy waits at the start: the program may have ended inside the original.
		s.stub, s.zeros = true, s.longest()
	}
	s.begun = true
	if ok, err := s.repair(ctx, c); err != nil || !ok {
		return false, nil, err
	}
	page := s.o.Layout(Slip{Hall: s.o.Hall(), Issued: issued, Copy: job.Copy}, s.o.Profile)
	data, err := s.o.Language.Encode(page, job.ID)
	if err != nil {
		s.owed = &owed{job: job.ID, outcome: outcome{state: kiosk.JobFailed, reason: err.Error()}}
		return true, nil, nil
	}
	if err := s.o.Jobs.SetJob(ctx, job.ID, kiosk.JobPrinting, ""); err != nil {
		if refused(err) { // somebody settled it in the meantime: look again next turn
			err = nil
		}
		return false, err, nil
	}
	s.notice(job.ID, data)
	more, wire = s.exchange(job.ID, func() (*outcome, error) { return s.print(ctx, c, job, data) })
	return more, nil, wire
}

// exchange works on a job and remembers its outcome, if it has one.
func (s *Spool) exchange(job int64, f func() (*outcome, error)) (more bool, wire error) {
	s.note(s.Status().Status, job)
	out, wire := f()
	if out != nil {
		s.owed = &owed{job: job, outcome: *out}
	}
	s.note(s.Status().Status, s.atWork())
	return out != nil, wire
}

// notice tells what the paper of a job will lack.
func (s *Spool) notice(job int64, d Data) {
	if s.o.OnNotice == nil {
		return
	}
	if len(d.Missing) > 0 {
		s.o.OnNotice(job, fmt.Sprintf("characters without a glyph are printed as numbers: %U", d.Missing))
	}
	if d.LeftOut > 0 {
		s.o.OnNotice(job, "the logo is left out: the wire is too slow for it: store it in the printer")
	}
}

// settle makes the last outcome durable. It outlives ctx for a moment: an
// outcome that is known should not become unknown by a stop.
func (s *Spool) settle(ctx context.Context) error {
	o := s.owed
	if o == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if !o.said {
		if err := s.o.Jobs.SetJob(ctx, o.job, o.state, o.reason); err != nil && !refused(err) {
			return fmt.Errorf("record job %d as %s: %w", o.job, o.state, err)
		}
		o.said = true
	}
	if o.again {
		if err := s.o.Jobs.CopyAfterUnknown(ctx, o.job); err != nil && !refused(err) {
			return fmt.Errorf("copy job %d: %w", o.job, err)
		}
	}
	s.owed = nil
	return nil
}

// refused reports whether the store turned a request down by its rules, such as
// a copy that staff have already asked for: asking again would change nothing.
func refused(err error) bool {
	var r *kiosk.Refusal
	return errors.As(err, &r)
}

// note remembers how the printer stands and tells of changes, and of a printer that has
// not answered since the start, when it had time to start itself.
func (s *Spool) note(st Status, job int64) {
	st &^= Busy | Presented // true of every slip for a moment
	low := s.o.Hall().Rules.WithDefaults().NearEndLeft
	s.mu.Lock()
	if s.paused {
		st |= Paused
	}
	changed := s.state.Status != st
	if changed {
		s.meter.saw(s.state.Status, st)
		s.state.Status, s.state.Since = st, time.Now()
	}
	s.state.Job, s.state.Left = job, s.meter.left(st, low)
	state, tell := s.state, changed || !s.told && time.Since(s.state.Since) > barkTime
	s.told = s.told || tell
	s.mu.Unlock()
	if tell && s.o.OnChange != nil {
		s.o.OnChange(state)
	}
}
