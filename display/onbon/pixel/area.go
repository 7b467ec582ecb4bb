package pixel

import (
	"encoding/binary"
	"fmt"

	"longcheng/device/glyph"
)

// An Area is one dynamic area with its dots. X and W should be multiples of 8
// (generation 5) or 32 (generation 6): areas that are not are widened with dark
// dots at their right.
type Area struct {
	ID    byte
	X, Y  int
	Red   *glyph.Bitmap // set dots are lit
	Green *glyph.Bitmap // nil on a panel of one colour
}

// Update returns the data of command A7 00, which sets one area and shows it
// beside the programme on the card.
func (m Model) Update(a Area) ([]byte, error) {
	w, h := a.Red.W, a.Red.H
	unit := 8
	if m.Words {
		unit = 32
	}
	switch {
	case w < 8 || h < 1 || a.X < 0 || a.Y < 0 || a.X+w > 4096 || a.Y+h > 4096:
		return nil, fmt.Errorf("encode area %d: %dx%d at %d,%d: 8x1 to 4096x4096 dots are possible", a.ID, w, h, a.X, a.Y)
	case a.X%unit != 0:
		return nil, fmt.Errorf("encode area %d: x %d: %s needs multiples of %d", a.ID, a.X, m.Name, unit)
	case a.Green != nil && (a.Green.W != w || a.Green.H != h):
		return nil, fmt.Errorf("encode area %d: its two colours differ in size", a.ID)
	case int(a.ID) >= m.Places:
		return nil, fmt.Errorf("encode area %d: %s holds %d", a.ID, m.Name, m.Places)
	}
	w = (w + unit - 1) / unit * unit
	dots := m.dots(a, w)
	if len(dots) > maxArea {
		return nil, fmt.Errorf("encode area %d: %d bytes of dots: at most %d are sent at once", a.ID, len(dots), maxArea)
	}
	if m.Words {
		return gen6(a, w, h, dots), nil
	}
	return gen5(a, w, h, dots), nil
}

// dots returns the bitmap as the card stores it: 0 is lit.
func (m Model) dots(a Area, w int) []byte {
	planes := []*glyph.Bitmap{a.Red}
	if a.Green != nil {
		planes = append(planes, a.Green)
	}
	var out []byte
	if m.Words {
		for _, p := range planes {
			for y := range p.H {
				for x := 0; x < w; x += 32 {
					out = binary.LittleEndian.AppendUint32(out, ^binary.BigEndian.Uint32(cells(p, y, x, 4)))
				}
			}
		}
		return out
	}
	for y := range a.Red.H {
		for x := 0; x < w; x += 8 {
			for _, p := range planes {
				out = append(out, ^cells(p, y, x, 1)[0])
			}
		}
	}
	return out
}

// cells returns n bytes of row y from column x; outside nothing is lit.
func cells(b *glyph.Bitmap, y, x, n int) []byte {
	out := make([]byte, n)
	copy(out, b.Row(y)[min(x/8, b.Stride()):])
	return out
}

// head begins an area: which it is, that it stays, that it goes with every
// programme, that the programme stays too.
func head(b []byte, id byte) []byte {
	return append(b, id, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
}

func place(b []byte, a Area, w, h int) []byte {
	b = append(b, 0x10)
	for _, v := range [...]int{a.X, a.Y, w, h} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// page is one static page: style, motion 1, ..., lines that count.
func page(b []byte, h int) []byte {
	b = append(b, 0, 1, 0, 0, 0, 0, 0)
	return binary.LittleEndian.AppendUint16(b, uint16(h))
}

func gen5(a Area, w, h int, dots []byte) []byte {
	body := place(head(nil, a.ID), a, w, h)
	body = append(body, 0, 1, 0)                                        // no frame, one page
	body = binary.LittleEndian.AppendUint32(body, uint32(13+len(dots))) // from the style to the last dot
	body = append(page(body, h), 0, 0, 0, 0)
	body = append(body, dots...)
	data := binary.LittleEndian.AppendUint32([]byte{1, 0xA7, 0, 0, 0}, uint32(len(body)))
	return append(data, body...)
}

func gen6(a Area, w, h int, dots []byte) []byte {
	body := place(head(nil, a.ID), a, w, h)
	body = append(body, 0, 0, 0, 0, 0)     // frame, background, transparency, equal, no sound
	body = append(body, 0, 0, 0, 0, 0)     // reserved
	body = append(body, 1, 0, 26, 0, 0, 0) // one page, its header's length
	body = append(page(body, h), make([]byte, 9)...)
	body = binary.LittleEndian.AppendUint32(body, 0) // where its dots begin
	body = binary.LittleEndian.AppendUint32(body, uint32(len(dots)))
	data := []byte{1, 0xA7, 0, 0, 0, 1, 0} // one area
	data = binary.LittleEndian.AppendUint32(data, uint32(len(body)))
	return append(append(data, body...), dots...)
}
