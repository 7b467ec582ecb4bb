// Package escpos is a simulated kiosk ticket printer: it executes an ESC/POS
// byte stream on virtual paper and can be given the faults real ones have. It
// is written from makers' command references (Epson ESC/POS, Cashino KP-628E)
// and knows nothing of the program that prints on it.
package escpos

import (
	"context"
	"io"
	"sync"
	"time"
)

const (
	bufferSize = 4096  // receive buffer, bytes
	gapDots    = 80    // head to blade: 10 mm at 8 dots/mm
	maxSlips   = 200   // older slips are swept away
	maxRows    = 20000 // paper longer than this is torn off by its weight

	rollDots    = 80 * 8000 // dot lines of a full roll: 80 m
	nearEndDots = 5 * 8000  // left when the near-end sensor sees the core: about 5 m
)

// A Font draws characters; Latin 12x24 and Han 24x24 dots on these printers.
type Font interface {
	// Glyph returns the size and the dots of r; ok is false when it has none.
	Glyph(r rune) (w, h int, at func(x, y int) bool, ok bool)
}

// A Config says what kind of printer it is.
type Config struct {
	Dots    int     // print width: 576 (80 mm) or 384 (58 mm)
	SpeedMM float64 // paper speed in mm/s; 0 prints at once
	Font    Font
	Units   int // of ESC J and ESC 3 to a dot: 2 on Epson's, 0 means 1
	Maker   Maker
}

func (c Config) units() int { return max(1, c.Units) }

// A Printer is one simulated printer. Receive takes the host's bytes, Run
// executes them; all other methods may be called from any goroutine.
type Printer struct {
	cfg  Config
	host io.Writer

	mu      sync.Mutex
	changed chan struct{}
	buf     []byte
	queries int // bytes in buf that belong to real-time commands: not counted as full
	scan    []byte
	epoch   int // grows when buffers are lost

	due     time.Time // when the motor is done; belongs to Run
	rows    [][]byte
	marks   []mark
	slips   []Slip
	count   int
	spoiled bool

	off, cover, nearEnd, paperEnd, jam, cutError, clogged bool
	silent, garbled                                       bool
	working                                               bool // inside a command
	mouth                                                 int  // number of the slip in the presenter; 0 is none
	paperLeft                                             int  // dot lines
	asb                                                   byte
	lastASB                                               [4]byte
}

// New returns a printer with a full roll that answers into host.
func New(cfg Config, host io.Writer) *Printer {
	return &Printer{cfg: cfg, host: host, changed: make(chan struct{}), paperLeft: rollDots}
}

// Receive takes bytes from the line. It answers real-time commands at once and
// blocks while the buffer is full, which is the printer's BUSY signal.
func (p *Printer) Receive(ctx context.Context, b []byte) {
	for _, c := range b {
		for !p.accept(c) {
			if p.wait(ctx) != nil {
				return
			}
		}
	}
}

func (p *Printer) accept(c byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.off {
		return true // nobody is listening: the byte is lost
	}
	if len(p.buf)-p.queries >= bufferSize || len(p.buf) >= 4*bufferSize {
		return false
	}
	p.buf = append(p.buf, c)
	p.realTime(c)
	p.wake()
	return true
}

// Slips returns what has left the printer, oldest first.
func (p *Printer) Slips() []Slip {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Slip(nil), p.slips...)
}

// Hanging returns the paper that is printed but not yet cut.
func (p *Printer) Hanging() *Paper {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &Paper{Dots: p.cfg.Dots, Rows: append([][]byte(nil), p.rows...)}
}

// Printing reports whether there is more to come out: received and not executed,
// or printed and not cut.
func (p *Printer) Printing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.buf) > 0 || p.printed()
}

