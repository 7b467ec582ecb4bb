package printer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"longcheng/device"
)

// slipWithin is how long a test slip may take to come out.
const slipWithin = 15 * time.Second

// ErrUnconfirmed says that a test slip was sent and the printer did not say that
// it came.
var ErrUnconfirmed = errors.New("the printer did not confirm the slip: look whether it came, and whole")

// Test prints a page that is no ticket and belongs to no job. It waits its turn
// between jobs and returns nil when the printer has confirmed the slip, or cannot
// confirm any.
func (s *Spool) Test(ctx context.Context, page Page) error {
	st := s.Status()
	if st.Status.Faults() != 0 {
		return fmt.Errorf("test slip: %w", st.Status)
	}
	if st.Job != 0 {
		return errors.New("test slip: the printer is printing a ticket: try again in a moment")
	}
	ctx, cancel := context.WithTimeout(ctx, slipWithin)
	defer cancel()
	err := s.o.Link.Do(ctx, func(p device.Port) error { return s.testOn(ctx, p, page) })
	if err != nil {
		return fmt.Errorf("test slip: %w", err)
	}
	return nil
}

func (s *Spool) testOn(ctx context.Context, p device.Port, page Page) error {
	data, err := s.o.Language.Encode(page, 0)
	if err != nil {
		return err
	}
	c := newConn(p, s.o.Language, s.Status().Status)
	c.begin(0)
	for _, part := range [][]byte{data.Body, data.Tail} {
		if _, err := c.write(part); err != nil {
			return err
		}
	}
	if !data.Marks {
		return nil
	}
	for !c.last && c.marks < 2 && ctx.Err() == nil {
		if _, _, err := c.listen(ctx, time.Now().Add(hush), false); err != nil {
			return err
		}
	}
	if c.marks == 0 {
		return ErrUnconfirmed
	}
	_, _, err = c.listen(ctx, time.Now().Add(hush), false) // what comes with the mark
	return err
}
