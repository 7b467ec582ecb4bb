package device

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	backoffBase  = 500 * time.Millisecond
	backoffLimit = 10 * time.Second
)

// glance is how often a waiting Link looks whether the port was plugged in.
const glance = 250 * time.Millisecond

// A Link keeps one port usable. It opens the port when it is first needed,
// closes it when the wire breaks, and waits longer and longer before it tries
// again. It is safe for several goroutines: exchanges run one at a time.
type Link struct {
	// Stamp, if set before the first Do, says what is plugged in now: equal
	// strings for the same thing. When it is no longer what the wire broke on, the
	// backoff is over and begins anew: nobody waits before a fresh cable. It is
	// asked four times a second during a wait, and must not block.
	Stamp func() string

	// OnChange, if set before the first Do, is told of every change of state. It
	// runs in the goroutine of Do and must not call the Link.
	OnChange func(Health)

	open  OpenFunc
	turn  chan struct{} // holds one token: the right to use the fields below
	port  Port
	fails int       // failures in a row
	retry time.Time // earliest next open
	last  error     // the last wire error
	stamp string    // what was plugged in when it happened

	mu     sync.Mutex
	health Health
}

// NewLink returns a link that opens its port with open. Nothing is opened yet.
func NewLink(open OpenFunc) *Link {
	l := &Link{open: open, turn: make(chan struct{}, 1)}
	l.health = Health{State: Idle, Since: time.Now()}
	return l
}

// Do runs one exchange on the open port. When f returns an error of the wire
// (see IsWire), the port is closed and Do returns that error; any other error
// is what the device said, or ctx, and leaves the port open.
//
// After a broken wire Do first waits out the backoff. If ctx would end before
// that, Do returns the last error of the wire at once, so a caller in a hurry
// learns the reason without waiting.
func (l *Link) Do(ctx context.Context, f func(Port) error) error {
	if err := l.take(ctx); err != nil {
		return err
	}
	defer l.give()
	if err := l.ensure(ctx); err != nil {
		return err
	}
	err := f(l.port)
	if IsWire(err) {
		l.drop()
		l.fail(err)
		return err
	}
	l.fails = 0
	l.note(Ready, "", func(h *Health) { h.Exchanges++; h.Err = nil })
	return err
}

// Health returns how the link stands now. It never waits for an exchange.
func (l *Link) Health() Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.health
}

// Close waits for the running exchange, bounded by ctx, and closes the port.
// The next Do would open it again.
func (l *Link) Close(ctx context.Context) error {
	if err := l.take(ctx); err != nil {
		return err
	}
	defer l.give()
	err := l.drop()
	l.note(Idle, "closed", nil)
	return err
}

func (l *Link) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Link) give() { <-l.turn }

func (l *Link) ensure(ctx context.Context) error {
	if l.port != nil {
		return nil
	}
	if err := l.wait(ctx); err != nil {
		return err
	}
	p, err := l.open(ctx)
	if err == nil && p == nil {
		err = errors.New("driver returned no port")
	}
	if err == nil {
		l.port = p
		l.mu.Lock()
		l.health.Opens++
		l.mu.Unlock()
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !IsWire(err) {
		err = &Wire{Op: "open", Port: "port", Err: err}
	}
	l.fail(err)
	return err
}

// wait sleeps until the next open is allowed, or says why it is not.
func (l *Link) wait(ctx context.Context) error {
	for {
		d := time.Until(l.retry)
		if d <= 0 || l.replugged() {
			return nil
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
			return fmt.Errorf("trying again in %s: %w", d.Round(100*time.Millisecond), l.last)
		}
		if l.Stamp != nil {
			d = min(d, glance)
		}
		t := time.NewTimer(d)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// replugged reports whether something else is plugged in than what failed, and
// then forgets the failures.
func (l *Link) replugged() bool {
	if l.Stamp == nil {
		return false
	}
	now := l.Stamp()
	if now == "" || now == l.stamp {
		return false
	}
	l.stamp, l.fails = now, 0
	return true
}

func (l *Link) fail(err error) {
	l.last = err
	if l.Stamp != nil {
		l.stamp = l.Stamp()
	}
	l.retry = time.Now().Add(Backoff(l.fails, backoffBase, backoffLimit))
	l.fails++
	l.note(Broken, err.Error(), func(h *Health) { h.Failures++; h.Err = err })
}

func (l *Link) drop() error {
	if l.port == nil {
		return nil
	}
	p := l.port
	l.port = nil
	return p.Close()
}

func (l *Link) note(s State, reason string, count func(*Health)) {
	l.mu.Lock()
	if count != nil {
		count(&l.health)
	}
	changed := l.health.State != s
	if changed {
		l.health.State, l.health.Since = s, time.Now()
	}
	l.health.Reason = reason
	h := l.health
	l.mu.Unlock()
	if changed && l.OnChange != nil {
		l.OnChange(h)
	}
}
