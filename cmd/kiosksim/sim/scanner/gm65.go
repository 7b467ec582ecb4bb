package scanner

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"sync"
)

// A GM65 is a simulated module of that family: it obeys the maker's frames, and
// reads the code before it when its trigger is pulled.
type GM65 struct {
	host io.Writer

	mu    sync.Mutex
	in    []byte
	now   [256]byte // its registers
	kept  [256]byte // what they will be after a power cut
	saves int
	code  string // what is held before it
}

// NewGM65 returns a module as it leaves the factory, which answers into host.
func NewGM65(host io.Writer) *GM65 {
	g := &GM65{host: host}
	g.now[0] = 0xD4 // beeps, lamp, aiming and white light while reading, by its key
	g.now[0x2A], g.now[0x2B] = 0x39, 0x01
	g.kept = g.now
	return g
}

// Hold holds a code before the module.
func (g *GM65) Hold(code string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.code = code
}

// Register returns a register as it will be after a power cut, and how often the
// module was told to keep them.
func (g *GM65) Register(n byte) (kept byte, saves int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.kept[n], g.saves
}

// Receive takes what the host sends and answers whole commands.
func (g *GM65) Receive(_ context.Context, b []byte) {
	g.mu.Lock()
	g.in = append(g.in, b...)
	var out []byte
	for {
		at := bytes.Index(g.in, []byte{0x7E, 0x00})
		if at < 0 || len(g.in) < at+6 {
			break
		}
		f := g.in[at+2:]
		data := int(f[1])
		if f[0] != 8 { // a read names a count, a save nothing of use
			data = 1
		}
		if len(f) < 4+data+2 {
			break
		}
		out = append(out, g.obey(f[0], binary.BigEndian.Uint16(f[2:]), f[4:4+data], f[4+data:])...)
		g.in = f[4+data+2:]
	}
	g.mu.Unlock()
	_, _ = g.host.Write(out) // a cable that is out
}

// obey does what one command says and returns the answer; what is damaged gets
// none. AB CD stands for a sum that nobody made.
func (g *GM65) obey(kind byte, addr uint16, data, sum []byte) []byte {
	whole := append([]byte{kind, byte(len(data)), byte(addr >> 8), byte(addr)}, data...)
	if got := binary.BigEndian.Uint16(sum); got != 0xABCD && got != crc(whole) || int(addr)+len(data) > len(g.now) {
		return nil
	}
	switch kind {
	case 7:
		n := min(int(data[0]), len(g.now)-int(addr))
		return answer(g.now[addr : int(addr)+n])
	case 8:
		copy(g.now[addr:], data)
		if addr == 2 && data[0]&1 != 0 && g.code != "" {
			return append(answer([]byte{0}), g.code+"\r"...)
		}
	case 9:
		g.kept, g.saves = g.now, g.saves+1
	}
	return answer([]byte{0})
}

func answer(data []byte) []byte {
	f := append([]byte{0, byte(len(data))}, data...)
	return binary.BigEndian.AppendUint16(append([]byte{2, 0}, f...), crc(f))
}

// crc is CRC-16/XMODEM.
func crc(b []byte) (sum uint16) {
	for _, c := range b {
		sum ^= uint16(c) << 8
		for range 8 {
			top := sum & 0x8000
			sum <<= 1
			if top != 0 {
				sum ^= 0x1021
			}
		}
	}
	return sum
}
