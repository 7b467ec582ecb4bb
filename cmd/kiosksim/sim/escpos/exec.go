package escpos

import (
	"context"
	"errors"

	"github.com/boombuler/barcode/qr"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const (
	dle = 0x10
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
)

var (
	clearBuffers = []byte{dle, 0x14, 8, 1, 3, 0x14, 1, 6, 2, 8}
	errLost      = errors.New("execute: buffers were lost")
)

type cell struct {
	r    rune
	w, h int
	bold bool
}

// machine is the interpreter's own state: lost with the power.
type machine struct {
	p       *Printer
	ctx     context.Context
	epoch   int
	han     bool
	bold    bool
	w, h    int
	hanW    int // of FS ! and FS W, for Chinese characters alone
	hanH    int
	page    *charmap.Charmap
	align   byte
	spacing int
	line    []cell
	module  int
	level   qr.ErrorCorrectionLevel
	code    []byte
	barH    int      // GS h, dots
	barW    int      // GS w, dots of the narrowest bar
	kept    []byte   // by GS ( L fn 112, until fn 50
	strip   [][]byte // of ESC *, until the next LF
}

// Run executes what Receive has taken until ctx ends.
func (p *Printer) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		p.mu.Lock()
		m := &machine{p: p, ctx: ctx, epoch: p.epoch}
		p.mu.Unlock()
		m.initialise()
		for m.step() == nil {
		}
	}
	return ctx.Err()
}

func (m *machine) initialise() {
	m.han, m.bold, m.w, m.h, m.align, m.spacing = true, false, 1, 1, 0, 30
	m.hanW, m.hanH, m.page = 1, 1, charmap.CodePage437
	m.line, m.module, m.level = nil, 3, qr.L
	m.barH, m.barW, m.kept, m.strip = barHeight, barModule, nil, nil
}

// online waits until nothing keeps the printer from printing.
func (p *Printer) online(ctx context.Context, epoch int) error {
	for {
		p.mu.Lock()
		stop, lost, changed := p.offline() || p.off, p.epoch != epoch, p.changed
		p.mu.Unlock()
		if lost {
			return errLost
		}
		if !stop {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// next takes one byte out of the receive buffer, waiting for it.
func (m *machine) next() (byte, error) {
	for {
		if err := m.p.online(m.ctx, m.epoch); err != nil {
			return 0, err
		}
		m.p.mu.Lock()
		if len(m.p.buf) > 0 && m.p.epoch == m.epoch {
			c := m.p.buf[0]
			m.p.buf = m.p.buf[1:]
			m.p.wake()
			m.p.mu.Unlock()
			return c, nil
		}
		changed, lost := m.p.changed, m.p.epoch != m.epoch
		m.p.mu.Unlock()
		if lost {
			return 0, errLost
		}
		select {
		case <-m.ctx.Done():
			return 0, m.ctx.Err()
		case <-changed:
		}
	}
}

func (m *machine) take(n int) ([]byte, error) {
	b := make([]byte, 0, min(n, bufferSize))
	for range n {
		c, err := m.next()
		if err != nil {
			return nil, err
		}
		b = append(b, c)
	}
	return b, nil
}

func (m *machine) step() error {
	c, err := m.next()
	if err != nil {
		return err
	}
	m.work(true)
	defer m.work(false)
	switch {
	case c == '\n':
		return m.feedLine()
	case c == dle:
		return m.skipRealTime()
	case c == esc:
		return m.escape()
	case c == fs:
		return m.chinese()
	case c == gs:
		return m.group()
	case c == '\t':
		return m.tab()
	case c < 0x20:
		return nil
	}
	return m.text(c)
}

func (m *machine) work(on bool) {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	m.p.working = on
}

func (m *machine) skipRealTime() error {
	b, err := m.take(2) // executed on arrival
	if err == nil && b[0] == 4 {
		m.p.mu.Lock()
		m.p.queries = max(0, m.p.queries-3)
		m.p.mu.Unlock()
	}
	return err
}

// tab moves to the next of the power-on tab stops, every eight characters.
func (m *machine) tab() error {
	for first := true; first || m.width()%96 != 0; first = false {
		if err := m.text(' '); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) text(c byte) error {
	r, w, h := m.page.DecodeByte(c), m.w, m.h
	if m.han && c >= 0x81 && c != 0xFF {
		trail, err := m.next()
		if err != nil {
			return err
		}
		b, err := simplifiedchinese.GBK.NewDecoder().Bytes([]byte{c, trail})
		r = '□'
		if rs := []rune(string(b)); err == nil && len(rs) == 1 && rs[0] != '\uFFFD' {
			r = rs[0]
		}
		w, h = max(w, m.hanW), max(h, m.hanH)
	}
	k := cell{r, w, h, m.bold}
	if m.width()+k.dots() > m.p.cfg.Dots {
		if err := m.feedLine(); err != nil {
			return err
		}
	}
	m.line = append(m.line, k)
	return nil
}

func (m *machine) status(c, n byte) {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	switch {
	case c == 'a':
		m.p.asb, m.p.lastASB = n, [4]byte{}
		m.p.report()
	case c == 'r' && n&^0x30 == 1:
		m.p.answer(m.p.roll())
	case c == 'r':
		m.p.answer(0)
	case n == 1 || n == 2 || n == 3:
		m.p.answer([]byte{0x20, 0x03, 0x01}[n-1])
	case n >= 65 && n <= 69:
		s := []string{"1.00", "SIM", "SIM-80", "0001", "GB18030"}[n-65]
		m.p.answer(append(append([]byte{0x5F}, s...), 0)...)
	}
}
