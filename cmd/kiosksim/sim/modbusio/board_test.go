package modbusio

import (
	"bytes"
	"context"
	"testing"

	"longcheng/cmd/kiosksim/sim/crc16"
)

func ask(b *Board, out *bytes.Buffer, f ...byte) []byte {
	out.Reset()
	c := crc16.Modbus(f)
	b.Receive(context.Background(), append(f, byte(c), byte(c>>8)))
	return append([]byte(nil), out.Bytes()...)
}

// The published frame 01 06 00 00 00 32 08 1F verifies.
func TestPublishedVector(t *testing.T) {
	if c := crc16.Modbus([]byte{1, 6, 0, 0, 0, 0x32}); c != 0x1F08 {
		t.Fatalf("crc %04x", c)
	}
}

func TestButtonsAndLamps(t *testing.T) {
	var out bytes.Buffer
	b := New(1, &out)
	b.Press(2, true)
	if r := ask(b, &out, 1, 2, 0, 0, 0, 8); len(r) != 6 || r[3] != 4 || crc16.Modbus(r) != 0 {
		t.Fatalf("inputs % x", r)
	}
	if r := ask(b, &out, 1, 5, 0, 3, 0xFF, 0); len(r) != 8 || !b.Lamp(3) {
		t.Fatalf("lamp %v, % x", b.Lamp(3), r)
	}
	if r := ask(b, &out, 1, 1, 0, 8, 0, 1); len(r) != 5 || r[1] != 0x81 || r[2] != 2 {
		t.Fatalf("bad address % x", r)
	}
	if r := ask(b, &out, 2, 1, 0, 0, 0, 1); len(r) != 0 {
		t.Fatalf("answered for another unit: % x", r)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{1, 5, 0, 3, 0xFF, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		b := New(1, &out)
		b.Receive(context.Background(), in)
		if len(b.buf) >= 8 {
			t.Fatalf("keeps %d bytes", len(b.buf))
		}
	})
}
