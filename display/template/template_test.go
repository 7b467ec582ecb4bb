package template

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"longcheng/display"
	"longcheng/display/line"
	"longcheng/display/line/linetest"
	"longcheng/kiosk"
)

// Frames of displays that makers describe.
func TestWorkedFrames(t *testing.T) {
	for _, tt := range []struct{ template, text, want string }{
		{"{from}{address:byte}{number:be16}{sum8}", "A999", "05 03 E7 EF"}, // four-byte counter board
		{"${address:dec3},{text}#", "A012", "24 30 30 35 2C 41 30 31 32 23"},
		{"{02}{from}{address:hex2}{text:-6}{xor8:hex}{03}", "A012", "02 30 35 20 20 41 30 31 32 37 37 03"},
		{"<ID{address:dec2}>{from}{text:4}{xor8:hex}<E>", "A012", "3C 49 44 30 35 3E 41 30 31 32 37 32 3C 45 3E"},
		{"{A5}{length:byte}{text}{crc16-arc}", "A5", "A5 02 41 35 " + "85 0E"},
		{"{{{text:2}}}{lrc}{nsum8:hex}", "X", "7B 58 20 7D 90 46 46"},
	} {
		tm, err := Parse(tt.template)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tm.Frame(Content{Address: 5, Text: []byte(tt.text), Number: digits(tt.text)})
		if tt.template[1] == 'A' { // the sum is checked by itself
			if crc16(0, got) != 0 {
				t.Errorf("% X: check sum", got)
			}
			continue
		}
		if err != nil || !bytes.Equal(got, linetest.Hex(t, tt.want)) {
			t.Errorf("%s: got % X, want %s (%v)", tt.template, got, tt.want, err)
		}
	}
	if c := crc16(0, []byte("123456789")); c != 0xBB3D {
		t.Errorf("ARC %04X", c)
	}
	if c := crc16(0xFFFF, []byte("123456789")); c != 0x4B37 {
		t.Errorf("Modbus %04X", c)
	}
}

func TestTemplatesThatAreRefused(t *testing.T) {
	for _, s := range []string{"", "{", "}", "{what}", "{text:0}", "{text:65}", "{text:x}", "{address:dec9}", "{sum8:le}", strings.Repeat("x", 300), strings.Repeat("{02}", 65)} {
		if _, err := Parse(s); err == nil {
			t.Errorf("accepted %q", s)
		}
	}
	for address, frame := range map[int]string{300: "{address:byte}", 100: "{address:dec2}", -1: "{address:byte}"} {
		if _, err := NewSpeaker(address, Config{Frame: frame}); err == nil {
			t.Errorf("address %d in %s", address, frame)
		}
	}
	for _, c := range []Config{{Frame: "{text}", Charset: "big5"}, {Frame: "{text}", Reply: "{"}} {
		if _, err := NewSpeaker(1, c); err == nil {
			t.Errorf("accepted %+v", c)
		}
	}
}

func TestATextNeverEndsInHalfACharacter(t *testing.T) {
	text := encode("gbk", "请A012号😀")
	for w := 1; w < 14; w++ {
		cut := fit(text, w)
		if len(cut) != w {
			t.Fatalf("width %d: %d bytes", w, len(cut))
		}
		odd := 0
		for i := 0; i < len(cut); i++ {
			if cut[i] >= 0x81 {
				i++
				if i == len(cut) {
					odd++
				}
			}
		}
		if odd > 0 {
			t.Errorf("width %d: % X", w, cut)
		}
	}
}

func show(t *testing.T, w *linetest.Wire, c Config, s display.Strip) error {
	t.Helper()
	sp, err := NewSpeaker(7, c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = line.NewSign("strip:7", "7", linetest.Start(t, w), sp).Show(t.Context(), display.View{Strip: &s})
	return err
}

func TestSpeaker(t *testing.T) {
	calling := display.Strip{Phase: display.PhaseCalling, Number: "A012", Text: kiosk.Text{ZH: "请A012", EN: "A012 please"}}
	for _, tt := range []struct {
		c    Config
		s    display.Strip
		want string
	}{
		{Config{Frame: "{text}"}, calling, "A012"},
		{Config{Frame: "{text:8}", Words: true, Charset: "gbk"}, calling, "\xC7\xEBA012  "},
		{Config{Frame: "{text}", Words: true, English: true}, calling, "A012 please"},
		{Config{Frame: "{text}"}, display.Strip{Phase: display.PhasePaused}, "----"},
		{Config{Frame: "[{text}]", Phases: map[display.Phase]string{display.PhaseIdle: "FREE"}}, display.Strip{Phase: display.PhaseIdle}, "[FREE]"},
	} {
		w := &linetest.Wire{}
		if err := show(t, w, tt.c, tt.s); err != nil || string(w.Last()) != tt.want {
			t.Errorf("wrote %q, want %q (%v)", w.Last(), tt.want, err)
		}
	}
}

func TestTheAnswerIsTheProof(t *testing.T) {
	c := Config{Frame: "{02}{address:byte}{text}{03}", Reply: "{06}{address:byte}"}
	w := &linetest.Wire{Reply: func([]byte) []byte { return []byte{0, 6, 6, 7} }}
	if err := show(t, w, c, display.Strip{Number: "A012"}); err != nil {
		t.Fatal(err)
	}
	w.Reply = func([]byte) []byte { return []byte{6, 8} } // another address
	if err := show(t, w, c, display.Strip{Number: "A012"}); !errors.Is(err, line.ErrSilent) {
		t.Fatal(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("{02}{from}{address:hex2}{text:-6}{xor8:hex}{03}", "请A012", 5)
	f.Fuzz(func(t *testing.T, s, text string, address int) {
		tm, err := Parse(s)
		if err != nil {
			return
		}
		b, err := tm.Frame(Content{Address: address, Text: encode("gbk", text), Number: digits(text)})
		if err == nil && len(b) > maxTemplate+maxFields*(maxText+4) {
			t.Fatalf("%d bytes", len(b))
		}
	})
}
