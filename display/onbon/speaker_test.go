package onbon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"longcheng/display"
	"longcheng/display/line"
	"longcheng/display/line/linetest"
	"longcheng/kiosk"
)

// sign is a card as the vendor's manual lays it out: it takes frames apart on its
// own, remembers the text of area 0 and answers.
type sign struct {
	dead bool
	echo bool
	late []byte // what another card still says
	nack []byte // error codes to give first
	text string
	got  int
}

// reply is what the line carries back for b.
func (c *sign) reply(b []byte) (out []byte) {
	if c.echo {
		out = append(out, b...)
	}
	out = append(out, c.late...)
	body := receive(b)
	if c.dead {
		return out
	}
	return append(out, c.answer(binary.LittleEndian.Uint16(body), body[14:len(body)-2])...)
}

// receive undoes preamble and escapes, independently of the Decoder.
func receive(b []byte) []byte {
	b = bytes.TrimLeft(b, "\xA5")
	b = b[:bytes.IndexByte(b, 0x5A)]
	return []byte(strings.NewReplacer("\xA6\x02", "\xA5", "\xA6\x01", "\xA6", "\x5B\x02", "\x5A", "\x5B\x01", "\x5B").Replace(string(b)))
}

func (c *sign) answer(card uint16, data []byte) []byte {
	c.got++
	reply := []byte{0xA0, 0, 0, 0, 0}
	switch {
	case len(c.nack) > 0:
		reply[1], reply[2], c.nack = 1, c.nack[0], c.nack[1:]
	case data[0] == 0xA3 && data[1] == 0x06:
		area := data[9 : 9+binary.LittleEndian.Uint16(data[7:])]
		n := binary.LittleEndian.Uint32(area[23:])
		text, _ := simplifiedchinese.GBK.NewDecoder().Bytes(area[27 : 27+n])
		c.text = string(text)
	}
	wire, _ := Frame{To: HostAddress, From: card, Device: AnyDevice, Data: reply}.Append(nil)
	return wire
}

// hang puts the card on a line of its own.
func hang(t *testing.T, c *sign, conf Config) *line.Sign {
	t.Helper()
	s, err := NewSpeaker(conf)
	if err != nil {
		t.Fatal(err)
	}
	return line.NewSign("strip:3", "1", linetest.Start(t, &linetest.Wire{Reply: c.reply}), s)
}

func calling(number string) display.View {
	return display.View{Calls: []int64{41}, Strip: &display.Strip{Window: 3, Phase: display.PhaseCalling, Number: number, Text: kiosk.Text{ZH: "请" + number}}}
}

var small = Config{Card: 1, W: 64, H: 16}

func TestStripSaysWhatTheWindowDoes(t *testing.T) {
	c := &sign{}
	s := hang(t, c, small)
	tests := []struct {
		st   display.Strip
		want string
	}{
		{display.Strip{Phase: display.PhaseCalling, Number: "A012", Text: kiosk.Text{ZH: "请A012"}}, `\C1请A012`},
		{display.Strip{Phase: display.PhaseServing, Number: "A012", Text: kiosk.Text{ZH: "A012办理"}}, `\C2A012办理`},
		{display.Strip{Phase: display.PhaseServing, Number: "ABC0012", Text: kiosk.Text{ZH: "ABC0012办理"}}, `\C2ABC0012`},
		{display.Strip{Phase: display.PhasePaused, Text: kiosk.Text{ZH: "暂停服务"}}, `\C2暂停服务`},
		{display.Strip{Phase: display.PhaseIdle, Text: kiosk.Text{ZH: "欢迎光临", EN: "Welcome"}}, `\C2欢迎光临`},
	}
	for _, tt := range tests {
		if _, err := s.Show(t.Context(), display.View{Strip: &tt.st}); err != nil || c.text != tt.want {
			t.Errorf("shows %q, want %q (%v)", c.text, tt.want, err)
		}
	}
	if err := s.Blink(t.Context(), calling("A012"), false); err != nil || c.text != " " {
		t.Errorf("dark is %q (%v)", c.text, err)
	}
	if err := s.Blink(t.Context(), calling("A012"), true); err != nil || c.text != `\C1请A012` {
		t.Errorf("lit is %q (%v)", c.text, err)
	}
}

// An echo alone is not an answer: a strip whose power is gone must not count as shown
// because the transceiver repeats what we said. Nor is another card's.
func TestStripProvesOnlyWhatTheCardAcknowledged(t *testing.T) {
	another, _ := Frame{To: HostAddress, From: 9, Device: AnyDevice, Data: []byte{0xA0, 0, 0, 0, 0}}.Append(nil)
	c := &sign{echo: true, late: another}
	s := hang(t, c, small)
	if shown, err := s.Show(t.Context(), calling("A012")); err != nil || !slices.Equal(shown, []int64{41}) {
		t.Fatalf("shown %v, %v", shown, err)
	}
	c.dead = true
	if shown, err := s.Show(t.Context(), calling("A013")); !errors.Is(err, line.ErrSilent) || shown != nil {
		t.Fatalf("shown %v, %v", shown, err)
	}
}

// What was damaged or came too soon is sent again; what was refused is not.
func TestRepeats(t *testing.T) {
	for _, tt := range []struct {
		nack []byte
		sent int
		code byte
	}{{nil, 1, 0}, {[]byte{5}, 2, 0}, {[]byte{3, 5}, 3, 0}, {[]byte{3, 3, 3, 3}, 3, 3}, {[]byte{12}, 1, 12}} {
		c := &sign{nack: slices.Clone(tt.nack)}
		_, err := hang(t, c, small).Show(t.Context(), calling("A012"))
		var no *Refused
		if errors.As(err, &no) != (tt.code != 0) || no != nil && no.Code != tt.code || c.got != tt.sent {
			t.Errorf("nack %v: sent %d times, %v", tt.nack, c.got, err)
		}
	}
}

func TestStripReportsWhatItCannotShow(t *testing.T) {
	var heard []string
	conf := small
	conf.OnReplaced = func(text string, r []rune) { heard = append(heard, text+"/"+string(r)) }
	s := hang(t, &sign{}, conf)
	v := display.View{Strip: &display.Strip{Phase: display.PhasePaused, Text: kiosk.Text{ZH: "午休😀"}}}
	for range 2 {
		if _, err := s.Show(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	if len(heard) != 1 || heard[0] != "午休😀/😀" {
		t.Fatalf("reports %q", heard)
	}
}

func TestStripRefusesWrongConfiguration(t *testing.T) {
	for _, c := range []Config{{W: 0, H: 16}, {W: 60, H: 16, Bytes: true}} {
		if _, err := NewSpeaker(c); err == nil {
			t.Errorf("accepted %+v", c)
		}
	}
}
