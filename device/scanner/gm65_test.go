package scanner

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"longcheng/device"
	"longcheng/device/devicetest"
)

// The frames that the maker prints.
func TestGM65(t *testing.T) {
	for want, got := range map[string][]byte{
		"7E 00 08 01 00 02 01 02 DA": TriggerGM65(),
		"7E 00 07 01 00 2A 02 D8 0F": AskGM65(),
		"7E 00 09 01 00 00 00 DE C8": gm65(9, 0x0000, 0),
	} {
		if b, _ := hex.DecodeString(strings.ReplaceAll(want, " ", "")); !bytes.Equal(b, got) {
			t.Errorf("% X, want %s", got, want)
		}
	}
	if code, err := Decode(append(bytes.Clone(ackGM65), "]Q1A123"...)); code != "A123" || err != nil {
		t.Errorf("%q, %v", code, err)
	}
	if !IsGM65([]byte{2, 0, 0, 2, 0x39, 1, 0xC1, 0x4C}) || IsGM65([]byte{2, 0, 0, 2, 0x38, 1, 0xC1, 0x4C}) || IsGM65([]byte("hello, this is none")) {
		t.Error("answers are not recognised")
	}
}

// answer is what a module says.
func answer(data ...byte) devicetest.Op {
	f := append([]byte{0, byte(len(data))}, data...)
	crc := xmodem(f)
	return devicetest.R(append(append([]byte{2, 0}, f...), byte(crc>>8), byte(crc))...)
}

// A module is read, written, read back and told to keep it; one that is right
// already is left alone, one that lies or is another device is told of.
func TestSetUp(t *testing.T) {
	ask, ok := devicetest.W(gm65(7, 0, 1)...), answer(0)
	set := devicetest.W(gm65(8, 0, 0xD7)...)
	for name, c := range map[string]struct {
		ops     []devicetest.Op
		changed bool
		want    string
	}{
		"set up":      {[]devicetest.Op{ask, answer(0xD0), set, ok, ask, answer(0xD7), devicetest.W(gm65(9, 0, 0)...), ok}, true, ""},
		"as it was":   {[]devicetest.Op{ask, answer(0xD7)}, false, ""},
		"not taken":   {[]devicetest.Op{ask, answer(0xD0), set, ok, ask, answer(0xD0)}, false, "register 0 is D0 instead of D7"},
		"a code":      {[]devicetest.Op{ask, devicetest.R([]byte("A123\r\nB12345678901234")...)}, false, ErrNoGM65.Error()},
		"a wrong sum": {[]devicetest.Op{ask, devicetest.R(2, 0, 0, 1, 0xD0, 1, 2)}, false, ErrNoGM65.Error()},
		"unplugged":   {[]devicetest.Op{ask, devicetest.Gone()}, false, device.ErrGone.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			p := devicetest.NewScript(t, c.ops...)
			changed, err := GM65{Mode: Sense, Light: true, Beep: true}.SetUp(t.Context(), p)
			if changed != c.changed || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("changed %v, %v", changed, err)
			}
		})
	}
	if _, err := (GM65{Mode: "laser"}).register(0); err == nil {
		t.Error("a mode that does not exist")
	}
	if r, _ := (GM65{Mode: Key}).register(0xFF); r != 0xB0 {
		t.Errorf("register %02X", r)
	}
}
