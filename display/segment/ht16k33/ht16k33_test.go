package ht16k33

import (
	"testing"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"longcheng/display/segment"
)

func TestPanel(t *testing.T) {
	memory := make([]byte, 17)
	memory[1], memory[3], memory[7], memory[9] = 0x77, 0x3F, 0x06, 0x5B // A 0 : 1 2
	bus := &i2ctest.Playback{Ops: []i2ctest.IO{{Addr: 0x71, W: []byte{0x21}}, {Addr: 0x71, W: memory}, {Addr: 0x71, W: []byte{0xE7}}, {Addr: 0x71, W: []byte{0x81}}}, DontPanic: true}
	p, err := New(bus, 0x71, FourDigits(), 7)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Put(segment.Cells("A012", p.Len())); err != nil {
		t.Fatal(err)
	}
	if err := bus.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Put(make([]byte, 4)); err == nil {
		t.Error("a chip that does not acknowledge is no error")
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	bus := &i2ctest.Record{}
	for _, c := range []struct {
		address int
		columns []int
		level   int
	}{{0x6F, FourDigits(), 1}, {0x70, nil, 1}, {0x70, []int{8}, 1}, {0x70, FourDigits(), 16}} {
		if _, err := New(bus, c.address, c.columns, c.level); err == nil {
			t.Errorf("accepted %+v", c)
		}
	}
	if _, err := Open(99, 0x70, FourDigits(), 1); err == nil {
		t.Error("opened a bus that is not there")
	}
}
