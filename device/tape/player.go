package tape

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"longcheng/device"
)

// A Player is a port that plays steps back in order. Reads before their turn
// find silence. After the last step, and after a write that is not the next one,
// the hardware is gone.
type Player struct {
	// Wrong, if set before the first write, is told of a write that is not the next
	// step.
	Wrong func(what string)

	tick time.Duration
	mu   sync.Mutex
	ops  []Op
}

// NewPlayer returns a player whose silences last one tick each.
func NewPlayer(tick time.Duration, ops ...Op) *Player {
	return &Player{tick: tick, ops: slices.Clone(ops)}
}

// String returns "script".
func (p *Player) String() string { return "script" }

// Write plays the next W steps.
func (p *Player) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := 0; n < len(b); {
		for len(p.ops) > 0 && p.ops[0].kind == silence { // a busy machine waits fewer ticks, but as long
			p.ops = p.ops[1:]
		}
		if p.unplugged() {
			return n, device.ErrGone
		}
		if len(p.ops) == 0 || p.ops[0].kind != write {
			p.wrong("unexpected write % X", b[n:])
			return n, device.ErrGone
		}
		op := &p.ops[0]
		m := min(len(op.data), len(b)-n)
		if !bytes.Equal(op.data[:m], b[n:n+m]) {
			p.wrong("wrote % X, want % X", b[n:], op.data)
			return n, device.ErrGone
		}
		n += m
		p.use(m)
	}
	return len(b), nil
}

func (p *Player) wrong(format string, a ...any) {
	if p.Wrong != nil {
		p.Wrong(fmt.Sprintf(format, a...))
	}
}

// Read plays the next R step.
func (p *Player) Read(b []byte) (int, error) {
	p.mu.Lock()
	if p.unplugged() {
		p.mu.Unlock()
		return 0, device.ErrGone
	}
	if len(p.ops) > 0 && p.ops[0].kind == read {
		n := copy(b, p.ops[0].data)
		p.use(n)
		p.mu.Unlock()
		return n, nil
	}
	if len(p.ops) > 0 && p.ops[0].kind == silence {
		p.ops = p.ops[1:]
	}
	p.mu.Unlock()
	<-time.After(p.tick)
	return 0, device.ErrTimeout
}

func (p *Player) unplugged() bool { return len(p.ops) > 0 && p.ops[0].kind == gone }

func (p *Player) use(n int) {
	p.ops[0].data = p.ops[0].data[n:]
	if len(p.ops[0].data) == 0 {
		p.ops = p.ops[1:]
	}
}

// Left returns how many steps have not been played; a final Gone is not one.
func (p *Player) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ops) == 1 && p.ops[0].kind == gone {
		return 0
	}
	return len(p.ops)
}

// Close returns an error when steps are left.
func (p *Player) Close() error {
	if n := p.Left(); n > 0 {
		return fmt.Errorf("script: closed with %d steps left", n)
	}
	return nil
}

// Open returns p, for device.NewLink.
func (p *Player) Open(context.Context) (device.Port, error) { return p, nil }
