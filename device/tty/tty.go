// Package tty opens serial devices and pseudo-terminals as device ports. It
// owns github.com/tarm/serial and makes good what that library leaves open:
//
//	with tarm/serial alone                        here
//	silence and a hang-up are both io.EOF         told apart by the time the read took
//	a timeout of 0 blocks Close for ever          ticks of 100 ms (VTIME 1)
//	a write may block for ever                    written by a second descriptor with a deadline
//	two programs may open one port                flock and TIOCEXCL on a second descriptor
//	no flow control, no speeds beside a table     termios set and read back
//	bytes of bad parity vanish without a word     the driver's counters, TIOCGICOUNT
//	no RS-485                                     TIOCSRS485 set and read back, echo, pauses
//
// Sources: termios(3), ioctl_tty(2), Documentation/driver-api/serial/serial-rs485.rst.
//
// It does not know what is at the other end: no frames, no checksums.
package tty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/internal/ready"
)

const (
	tick  = 100 * time.Millisecond // the shortest timeout termios has (VTIME 1)
	still = 140 * time.Millisecond // of silence are a timeout, or up to a beat less
	early = 50 * time.Millisecond  // an end of file earlier than this is a hang-up
	chunk = 512                    // bytes written under one deadline

	buffered = 4096 // bytes that drivers take ahead of the wire
)

// ErrEcho says that another station spoke at the same time, or that the line is
// not wired as configured. The port is fine: ask again.
var ErrEcho = errors.New("the bus did not carry what was sent: two stations at once, or no echo here")

// A Port is one open serial line.
type Port struct {
	cfg    Config
	serial *serial.Port
	guard  int      // second descriptor, which does not block: holds the lock
	bell   *os.File // owns guard: Go's poller waits on it for bytes, and for room
	counts *counts
	echo   []byte    // written and still to come back, with RS485.Echo
	rest   time.Time // when the last byte had passed the wire, as far as is known
	broken bool      // a write was given up
	once   sync.Once
	err    error
}

// String returns the name the port was opened by.
func (p *Port) String() string { return p.cfg.Name }

// Read returns bytes as they come, device.ErrTimeout after about 100 ms of silence
// and device.ErrGone after a hang-up. An echo of what was written is checked and
// left out.
//
// Silence is waited out by Go's poller, not in the kernel's read: a program with a
// thread in a system call has its scheduler look after that thread hundreds of
// times a second. With VTIME set, the kernel answers silence with zero bytes after
// the tick and a hang-up with zero bytes at once; the clock tells them apart.
func (p *Port) Read(b []byte) (int, error) {
	for len(b) > 0 {
		n, err := p.read(b)
		if err != nil {
			return 0, err
		}
		n, err = p.heard(b, n)
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

func (p *Port) read(b []byte) (int, error) {
	if ready.Silent(p.bell, time.Now().Add(device.OnBeat(still))) {
		return 0, device.ErrTimeout
	}
	begun := time.Now()
	n, err := p.serial.Read(b)
	switch {
	case n > 0:
		p.counts.add(func(c *Counters) { c.Bytes += uint64(n) })
		p.rest = time.Now()
		return n, nil
	case errors.Is(err, os.ErrClosed):
		return 0, p.wire("read", err)
	case err != nil && !errors.Is(err, io.EOF), time.Since(begun) < early:
		p.counts.add(func(c *Counters) { c.Hangups++ })
		return 0, p.wire("read", device.ErrGone)
	}
	return 0, device.ErrTimeout
}

// Await is that of device.Waiter.
func (p *Port) Await(ctx context.Context, d time.Duration) { ready.Await(ctx, p.bell, d) }

// heard takes the echo off the front of b[:n] and returns what is left.
func (p *Port) heard(b []byte, n int) (int, error) {
	k := min(n, len(p.echo))
	if k == 0 {
		return n, nil
	}
	if !bytes.Equal(b[:k], p.echo[:k]) {
		p.echo = nil
		p.counts.add(func(c *Counters) { c.Echoes++ })
		return 0, fmt.Errorf("read %s: %w", p.cfg.Name, ErrEcho)
	}
	p.echo = p.echo[k:]
	return copy(b, b[k:n]), nil
}

// Write sends b. If the line takes nothing for too long, what is still queued
// is dropped, the port is unusable and an error wrapping device.ErrTimeout is
// returned.
//
// On an RS-485 bus it first waits until the bus has been quiet for long enough.
func (p *Port) Write(b []byte) (int, error) {
	p.waitQuiet()
	sent := 0
	for sent < len(b) {
		part := b[sent:min(sent+chunk, len(b))]
		n, err := p.put(part)
		sent += n
		p.sent(part[:n])
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// waitQuiet waits a few milliseconds at most, unless configured otherwise.
func (p *Port) waitQuiet() {
	quiet := p.cfg.quiet()
	if quiet == 0 {
		return
	}
	if d := time.Until(p.rest.Add(quiet)); d > 0 {
		<-time.After(d)
	}
}

// sent notes when the bytes will have passed the wire, and their echo.
func (p *Port) sent(b []byte) {
	p.counts.add(func(c *Counters) { c.Sent += uint64(len(b)) })
	if now := time.Now(); p.rest.Before(now) {
		p.rest = now
	}
	p.rest = p.rest.Add(p.cfg.onWire(len(b)))
	if p.cfg.RS485 != nil && p.cfg.RS485.Echo {
		p.echo = append(p.echo, b...)
	}
}

// put writes one chunk through the descriptor that does not block. What finds no
// room in the driver's buffer waits for it in Go's poller, for no longer than that
// may take.
func (p *Port) put(b []byte) (int, error) {
	if p.broken {
		return 0, p.wire("write", device.ErrGone)
	}
	n := p.offer(b)
	if n == len(b) { // nearly always: a deadline would wake the program for nothing
		return n, nil
	}
	if err := p.bell.SetWriteDeadline(time.Now().Add(p.limit(len(b)))); err != nil {
		return n, p.wire("write", err)
	}
	m, err := p.bell.Write(b[n:])
	n += m
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrClosed):
		return n, p.wire("write", err)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return n, p.wire("write", device.ErrGone)
	}
	p.broken = true
	p.counts.add(func(c *Counters) { c.Stuck++ })
	_ = unix.IoctlSetInt(p.guard, unix.TCFLSH, unix.TCOFLUSH)
	return n, p.wire("write", fmt.Errorf("the line takes no bytes: %w", device.ErrTimeout))
}

// offer writes what there is room for. By syscall's Write: the race detector holds
// that and an os.File's Read for one ordered pair, and unix's not.
func (p *Port) offer(b []byte) (n int) {
	if raw, err := p.bell.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { n, _ = syscall.Write(int(fd), b) }) // whoever writes the rest meets the error
	}
	return max(0, n)
}

