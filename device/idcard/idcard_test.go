package idcard

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"longcheng/device"
	"longcheng/device/devicetest"
)

const number = "110101190001010014" // synthetic: born 1900-01-01

func put(text []byte, off int, s string) {
	for i, u := range utf16.Encode([]rune(s)) {
		binary.LittleEndian.PutUint16(text[off+2*i:], u)
	}
}

func blank(flag string) []byte {
	text := bytes.Repeat([]byte{' ', 0}, textLen/2)
	put(text, 248, flag)
	return text
}

func resident() []byte {
	text := blank(" ")
	put(text, 0, "阿卜杜·某 某")
	put(text, 30, "101")
	put(text, 36, "19000101")
	put(text, 52, "某省某市")
	put(text, 122, number)
	put(text, 188, "20200101")
	put(text, 204, "长期")
	return text
}

func frame(sw3 Status, data []byte) []byte {
	b := []byte{0, 0, 0, 0, byte(sw3)}
	b = append(b, data...)
	binary.BigEndian.PutUint16(b, uint16(len(b)-1))
	b = append(b, xor(b))
	return append([]byte{0xAA, 0xAA, 0xAA, 0x96, 0x69}, b...)
}

func full(text []byte) []byte {
	d := append([]byte{1, 0, 4, 0}, text...)
	return frame(OK, append(d, bytes.Repeat([]byte{0xAA}, 1024)...))
}

func TestCommandsAreThoseOfTheProtocol(t *testing.T) {
	for want, got := range map[string][]byte{
		"AA AA AA 96 69 00 03 10 FF EC":    reqReset.frame,
		"AA AA AA 96 69 00 03 11 FF ED":    reqStatus.frame,
		"AA AA AA 96 69 00 03 12 FF EE":    reqID.frame,
		"AA AA AA 96 69 00 03 20 01 22":    reqFind.frame,
		"AA AA AA 96 69 00 03 20 02 21":    reqSelect.frame,
		"AA AA AA 96 69 00 03 30 01 32":    reqRead.frame,
		"AA AA AA 96 69 00 03 30 10 23":    reqReadAll.frame,
		"AA AA AA 96 69 00 03 30 03 30":    reqAddress.frame,
		"AA AA AA 96 69 00 03 30 05 36":    reqChip.frame,
		"AA AA AA 96 69 00 03 60 00 63":    command(0x60, 0),
		"AA AA AA 96 69 00 03 60 04 67":    command(0x60, 4),
		"AA AA AA 96 69 00 04 61 FF 50 CA": command(0x61, 0xFF, 0x50),
		"AA AA AA 96 69 00 04 61 FF 18 82": command(0x61, 0xFF, 0x18),
	} {
		if fmt.Sprintf("% X", got) != want {
			t.Errorf("% X, want %s", got, want)
		}
	}
}

// feedAll returns how many frames and errors are in b.
func feedAll(h *hunter, b []byte) (frames, bad int) {
	for _, c := range b {
		switch _, heard := h.feed(c); heard {
		case whole:
			frames++
		case damaged:
			bad++
		}
	}
	return frames, bad
}

