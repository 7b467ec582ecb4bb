package alpha

import (
	"bytes"
	"errors"
	"math/bits"
	"testing"

	"longcheng/display"
	"longcheng/display/line"
	"longcheng/display/line/linetest"
	"longcheng/kiosk"
)

// Frames that another implementation produced.
func TestFrames(t *testing.T) {
	for _, tt := range []struct {
		p    Packet
		want string
	}{
		{Text(0, 'A', Hold, "A012"), "00 00 00 00 00 01 5A 30 30 02 41 41 1B 20 62 41 30 31 32 03 30 31 46 38 04"},
		{Text(1, Priority, Flash, "A012 >3"), "00 00 00 00 00 01 5A 30 31 02 41 30 1B 20 63 41 30 31 32 20 3E 33 03 30 32 37 39 04"},
		{String(1, '1', "A012"), "00 00 00 00 00 01 5A 30 31 02 47 31 41 30 31 32 03 30 31 35 31 04"},
	} {
		got, err := tt.p.Append(nil)
		if err != nil || !bytes.Equal(got, linetest.Hex(t, tt.want)) {
			t.Errorf("got % X, want %s (%v)", got, tt.want, err)
		}
		back, err := Decode(got)
		if err != nil || back.Address != tt.p.Address || back.Command != tt.p.Command || !bytes.Equal(back.Data, tt.p.Data) {
			t.Errorf("decoded %+v, %v", back, err)
		}
		for i := range got {
			damaged := bytes.Clone(got)
			damaged[i] ^= 0x20
			if p, err := Decode(damaged); err == nil && (p.Command != tt.p.Command || !bytes.Equal(p.Data, tt.p.Data)) {
				t.Errorf("byte %d damaged and accepted: %+v", i, p)
			}
		}
	}
	if _, err := Text(256, 'A', Hold, "").Append(nil); err == nil {
		t.Error("address 256")
	}
	if p := Text(1, Priority, Hold, ""); len(p.Data) != 1 {
		t.Errorf("an empty priority text ends the priority: % X", p.Data)
	}
	if _, err := Decode(nil); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

func TestEvenParity(t *testing.T) {
	b := []byte("A012\x01\x04请")
	Even(b)
	for _, v := range b {
		if bits.OnesCount8(v)%2 != 0 {
			t.Errorf("%08b", v)
		}
	}
}

func TestSpeaker(t *testing.T) {
	w := &linetest.Wire{}
	v := display.View{Strip: &display.Strip{Phase: display.PhaseCalling, Number: "A012", Text: kiosk.Text{ZH: "请A012", EN: "A012 now"}}}
	for _, tt := range []struct {
		s    Speaker
		dark bool
		want string
	}{
		{Speaker{Address: 3}, false, "A\x1b bA012 now"},
		{Speaker{Address: 3}, true, "A\x1b b "},
		{Speaker{Address: 3, Native: true}, false, "A\x1b cA012 now"},
	} {
		sign := line.NewSign("strip:3", "3", linetest.Start(t, w), tt.s)
		var err error
		if tt.dark {
			err = sign.Blink(t.Context(), v, false)
		} else {
			_, err = sign.Show(t.Context(), v)
		}
		p, bad := Decode(w.Last())
		if err != nil || bad != nil || string(p.Data) != tt.want {
			t.Errorf("%+v: %q, %v, %v", tt.s, p.Data, err, bad)
		}
	}
	v.Strip.Text.EN = ""
	sign := line.NewSign("strip:3", "3", linetest.Start(t, w), Speaker{Parity: true})
	if _, err := sign.Show(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	b := w.Last()
	for i := range b {
		b[i] &= 0x7F
	}
	if p, err := Decode(b); err != nil || string(p.Data) != "A\x1b bA012" {
		t.Errorf("%q, %v", p.Data, err)
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := Text(0, 'A', Hold, "A012").Append(nil)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		again, err := p.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := Decode(again); err != nil || !bytes.Equal(p.Data, q.Data) || p.Address != q.Address {
			t.Fatal(err)
		}
	})
}
