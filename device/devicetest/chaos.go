package devicetest

import (
	"math/rand/v2"
	"sync"
	"time"

	"longcheng/device"
)

// Chaos wraps a port and mistreats what is read from it: bytes arrive one to
// three at a time and late, garbage comes between them, bits turn over, and
// after a while the hardware hangs up. The same seed does the same again.
type Chaos struct {
	device.Port
	Garbage int           // one read in this many is preceded by garbage; 0 means never
	Noise   int           // one byte in this many has a bit turned over; 0 means never
	Delay   time.Duration // reads are up to this late
	HangUp  int           // reads until the hardware is gone; 0 means never

	mu    sync.Mutex
	rand  *rand.Rand
	reads int
}

// NewChaos returns a wrapper of p that only splits; set the fields for more.
func NewChaos(p device.Port, seed uint64) *Chaos {
	return &Chaos{Port: p, rand: rand.New(rand.NewPCG(seed, 1))}
}

// Read reads a little, or garbage, or finds the hardware gone.
func (c *Chaos) Read(b []byte) (int, error) {
	c.mu.Lock()
	c.reads++
	lost := c.HangUp > 0 && c.reads > c.HangUp
	junk := c.Garbage > 0 && c.rand.IntN(c.Garbage) == 0
	n := min(len(b), 1+c.rand.IntN(3))
	late := time.Duration(0)
	if c.Delay > 0 {
		late = time.Duration(c.rand.Int64N(int64(c.Delay)))
	}
	if junk {
		for i := range b[:n] {
			b[i] = byte(c.rand.Uint32())
		}
	}
	c.mu.Unlock()
	switch {
	case lost:
		return 0, device.ErrGone
	case junk:
		return n, nil
	}
	time.Sleep(late)
	n, err := c.Port.Read(b[:n])
	c.disturb(b[:n])
	return n, err
}

// disturb turns bits over.
func (c *Chaos) disturb(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b {
		if c.Noise > 0 && c.rand.IntN(c.Noise) == 0 {
			b[i] ^= 1 << c.rand.IntN(8)
		}
	}
}

// Write passes everything on until the hardware is gone.
func (c *Chaos) Write(b []byte) (int, error) {
	c.mu.Lock()
	lost := c.HangUp > 0 && c.reads > c.HangUp
	c.mu.Unlock()
	if lost {
		return 0, device.ErrGone
	}
	return c.Port.Write(b)
}
