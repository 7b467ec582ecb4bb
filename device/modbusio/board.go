// Package modbusio works push buttons, switches and lamps on a Modbus RTU
// input/output board: discrete inputs are polled, coils are written and read back.
//
//	host → board  unit | 02 | first input, 2 bytes | how many, 2 bytes | CRC
//	board → host  unit | 02 | bytes | eight inputs in each, the first lowest | CRC
//	host → board  unit | 01 ...                    the same for coils
//	host → board  unit | 05 | coil, 2 bytes | FF00 on, 0000 off | CRC
//	board → host  the same again
//	board → host  unit | function + 80h | reason | CRC    it refuses
//
// Numbers are big-endian, but the CRC (CRC-16/MODBUS over all before it) has its low
// byte first. Frames are told apart by 3.5 characters of rest. Sources: MODBUS
// Application Protocol V1.1b3, MODBUS over Serial Line V1.02.
//
// It does not know what a button is for or when a lamp should shine. Never run on
// a real board.
package modbusio

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"longcheng/device"
)

// Options describe one board.
type Options struct {
	Unit      byte          // address on the line, 1 to 247
	Inputs    int           // buttons, from discrete input 0; at most 64
	Lamps     int           // lamps, from coil 0; at most 64
	Interval  time.Duration // between polls while nothing moves; 0 means 80ms
	LongPress time.Duration // 0 means no long presses
}

// Validate returns what is wrong with o, or nil.
func (o Options) Validate() error {
	switch {
	case o.Unit < 1 || o.Unit > 247:
		return fmt.Errorf("i/o board: unit %d is not between 1 and 247", o.Unit)
	case o.Inputs < 0 || o.Inputs > 64 || o.Lamps < 0 || o.Lamps > 64 || o.Inputs+o.Lamps == 0:
		return fmt.Errorf("i/o board %d: %d inputs and %d lamps are not between 0 and 64", o.Unit, o.Inputs, o.Lamps)
	case o.Interval < 0 || o.LongPress < 0:
		return fmt.Errorf("i/o board %d: negative time", o.Unit)
	}
	return nil
}

// confirm is when a level that has changed is asked for again.
const confirm = 20 * time.Millisecond

// A Board owns one board. Set the callbacks before Run; they run in its
// goroutine and may call SetLamp. A press is a level seen in two polls, the
// second soon after the first.
type Board struct {
	OnPress func(input int)                     // a button went down
	OnEvent func(input int, press device.Press) // everything else: released, long, stuck
	OnLevel func(input int, closed bool)        // at every poll, the level that was seen twice
	OnLost  func()                              // nothing is known of the levels any more

	link    *device.Link
	opt     Options
	buttons []device.Button
	raw     []bool
	fresh   bool      // raw is from the poll before
	later   time.Time // when to try a lamp again that did not switch

	mu   sync.Mutex
	want []bool
	seen []bool // what the board said its coils are
	sure bool   // seen is valid
}

// NewBoard returns a board on link; nothing is sent yet.
func NewBoard(link *device.Link, o Options) (*Board, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Interval == 0 {
		o.Interval = 80 * time.Millisecond
	}
	b := &Board{link: link, opt: o, raw: make([]bool, o.Inputs), want: make([]bool, o.Lamps), seen: make([]bool, o.Lamps)}
	b.buttons = slices.Repeat([]device.Button{{LongAfter: o.LongPress}}, o.Inputs)
	return b, nil
}

// Run polls until ctx ends. After a broken wire every lamp is sent again, and
// the levels found are a new start, not presses.
func (b *Board) Run(ctx context.Context) error {
	t := time.NewTimer(0)
	defer t.Stop()
	defer b.forget()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		var levels []bool
		err := b.link.Do(ctx, func(p device.Port) (err error) {
			if err = b.tend(ctx, p); err == nil {
				levels, err = b.bits(ctx, p, readInputs, b.opt.Inputs)
			}
			return err
		})
		wait := b.opt.Interval
		if err != nil {
			b.forget()
		} else if b.take(levels) {
			wait = min(wait, confirm)
		}
		t.Reset(device.OnBeat(wait))
	}
}

