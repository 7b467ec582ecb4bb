package voice

import (
	"slices"
	"strconv"
	"strings"

	"longcheng/kiosk"
)

// A Style is how a hall wants its calls to sound. Templates hold {number} and
// {window}. The zero value means the defaults of WithDefaults.
type Style struct {
	ZH      string // template; default 请{number}号，到{window}号窗口
	EN      string // template; default "Ticket {number}, please go to window {window}"; used only with English
	English bool   // the English sentence follows the Chinese one
	YaoOne  bool   // 1 within a ticket number is said 幺 instead of 一
	First   string // the language that comes first where there are two: "zh" (default) or "en"
}

// WithDefaults returns s with empty templates replaced.
func (s Style) WithDefaults() Style {
	if s.ZH == "" {
		s.ZH = "请{number}号，到{window}号窗口"
	}
	if s.EN == "" {
		s.EN = "Ticket {number}, please go to window {window}"
	}
	return s
}

// A Sentence is one stretch of speech in one language, "zh" or "en".
type Sentence struct {
	Lang string
	Text string
}

// Sentences returns what is said to ask a ticket to a window: the number
// character by character with its leading zeros, the window as a value.
func (s Style) Sentences(number string, window int) []Sentence {
	s = s.WithDefaults()
	return s.order(expand(s.ZH, SpellZH(number, s.YaoOne), CountZH(window)), expand(s.EN, SpellEN(number), CountEN(window)))
}

// Texts returns an announcement as it is said. One without English is Chinese alone.
func (s Style) Texts(t kiosk.Text) []Sentence { return s.order(t.ZH, t.EN) }

func (s Style) order(zh, en string) []Sentence {
	out := []Sentence{{"zh", zh}}
	if s.English && en != "" {
		out = append(out, Sentence{"en", en})
	}
	if s.First == "en" {
		slices.Reverse(out)
	}
	return out
}

func expand(template, number, window string) string {
	return strings.NewReplacer("{number}", number, "{window}", window).Replace(template)
}

var zhDigits = [...]string{"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"}

var enDigits = [...]string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}

// SpellZH spells a ticket number: A012 is "A 零一二". Letters stand alone, as
// synthesizers then use their names; anything else is left out.
func SpellZH(number string, yao bool) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(number) {
		switch {
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r)
			b.WriteByte(' ')
		case r == '1' && yao:
			b.WriteString("幺")
		case r >= '0' && r <= '9':
			b.WriteString(zhDigits[r-'0'])
		}
	}
	return strings.TrimSpace(b.String())
}

// SpellEN spells a ticket number: A012 is "A zero one two".
func SpellEN(number string) string {
	var words []string
	for _, r := range strings.ToUpper(number) {
		switch {
		case r >= 'A' && r <= 'Z':
			words = append(words, string(r))
		case r >= '0' && r <= '9':
			words = append(words, enDigits[r-'0'])
		}
	}
	return strings.Join(words, " ")
}

// CountZH says a whole number from 0 to 9999 as a value: 2 is 二, 12 is 十二,
// 110 is 一百一十, 205 is 二百零五. Numbers beyond are spelled.
func CountZH(n int) string {
	if n < 0 || n > 9999 {
		return SpellZH(strconv.Itoa(n), false)
	}
	if n < 10 {
		return zhDigits[n]
	}
	var b strings.Builder
	zero := false
	for i, unit := range [...]int{1000, 100, 10, 1} {
		d := n / unit % 10
		switch {
		case d == 0:
			zero = b.Len() > 0
			continue
		case zero:
			b.WriteString(zhDigits[0])
			zero = false
		}
		if d != 1 || unit != 10 || b.Len() > 0 { // 十二, but 一百一十二
			b.WriteString(zhDigits[d])
		}
		b.WriteString([...]string{"千", "百", "十", ""}[i])
	}
	return b.String()
}

var enTeens = [...]string{"ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"}

var enTens = [...]string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}

// CountEN says a whole number from 0 to 999 as a value: 12 is twelve, 108 is one
// hundred eight. Numbers beyond are spelled.
func CountEN(n int) string {
	switch {
	case n < 0 || n > 999:
		return SpellEN(strconv.Itoa(n))
	case n < 10:
		return enDigits[n]
	case n < 20:
		return enTeens[n-10]
	case n < 100 && n%10 == 0:
		return enTens[n/10]
	case n < 100:
		return enTens[n/10] + " " + enDigits[n%10]
	case n%100 == 0:
		return enDigits[n/100] + " hundred"
	}
	return enDigits[n/100] + " hundred " + CountEN(n%100)
}