func TestHunterResynchronises(t *testing.T) {
	good := frame(NoCard, nil)
	bad := bytes.Clone(good)
	bad[8] ^= 1
	for name, c := range map[string]struct {
		in              []byte
		frames, damaged int
	}{
		"one":                {good, 1, 0},
		"garbage before":     {append([]byte{1, 0xAA, 0x96, 0xAA, 0xAA}, good...), 1, 0},
		"extra sync":         {append([]byte{0xAA, 0xAA}, good...), 1, 0},
		"broken sync":        {append([]byte{0xAA, 0xAA, 0xAA, 0x96}, good...), 1, 0},
		"checksum":           {append(bad, good...), 1, 1},
		"length too short":   {append([]byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3}, good...), 1, 1},
		"length too long":    {append([]byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0x0B, 0}, good...), 1, 1},
		"preamble in photo":  {full(resident()), 1, 0},
		"stray byte between": {append(append(bytes.Clone(good), 0x55), good...), 2, 0},
		// recorded in the field: a zero in the preamble, two data bytes lost
		"field": {append([]byte{0xAA, 0, 0xAA, 0xAA, 0x96, 0x69, 0, 0x0C, 0, 0, 0x90, 0, 0, 0, 0, 0, 0, 0x9C}, good...), 1, 0},
	} {
		var h hunter
		if f, d := feedAll(&h, c.in); f != c.frames || d != c.damaged {
			t.Errorf("%s: %d frames, %d damaged", name, f, d)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, s := range []string{number, "110101190001010022", "11010119000101009X", "11010119000101009x", "810000190001010018", "911248190001010015", "654321190402290016"} {
		if !ValidNumber([]byte(s)) {
			t.Errorf("%s refused", s)
		}
	}
	for _, s := range []string{"", "110101190001010015", "654321190002290017", "1101011900010100X4", "010101190001010014", number + "0"} {
		if ValidNumber([]byte(s)) {
			t.Errorf("%s accepted", s)
		}
	}
}

func TestResidentCard(t *testing.T) {
	c, err := Decode(resident())
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind != Resident || c.Number.Reveal() != number || c.Name.Reveal() != "阿卜杜·某 某" || c.Birth.Time().Format(time.DateOnly) != "1900-01-01" || !c.Until.IsZero() {
		t.Fatalf("%s %s %q", c.Kind, c.Birth.Time(), c.Name.Reveal())
	}
	text := resident()
	put(text, 204, "20400101")
	if c, err := Decode(text); err != nil || c.Until.Time().Year() != 2040 {
		t.Fatal(err)
	}
}

func TestOtherDocumentsHaveTheirOwnLayout(t *testing.T) {
	y := blank("Y")
	put(y, 36, "19000101")
	put(y, 52, "DOE, JANE")
	put(y, 122, "911248190001010015")
	put(y, 188, "20240101")
	put(y, 204, "20340101")
	if c, err := Decode(y); err != nil || c.Kind != Foreigner2023 || c.Name.Reveal() != "DOE, JANE" {
		t.Fatal(c.Kind, err)
	}
	i := blank("I")
	put(i, 0, "DOE, JANE")
	put(i, 122, "ABC110000010101")
	put(i, 188, "20180101")
	put(i, 204, "20280101")
	put(i, 220, "19000101")
	if c, err := Decode(i); err != nil || c.Kind != Foreigner2017 || c.Number.Reveal() != "ABC110000010101" {
		t.Fatal(c.Kind, err)
	}
	j := resident()
	put(j, 122, "810000190001010018")
	put(j, 248, "J")
	if c, err := Decode(j); err != nil || c.Kind != Permit {
		t.Fatal(c.Kind, err)
	}
	if _, err := Decode(blank("Q")); !errors.Is(err, ErrUnsupported) {
		t.Fatal(err)
	}
}

func TestDamagedTextIsRefused(t *testing.T) {
	for name, change := range map[string]func([]byte){
		"check digit": func(b []byte) { put(b, 122, "110101190001010015") },
		"other birth": func(b []byte) { put(b, 36, "19000102") },
		"no date":     func(b []byte) { put(b, 188, "20201301") },
		"not ascii":   func(b []byte) { b[123] = 0x4E },
	} {
		text := resident()
		change(text)
		if _, err := Decode(text); !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "1101") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(nil); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func TestASecretPrintsAsCard(t *testing.T) {
	c, _ := Decode(resident())
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "number", c.Number, "card", c)
	js, _ := json.Marshal(c)
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %v %s %q", c, c, &c, c.Number, c.Number), log.String(), string(js)} {
		if strings.Contains(s, number) || strings.Contains(s, "1101") || !strings.Contains(s, "card") {
			t.Errorf("leaks: %s", s)
		}
	}
	c.Wipe()
	if strings.ContainsAny(c.Number.Reveal(), "0123456789") || strings.Trim(c.Name.Reveal(), "\x00") != "" {
		t.Error("not wiped")
	}
}

// answer is a request and one reply to it.
func answer(r request, s Status, data []byte) []devicetest.Op {
	return []devicetest.Op{devicetest.W(r.frame...), devicetest.R(frame(s, data)...)}
}

// play runs a reader over ops until they are used up and returns its events.
func play(t *testing.T, chaos uint64, ops ...devicetest.Op) string {
	t.Helper()
	return playWith(t, func(*Reader) {}, chaos, ops...)
}

