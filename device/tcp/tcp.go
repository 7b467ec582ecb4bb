// Package tcp is a wire to hardware on the network, such as a printer at port 9100 or a
// sign: one connection, kept open, because such hardware serves one host at a time and
// some drops a connection that idles for a minute and a half.
//
// What Write took may still be on its way, and is lost when the connection breaks: only
// an answer of the hardware proves that it arrived. The package does not know what the
// bytes mean.
package tcp

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"longcheng/device"
)

const (
	dialWithin  = 3 * time.Second
	tick        = 100 * time.Millisecond
	writeWithin = 2 * time.Second
	maxDrop     = 64 // reads: hardware that never stops talking is heard again
)

// Dial returns a function that connects to hardware at host:port, for device.NewLink.
func Dial(address string) device.OpenFunc {
	return func(ctx context.Context) (device.Port, error) {
		d := net.Dialer{Timeout: dialWithin}
		c, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, &device.Wire{Op: "connect to", Port: address, Err: err}
		}
		return &conn{Conn: c, name: address}, nil
	}
}

// conn is a TCP connection as a port.
type conn struct {
	net.Conn
	name string
	once sync.Once
}

func (c *conn) String() string { return c.name }

// Read returns device.ErrTimeout after a short silence.
func (c *conn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(tick)); err != nil {
		return 0, &device.Wire{Op: "read", Port: c.name, Err: err}
	}
	n, err := c.Conn.Read(b)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, device.ErrTimeout
	}
	return 0, &device.Wire{Op: "read", Port: c.name, Err: err}
}

// Drop discards what came and was not read: an answer that was given up must not be
// taken for the next one.
func (c *conn) Drop() error {
	buf := make([]byte, 512)
	for range maxDrop {
		if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return &device.Wire{Op: "read", Port: c.name, Err: err}
		}
		if _, err := c.Conn.Read(buf); errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		} else if err != nil {
			return &device.Wire{Op: "read", Port: c.name, Err: err}
		}
	}
	return nil
}

// Write returns within two seconds.
func (c *conn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return 0, &device.Wire{Op: "write", Port: c.name, Err: err}
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		err = &device.Wire{Op: "write", Port: c.name, Err: err}
	}
	return n, err
}

// Close may be called twice.
func (c *conn) Close() (err error) {
	c.once.Do(func() { err = c.Conn.Close() })
	return err
}
