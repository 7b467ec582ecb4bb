package line

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
)

// Dial returns a function that connects to a sign on the network, for
// device.NewLink.
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
