package idcard

// span is a field of the text block: offset and length in bytes.
type span struct{ off, n int }

// layout says where the fields of one kind of document are.
//
//	field                    ' ' resident  'J' permit  'I' foreigner 2017  'Y' foreigner 2023
//	name                     0+30          0+30        0+120               52+70 and 220+22
//	sex                      30+2          30+2        120+2               30+2
//	nation                   32+4          -           -                   -
//	birth                    36+16         36+16       220+16              36+16
//	address                  52+70         52+70       -                   -
//	number                   122+36        122+36      122+30              122+36
//	authority                158+30        158+30      240+8               -
//	valid from, until        188+16, 204+16 in all of them
//	travel permit            -             220+18      -                   -
//	times issued or renewed  -             238+4       -                   32+4
//	nationality              -             -           152+6               242+6
//	Chinese name             -             -           158+30              0+30
//	link to earlier number   -             -           -                   250+6
//	kind                     248+2 in all of them
type layout struct {
	kind                       Kind
	number, birth, from, until span
	valid                      func([]byte) bool
	born                       bool // the number repeats the date of birth
	fields                     func(*Card) map[*Secret][]span
}

var layouts = map[byte]layout{
	' ': {Resident, span{122, 36}, span{36, 16}, span{188, 16}, span{204, 16}, ValidNumber, true, residentFields},
	'J': {Permit, span{122, 36}, span{36, 16}, span{188, 16}, span{204, 16}, ValidNumber, true, permitFields},
	'I': {Foreigner2017, span{122, 30}, span{220, 16}, span{188, 16}, span{204, 16}, oldForeignNumber, false, fields2017},
	'Y': {Foreigner2023, span{122, 36}, span{36, 16}, span{188, 16}, span{204, 16}, foreignNumber, false, fields2023},
}

func residentFields(c *Card) map[*Secret][]span {
	return map[*Secret][]span{
		&c.Name: {{0, 30}}, &c.Sex: {{30, 2}}, &c.Nation: {{32, 4}}, &c.Address: {{52, 70}}, &c.Authority: {{158, 30}},
	}
}

func permitFields(c *Card) map[*Secret][]span {
	return map[*Secret][]span{
		&c.Name: {{0, 30}}, &c.Sex: {{30, 2}}, &c.Address: {{52, 70}}, &c.Authority: {{158, 30}},
		&c.Permit: {{220, 18}}, &c.Issue: {{238, 4}},
	}
}

func fields2017(c *Card) map[*Secret][]span {
	return map[*Secret][]span{
		&c.Name: {{0, 120}}, &c.Sex: {{120, 2}}, &c.Nationality: {{152, 6}}, &c.Chinese: {{158, 30}}, &c.Authority: {{240, 8}},
	}
}

func fields2023(c *Card) map[*Secret][]span {
	return map[*Secret][]span{
		&c.Name: {{52, 70}, {220, 22}}, &c.Sex: {{30, 2}}, &c.Nationality: {{242, 6}}, &c.Chinese: {{0, 30}},
		&c.Issue: {{32, 4}}, &c.Link: {{250, 6}},
	}
}

// check looks at the number before anything is kept. The XOR of a frame misses
// many errors; the number's own check and its date of birth catch most of them.
func (l layout) check(text []byte) bool {
	number, birth := ascii(text, l.number), ascii(text, l.birth)
	defer clear(number)
	defer clear(birth)
	return l.valid(number) && (!l.born || string(number[6:14]) == string(birth))
}
