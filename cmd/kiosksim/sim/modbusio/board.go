// Package modbusio is a simulated Modbus RTU board with eight inputs and eight
// coils: function codes 1, 2 and 5. It does not know the program that asks it.
package modbusio

import (
	"context"
	"encoding/binary"
	"io"
	"sync"

	"longcheng/cmd/kiosksim/sim/crc16"
)

const lines = 8

// A Board is one slave.
type Board struct {
	host io.Writer
	unit byte

	mu            sync.Mutex
	inputs, coils byte
	buf           []byte
}

// New returns the board with this unit address that answers into host.
func New(unit byte, host io.Writer) *Board { return &Board{host: host, unit: unit} }

// Press holds button n (0 to 7) down or lets it go.
func (b *Board) Press(n int, held bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inputs = with(b.inputs, n, held)
}

// Lamp reports whether coil n (0 to 7) is on.
func (b *Board) Lamp(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.coils>>n&1 == 1
}

// Receive takes the host's bytes: requests of eight bytes, address, function,
// two big-endian words, CRC-16/MODBUS low byte first. It steps over noise.
func (b *Board) Receive(_ context.Context, in []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf = append(b.buf, in...)
	for len(b.buf) >= 8 {
		f := b.buf[:8]
		if crc16.Modbus(f) != 0 {
			b.buf = b.buf[1:]
			continue
		}
		b.buf = b.buf[8:]
		if f[0] == b.unit {
			b.execute(f)
		}
	}
}

func (b *Board) execute(f []byte) {
	from, n := int(binary.BigEndian.Uint16(f[2:])), int(binary.BigEndian.Uint16(f[4:]))
	switch f[1] {
	case 1, 2:
		if n < 1 || from+n > lines {
			b.answer(f[1]|0x80, 2)
			return
		}
		v := b.coils
		if f[1] == 2 {
			v = b.inputs
		}
		b.answer(f[1], 1, v>>from&byte(1<<n-1))
	case 5:
		if from >= lines || n != 0 && n != 0xFF00 {
			b.answer(0x85, 2)
			return
		}
		b.coils = with(b.coils, from, n != 0)
		b.answer(f[1:6]...)
	default:
		b.answer(f[1]|0x80, 1)
	}
}

func (b *Board) answer(data ...byte) {
	f := append([]byte{b.unit}, data...)
	c := crc16.Modbus(f)
	b.host.Write(append(f, byte(c), byte(c>>8)))
}

func with(v byte, n int, on bool) byte {
	if on {
		return v | 1<<n
	}
	return v &^ (1 << n)
}
