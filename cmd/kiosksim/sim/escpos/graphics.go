package escpos

import (
	"github.com/boombuler/barcode/code128"
)

// barHeight and barModule are those of GS h and GS w after a reset.
const (
	barHeight = 162
	barModule = 3
)

// barcode takes GS k m d... NUL (m up to 6) or GS k m n d... and draws CODE128
// (m 73) in set B, which begins with {B; other kinds are taken and not drawn.
func (m *machine) barcode() error {
	kind, err := m.next()
	switch {
	case err != nil:
		return err
	case kind <= 6:
		for {
			if c, err := m.next(); err != nil || c == 0 {
				return err
			}
		}
	case kind >= 65:
		n, err := m.next()
		if err != nil {
			return err
		}
		data, err := m.take(int(n))
		if err == nil && kind == 73 && len(m.line) == 0 && len(data) > 2 && data[0] == '{' && data[1] == 'B' {
			return m.code128(string(data[2:]))
		}
		return err
	}
	return nil
}

func (m *machine) code128(s string) error {
	code, err := code128.Encode(s)
	if err != nil {
		return nil // the printer skips a code it cannot make
	}
	n := code.Bounds().Dx()
	left := m.left(n * m.barW)
	row := m.blank(1)[0]
	for x := range n * m.barW {
		if r, _, _, _ := code.At(x/m.barW, 0).RGBA(); r == 0 {
			set(row, left+x)
		}
	}
	rows := make([][]byte, m.barH)
	for i := range rows {
		rows[i] = row
	}
	return m.burn(rows, s, true)
}

// graphics executes GS ( L: function 112 keeps a raster, x and y in dots, and 50
// prints it.
func (m *machine) graphics(b []byte) error {
	switch {
	case len(b) >= 10 && b[0] == 48 && b[1] == 112:
		m.kept = b
	case len(b) == 2 && b[0] == 48 && b[1] == 50 && m.kept != nil:
		k := m.kept
		m.kept = nil
		x, y := int(k[6])|int(k[7])<<8, int(k[8])|int(k[9])<<8
		stride := (x + 7) / 8
		if len(m.line) > 0 || stride*y > len(k)-10 {
			return nil
		}
		rows := m.blank(y)
		for i, row := range rows {
			for dot := range x {
				if bit(k[10+i*stride:], dot) {
					set(row, m.left(stride*8)+dot)
				}
			}
		}
		return m.burn(rows, "", false)
	}
	return nil
}

// columns executes ESC * m nL nH d...: 24-dot columns (m 32, 33), 3 bytes each,
// are kept for the next LF; 8-dot columns are taken and not drawn.
func (m *machine) columns() error {
	b, err := m.take(3)
	if err != nil {
		return err
	}
	n := int(b[1]) | int(b[2])<<8
	if b[0] != 32 && b[0] != 33 {
		_, err = m.take(n)
		return err
	}
	data, err := m.take(n * 3)
	if err != nil || len(m.line) > 0 {
		return err
	}
	m.strip = m.blank(cellHeight)
	left := m.left((n + 7) / 8 * 8)
	for x := range n {
		for y := range cellHeight {
			if bit(data[x*3:], y) {
				set(m.strip[y], left+x)
			}
		}
	}
	return nil
}
