// Package port is the cable of one simulated device: a pseudo-terminal in raw
// mode behind a symbolic link at a chosen path, as udev would place it. The
// cable can be pulled out and plugged in again, and it counts bytes. It does
// not know what travels on it.
package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// writeLimit bounds how long an answer waits for a host that does not read;
// real devices overrun in that case, and so the answer is lost.
const writeLimit = 300 * time.Millisecond

// ErrUnplugged is returned by Write while the cable is out.
var ErrUnplugged = errors.New("write port: cable is out: plug it in")

// A Port is the device end of one cable. Its methods may be called from any
// goroutine; Run has one caller.
type Port struct {
	path    string
	in, out atomic.Int64

	writing sync.Mutex // one piece of an answer after the other

	mu      sync.Mutex
	baud    int        // pace of answers; 0 is at once
	speed   int        // the only one that is understood; 0 is any
	noise   float64    // share of the bytes of answers that arrive damaged
	dice    *rand.Rand // for noise
	left    int        // bytes until the cable comes out; negative: it stays
	master  *os.File   // nil while unplugged
	slave   *os.File   // held open, so that a closing host does not hang us up
	hung    bool
	changed chan struct{} // closed at each change of master or hung
}

// Open makes the pseudo-terminal and the symbolic link at path. An old link at
// path is replaced; any other file there is an error.
func Open(path string) (*Port, error) {
	p := &Port{path: path, left: -1, changed: make(chan struct{})}
	if err := p.Replug(); err != nil {
		return nil, err
	}
	return p, nil
}

// Path returns where the link is, that is, what a host opens.
func (p *Port) Path() string { return p.path }

// Received returns the number of bytes the host has sent to the device.
func (p *Port) Received() int64 { return p.in.Load() }

// Sent returns the number of bytes the device has sent to the host.
func (p *Port) Sent() int64 { return p.out.Load() }

// Plugged reports whether the cable is in.
func (p *Port) Plugged() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.master != nil
}

// Unplug pulls the cable: the host sees a hang-up and the link is gone. It
// does nothing when the cable is out already.
func (p *Port) Unplug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master == nil {
		return
	}
	p.master.Close()
	p.slave.Close()
	p.master, p.slave = nil, nil
	removeLink(p.path)
	p.wake()
}

// Replug plugs the cable in again: a new terminal, the link at the same path.
// It does nothing when the cable is in.
func (p *Port) Replug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master != nil {
		return nil
	}
	master, slave, err := open()
	if err != nil {
		return fmt.Errorf("plug in %s: %w", p.path, err)
	}
	if err := link(slave.Name(), p.path); err != nil {
		master.Close()
		slave.Close()
		return fmt.Errorf("plug in %s: %w", p.path, err)
	}
	p.master, p.slave = master, slave
	p.wake()
	return nil
}

// UnplugAfter pulls the cable when n more bytes have come from the host; those
// after them are lost.
func (p *Port) UnplugAfter(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = n
}

// pass returns how many of n bytes still come through, and pulls the cable after
// the last one.
func (p *Port) pass(n int) int {
	p.mu.Lock()
	pull := p.left >= 0 && n >= p.left
	if pull {
		n, p.left = p.left, -1
	} else if p.left >= 0 {
		p.left -= n
	}
	p.mu.Unlock()
	if pull {
		p.Unplug()
	}
	return n
}

// Close pulls the cable for good.
func (p *Port) Close() error {
	p.Unplug()
	return nil
}

// Hang makes the device stop reading (true) or read on (false). While it
// hangs, the line's buffer fills and the host's writes block.
func (p *Port) Hang(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung = on
	if p.master != nil {
		p.master.SetReadDeadline(deadline(on))
	}
	p.wake()
}

// Pace makes answers arrive as over a line of this speed, ten bits a byte, in
// pieces of a few bytes each as a receiver's buffer hands them over; 0 sends them
// at once and whole.
func (p *Port) Pace(baud int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.baud = baud
}

// Speed makes the device deaf to what comes at another speed; 0 means that it
// understands any, as over USB.
func (p *Port) Speed(baud int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.speed = baud
}

// deaf reports whether the host's end of the line is set to another speed.
func (p *Port) deaf(f *os.File) bool {
	p.mu.Lock()
	speed := p.speed
	p.mu.Unlock()
	if speed == 0 {
		return false
	}
	is := 0
	raw, err := f.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { is = lineSpeed(int(fd)) }) // pulled out: nothing comes anyway
	}
	return is != speed
}

