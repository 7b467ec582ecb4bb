package max7219

import (
	"errors"
	"testing"

	"periph.io/x/conn/v3/conntest"
	"periph.io/x/conn/v3/spi/spitest"

	"longcheng/display/segment"
)

// chip executes what is written, as the datasheet says.
func chip(t *testing.T, ops []conntest.IO) (shown string) {
	t.Helper()
	var reg [16]byte
	for _, op := range ops {
		if len(op.W) != 2 || op.W[0] > 15 {
			t.Fatalf("wrote % X", op.W)
		}
		reg[op.W[0]] = op.W[1]
	}
	if reg[0xC]&1 == 0 || reg[0xF]&1 != 0 || reg[9] != 0 {
		return "dark"
	}
	glyphs := map[byte]string{0x77: "A", 0x7E: "0", 0x30: "1", 0x6D: "2", 0x01: "-", 0: " "}
	for digit := int(reg[0xB]) + 1; digit > 0; digit-- {
		g, ok := glyphs[reg[digit]]
		if !ok {
			g = "?"
		}
		shown += g
	}
	return shown
}

func TestPanel(t *testing.T) {
	rec := &spitest.Record{}
	p, err := New(rec, 8, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Put(segment.Cells("A012", p.Len())); err != nil {
		t.Fatal(err)
	}
	if got := chip(t, rec.Ops); got != "    A012" {
		t.Errorf("shows %q", got)
	}
	if rec.Ops[3].W[1] != 5 {
		t.Error("brightness")
	}
	for _, bad := range [][2]int{{0, 5}, {9, 5}, {4, 16}} {
		if _, err := New(&spitest.Record{}, bad[0], bad[1]); err == nil {
			t.Errorf("accepted %v", bad)
		}
	}
}

func TestABrokenBusIsAnError(t *testing.T) {
	p, err := New(&spitest.Playback{Playback: conntest.Playback{DontPanic: true}}, 4, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Put(make([]byte, 4)); err == nil {
		t.Error("no error", errors.Unwrap(err))
	}
	if _, err := Open(99, 9, 4, 5); err == nil {
		t.Error("opened a bus that is not there")
	}
}
