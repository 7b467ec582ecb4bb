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
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

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
// taken for the next one. It waits for nothing, and on a busy machine, where a short
// deadline may be over before the first look, it drops all the same.
func (c *conn) Drop() error {
	raw, err := c.Conn.(syscall.Conn).SyscallConn()
	if err == nil {
		err = c.SetReadDeadline(time.Time{}) // Read's is over
	}
	buf := make([]byte, 512)
	for i := 0; i < maxDrop && err == nil; i++ {
		var n int
		var no error
		if err = raw.Read(func(fd uintptr) bool { n, no = unix.Read(int(fd), buf); return true }); err != nil {
			break
		}
		switch {
		case errors.Is(no, unix.EAGAIN):
			return nil
		case errors.Is(no, unix.EINTR):
		case no == nil && n == 0:
			err = io.EOF
		default:
			err = no
		}
	}
	if err != nil {
		return &device.Wire{Op: "read", Port: c.name, Err: err}
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
