package mrz

import (
	"bytes"
	"strings"
	"time"

	"longcheng/device/secret"
)

// span is a part of the zone, all its lines put together.
type span struct{ from, to int }

// layout says where the fields of one kind are, see the package.
type layout struct {
	kind                        Kind
	number, birth, expiry       span // the check digit follows each
	nationality, name, optional span
	sex                         int
	spare                       int // check digit of the optional field; 0 when it has none
	all                         []span
	last                        int // check digit over all of them
}

var layouts = map[int]layout{
	88: {TD3, span{44, 53}, span{57, 63}, span{65, 71}, span{54, 57}, span{5, 44}, span{72, 86}, 64, 86,
		[]span{{44, 54}, {57, 64}, {65, 87}}, 87},
	72: {TD2, span{36, 45}, span{49, 55}, span{57, 63}, span{46, 49}, span{5, 36}, span{64, 71}, 56, 0,
		[]span{{36, 46}, {49, 56}, {57, 71}}, 71},
	90: {TD1, span{5, 14}, span{30, 36}, span{38, 44}, span{45, 48}, span{60, 90}, span{15, 30}, 37, 0,
		[]span{{5, 30}, {30, 37}, {38, 45}, {48, 59}}, 59},
}

// Parse reads a zone, with or without ends of lines, STX and ETX. now tells the
// century of a birth: nobody is born in the future.
func Parse(raw []byte, now time.Time) (Document, error) {
	z := clean(raw)
	defer clear(z)
	l, ok := layouts[len(z)]
	if !ok || !l.formed(z) {
		return Document{}, ErrForm
	}
	d := Document{Kind: l.kind, Code: fill(z[:2]), Issuer: fill(z[2:5]), Repaired: l.repair(z)}
	number, optional, ok := l.numbers(z)
	defer clear(number)
	if !ok || !l.checked(z) {
		return Document{}, ErrCheck
	}
	birth, ok1 := day(z[l.birth.from:l.birth.to], now.Year()%100, now.Year())
	expiry, ok2 := day(z[l.expiry.from:l.expiry.to], 99, 2099)
	if !ok1 || !ok2 {
		return Document{}, ErrCheck
	}
	d.Birth, d.Expiry = birth, expiry
	d.Number = secret.New(bytes.TrimRight(number, "<"))
	d.Optional = secret.New(bytes.Trim(optional, "<"))
	d.Nationality = secret.New(bytes.Trim(z[l.nationality.from:l.nationality.to], "<"))
	d.Sex = secret.New(z[l.sex : l.sex+1])
	d.Surname, d.Given = names(z[l.name.from:l.name.to])
	return d, nil
}

// clean takes frame and ends of lines away.
func clean(raw []byte) []byte {
	z := make([]byte, 0, 96)
	for _, c := range raw {
		switch {
		case c == '\r' || c == '\n' || c == 2 || c == 3:
		case len(z) < 96:
			z = append(z, c)
		}
	}
	return z
}

// formed looks at the alphabet, and that a passport says that it is one.
func (l layout) formed(z []byte) bool {
	for _, c := range z {
		if c != '<' && (c < 'A' || c > 'Z') && !digit(c) {
			return false
		}
	}
	for _, s := range []span{{0, 1}, l.name} {
		for _, c := range z[s.from:s.to] {
			if digit(c) {
				return false
			}
		}
	}
	return z[0] != '<' && (l.kind == TD3) == (z[0] == 'P') && strings.IndexByte("MFX<", z[l.sex]) >= 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// repair makes digits of letters that look like them, where only digits can be,
// and returns how many.
func (l layout) repair(z []byte) (n int) {
	fix := func(i int) {
		if at := strings.IndexByte("OIBSZ", z[i]); at >= 0 {
			z[i] = "01852"[at]
			n++
		}
	}
	for _, s := range []span{l.birth, l.expiry} {
		for i := s.from; i <= s.to; i++ {
			fix(i)
		}
	}
	fix(l.number.to)
	fix(l.last)
	if l.spare > 0 {
		fix(l.spare)
	}
	return n
}

// numbers returns the number and the optional field. A number of a card that is
// longer than nine characters goes on in the optional field, up to its check
// digit.
func (l layout) numbers(z []byte) (number, optional []byte, ok bool) {
	number = bytes.Clone(z[l.number.from:l.number.to])
	optional = z[l.optional.from:l.optional.to]
	check := z[l.number.to]
	if l.kind == TD3 || check != '<' {
		return number, optional, check == sum(number) && !bytes.HasPrefix(number, []byte("<"))
	}
	more, rest, _ := bytes.Cut(optional, []byte("<"))
	if len(more) < 2 {
		return number, optional, false
	}
	check = more[len(more)-1]
	number = append(number, more[:len(more)-1]...)
	return number, rest, check == sum(number)
}

func (l layout) checked(z []byte) bool {
	for _, s := range []span{l.birth, l.expiry} {
		if z[s.to] != sum(z[s.from:s.to]) {
			return false
		}
	}
	if l.spare > 0 {
		field := z[l.optional.from:l.optional.to]
		empty := len(bytes.Trim(field, "<")) == 0
		if z[l.spare] != sum(field) && !(empty && z[l.spare] == '<') {
			return false
		}
	}
	var all []byte
	for _, s := range l.all {
		all = append(all, z[s.from:s.to]...)
	}
	defer clear(all)
	return z[l.last] == sum(all)
}

// sum returns the check digit of b.
func sum(b []byte) byte {
	n := 0
	for i, c := range b {
		v := 0
		switch {
		case digit(c):
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		}
		n += v * [3]int{7, 3, 1}[i%3]
	}
	return '0' + byte(n%10)
}

// day reads YYMMDD. Years up to last are of this century. A date with < in it is
// not known, and zero.
func day(b []byte, last, century int) (secret.Day, bool) {
	if bytes.IndexByte(b, '<') >= 0 {
		return secret.Day{}, len(bytes.Trim(b, "<0123456789")) == 0
	}
	for _, c := range b {
		if !digit(c) {
			return secret.Day{}, false
		}
	}
	year := int(b[0]-'0')*10 + int(b[1]-'0')
	if year > last {
		century -= 100
	}
	year += century / 100 * 100
	month, d := int(b[2]-'0')*10+int(b[3]-'0'), int(b[4]-'0')*10+int(b[5]-'0')
	t := time.Date(year, time.Month(month), d, 0, 0, 0, 0, time.UTC)
	return secret.NewDay(t), int(t.Month()) == month && t.Day() == d && month > 0
}

// names cuts "SURNAME<<GIVEN<NAMES<<<".
func names(b []byte) (surname, given secret.Text) {
	first, second, _ := bytes.Cut(b, []byte("<<"))
	return secret.Own(spaced(first)), secret.Own(spaced(second))
}

func spaced(b []byte) []byte {
	return bytes.TrimSpace(bytes.ReplaceAll(bytes.TrimRight(b, "<"), []byte("<"), []byte(" ")))
}

func fill(b []byte) string { return strings.TrimRight(string(b), "<") }
