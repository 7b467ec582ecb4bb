package escpos

import (
	"fmt"

	"longcheng/printer"
)

// text prints one line, in the printer's own font where that has all of it.
func (w *writer) text(t printer.Text) error {
	wide, high := max(1, t.Width), max(1, t.Height)
	if wide > 8 || high > 8 || t.Width < 0 || t.Height < 0 || t.Align > printer.Right {
		return fmt.Errorf("encode page: text %dx%d align %d: sizes are 1-8, align 0-2", t.Width, t.Height, t.Align)
	}
	w.setAlign(t.Align)
	if t.Draw || !w.resident(t.S, wide, high, t.Bold) {
		w.drawn(t)
		return nil
	}
	w.dots += max(w.e.Profile.Line, 24*high)
	return nil
}

// resident appends the line in the printer's font; it appends nothing and
// returns false when the font lacks a character or a size.
func (w *writer) resident(s string, wide, high int, bold bool) bool {
	before, modes := len(w.b), *w
	w.setBold(bold)
	w.setSize(byte((wide-1)<<4 | (high - 1)))
	ok := w.line(s, wide, high)
	if !ok {
		b := w.b[:before]
		*w = modes
		w.b = b
		return false
	}
	w.put('\n')
	return true
}

func (w *writer) line(s string, wide, high int) bool {
	if !w.e.Profile.Chinese {
		return w.paged(s)
	}
	if plain(s) {
		w.b = append(w.b, s...)
		return true
	}
	if !w.setHan(s, wide, high) {
		return false
	}
	for _, r := range s {
		if skip(r) {
			continue
		}
		var ok bool
		if w.b, ok = appendGBK(w.b, r); !ok {
			return false
		}
	}
	return true
}

// skip is printer.CleanLine for one character: it could be a command.
func skip(r rune) bool { return r < 0x20 || r >= 0x7F && r < 0xA0 || r == '\uFFFD' }

// plain reports whether s is printable ASCII.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7E {
			return false
		}
	}
	return true
}

// setHan makes Han as large as the size set by GS !, or reports that they cannot
// be.
func (w *writer) setHan(s string, wide, high int) bool {
	switch p := w.e.Profile.HanSize; {
	case p == "gs":
		return true
	case p == "none":
		return wide == 1 && high == 1
	case wide != high || wide > 2:
		return false
	}
	if twice := wide == 2; twice != w.twice {
		w.twice = twice
		w.put(0x1C, 'W', bit01(twice))
	}
	return true
}

// paged appends a line for a printer without a Chinese font: ASCII, or a code
// page that has all of it.
func (w *writer) paged(s string) bool {
	if s = printer.CleanLine(s); plain(s) {
		w.b = append(w.b, s...)
		return true
	}
	n, b, ok := w.e.Profile.CodePage(s)
	if !ok || len(b) != printer.Width(s) && wideRunes(s) {
		return false
	}
	if w.page != n {
		w.page = n
		w.put(0x1B, 't', n)
	}
	w.b = append(w.b, b...)
	return true
}

// wideRunes reports whether a layout counted on characters two cells wide, such
// as Han; those of code pages take one.
func wideRunes(s string) bool {
	for _, r := range s {
		if r >= 0x2E80 {
			return true
		}
	}
	return false
}
