package onbon

import (
	"encoding/binary"
	"fmt"
)

// A Motion is how a text enters its area.
type Motion byte

// The motions of a dynamic area.
const (
	Static    Motion = 1
	Instant   Motion = 2
	MoveLeft  Motion = 3
	MoveRight Motion = 4
	MoveUp    Motion = 5
	MoveDown  Motion = 6
)

// An Align says where the text stands in its area: one horizontal and one
// vertical value, added.
type Align byte

// The alignments.
const (
	Left    Align = 0
	Right   Align = 1
	Centre  Align = 2
	Top     Align = 0
	Bottom  Align = 1 << 2
	Middle  Align = 2 << 2
	InArea        = Centre + Middle
	maxText       = 1024
)

// A RunMode says what becomes of an area's text with time.
type RunMode byte

// The run modes. A BlankAfter or LogoAfter area changes by itself when no
// update came for Timeout seconds.
const (
	Loop       RunMode = 0
	StopOnLast RunMode = 1
	BlankAfter RunMode = 2
	LogoAfter  RunMode = 3
)

// An Area is one dynamic text area of a card. Areas live in the card's memory:
// they may be rewritten without limit and are lost with its power.
type Area struct {
	X, Y, W, H int  // pixels
	ByteUnits  bool // X and W in units of 8 pixels; the vendor's 5K demo sends this form
	ID         byte // from 0
	Spacing    byte // pixels between lines
	Run        RunMode
	Timeout    uint16 // seconds, for BlankAfter and LogoAfter
	Align      Align
	MultiLine  bool
	Motion     Motion
	Speed      byte // 0 fast ... 0x18 slow
	Hold       byte // units of 0.5 s
	Text       []byte
}

// Update returns the data of command A3 06, which sets one dynamic area and
// leaves the others alone.
func (a Area) Update() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	x, w := uint16(a.X)|0x8000, uint16(a.W)|0x8000 // bit 15: pixels
	if a.ByteUnits {
		x, w = uint16(a.X/8), uint16(a.W/8)
	}
	body := []byte{0x00}
	for _, v := range [...]uint16{x, uint16(a.Y), w, uint16(a.H)} {
		body = binary.LittleEndian.AppendUint16(body, v)
	}
	body = append(body, a.ID, a.Spacing, byte(a.Run))
	body = binary.LittleEndian.AppendUint16(body, a.Timeout)
	single, wrap := byte(1), byte(1)
	if a.MultiLine {
		single, wrap = 2, 2
	}
	// no sound, no extra parameters, ..., no exit motion
	body = append(body, 0, 0, byte(a.Align), single, wrap, byte(a.Motion), 0, a.Speed, a.Hold)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(a.Text)))
	body = append(body, a.Text...)
	data := []byte{0xA3, 0x06, 0x01, 0x00, 0x00, 0x00, 0x01} // answer; keep areas; delete none; one area
	data = binary.LittleEndian.AppendUint16(data, uint16(len(body)))
	return append(data, body...), nil
}

func (a Area) check() error {
	switch {
	case a.X < 0 || a.Y < 0 || a.W < 8 || a.H < 8 || a.X > 4096 || a.Y > 4096 || a.W > 4096 || a.H > 4096:
		return fmt.Errorf("encode area %d: %dx%d at %d,%d: between 8 and 4096 pixels are possible", a.ID, a.W, a.H, a.X, a.Y)
	case a.ByteUnits && (a.X%8 != 0 || a.W%8 != 0):
		return fmt.Errorf("encode area %d: x %d, width %d: byte units need multiples of 8", a.ID, a.X, a.W)
	case a.Motion < Static || a.Motion > MoveDown:
		return fmt.Errorf("encode area %d: unknown motion %d", a.ID, a.Motion)
	case len(a.Text) > maxText:
		return fmt.Errorf("encode area %d: %d bytes of text: at most %d fit", a.ID, len(a.Text), maxText)
	}
	return nil
}