// SetLamp switches lamp n and returns nil when the board has confirmed it. On
// an error the wish stays, and Run fulfils it as soon as it can.
func (b *Board) SetLamp(ctx context.Context, n int, on bool) error {
	if n < 0 || n >= b.opt.Lamps {
		return fmt.Errorf("set lamp %d: the board has %d lamps", n, b.opt.Lamps)
	}
	b.mu.Lock()
	b.want[n] = on
	b.mu.Unlock()
	if err := b.link.Do(ctx, func(p device.Port) error { return b.sync(ctx, p) }); err != nil {
		return fmt.Errorf("set lamp %d: %w", n, err)
	}
	return nil
}

// Halt switches every lamp off. Call it after Run has returned.
func (b *Board) Halt(ctx context.Context) error {
	b.mu.Lock()
	clear(b.want)
	b.sure = false
	b.mu.Unlock()
	if err := b.link.Do(ctx, func(p device.Port) error { return b.sync(ctx, p) }); err != nil {
		return fmt.Errorf("switch lamps off: %w", err)
	}
	return nil
}

// tend keeps the lamps as they should be. A lamp that the board will not switch
// is tried again every few seconds and does not keep the buttons from working.
func (b *Board) tend(ctx context.Context, p device.Port) error {
	if time.Now().Before(b.later) {
		return nil
	}
	err := b.sync(ctx, p)
	if err == nil || device.IsWire(err) || ctx.Err() != nil {
		return err
	}
	b.later = time.Now().Add(5 * time.Second)
	return nil
}

// sync writes the coils that are not as they should be and reads all back.
func (b *Board) sync(ctx context.Context, p device.Port) error {
	b.mu.Lock()
	want, seen, sure := slices.Clone(b.want), slices.Clone(b.seen), b.sure
	b.mu.Unlock()
	if len(want) == 0 || sure && slices.Equal(want, seen) {
		return nil
	}
	for i, on := range want {
		if sure && seen[i] == on {
			continue
		}
		var value uint16
		if on {
			value = coilOn
		}
		if _, err := exchange(ctx, p, request(b.opt.Unit, writeCoil, uint16(i), value)); err != nil {
			return err
		}
	}
	got, err := b.bits(ctx, p, readCoils, len(want))
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.seen, b.sure = got, true
	b.mu.Unlock()
	if !slices.Equal(got, want) {
		return fmt.Errorf("i/o board %d: lamps did not switch: check the board's outputs", b.opt.Unit)
	}
	return nil
}

// bits reads n inputs or coils; the first is the lowest bit of the first byte.
func (b *Board) bits(ctx context.Context, p device.Port, fn byte, n int) ([]bool, error) {
	if n == 0 {
		return nil, nil
	}
	data, err := exchange(ctx, p, request(b.opt.Unit, fn, 0, uint16(n)))
	if err != nil {
		return nil, err
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = data[i/8]&(1<<(i%8)) != 0
	}
	return out, nil
}

func (b *Board) forget() {
	b.fresh = false
	if b.OnLost != nil {
		b.OnLost()
	}
	for i := range b.buttons {
		b.buttons[i].Forget()
	}
	b.mu.Lock()
	b.sure = false
	b.mu.Unlock()
}

// take debounces: a level counts when the poll before saw the same. It reports
// whether one has yet to be seen again.
func (b *Board) take(levels []bool) (moved bool) {
	now := time.Now()
	for i, down := range levels {
		same := b.fresh && b.raw[i] == down
		b.raw[i] = down
		if !same {
			moved = true
			continue
		}
		b.tell(i, now, down)
	}
	b.fresh = true
	return moved
}

func (b *Board) tell(input int, now time.Time, down bool) {
	if b.OnLevel != nil {
		b.OnLevel(input, down)
	}
	press, ok := b.buttons[input].Level(now, down)
	switch {
	case ok && press == device.Pressed && b.OnPress != nil:
		b.OnPress(input)
	case ok && press != device.Pressed && b.OnEvent != nil:
		b.OnEvent(input, press)
	}
}
