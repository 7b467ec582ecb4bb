package device

import (
	"context"
	"time"
)

// openWithin is how long a driver may take to open a port.
const openWithin = 3 * time.Second

// Opens returns an OpenFunc for ports that open at once or not at all. Some drivers do
// neither: with ErrHangs, and when ctx ends, the caller goes on, and so does the opening.
// The next call waits for the same one, so that a driver holds one thread and not more.
func Opens[P Port](open func() (P, error)) OpenFunc {
	last := make(chan *opening[P], 1) // that nobody has waited out, or nil
	last <- nil
	return func(ctx context.Context) (Port, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o := <-last
		if o == nil {
			o = begin(open)
		}
		if err := o.wait(ctx); err != nil {
			last <- o
			return nil, err
		}
		last <- nil
		if o.err != nil {
			return nil, o.err // not o.port: a nil pointer in a Port is not nil
		}
		return o.port, nil
	}
}

// An opening is one call of a driver, which may not come back.
type opening[P Port] struct {
	since time.Time
	done  chan struct{}
	port  P
	err   error
}

func begin[P Port](open func() (P, error)) *opening[P] {
	o := &opening[P]{since: time.Now(), done: make(chan struct{})}
	go func() {
		defer close(o.done)
		o.port, o.err = open()
	}()
	return o
}

// wait waits until the driver has come back.
func (o *opening[P]) wait(ctx context.Context) error {
	select {
	case <-o.done: // while nobody waited
		return nil
	default:
	}
	limit := time.NewTimer(time.Until(o.since.Add(openWithin)))
	defer limit.Stop()
	select {
	case <-o.done:
		return nil
	case <-limit.C:
		return ErrHangs
	case <-ctx.Done():
		return ctx.Err()
	}
}
