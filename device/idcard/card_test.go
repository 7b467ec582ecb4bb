package idcard

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func foreigner2023() []byte {
	y := blank("Y")
	put(y, 0, "某某")
	put(y, 30, "202")
	put(y, 36, "19900101")
	put(y, 52, "VERYLONGFAMILYNAME OF THIRTY-FIVE C")
	put(y, 122, "911248190001010015")
	put(y, 188, "20240101")
	put(y, 204, "20340101")
	put(y, 220, "HARACTERS")
	put(y, 242, "CAN")
	return y
}

func foreigner2017() []byte {
	i := blank("I")
	put(i, 0, "DOE, JANE  MARY")
	put(i, 120, "2")
	put(i, 122, "ABC110000010101")
	put(i, 152, "CAN")
	put(i, 158, "某某")
	put(i, 188, "20180101")
	put(i, 204, "20280101")
	put(i, 220, "19800101")
	put(i, 236, "01")
	put(i, 240, "1500")
	return i
}

func permit() []byte {
	j := resident()
	put(j, 32, "  ")
	put(j, 122, "810000190001010018")
	put(j, 220, "H12345678")
	put(j, 238, "01")
	put(j, 248, "J")
	return j
}

// Each kind by its own layout: every field, also the one that is in two parts.
func TestEveryFieldOfEveryKind(t *testing.T) {
	for kind, c := range map[Kind]struct {
		text []byte
		want string
	}{
		Resident:      {resident(), "阿卜杜·某 某|1|01|某省某市||||||"},
		Permit:        {permit(), "阿卜杜·某 某|1||某省某市||||H12345678|01|"},
		Foreigner2017: {foreigner2017(), "DOE, JANE  MARY|2|||1500|某某|CAN|||"},
		Foreigner2023: {foreigner2023(), "VERYLONGFAMILYNAME OF THIRTY-FIVE CHARACTERS|2||||某某|CAN||02|"},
	} {
		got, err := Decode(c.text)
		if err != nil || got.Kind != kind {
			t.Errorf("%s: %s, %v", kind, got.Kind, err)
			continue
		}
		parts := []string{got.Name.Reveal()}
		for _, s := range got.extra() {
			parts = append(parts, s.Reveal())
		}
		if all := strings.Join(parts, "|"); all != c.want {
			t.Errorf("%s: %s, want %s", kind, all, c.want)
		}
	}
}

// A five-star card read as a resident's would look plausible; the flag decides.
func TestARecordIsNotReadByTheWrongLayout(t *testing.T) {
	y := foreigner2023()
	c, err := Decode(y)
	if err != nil || !c.Nation.IsZero() || !c.Address.IsZero() {
		t.Error("nation or address of a foreigner:", err)
	}
	for _, flag := range []string{"Q", "i", "0", "\u0149"} {
		put(y, 248, flag)
		if _, err := Decode(y); err != ErrUnsupported {
			t.Errorf("%q: %v", flag, err)
		}
	}
}

func TestRareNames(t *testing.T) {
	for _, name := range []string{"𠮷野", "\ue863某", "买买提·阿不都", "JOSE  MARIA", "〇一二三四五六七八九十一二三四"} {
		text := resident()
		put(text, 0, strings.Repeat(" ", 15))
		put(text, 0, name)
		if c, err := Decode(text); err != nil || c.Name.Reveal() != name {
			t.Errorf("%q: %q, %v", name, c.Name.Reveal(), err)
		}
	}
	text := resident()
	text[0], text[1] = 0x00, 0xD8 // half a pair
	if c, err := Decode(text); err != nil || !strings.HasPrefix(c.Name.Reveal(), "\ufffd") {
		t.Error(err)
	}
}

func TestForEverIsTheWholeField(t *testing.T) {
	text := resident()
	put(text, 204, "长期2020")
	if _, err := Decode(text); err != ErrDamaged {
		t.Error(err)
	}
}

func TestFlags(t *testing.T) {
	noon := time.Date(2030, 6, 15, 12, 0, 0, 0, time.FixedZone("CST", 8*3600))
	for name, c := range map[string]struct {
		change func([]byte)
		want   []Flag
	}{
		"none":        {func([]byte) {}, nil},
		"last day":    {func(b []byte) { put(b, 204, "20300615    ") }, nil},
		"expired":     {func(b []byte) { put(b, 204, "20300614    ") }, []Flag{Expired}},
		"tomorrow":    {func(b []byte) { put(b, 188, "20300616") }, []Flag{NotYetValid}},
		"reversed":    {func(b []byte) { put(b, 204, "20200101"); put(b, 188, "20200102") }, []Flag{Expired, BadValidity}},
		"sex":         {func(b []byte) { put(b, 30, "2") }, []Flag{BadSex}},
		"no sex":      {func(b []byte) { put(b, 30, "9") }, nil},
		"birth later": {func(b []byte) { put(b, 188, "18991231") }, []Flag{BadBirth}},
	} {
		text := resident()
		c.change(text)
		card, err := Decode(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		at := noon
		if name == "birth later" {
			at = time.Date(1900, 1, 2, 0, 0, 0, 0, time.UTC)
		}
		got := slices.DeleteFunc(card.Flags(at), func(f Flag) bool { return name != "birth later" && f == BadBirth }) // 130 years old: see below
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	c, _ := Decode(resident())
	if !slices.Equal(c.Flags(noon), []Flag{BadBirth}) {
		t.Error("nobody is 130 years old:", c.Flags(noon))
	}
	j, _ := Decode(permit())
	if slices.Contains(j.Flags(noon), BadArea) {
		t.Error("81 is Hong Kong")
	}
	j.Number = NewSecret([]byte(number))
	if !slices.Contains(j.Flags(noon), BadArea) {
		t.Error("11 is Beijing")
	}
}

func TestNations(t *testing.T) {
	for code, want := range map[string]string{
		"01": "汉", "05": "维吾尔", "20": "傈僳", "30": "土", "31": "达斡尔", "36": "毛南", "46": "德昂", "56": "基诺",
		"97": "其他", "98": "外国血统中国籍人士", "57": "其他(57)", "00": "其他(00)", "": "", "1": "", "ab": "",
	} {
		if got := NationName(code); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}

func TestLeanTakesAwayWhatAQueueDoesNotNeed(t *testing.T) {
	c, _ := Decode(resident())
	kept := c.Address
	c.Lean()
	if !c.Address.IsZero() || !c.Nation.IsZero() || strings.Trim(kept.Reveal(), "\x00") != "" || c.Number.Reveal() != number {
		t.Error("too much, or too little, is left")
	}
}

func FuzzDocument(f *testing.F) {
	f.Add(full(resident())[10:], false)
	f.Add(withPrints(resident(), 1)[10:], true)
	f.Fuzz(func(t *testing.T, b []byte, all bool) {
		head := 4
		if all {
			head = 6
		}
		text, prints, err := document(b, head)
		if err == nil && (len(text) != textLen || prints < 0 || prints > 2) {
			t.Fatal(len(text), prints)
		}
	})
}
