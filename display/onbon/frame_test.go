package onbon

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

const lead = "A5A5A5A5A5A5A5A5"

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func update(t *testing.T, a Area) []byte {
	t.Helper()
	b, err := a.Update()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func gbk(t *testing.T, spans ...Span) []byte {
	t.Helper()
	b, replaced := EncodeText(spans)
	if len(replaced) > 0 {
		t.Fatalf("replaced %q", replaced)
	}
	return b
}

// The frames that the vendor's own Java kit sends, and two of a third party
// whose check sums hold.
func TestFramesAreThoseOfTheVendor(t *testing.T) {
	monday := time.Date(2026, 11, 23, 9, 5, 7, 0, time.UTC)
	vendor := Area{W: 64, H: 16, ByteUnits: true, Timeout: 5, Motion: Static, Text: gbk(t, Span{Text: "A012请到3号窗口"})}
	pixels := Area{W: 64, H: 16, Motion: Static, Text: gbk(t, Span{Red, "A012 请"})}
	tests := []struct {
		name string
		f    Frame
		want string
	}{
		{"ping", Frame{To: 1, From: HostAddress, Device: AnyDevice, Data: Ping()}, "01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A2 00 01 00 00 68 F8 5A"},
		{"clear", Frame{To: 1, From: HostAddress, Device: AnyDevice, Data: Clear()}, "01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A3 10 01 00 00 51 F8 5A"},
		{"clear any", Frame{To: AnyAddress, From: HostAddress, Device: AnyDevice, Data: Clear()}, "FE FF 00 80 00 00 00 00 00 00 FE 02 05 00 A3 10 01 00 00 75 DC 5A"},
		{"screen on", Frame{To: AnyAddress, From: HostAddress, Device: AnyDevice, Data: Power(true)}, "FE FF 00 80 00 00 00 00 00 00 FE 02 06 00 A3 00 01 00 00 01 5D F1 5A"},
		{"clock", Frame{To: AnyAddress, From: HostAddress, Device: AnyDevice, Data: SetClock(monday)}, "FE FF 00 80 00 00 00 00 00 00 FE 02 0D 00 A2 03 01 00 00 26 20 11 23 09 05 07 01 A0 B1 5A"},
		{"area in bytes", Frame{To: 1, From: HostAddress, Device: Device5K1, Data: update(t, vendor)}, "01 00 00 80 00 00 00 00 00 00 51 02 33 00 A3 06 01 00 00 00 01 2A 00 00 00 00 00 00 08 00 10 00 00 00 00 05 00 00 00 00 01 01 01 00 00 00 0F 00 00 00 41 30 31 32 C7 EB B5 BD 33 BA C5 B4 B0 BF DA 55 06 5A"},
		{"area in pixels", Frame{To: 1, From: HostAddress, Device: AnyDevice, Data: update(t, pixels)}, "01 00 00 80 00 00 00 00 00 00 FE 02 2E 00 A3 06 01 00 00 00 01 25 00 00 00 80 00 00 40 80 10 00 00 00 00 00 00 00 00 00 01 01 01 00 00 00 0A 00 00 00 5C 43 31 41 30 31 32 20 C7 EB 81 F6 5A"},
		{"ack", Frame{To: HostAddress, From: 1, Device: AnyDevice, Data: []byte{0xA0, 0, 0, 0, 0}}, "00 80 01 00 00 00 00 00 00 00 FE 02 05 00 A0 00 00 00 00 64 DC 5A"},
		{"nack", Frame{To: HostAddress, From: 1, Device: AnyDevice, Data: []byte{0xA0, 1, 5, 0, 0}}, "00 80 01 00 00 00 00 00 00 00 FE 02 05 00 A0 01 05 00 00 75 21 5A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := unhex(t, lead+tt.want)
			got, err := tt.f.Append(nil)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("got\n% X, %v\nwant\n% X", got, err, want)
			}
			back := decodeAll(t, want)
			if len(back) != 1 || !bytes.Equal(back[0].Data, tt.f.Data) || back[0].To != tt.f.To || back[0].From != tt.f.From {
				t.Fatalf("read back %+v", back)
			}
		})
	}
}

func decodeAll(t *testing.T, wire []byte) []*Frame {
	t.Helper()
	var d Decoder
	var fs []*Frame
	for _, b := range wire {
		f, err := d.Feed(b)
		if err != nil {
			t.Fatal(err)
		}
		if f != nil {
			fs = append(fs, f)
		}
	}
	return fs
}

func TestCheckValueOfCRC(t *testing.T) {
	if got := crc16([]byte("123456789")); got != 0xBB3D {
		t.Fatalf("crc %04X, want BB3D", got)
	}
}

