package escpos

import "golang.org/x/text/encoding/charmap"

// pages are the code pages of ESC t that makers number alike; the others are
// taken for page 0.
var pages = map[byte]*charmap.Charmap{
	0: charmap.CodePage437, 2: charmap.CodePage850, 3: charmap.CodePage860, 5: charmap.CodePage865,
	16: charmap.Windows1252, 17: charmap.CodePage866, 18: charmap.CodePage852, 19: charmap.CodePage858,
}

// Bytes after the code of a command, for those that are not of one byte and
// whose effect is not simulated. Codes in no list are unknown: like the real
// ones, the printer drops the code and prints what follows.
var (
	escArgs = map[byte]int{
		' ': 1, '%': 1, '-': 1, '=': 1, '?': 1, 'M': 1, 'R': 1, 'V': 1, '{': 1, 'r': 1, 'U': 1, 'T': 1, 'e': 1, 'K': 1,
		'$': 2, '\\': 2, 'c': 2, 'B': 2, 'p': 3, 'W': 8, '<': 0, 'L': 0, 'S': 0, 'F': 0,
	}
	fsArgs = map[byte]int{'-': 1, 'C': 1, 'S': 2, '?': 2, 'p': 2, '2': 74}
	gsArgs = map[byte]int{
		'B': 1, 'b': 1, 'f': 1, 'H': 1, '/': 1, 'E': 1, 'T': 1,
		'L': 2, 'W': 2, 'P': 2, '$': 2, '\\': 2, '^': 3, 'z': 3, ':': 0,
	}
)

// drop takes the arguments of a command that is not simulated; of an unknown one
// there are none.
func (m *machine) drop(args map[byte]int, code byte) error {
	_, err := m.take(args[code])
	return err
}

func (m *machine) escape() error {
	c, err := m.next()
	if err != nil {
		return err
	}
	switch c {
	case '@':
		m.initialise()
	case '2':
		m.spacing = 30
	case 'i', 'm':
		return m.cutHere()
	case '*':
		return m.columns()
	case '&':
		return m.define()
	case 'D':
		return m.untilZero()
	case '!', 'a', 'E', 'G', '3', 'd', 'J', 't':
		n, err := m.next()
		if err != nil {
			return err
		}
		return m.set(c, n)
	default:
		return m.drop(escArgs, c)
	}
	return nil
}

// set executes the ESC commands of one argument.
func (m *machine) set(c, n byte) error {
	switch c {
	case '!':
		m.bold, m.w, m.h = n&0x08 != 0, 1+int(n>>5&1), 1+int(n>>4&1)
	case 'a':
		if len(m.line) == 0 { // only at the beginning of a line
			m.align = n & 3
		}
	case 'E', 'G':
		m.bold = n&1 == 1
	case '3':
		m.spacing = int(n) / m.p.cfg.units()
	case 't':
		if m.page = pages[n]; m.page == nil {
			m.page = charmap.CodePage437
		}
	case 'd':
		for range n {
			if err := m.feedLine(); err != nil {
				return err
			}
		}
	case 'J':
		if err := m.printLine(); err != nil {
			return err
		}
		return m.feed(int(n) / m.p.cfg.units())
	}
	return nil
}

// define executes ESC & y c1 c2 [x d1...d(y*x)]...: the dots are not kept.
func (m *machine) define() error {
	b, err := m.take(3)
	if err != nil {
		return err
	}
	for range int(b[2]) - int(b[1]) + 1 {
		x, err := m.next()
		if err != nil {
			return err
		}
		if _, err := m.take(int(x) * int(b[0])); err != nil {
			return err
		}
	}
	return nil
}

// untilZero takes a list that ends with NUL, 32 bytes at most.
func (m *machine) untilZero() error {
	for range 33 {
		if c, err := m.next(); err != nil || c == 0 {
			return err
		}
	}
	return nil
}

func (m *machine) chinese() error {
	c, err := m.next()
	if err != nil {
		return err
	}
	switch c {
	case '&':
		m.han = true
	case '.':
		m.han = false
	case '!', 'W':
		n, err := m.next()
		if err != nil {
			return err
		}
		if c == 'W' {
			n = n & 1 * 0x0C // four times the size: twice as wide and high
		}
		m.hanW, m.hanH = 1+int(n>>2&1), 1+int(n>>3&1)
	default:
		return m.drop(fsArgs, c)
	}
	return nil
}

func (m *machine) group() error {
	c, err := m.next()
	if err != nil {
		return err
	}
	switch c {
	case 'v':
		return m.raster()
	case '(':
		return m.function()
	case 'V':
		return m.cut()
	case 'k':
		return m.barcode()
	case 'e', 'R':
		return m.presenter(c)
	case '*':
		b, err := m.take(2)
		if err != nil {
			return err
		}
		_, err = m.take(int(b[0]) * int(b[1]) * 8)
		return err
	case '!', 'h', 'w', 'r', 'a', 'I':
		n, err := m.next()
		if err != nil {
			return err
		}
		m.setGroup(c, n)
		return nil
	}
	return m.drop(gsArgs, c)
}

// setGroup executes the GS commands of one argument.
func (m *machine) setGroup(c, n byte) {
	switch c {
	case '!':
		m.w, m.h = int(n>>4&7)+1, int(n&7)+1
	case 'h':
		m.barH = max(1, int(n))
	case 'w':
		m.barW = min(max(int(n), 2), 6)
	default:
		m.status(c, n)
	}
}
