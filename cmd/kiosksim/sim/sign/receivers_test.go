package sign_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"image"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/cmd/kiosksim/sim/alpha"
	"longcheng/cmd/kiosksim/sim/am03127"
	"longcheng/cmd/kiosksim/sim/counter"
	"longcheng/cmd/kiosksim/sim/modbusled"
	"longcheng/cmd/kiosksim/sim/onbonpixel"
	"longcheng/cmd/kiosksim/sim/sign"
	"longcheng/device/glyph"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// Every receiver reads frames that the makers or other implementations published, in
// pieces and after noise, answers as they say, and keeps quiet without power.
func TestReceiversReadPublishedFrames(t *testing.T) {
	var host bytes.Buffer
	modbus := modbusled.New(&host, modbusled.Config{Name: "s", Unit: 1, Cells: 6})
	am := am03127.New(&host, glyph.Face16(), am03127.Config{Name: "s", Number: 1})
	al := alpha.New(glyph.Face16(), alpha.Config{Name: "s", Address: 1})
	co := counter.New(counter.Config{Name: "s", Address: 1})
	px := onbonpixel.New(&host, glyph.Face16(), onbonpixel.Config{Name: "s", Address: 1})
	for _, tt := range []struct {
		name    string
		receive func(context.Context, []byte)
		face    *sign.Face
		frame   []byte
		text    string
		answer  string
	}{
		{"modbus", modbus.Receive, modbus.Face("s"), unhex("01 10 00 00 00 06 0C 00 41 00 30 00 31 00 32 00 20 00 20 16 FE"), "A012", "01 10 00 00 00 06 40 0B"},
		{"am03127", am.Receive, am.Face("s"), []byte("<ID01><L1><PA><FA><MB><WZ><FA><CB><AB>A012 30D<E>"), "A012 3", "41 43 4B"},
		{"alpha", al.Receive, al.Face("s"), unhex("00 00 00 00 00 01 5A 30 30 02 41 41 1B 20 62 41 30 31 32 03 30 31 46 38 04"), "A012", ""},
		{"counter", co.Receive, co.Face("s"), []byte("$001,8.8.8.8.#"), "8.8.8.8.", ""},
		{"pixels", px.Receive, px.Face("s"), unhex(`A5A5A5A5A5A5A5A5 01 00 00 80 F0 00 54 01 00 00 00 00 52 00 00 00 01 A7 00 00 00 49 00 00 00 00 00 00 00 01 00 00
			00 00 00 00 00 10 00 00 00 00 10 00 10 00 00 01 00 2D 00 00 00 00 01 00 00 00 00 00 10 00 00 00 00 00 FF FF FF FF FF FF FF FF
			E7 C3 DB BD DB BD BD FD BD E3 81 FD BD FD BD BD BD BD BD C3 FF FF FF FF E0 44 5A`), "A3", "A5A5A5A5A5A5A5A5"},
	} {
		host.Reset()
		tt.receive(t.Context(), []byte{0xFF, 0x00, 0x55})
		for _, b := range tt.frame {
			tt.receive(t.Context(), []byte{b})
		}
		if got := tt.face.Text(); got != tt.text {
			t.Errorf("%s: shows %q, want %q", tt.name, got, tt.text)
		}
		if !bytes.HasPrefix(host.Bytes(), unhex(tt.answer)) || (host.Len() > 0) != (tt.answer != "") {
			t.Errorf("%s: answers % X, want %s", tt.name, host.Bytes(), tt.answer)
		}
		tt.face.PowerOff()
		host.Reset()
		tt.receive(t.Context(), tt.frame)
		if tt.face.Text() != "" || host.Len() > 0 {
			t.Errorf("%s: without power it shows %q and answers % X", tt.name, tt.face.Text(), host.Bytes())
		}
		if n := len(tt.face.History()); n != 2 {
			t.Errorf("%s: %d changes", tt.name, n)
		}
	}
}

// lamps counts the dots of a picture by what they are lit with.
func lamps(m image.Image) (red, green, both int) {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			r, g, _, _ := m.At(x, y).RGBA()
			switch {
			case r == 0xFFFF && g == 0xFFFF:
				both++
			case r == 0xFFFF:
				red++
			case g == 0xFFFF:
				green++
			}
		}
	}
	return red, green, both
}

