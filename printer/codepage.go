package printer

import "golang.org/x/text/encoding/charmap"

// codePages are the pages that a profile may number. Numbers differ between
// makers; only these five are alike enough on all to be used.
var codePages = map[string]*charmap.Charmap{
	"cp437":  charmap.CodePage437,
	"cp850":  charmap.CodePage850,
	"cp858":  charmap.CodePage858,
	"cp866":  charmap.CodePage866,
	"cp1252": charmap.Windows1252,
}

// CodePage returns the ESC t number of a page that has all of s, and its bytes.
func (p Profile) CodePage(s string) (n byte, b []byte, ok bool) {
	for _, name := range []string{"cp437", "cp858", "cp850", "cp1252", "cp866"} {
		n, has := p.CodePages[name]
		if !has {
			continue
		}
		if b, ok := encodePage(codePages[name], s); ok {
			return byte(n), b, true
		}
	}
	return 0, nil, false
}

func encodePage(page *charmap.Charmap, s string) ([]byte, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		c, ok := page.EncodeRune(r)
		if !ok || c < 0x20 {
			return nil, false
		}
		b = append(b, c)
	}
	return b, true
}
