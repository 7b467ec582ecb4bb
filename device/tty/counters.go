package tty

import (
	"sync"

	"golang.org/x/sys/unix"

	"longcheng/device/internal/ioctl"
)

// Counters says what happened on a line since it was first opened. The last four
// are the driver's own; they stay 0 for drivers that do not count.
type Counters struct {
	Opens    uint64 // successful ones
	Bytes    uint64 // read
	Sent     uint64 // written
	Hangups  uint64 // the hardware was unplugged or switched off
	Stuck    uint64 // writes given up because the line took no bytes
	Echoes   uint64 // RS-485: what came back was not what was sent
	Framing  uint64 // stop bits missing: wrong speed, or noise
	Parity   uint64 // wrong parity: wrong setting, or noise
	Overruns uint64 // bytes lost because nobody fetched them in time
	Breaks   uint64 // the line was low for long: a cable half plugged in
}

// counts keeps counters for a Line over all its ports.
type counts struct {
	mu    sync.Mutex
	c     Counters
	fd    int // of the port that is open, where open says so
	open  bool
	first *icounter // what the driver had counted before
}

func (n *counts) add(f func(*Counters)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(&n.c)
}

func (n *counts) now() Counters {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ask()
	return n.c
}

func (n *counts) opened(fd int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.c.Opens++
	n.fd, n.open = fd, true
	n.ask()
}

// closing is told before the port's file is given back.
func (n *counts) closing() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ask()
	n.open = false
}

// icounter is struct serial_icounter_struct of linux/serial.h: 20 numbers.
type icounter struct {
	_                                   [6]int32 // modem lines, bytes
	frame, overrun, parity, brk, buffer int32
	_                                   [9]int32
}

// ask fetches the driver's own counters, where there are any.
func (n *counts) ask() {
	var k icounter
	if !n.open || ioctl.Do(n.fd, unix.TIOCGICOUNT, &k) != nil {
		return
	}
	if n.first == nil || k.frame < n.first.frame { // an adapter that was plugged in anew counts from 0
		n.first = &k
	}
	since := func(now, then int32) uint64 { return uint64(max(0, now-then)) }
	n.c.Framing, n.c.Parity, n.c.Breaks = since(k.frame, n.first.frame), since(k.parity, n.first.parity), since(k.brk, n.first.brk)
	n.c.Overruns = since(k.overrun, n.first.overrun) + since(k.buffer, n.first.buffer)
}
