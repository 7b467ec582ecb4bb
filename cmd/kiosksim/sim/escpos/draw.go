package escpos

import (
	"strings"

	"github.com/boombuler/barcode/qr"
)

const cellHeight = 24 // dots

func (c cell) dots() int {
	if c.r < 0x100 {
		return 12 * c.w
	}
	return 24 * c.w
}

func (m *machine) width() int {
	w := 0
	for _, c := range m.line {
		w += c.dots()
	}
	return w
}

// left returns the first dot of something this wide under ESC a.
func (m *machine) left(width int) int {
	room := max(0, m.p.cfg.Dots-width)
	switch m.align {
	case 1:
		return room / 2
	case 2:
		return room
	}
	return 0
}

func (m *machine) feed(n int) error {
	for range n {
		if err := m.p.advance(m.ctx, m.epoch, nil); err != nil {
			return err
		}
	}
	return nil
}

// feedLine prints the line and feeds to the next: the line spacing, or the
// height of the characters when that is more.
func (m *machine) feedLine() error {
	h := 0
	if m.strip != nil && len(m.line) == 0 {
		strip := m.strip
		m.strip, h = nil, cellHeight
		if err := m.burn(strip, "", false); err != nil {
			return err
		}
	}
	for _, c := range m.line {
		h = max(h, cellHeight*c.h)
	}
	if err := m.printLine(); err != nil {
		return err
	}
	return m.feed(max(0, m.spacing-h))
}

func (m *machine) printLine() error {
	line := m.line
	if len(line) == 0 {
		return nil
	}
	h, x, s := 0, m.left(m.width()), strings.Builder{}
	for _, c := range line {
		h = max(h, cellHeight*c.h)
		s.WriteRune(c.r)
	}
	m.line = nil
	rows := m.blank(h)
	for _, c := range line {
		m.draw(rows, x, c)
		x += c.dots()
	}
	return m.burn(rows, strings.TrimRight(s.String(), " "), false)
}

// draw puts a character on the base line of rows.
func (m *machine) draw(rows [][]byte, x int, c cell) {
	w, h, at, ok := m.p.cfg.Font.Glyph(c.r)
	if !ok || c.r == ' ' {
		return
	}
	top := len(rows) - cellHeight*c.h
	for y := range min(h, cellHeight) * c.h {
		for dx := range w * c.w {
			if at(dx/c.w, y/c.h) {
				set(rows[top+y], x+dx)
				if c.bold {
					set(rows[top+y], x+dx+1)
				}
			}
		}
	}
}

func (m *machine) blank(h int) [][]byte {
	rows := make([][]byte, h)
	for i := range rows {
		rows[i] = make([]byte, m.p.cfg.Dots/8)
	}
	return rows
}

// burn prints rows and notes what can be read there.
func (m *machine) burn(rows [][]byte, s string, code bool) error {
	for _, r := range rows {
		if err := m.p.advance(m.ctx, m.epoch, r); err != nil {
			return err
		}
	}
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	if s != "" {
		m.p.marks = append(m.p.marks, mark{len(m.p.rows), s, code})
	}
	return nil
}

// raster executes GS v 0 m xL xH yL yH d...: x bytes per row, y rows, each
// burnt as it comes; missing rows are waited for.
func (m *machine) raster() error {
	b, err := m.take(6)
	if err != nil || len(m.line) > 0 { // in a line, what follows is text
		return err
	}
	x, y := int(b[2])|int(b[3])<<8, int(b[4])|int(b[5])<<8
	wide, high := 1+int(b[1]&1), 1+int(b[1]>>1&1)
	left := m.left(x * 8 * wide)
	for range y {
		data, err := m.take(x)
		if err != nil {
			return err
		}
		rows := m.blank(high)
		for i := range x * 8 * wide {
			if bit(data, i/wide) {
				for _, r := range rows {
					set(r, left+i)
				}
			}
		}
		if err := m.burn(rows, "", false); err != nil {
			return err
		}
	}
	return nil
}

// function executes GS ( k (QR code), GS ( H (process ID response) and GS ( L
// (graphics).
func (m *machine) function() error {
	head, err := m.take(3)
	if err != nil {
		return err
	}
	b, err := m.take(int(head[1]) | int(head[2])<<8)
	if err != nil || len(b) < 2 {
		return err
	}
	if head[0] == 'H' && b[0] == '0' && len(b) == 6 {
		m.p.mu.Lock()
		defer m.p.mu.Unlock()
		m.p.answer(0x37, 0x22, b[2], b[3], b[4], b[5], 0)
	}
	if head[0] == 'L' {
		return m.graphics(b)
	}
	if head[0] != 'k' || b[0] != '1' || len(b) < 3 {
		return nil
	}
	switch b[1] {
	case 'C':
		m.module = int(min(max(b[2], 1), 16))
	case 'E':
		m.level = qr.ErrorCorrectionLevel(b[2] - '0')
	case 'P':
		m.code = b[3:]
	case 'Q':
		return m.printCode()
	}
	return nil
}

func (m *machine) printCode() error {
	if len(m.line) > 0 || m.level > qr.H {
		return nil
	}
	code, err := qr.Encode(string(m.code), m.level, qr.Auto)
	if err != nil {
		return nil // the printer skips a code it cannot make
	}
	side := code.Bounds().Dx() * m.module
	left, rows := m.left(side), m.blank(side)
	for y := range rows {
		for x := range side {
			if r, _, _, _ := code.At(x/m.module, y/m.module).RGBA(); r == 0 {
				set(rows[y], left+x)
			}
		}
	}
	return m.burn(rows, string(m.code), true)
}

// cut executes GS V: 0/1 (48/49) where the paper stands, 65/66 n after feeding
// to the blade. Paper between head and blade stays for the next slip.
func (m *machine) cut() error {
	c, err := m.next()
	if err != nil {
		return err
	}
	n := -gapDots
	switch c {
	case 0, 1, '0', '1':
	case 65, 66:
		b, err := m.next()
		if err != nil {
			return err
		}
		n = int(b)
	default: // out of range: ignored
		return nil
	}
	if len(m.line) > 0 { // only at the beginning of a line
		return nil
	}
	if err := m.feed(n + gapDots); err != nil {
		return err
	}
	return m.chop()
}

// cutHere executes ESC i and ESC m: a cut where the paper stands.
func (m *machine) cutHere() error {
	if len(m.line) > 0 { // only at the beginning of a line
		return nil
	}
	return m.chop()
}

// chop moves the blade until it gets through, however long that takes.
func (m *machine) chop() error {
	for {
		if err := m.p.online(m.ctx, m.epoch); err != nil {
			return err
		}
		if m.blade() {
			return nil
		}
	}
}

// blade moves once and reports whether it got through.
func (m *machine) blade() bool {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	if m.p.jam {
		m.p.cutError = true
		m.p.report()
		m.p.wake()
		return false
	}
	if n := len(m.p.rows) - gapDots; n > 0 {
		m.p.tear(n, !m.p.spoiled)
		m.p.present()
	}
	m.p.spoiled = false // behind the blade a new ticket begins, also when nothing came off
	return true
}