// Every byte value survives the escapes, also right after one another.
func TestEscapesRoundTrip(t *testing.T) {
	data := []byte{0xA5, 0xA6, 0x5A, 0x5B, 0x5B, 0x5A, 0xA6, 0xA5, 1, 2}
	for i := range 256 {
		data = append(data, byte(i))
	}
	wire, err := Frame{To: 0x5AA5, From: 0xA65B, Data: data}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(wire[preambleLen:], []byte{terminator}); n != 1 {
		t.Fatalf("%d terminators", n)
	}
	if f := decodeAll(t, wire); len(f) != 1 || !bytes.Equal(f[0].Data, data) {
		t.Fatalf("read back %+v", f)
	}
}

func TestDecoderFindsFrameAfterNoise(t *testing.T) {
	good, _ := Frame{To: 1, From: 2, Data: Ping()}.Append(nil)
	bad := bytes.Clone(good)
	bad[12] ^= 0x40
	wire := append([]byte{0, 0xFF, 0x5A, 0xA6, 7}, bad...)
	wire = append(wire, good[:14]...) // cut short
	wire = append(wire, good...)
	var d Decoder
	var frames, faults int
	for _, b := range wire {
		f, err := d.Feed(b)
		if f != nil {
			frames++
		}
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			faults++
		}
	}
	if frames != 1 || faults != 2 {
		t.Fatalf("%d frames, %d faults; want 1 and 2", frames, faults)
	}
}

func TestNackNamesItsReason(t *testing.T) {
	_, err := ParseReply(&Frame{From: 7, Data: []byte{0xA0, 1, 12, 0, 0}})
	var no *Refused
	if !errors.As(err, &no) || no.Card != 7 || !strings.Contains(err.Error(), "font missing") {
		t.Fatalf("err %v", err)
	}
}

// 誠 ends in 5C in GBK: only a backslash of the text itself is an escape.
func TestTextCannotInjectEscapes(t *testing.T) {
	tests := []struct {
		in, want string
		replaced int
	}{
		{`\C2A1`, "A3DC 4332 4131", 1},
		{"A\n1\x00", "41 20 31 20", 0},
		{"€", "A1FE", 1},
		{"😀", "A1FE", 1},
		{"龘", "FD93", 0},
		{"\xff", "A1FE", 1},
		{"誠", "D55C", 0},
	}
	for _, tt := range tests {
		got, replaced := EncodeText([]Span{{Text: tt.in}})
		if !bytes.Equal(got, unhex(t, tt.want)) || len(replaced) != tt.replaced {
			t.Errorf("%q: % X, replaced %q", tt.in, got, replaced)
		}
		if bytes.ContainsRune(got, '?') {
			t.Errorf("%q became a question mark", tt.in)
		}
	}
}

func TestColourIsWrittenOnlyWhenItChanges(t *testing.T) {
	got := gbk(t, Span{Red, "A"}, Span{Red, "1"}, Span{Text: "-"}, Span{Green, "2"})
	if string(got) != `\C1A1-\C22` {
		t.Fatalf("%q", got)
	}
}

func TestImpossibleAreasAreRefused(t *testing.T) {
	for _, a := range []Area{
		{W: 0, H: 16, Motion: Static}, {W: 64, H: 5000, Motion: Static}, {X: -1, W: 64, H: 16, Motion: Static},
		{W: 60, H: 16, ByteUnits: true, Motion: Static}, {W: 64, H: 16}, {W: 64, H: 16, Motion: Static, Text: make([]byte, 2000)},
	} {
		if _, err := a.Update(); err == nil {
			t.Errorf("accepted %+v", a)
		}
	}
	if _, err := (Frame{Data: make([]byte, maxData+1)}).Append(nil); err == nil {
		t.Error("accepted a frame that is too long")
	}
}

func FuzzDecoder(f *testing.F) {
	good, _ := Frame{To: 1, From: HostAddress, Device: AnyDevice, Data: Ping()}.Append(nil)
	f.Add(good)
	f.Add([]byte{0xA5, 0xA6, 0x03, 0x5A})
	f.Add(append(bytes.Repeat([]byte{0xA5}, 9), 0x5A))
	f.Fuzz(func(t *testing.T, wire []byte) {
		var d Decoder
		for _, b := range wire {
			fr, err := d.Feed(b)
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("error of no class: %v", err)
			}
			if len(d.body) > maxBody {
				t.Fatal("decoder grows without bound")
			}
			if fr == nil {
				continue
			}
			_, _ = ParseReply(fr)
			again, err := fr.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			if back := decodeAll(t, again); len(back) != 1 || !bytes.Equal(back[0].Data, fr.Data) {
				t.Fatalf("read back %+v, want %+v", back, fr)
			}
		}
	})
}
