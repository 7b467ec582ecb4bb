package line

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"longcheng/device"
)

// A Link carries one exchange at a time over a port that it keeps open:
// *device.Link, in a hall. An error of the wire makes it reopen the port.
type Link interface {
	Do(ctx context.Context, f func(device.Port) error) error
}

// Options are the properties of one line. Zero values mean the defaults.
type Options struct {
	Baud    int           // default 9600; gives the time a frame needs on the wire
	Reply   time.Duration // patience after the last byte has left; default 300 ms
	Quiet   time.Duration // between frames; default 5 ms, more than 3.5 characters at 9600 baud
	Retries int           // after a first silence; default 2, negative means none
	Rest    time.Duration // least rest of a silent address, doubled up to 10 s; default 1 s
	Echo    bool          // the transceiver gives back what we send

	// OnReopen hears, in the line's goroutine, that the wire works again after it
	// broke: signs may have lost what they showed.
	OnReopen func()
}

const maxRest = 10 * time.Second

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.Reply, 300*time.Millisecond)
	def(&o.Quiet, 5*time.Millisecond)
	def(&o.Rest, time.Second)
	if o.Baud <= 0 {
		o.Baud = 9600
	}
	if o.Retries == 0 {
		o.Retries = 2
	}
	o.Retries = max(o.Retries, 0)
	return o
}

// onWire is the time n bytes need: ten bits each.
func (o Options) onWire(n int) time.Duration {
	return time.Duration(n) * 10 * time.Second / time.Duration(o.Baud)
}

// An Exchange is what one sign and we say to each other. An error of the wire
// (device.IsWire) makes the port be opened anew; ErrSilent makes the address rest;
// anything else is the sign's own no.
type Exchange func(ctx context.Context, c *Conn) error

// A Line is one wire with its signs. Run is its only goroutine; Do may be called
// by many.
//
// Who has answered last time goes first. After two silences of an address, silent
// addresses get a turn only while nobody else waits, or when the others have had
// n-1 times as long as the last silence took: on a busy line of n addresses the
// silent ones together take at most one nth of the time.
type Line struct {
	link Link
	o    Options

	mu     sync.Mutex
	live   []*job // in the order in which they came
	silent []*job
	signs  map[string]*sign
	probe  time.Time     // from then on a silent address may go before the others
	work   chan struct{} // room for one: there is something to do

	dirty, broken bool // of Run
}

// sign is what is known of one address.
type sign struct {
	misses  int // since it last answered
	resting time.Time
	why     error // of the last miss: ErrSilent or ErrGarbled
}

type job struct {
	ctx  context.Context
	addr string
	talk Exchange
	done chan error
}

// New returns a line over the link. Run starts it.
func New(link Link, o Options) *Line {
	return &Line{link: link, o: o.withDefaults(), signs: map[string]*sign{}, work: make(chan struct{}, 1)}
}

// Know makes an address one of those that share the line before it has spoken.
func (l *Line) Know(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sign(addr)
}

// Do has the exchange with an address when its turn comes and returns its error.
// A silent address is tried again a few times, in its turn. While an address
// rests, Do returns the error of its last miss at once.
func (l *Line) Do(ctx context.Context, addr string, talk Exchange) error {
	for try := 0; ; try++ {
		j := &job{ctx: ctx, addr: addr, talk: talk, done: make(chan error, 1)}
		fresh, err := l.join(j)
		if err == nil {
			err = l.await(j)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrSilent) || !fresh || try >= l.o.Retries {
			return fmt.Errorf("ask %s: %w", addr, err)
		}
	}
}

// join queues a job, or refuses it while its address rests. It reports whether
// the address deserves another try after a silence.
func (l *Line) join(j *job) (fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sign(j.addr)
	switch {
	case time.Now().Before(s.resting):
		return false, s.why
	case s.misses == 0:
		l.live = append(l.live, j)
	default:
		l.silent = append(l.silent, j)
	}
	select {
	case l.work <- struct{}{}:
	default:
	}
	return s.misses <= l.o.Retries, nil
}

func (l *Line) await(j *job) error {
	select {
	case err := <-j.done:
		return err
	case <-j.ctx.Done():
	}
	l.mu.Lock()
	drop := func(q []*job) []*job { return slices.DeleteFunc(q, func(o *job) bool { return o == j }) }
	l.live, l.silent = drop(l.live), drop(l.silent)
	l.mu.Unlock()
	select {
	case err := <-j.done: // it was over just now
		return err
	default:
		return j.ctx.Err()
	}
}

func (l *Line) sign(addr string) *sign {
	s := l.signs[addr]
	if s == nil {
		s = &sign{}
		l.signs[addr] = s
	}
	return s
}

// Run serves the line until ctx ends.
func (l *Line) Run(ctx context.Context) error {
	for {
		if j := l.next(); j != nil {
			l.serve(j)
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.work:
		}
	}
}

// next takes the job whose turn it is.
func (l *Line) next() *job {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := &l.live
	if len(l.silent) > 0 && (len(l.live) == 0 || !time.Now().Before(l.probe)) {
		q = &l.silent
	}
	if len(*q) == 0 {
		return nil
	}
	j := (*q)[0]
	*q = (*q)[1:]
	return j
}

func (l *Line) serve(j *job) {
	if err := j.ctx.Err(); err != nil {
		j.done <- err
		return
	}
	began := time.Now()
	err := l.link.Do(j.ctx, func(p device.Port) error { return l.exchange(j, &Conn{port: p, o: l.o}) })
	switch {
	case device.IsWire(err):
		l.broke(err)
	case errors.Is(err, ErrSilent):
		l.missed(j.addr, err, time.Since(began))
	case j.ctx.Err() == nil || err == nil:
		l.answered(j.addr)
	}
	j.done <- err
}

func (l *Line) exchange(j *job, c *Conn) error {
	if l.dirty {
		if err := c.drain(); err != nil {
			return err
		}
		l.dirty = false
	}
	err := j.talk(j.ctx, c)
	l.dirty = err != nil
	if quiet := pause(j.ctx, l.o.Quiet); err == nil && quiet != nil {
		return nil // the exchange was complete
	}
	return err
}

// broke tells everybody who waits: the wire is the same for all.
func (l *Line) broke(err error) {
	l.broken = true
	l.mu.Lock()
	waiting := append(l.live, l.silent...)
	l.live, l.silent = nil, nil
	l.mu.Unlock()
	for _, j := range waiting {
		j.done <- err
	}
}

func (l *Line) answered(addr string) {
	l.mu.Lock()
	*l.sign(addr) = sign{}
	l.mu.Unlock()
	if l.broken && l.o.OnReopen != nil {
		l.o.OnReopen()
	}
	l.broken = false
}

// missed lets a silent address rest once it has had its tries, and the others go
// before it.
func (l *Line) missed(addr string, why error, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sign(addr)
	s.misses, s.why = s.misses+1, why
	if s.misses > 1 {
		l.probe = time.Now().Add(took * time.Duration(len(l.signs)-1))
	}
	if over := s.misses - 1 - l.o.Retries; over >= 0 {
		s.resting = time.Now().Add(min(l.o.Rest<<min(over, 8), maxRest))
	}
}
