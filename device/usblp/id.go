package usblp

import "strings"

// An ID is what a printer says of itself in its IEEE 1284 device id: pairs of
// key and value, "MFG:EPSON;MDL:TM-T88VI;CMD:ESC/POS;". It comes from outside:
// values are cut to 64 printable ASCII characters.
type ID struct {
	Maker    string // MFG or MANUFACTURER
	Model    string // MDL or MODEL
	Commands string // CMD or COMMAND SET
	Class    string // CLS or CLASS
	Serial   string // SN, SERN or SERIALNUMBER
}

// ParseID reads a device id without the two bytes of its length. Keys are known
// in any case; of a key that comes twice the first counts.
func ParseID(b []byte) ID {
	var id ID
	for pair := range strings.SplitSeq(string(b[:min(len(b), 4096)]), ";") {
		key, value, ok := strings.Cut(pair, ":")
		if f := id.field(strings.ToUpper(printable(key))); ok && f != nil && *f == "" {
			*f = printable(value)
		}
	}
	return id
}

func (id *ID) field(key string) *string {
	switch key {
	case "MFG", "MANUFACTURER":
		return &id.Maker
	case "MDL", "MODEL":
		return &id.Model
	case "CMD", "COMMAND SET":
		return &id.Commands
	case "CLS", "CLASS":
		return &id.Class
	case "SN", "SERN", "SERIALNUMBER":
		return &id.Serial
	}
	return nil
}

func printable(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s))
	return strings.TrimSpace(s[:min(len(s), 64)])
}