// playWith is play for a reader with settings.
func playWith(t *testing.T, set func(*Reader), chaos uint64, ops ...devicetest.Op) string {
	t.Helper()
	var log []string
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var p device.Port = devicetest.NewScript(t, append(ops, devicetest.Gone())...)
		if chaos > 0 {
			p = devicetest.NewChaos(p, chaos)
		}
		link := device.NewLink(devicetest.Opens(p))
		link.OnChange = func(h device.Health) {
			if h.State == device.Broken {
				cancel()
			}
		}
		var kept *Card
		reader := NewReader(link)
		set(reader)
		err := reader.Run(ctx, func(e Event) {
			switch {
			case e.Card != nil:
				kept = e.Card
				word := "card:"
				if e.Again {
					word = "again:"
				}
				log = append(log, strings.Trim(word+e.Card.Number.Reveal()+" "+e.Card.Address.Reveal(), " "))
			case e.Lift:
				log = append(log, "lift")
			case e.Removed:
				log = append(log, "removed")
			default:
				log = append(log, string(e.Problem))
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if kept != nil && strings.Contains(kept.Number.Reveal(), "1") {
			t.Error("the card outlived its event")
		}
	})
	return strings.Join(log, " ")
}

func find(sw3 Status) []devicetest.Op {
	var data []byte
	if sw3 == Found {
		data = make([]byte, 4)
	}
	return []devicetest.Op{devicetest.W(command(0x20, 1)...), devicetest.R(frame(sw3, data)...)}
}

func pick(sw3 Status) []devicetest.Op {
	var data []byte
	if sw3 == OK {
		data = make([]byte, 8)
	}
	return []devicetest.Op{devicetest.W(command(0x20, 2)...), devicetest.R(frame(sw3, data)...)}
}

func read(b []byte) []devicetest.Op {
	return []devicetest.Op{devicetest.W(command(0x30, 1)...), devicetest.R(b...)}
}

func join(parts ...[]devicetest.Op) (all []devicetest.Op) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func away(polls int) (all []devicetest.Op) {
	for range polls {
		all = append(all, find(NoCard)...)
	}
	return all
}

// A card is read once, however long it lies there, and again after it left.
func TestACardIsReadOncePerPresentation(t *testing.T) {
	one := join(find(Found), pick(OK), read(full(resident())))
	ops := join(away(2), one, find(Found), away(1), find(Found), away(20), one)
	for chaos := range uint64(4) {
		want := "card:" + number + " removed card:" + number
		if got := play(t, chaos, ops...); got != want {
			t.Fatalf("chaos %d: %s", chaos, got)
		}
	}
}

func TestWhatGoesWrongWithACardIsSaidOnce(t *testing.T) {
	damaged := resident()
	put(damaged, 122, "110101190001010015")
	for want, ops := range map[string][]devicetest.Op{
		"moved":        join(find(Found), pick(OK), read(frame(0x41, nil)), answer(reqStatus, OK, nil), find(Found)),
		"counterfeit":  join(find(Found), pick(OK), read(frame(0x32, nil))),
		"wrong card":   join(find(Found), pick(OK), read(frame(0x40, nil))),
		"damaged":      join(find(Found), pick(OK), read(full(damaged))),
		"unsupported":  join(find(Found), pick(OK), read(full(blank("Q")))),
		"out of order": join(find(SelfTest), find(SelfTest)),
		"":             join(find(Found), pick(0x81), find(Found), pick(0x81)),
	} {
		if got := play(t, 0, ops...); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	three := join(find(Found), pick(0x81), find(Found), pick(0x81), find(Found), pick(0x81))
	if got := play(t, 0, three...); got != "moved" {
		t.Errorf("third failed select: %q", got)
	}
}

func TestASilentReaderIsABrokenWire(t *testing.T) {
	if got := play(t, 0, devicetest.W(command(0x20, 1)...), devicetest.R(0xAA, 0xAA)); got != "" {
		t.Error(got)
	}
}

func FuzzHunter(f *testing.F) {
	f.Add(full(resident()))
	f.Add(frame(Found, make([]byte, 4)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h hunter
		feedAll(&h, b)
		// whatever came before, after enough silence-filling zeros a good frame is found
		feedAll(&h, make([]byte, maxLen+2))
		if n, _ := feedAll(&h, frame(NoCard, nil)); n != 1 {
			t.Fatal("out of step for ever")
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(resident())
	f.Add(blank("I"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Decode(b)
		if err == nil && (c.Kind == "" || c.Birth.IsZero() || len(c.Number.Reveal()) < 15) {
			t.Fatal("an empty card")
		}
	})
}
