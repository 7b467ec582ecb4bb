package escpos

import (
	"sync"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// gbkTable maps the basic plane to the two bytes of GBK, 0 for none; it is made
// once, of the decoder that x/text has.
var gbkTable = sync.OnceValue(func() *[1 << 16]uint16 {
	var t [1 << 16]uint16
	decode := simplifiedchinese.GBK.NewDecoder()
	for lead := 0x81; lead <= 0xFE; lead++ {
		for trail := 0x40; trail <= 0xFE; trail++ {
			b, err := decode.Bytes([]byte{byte(lead), byte(trail)})
			rs := []rune(string(b))
			if err == nil && len(rs) == 1 && rs[0] != '\uFFFD' && rs[0] < 1<<16 && t[rs[0]] == 0 {
				t[rs[0]] = uint16(lead<<8 | trail)
			}
		}
	}
	t['¥'] = 0xA3A4 // GB18030 has it in four bytes only; the full-width sign looks the same
	t['€'] = 0xA2E3 // GBK's 80 is Windows's; printers have GB18030's place
	return &t
})

// appendGBK appends r as the one or two bytes a resident Chinese font knows, and
// reports whether there are such bytes. Fonts that say GB18030 still take only
// two bytes: a four-byte sequence prints two wrong characters.
func appendGBK(b []byte, r rune) ([]byte, bool) {
	if r >= 0x20 && r < 0x7F {
		return append(b, byte(r)), true
	}
	if r < 0xA0 || r >= 1<<16 {
		return b, false
	}
	c := gbkTable()[r]
	if c == 0 {
		return b, false
	}
	return append(b, byte(c>>8), byte(c)), true
}