// WaitSlips waits until n slips have left the printer and returns them.
func (p *Printer) WaitSlips(ctx context.Context, n int) ([]Slip, error) {
	for {
		p.mu.Lock()
		enough, changed := p.count >= n, p.changed
		p.mu.Unlock()
		if enough {
			return p.Slips(), nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// PaperOutAfter ends the roll after n more dot lines; 0 ends it now.
func (p *Printer) PaperOutAfter(n int) {
	p.change(func() { p.paperLeft = n; p.checkRoll() })
}

// SetSpeed sets the speed of the paper in mm/s; 0 prints at once. Call it before
// Run.
func (p *Printer) SetSpeed(mm float64) { p.cfg.SpeedMM = mm }

// OutOfPaper reports whether the roll has ended.
func (p *Printer) OutOfPaper() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paperEnd
}

// NewRoll loads paper.
func (p *Printer) NewRoll() {
	p.change(func() { p.paperLeft, p.paperEnd, p.nearEnd = rollDots, false, false })
}

// NearEnd makes the near-end sensor see a thin roll, or what there is.
func (p *Printer) NearEnd(on bool) { p.change(func() { p.nearEnd = on }) }

// Cover opens or closes the cover.
func (p *Printer) Cover(open bool) { p.change(func() { p.cover = open }) }

// JamCutter blocks the blade: the next cut fails.
func (p *Printer) JamCutter() { p.change(func() { p.jam = true }) }

// ClearJam removes the jam as a technician does, cover opened and closed, and
// the cut is tried again.
func (p *Printer) ClearJam() { p.change(func() { p.jam, p.cutError = false, false }) }

// Clog holds the paper fast behind the blade: a printer with a presenter calls it a jam
// there, others an error without a name.
func (p *Printer) Clog(on bool) { p.change(func() { p.clogged = on }) }

// Silence makes the printer print but answer nothing.
func (p *Printer) Silence(on bool) { p.change(func() { p.silent = on }) }

// Garble makes every answer unreadable.
func (p *Printer) Garble(on bool) { p.change(func() { p.garbled = on }) }

// PowerOff loses the buffers and settings; printed paper stays where it is.
func (p *Printer) PowerOff() {
	p.change(func() { p.off, p.spoiled = true, p.spoiled || p.printed(); p.reset() })
}

// PowerOn starts the printer again.
func (p *Printer) PowerOn() { p.change(func() { p.off = false }) }

func (p *Printer) reset() {
	p.buf, p.scan, p.queries, p.asb = nil, nil, 0, 0
	p.cutError = p.cutError && p.jam
	p.epoch++
}

// printed reports whether there is a black dot on the uncut paper.
func (p *Printer) printed() bool {
	for _, r := range p.rows {
		for _, b := range r {
			if b != 0 {
				return true
			}
		}
	}
	return false
}

func (p *Printer) checkRoll() {
	if p.paperLeft != 0 || p.paperEnd {
		return
	}
	p.paperEnd = true
	if p.printed() {
		p.tear(len(p.rows), false)
		p.spoiled = true // what follows on the new roll is the rest of a ticket
	}
}

func (p *Printer) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.report()
	p.wake()
}

func (p *Printer) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Printer) wait(ctx context.Context) error {
	p.mu.Lock()
	changed := p.changed
	full := len(p.buf)-p.queries >= bufferSize || len(p.buf) >= 4*bufferSize
	p.mu.Unlock()
	if !full {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
		return nil
	}
}

// motor waits until the paper has moved by one dot line. It wakes every few
// milliseconds, not for every line: timers are coarser than fast paper.
func (p *Printer) motor(ctx context.Context) error {
	if p.cfg.SpeedMM <= 0 {
		return nil
	}
	now := time.Now()
	if p.due.Before(now) {
		p.due = now
	}
	p.due = p.due.Add(time.Duration(float64(time.Second) / 8 / p.cfg.SpeedMM))
	if p.due.Sub(now) < 3*time.Millisecond {
		return nil
	}
	t := time.NewTimer(p.due.Sub(now))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// advance moves the paper by one dot line with these dots burnt, waiting for
// the motor and for paper. It fails when the buffers were lost meanwhile.
func (p *Printer) advance(ctx context.Context, epoch int, row []byte) error {
	if err := p.online(ctx, epoch); err != nil {
		return err
	}
	if err := p.motor(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoch != epoch {
		return errLost
	}
	if row == nil {
		row = make([]byte, p.cfg.Dots/8)
	}
	if p.rows = append(p.rows, row); len(p.rows) >= maxRows {
		p.tear(len(p.rows), false)
	}
	if p.paperLeft > 0 {
		p.paperLeft--
	}
	p.checkRoll()
	p.report()
	return nil
}