// limit is how long a line that moves may take to accept n bytes: there is room
// when most of what was written before has passed the wire.
func (p *Port) limit(n int) time.Duration {
	before := min(max(0, time.Until(p.rest)), p.cfg.onWire(buffered))
	return p.cfg.WriteTimeout + before + p.cfg.onWire(n)
}

// Flush drops bytes waiting in both directions.
func (p *Port) Flush() error {
	p.echo = nil
	if err := p.serial.Flush(); err != nil {
		return p.wire("flush", device.ErrGone)
	}
	return nil
}

// Drop drops the bytes that came and were not read.
func (p *Port) Drop() error {
	p.echo = nil
	if err := unix.IoctlSetInt(p.guard, unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return p.wire("drop", device.ErrGone)
	}
	return nil
}

// Close gives the line up. It waits for a pending Read, so at most one tick, and for the
// bytes that were written as long as they move; a driver that hangs is left behind after
// half a second.
func (p *Port) Close() error {
	p.once.Do(func() { p.err = p.close() })
	return p.err
}

func (p *Port) close() error {
	p.counts.closing()
	p.drain()
	_ = unix.IoctlSetInt(p.guard, unix.TIOCNXCL, 0)
	done := make(chan error, 1)
	go func() {
		err := p.serial.Close()
		_ = p.bell.Close() // the last one: the kernel waits here, and with it whoever opens the line
		done <- err
	}()
	limit := time.NewTimer(500 * time.Millisecond)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		return p.wire("close", device.ErrTimeout)
	}
}

// drain waits until the driver has sent what it holds. What does not move is dropped: a
// printer that has said XOFF would keep the kernel closing the line for half a minute.
func (p *Port) drain() {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	held, moved := 0, time.Now()
	for {
		n, err := unix.IoctlGetInt(p.guard, unix.TIOCOUTQ)
		switch {
		case err != nil || n == 0:
			return
		case n != held:
			held, moved = n, time.Now()
		case time.Since(moved) > p.cfg.WriteTimeout:
			_ = unix.IoctlSetInt(p.guard, unix.TCFLSH, unix.TCOFLUSH)
			return
		}
		<-look.C
	}
}

func (p *Port) wire(op string, err error) error {
	return &device.Wire{Op: op, Port: p.cfg.Name, Err: err}
}