// lineSpeed is that of a terminal whose master is open.
func lineSpeed(master int) int {
	t, err := unix.IoctlGetTermios(master, unix.TCGETS)
	if err != nil {
		return 0
	}
	return map[uint32]int{unix.B9600: 9600, unix.B19200: 19200, unix.B38400: 38400, unix.B57600: 57600, unix.B115200: 115200}[t.Cflag&unix.CBAUD]
}

// Noise damages this share of the bytes that answers have, from 0 to 1; the seed
// says which.
func (p *Port) Noise(share float64, seed uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noise, p.dice = share, rand.New(rand.NewPCG(seed, 0))
}

// piece is how many bytes come at a time: half the buffer of a usual UART.
const piece = 8

// Write sends an answer to the host. An answer nobody reads is lost, as on a
// real line.
func (p *Port) Write(b []byte) (int, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	f, b, baud := p.answer(b)
	if f == nil {
		return 0, ErrUnplugged
	}
	sent, step := 0, len(b)
	if baud > 0 {
		step = piece
	}
	for sent < len(b) {
		part := b[sent:min(sent+step, len(b))]
		if baud > 0 {
			time.Sleep(time.Duration(len(part)*10) * time.Second / time.Duration(baud))
		}
		f.SetWriteDeadline(time.Now().Add(writeLimit))
		n, err := f.Write(part)
		p.out.Add(int64(n))
		if sent += n; err != nil {
			return sent, fmt.Errorf("write port: %w", err)
		}
	}
	return sent, nil
}

// answer returns where to write to, what really goes there, and how fast.
func (p *Port) answer(b []byte) (*os.File, []byte, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.noise > 0 {
		b = bytes.Clone(b)
		for i := range b {
			if p.dice.Float64() < p.noise {
				b[i] ^= 1 << p.dice.IntN(8)
			}
		}
	}
	return p.master, b, p.baud
}

// Run hands everything the host sends to receive, over any number of unplugs,
// until ctx ends. receive may block: that is the device's flow control.
func (p *Port) Run(ctx context.Context, receive func(context.Context, []byte)) error {
	stop := context.AfterFunc(ctx, p.interrupt)
	defer stop()
	buf := make([]byte, 1024)
	for ctx.Err() == nil {
		f, changed := p.readable()
		if f == nil {
			select {
			case <-ctx.Done():
			case <-changed:
			}
			continue
		}
		n, _ := f.Read(buf) // an error is a change of state: looked at again above
		if n = p.pass(n); n > 0 && p.awake(ctx) && !p.deaf(f) {
			p.in.Add(int64(n))
			receive(ctx, buf[:n])
		}
	}
	return ctx.Err()
}

// readable returns the file to read from, or nil and what to wait for.
func (p *Port) readable() (*os.File, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hung {
		return nil, p.changed
	}
	return p.master, p.changed
}

// awake waits until the device does not hang; false if ctx ends before. A read that
// had begun when it was told to hang may still bring what the host sent afterwards.
func (p *Port) awake(ctx context.Context) bool {
	for ctx.Err() == nil {
		p.mu.Lock()
		hung, changed := p.hung, p.changed
		p.mu.Unlock()
		if !hung {
			return true
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
	return false
}

func (p *Port) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master != nil {
		p.master.SetReadDeadline(time.Unix(1, 0))
	}
}

func (p *Port) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func deadline(past bool) time.Time {
	if past {
		return time.Unix(1, 0)
	}
	return time.Time{}
}

func open() (master, slave *os.File, err error) {
	master, slave, err = pty.Open()
	if err != nil {
		return nil, nil, err
	}
	if err := raw(slave); err != nil {
		master.Close()
		slave.Close()
		return nil, nil, err
	}
	polled, err := pollable(master)
	if err != nil {
		slave.Close()
		return nil, nil, err
	}
	return polled, slave, nil
}

// pollable gives f a descriptor on which deadlines and Close end a Read: the
// pty package opens the master in blocking mode. It takes f over.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// raw turns off echo, translation and signals, as cfmakeraw(3).
func raw(f *os.File) error {
	fd := int(f.Fd())
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

func link(target, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	removeLink(path)
	return os.Symlink(target, path)
}

// removeLink removes path only if it is a symbolic link, so that a mistyped
// path never costs a file.
func removeLink(path string) {
	if fi, err := os.Lstat(path); err == nil && fi.Mode()&os.ModeSymlink != 0 {
		os.Remove(path)
	}
}
