package tty

import (
	"sync"

	"golang.org/x/sys/unix"

	"longcheng/device/internal/ioctl"
)

// Counters says what happened on a line. The last four are the driver's own
// since the machine started; they stay 0 for drivers that do not count.
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
	mu sync.Mutex
	c  Counters
}

func (n *counts) add(f func(*Counters)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(&n.c)
}

func (n *counts) now() Counters {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.c
}

func (n *counts) opened(fd int) {
	n.add(func(c *Counters) { c.Opens++ })
	n.driver(fd)
}

// icounter is struct serial_icounter_struct of linux/serial.h: 20 numbers.
type icounter struct {
	_                                   [6]int32 // modem lines, bytes
	frame, overrun, parity, brk, buffer int32
	_                                   [9]int32
}

// driver fetches the driver's own counters, where there are any.
func (n *counts) driver(fd int) {
	var k icounter
	if ioctl.Do(fd, unix.TIOCGICOUNT, &k) != nil {
		return
	}
	n.add(func(c *Counters) {
		c.Framing, c.Parity, c.Breaks = uint64(k.frame), uint64(k.parity), uint64(k.brk)
		c.Overruns = uint64(k.overrun) + uint64(k.buffer)
	})
}
