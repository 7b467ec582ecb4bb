package line

import (
	"context"
	"errors"
	"fmt"
	"time"

	"longcheng/device"
)

// ErrSilent says that a sign did not answer. The wire may be fine: other signs on
// it are not affected.
var ErrSilent = errors.New("sign is silent: check its power, address and baud rate")

// ErrGarbled says that bytes came back and made no answer. It is ErrSilent as well:
// the address rests.
var ErrGarbled error = garbled{}

type garbled struct{}

func (garbled) Error() string {
	return "what came back is not a sound answer: look for two signs with one address, for noise, and for a wrong baud rate"
}

func (garbled) Is(target error) bool { return target == ErrSilent }

// least is how many bytes are no mere spark of an idle line.
const least = 4

// A Conn is the wire during one exchange.
type Conn struct {
	port device.Port
	o    Options
	echo int // bytes of our own that are still to come back
}

// maxAnswer bounds how long an answer may be on the wire.
const maxAnswer = 64

// maxLate is how often bytes that lay ready after the time was up are still read.
const maxLate = 16

// Ask writes a request and hands every byte that comes back to feed until feed
// says that the answer is complete, or returns what the sign said no with. It
// returns ErrSilent, or ErrGarbled, when the answer is not complete in time; any
// other error of its own is the wire's.
func (c *Conn) Ask(ctx context.Context, request []byte, feed func(b byte) (done bool, err error)) error {
	return c.AskWithin(ctx, c.o.Reply+c.o.onWire(maxAnswer), request, feed)
}

// AskWithin is Ask with another patience than the line's, counted from the moment
// when the last byte has left. What has come in time counts, however late we look.
func (c *Conn) AskWithin(ctx context.Context, within time.Duration, request []byte, feed func(b byte) (done bool, err error)) error {
	if err := c.write(request); err != nil {
		return err
	}
	deadline := time.Now().Add(within + c.o.onWire(len(request)))
	buf, heard := make([]byte, 256), 0
	for late := 0; late < maxLate; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := c.read(buf)
		switch over := !time.Now().Before(deadline); {
		case over && n == 0:
			late = maxLate
		case over:
			late++
		}
		heard += n
		for _, b := range buf[:n] {
			if done, err := feed(b); done || err != nil {
				return err
			}
		}
		if err != nil && !errors.Is(err, device.ErrTimeout) {
			return err
		}
	}
	if heard >= least {
		return ErrGarbled
	}
	return ErrSilent
}

// Tell writes a frame that nobody answers and returns when its last byte has had
// the time to leave, and the sign the time to take it.
func (c *Conn) Tell(ctx context.Context, frame []byte) error {
	if err := c.write(frame); err != nil {
		return err
	}
	return pause(ctx, c.o.onWire(len(frame))+c.o.Quiet)
}

// Session identifies the open port: it differs after the port was opened anew, for
// protocols that begin with a greeting.
func (c *Conn) Session() any { return c.port }

// Pause waits, for protocols that want silence inside a frame.
func (c *Conn) Pause(ctx context.Context, d time.Duration) error { return pause(ctx, d) }

func (c *Conn) write(b []byte) error {
	_, err := c.port.Write(b)
	if c.o.Echo {
		c.echo += len(b)
	}
	return err
}

// read drops what the transceiver gave back of our own bytes.
func (c *Conn) read(b []byte) (int, error) {
	n, err := c.port.Read(b)
	drop := min(n, c.echo)
	c.echo -= drop
	copy(b, b[drop:n])
	return n - drop, err
}

// drain discards what an earlier request may still have caused, until the line
// has been quiet for one read, and never more than 4 KiB.
func (c *Conn) drain() error {
	if err := device.Flush(c.port); err != nil {
		return err
	}
	buf := make([]byte, 256)
	for range 16 {
		n, err := c.port.Read(buf)
		if errors.Is(err, device.ErrTimeout) || err == nil && n == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	if err := device.Sleep(ctx, d); err != nil {
		return fmt.Errorf("wait on the line: %w", err)
	}
	return nil
}
