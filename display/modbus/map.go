package modbus

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"longcheng/display"
)

//go:embed maps/*.json
var maps embed.FS

// A Map says which registers of a model show what. Exactly one of Text and Value
// is used: Text when the display can show letters.
type Map struct {
	Model  string `json:"model"`
	Source string `json:"source"` // where the map was published
	Baud   int    `json:"baud"`   // factory setting; 8N1
	Text   *Text  `json:"text,omitempty"`
	Value  *Value `json:"value,omitempty"`

	Phases map[display.Phase]string `json:"phases,omitempty"` // what stands there without a number; default "----" while paused, blank otherwise
}

// Text are registers that hold characters.
type Text struct {
	Register uint16 `json:"register"`
	Cells    int    `json:"cells"`            // characters that can be seen
	Packed   bool   `json:"packed,omitempty"` // two characters in a register, the first in the high byte
	Right    bool   `json:"right,omitempty"`  // short texts stand at the right
}

// Value is one register that holds a number: the digits of the ticket.
type Value struct {
	Register uint16 `json:"register"`
	Most     int    `json:"most"`  // greatest number that fits, such as 9999
	Blank    int    `json:"blank"` // what is written when there is no number
}

// Known returns the map of a model that ships with the program.
func Known(model string) (Map, error) {
	b, err := maps.ReadFile("maps/" + model + ".json")
	if err != nil {
		return Map{}, fmt.Errorf("modbus display: no map of model %q: choose one of %s, or write a map", model, strings.Join(Models(), ", "))
	}
	return ParseMap(b)
}

// Models lists the models with a map.
func Models() (names []string) {
	files, _ := fs.Glob(maps, "maps/*.json") // the pattern is good
	for _, f := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(f, "maps/"), ".json"))
	}
	return names
}

// ParseMap reads a map and checks it.
func ParseMap(b []byte) (Map, error) {
	var m Map
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("modbus map: %w: see the shipped maps for the form", err)
	}
	return m, m.check()
}

func (m Map) check() error {
	bad := func(what string) error { return fmt.Errorf("modbus map %s: %s", m.Model, what) }
	switch {
	case m.Model == "":
		return bad("model is missing: name it")
	case (m.Text == nil) == (m.Value == nil):
		return bad("give either text or value")
	case m.Text != nil && (m.Text.Cells < 1 || m.Text.Cells > 64):
		return bad("cells must be 1 to 64")
	case m.Value != nil && (m.Value.Most < 9 || m.Value.Most > 65535 || m.Value.Blank < 0 || m.Value.Blank > 65535):
		return bad("most must be 9 to 65535, blank 0 to 65535")
	}
	return nil
}

// registers returns the values that show a strip.
func (m Map) registers(s display.Strip) (register uint16, values []uint16) {
	text := s.Number
	if text == "" {
		text = m.phase(s.Phase)
	}
	if m.Value != nil {
		return m.Value.Register, []uint16{m.Value.of(s.Number)}
	}
	return m.Text.Register, m.Text.of(text)
}

func (m Map) phase(p display.Phase) string {
	if t, ok := m.Phases[p]; ok {
		return t
	}
	if p == display.PhasePaused {
		return "----"
	}
	return ""
}

// of lays a text into the cells: what a display cannot show is blank, and of a
// text that is too long the end stays, because that is where numbers differ.
func (t Text) of(text string) []uint16 {
	cells := make([]byte, 0, t.Cells)
	for _, r := range text {
		if r < ' ' || r > '~' {
			r = ' '
		}
		cells = append(cells, byte(r))
	}
	cells = cells[max(0, len(cells)-t.Cells):]
	pad := []byte(strings.Repeat(" ", t.Cells-len(cells)))
	if t.Right {
		cells = append(pad, cells...)
	} else {
		cells = append(cells, pad...)
	}
	var out []uint16
	if !t.Packed {
		for _, c := range cells {
			out = append(out, uint16(c))
		}
		return out
	}
	cells = append(cells, ' ')
	for i := 0; i < t.Cells; i += 2 {
		out = append(out, uint16(cells[i])<<8|uint16(cells[i+1]))
	}
	return out
}

// of returns the digits of a ticket as a number that fits.
func (v Value) of(number string) uint16 {
	n, digits := 0, 0
	for _, r := range number {
		if r >= '0' && r <= '9' {
			n = (n*10 + int(r-'0')) % 1_000_000
			digits++
		}
	}
	if digits == 0 {
		return uint16(v.Blank)
	}
	for n > v.Most {
		n %= pow10(n)
	}
	return uint16(n)
}

// pow10 returns the greatest power of ten that is not above n.
func pow10(n int) int {
	p := 1
	for p*10 <= n {
		p *= 10
	}
	return p
}
