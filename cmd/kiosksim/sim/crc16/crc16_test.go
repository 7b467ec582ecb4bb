package crc16

import "testing"

// The sums of "123456789" are those of the catalogue of parametrised CRC algorithms.
func TestKnownSums(t *testing.T) {
	b := []byte("123456789")
	if m, a := Modbus(b), ARC(b); m != 0x4B37 || a != 0xBB3D {
		t.Errorf("%04X and %04X, want 4B37 and BB3D", m, a)
	}
	if s := Modbus(b); Modbus(append(b, byte(s), byte(s>>8))) != 0 {
		t.Error("the sum over bytes and their sum is not zero")
	}
}
