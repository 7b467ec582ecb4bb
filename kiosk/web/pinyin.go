package web

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An initials table turns a Chinese name into the first letters of its pinyin, so
// that a citizen finds 营业执照 with "yyzz".
type initials map[rune]byte

// readings are words in which a character is not read as in level1.
var readings = [...]struct{ word, letters string }{
	{"会计", "kj"}, {"银行", "yh"}, {"行业", "hy"}, {"商行", "sh"}, {"重新", "cx"}, {"重复", "cf"}, {"重建", "cj"},
	{"调解", "tj"}, {"调整", "tz"}, {"调剂", "tj"}, {"校验", "jy"}, {"校准", "jz"}, {"曾用", "cy"}, {"长者", "zz"},
	{"成长", "cz"}, {"生长", "sz"}, {"参差", "cc"}, {"人参", "rs"}, {"储藏", "cc"}, {"收藏", "sc"}, {"音乐", "yy"},
	{"投降", "tx"}, {"朝阳", "cy"}, {"朝夕", "zx"}, {"省亲", "xq"}, {"宿州", "sz"}, {"都市", "ds"}, {"传记", "zj"},
}

func newInitials() initials {
	t := initials{}
	for _, l := range level1 {
		for _, r := range l.runes {
			t[r] = l.letter
		}
	}
	return t
}

// of keeps ASCII letters and digits, in lower case, and leaves out what it does
// not know.
func (t initials) of(s string) string {
	var b strings.Builder
	for s != "" {
		if word, letters := reading(s); word != "" {
			b.WriteString(letters)
			s = s[len(word):]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		l, ok := t[r]
		switch {
		case ok:
			b.WriteByte(l)
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// reading returns the word of readings that s begins with.
func reading(s string) (word, letters string) {
	for _, r := range readings {
		if strings.HasPrefix(s, r.word) {
			return r.word, r.letters
		}
	}
	return "", ""
}