// Each sign looks like itself: its colours dot by dot, its segments, its own blinking;
// without power it is dark.
func TestFaces(t *testing.T) {
	face := glyph.Face16()
	var dots int
	g, _ := face.Glyph('A')
	for y := range g.H {
		for x := range g.W {
			if g.At(x, y) {
				dots++
			}
		}
	}
	am := am03127.New(io.Discard, face, am03127.Config{Name: "s", Number: 1})
	am.Receive(t.Context(), []byte("<ID01><L1><MA><CE>A<CB>A76<E>"))
	if red, green, _ := lamps(am.Face("s").Image()); red != dots || green != dots {
		t.Errorf("am03127: %d red, %d green, want %d of each", red, green, dots)
	}
	px := onbonpixel.New(io.Discard, face, onbonpixel.Config{Name: "s", Address: 1, Width: 64, Height: 16, TwoColour: true})
	px.Receive(t.Context(), twoColours())
	if red, green, both := lamps(px.Face("s").Image()); red != 8 || green != 4 || both != 4 {
		t.Errorf("pixels: %d red, %d green, %d both", red, green, both)
	}
	led := modbusled.New(io.Discard, modbusled.Config{Name: "s", Unit: 1, Cells: 6})
	blank := led.Face("s").Image()
	led.Receive(t.Context(), unhex("01 10 00 00 00 06 0C 00 41 00 30 00 31 00 32 00 20 00 20 16 FE"))
	if shown, _, _ := lamps(led.Face("s").Image()); shown == 0 || led.Face("s").Image().Bounds() != blank.Bounds() {
		t.Error("modbus: no segment is lit")
	}
	for _, f := range []*sign.Face{am.Face("s"), px.Face("s"), led.Face("s")} {
		f.PowerOff()
		if red, green, both := lamps(f.Image()); red+green+both != 0 {
			t.Errorf("without power %d lamps are lit", red+green+both)
		}
	}
}

// twoColours is an area of 16x1 dots: eight red ones, four green ones, four of both.
func twoColours() []byte {
	data := unhex("01 00 00 80 F0 00 54 01 00 00 00 00 36 00 00 00 01 A7 00 00 00 2D 00 00 00" +
		"00 00 00 00 00 00 00 00 00 00 00 00" + "10 00 00 00 00 10 00 01 00 00 01 00" + "11 00 00 00" + "00 01 00 00 00 00 00 01 00 00 00 00 00" + "00 FF F0 00")
	sum := uint16(0)
	for _, v := range data {
		for bit := range 8 {
			low := (sum ^ uint16(v>>bit)) & 1
			sum >>= 1
			if low == 1 {
				sum ^= 0xA001
			}
		}
	}
	return append(append([]byte{0xA5}, data...), byte(sum), byte(sum>>8), 0x5A)
}

// A sign that blinks by itself is lit for one half of each second and dark for the
// other, like its neighbour that was told at the same moment.
func TestBlinking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		al := alpha.New(glyph.Face16(), alpha.Config{Name: "s", Address: 1})
		al.Receive(t.Context(), unhex("00 00 00 00 00 01 5A 30 30 02 41 41 1B 20 63 41 30 31 32 03 30 31 46 39 04"))
		for i, want := range []bool{true, false, true, false} {
			if red, _, _ := lamps(al.Face("s").Image()); (red > 0) != want {
				t.Errorf("half second %d: lit %v", i, red > 0)
			}
			time.Sleep(500 * time.Millisecond)
		}
	})
}

// What does not fit a display of segments is cut off, and points light where they
// belong.
func TestSegments(t *testing.T) {
	count := func(text string, cells int) int {
		red, _, _ := lamps(sign.Segments(text, cells))
		return red
	}
	if count("8.", 1) <= count("8", 1) || count("8.8", 2) != count("8.", 1)+count("8", 1) || count("88", 1) != count("8", 1) || count("a", 1) != count("A", 1) || count("?", 1) != 0 {
		t.Error("segments are lit that should not be, or the other way")
	}
}

// Damaged frames change nothing.
func TestReceiversRefuseDamage(t *testing.T) {
	var host bytes.Buffer
	modbus := modbusled.New(&host, modbusled.Config{Name: "s", Unit: 1, Cells: 6})
	am := am03127.New(&host, glyph.Face16(), am03127.Config{Name: "s", Number: 1})
	modbus.Receive(t.Context(), unhex("01 10 00 00 00 06 0C 00 41 00 30 00 31 00 32 00 20 00 20 16 FF"))
	am.Receive(t.Context(), []byte("<ID01><L1>A01200<E>"))
	if modbus.Face("s").Text()+am.Face("s").Text() != "" || host.String() != "NACK" {
		t.Errorf("%q %q %q", modbus.Face("s").Text(), am.Face("s").Text(), host.String())
	}
	modbus.Face("s").Unplug(true)
	if modbus.Face("s").Hears() {
		t.Error("hears without a wire")
	}
}

func FuzzReceivers(f *testing.F) {
	f.Add([]byte("<ID01>A41<E>$001,x#\x01\x03\x00\x00\x00\x01\x84\x0a"))
	face := glyph.Face16()
	f.Fuzz(func(t *testing.T, b []byte) {
		var host bytes.Buffer
		for _, r := range []func(context.Context, []byte){
			modbusled.New(&host, modbusled.Config{Unit: 1, Cells: 6}).Receive, am03127.New(&host, face, am03127.Config{Number: 1}).Receive,
			alpha.New(face, alpha.Config{Address: 1}).Receive, counter.New(counter.Config{Address: 1}).Receive,
			onbonpixel.New(&host, face, onbonpixel.Config{Address: 1}).Receive,
		} {
			r(t.Context(), b)
		}
	})
}
