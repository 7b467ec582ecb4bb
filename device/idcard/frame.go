package idcard

// Frame limits. The length counts everything after itself; the longest reply
// that the protocol knows has 0x090A.
const (
	minLen   = 4
	maxLen   = 0x0A00
	preamble = 5 // AA AA AA 96 69
)

// command returns the frame of a command.
func command(cmd, para byte, data ...byte) []byte {
	f := append([]byte{0, byte(3 + len(data)), cmd, para}, data...)
	return append(append([]byte{0xAA, 0xAA, 0xAA, 0x96, 0x69}, f...), xor(f))
}

// A reply is one frame of the reader. The two status words of the card before
// the module's are of no use here.
type reply struct {
	status Status
	data   []byte // points into the hunter's buffer
}

// heard is what one more byte did.
type heard int

const (
	nothing heard = iota // not yet
	whole                // completed a frame
	damaged              // showed that the frame is damaged
)

// A hunter finds frames in a stream byte by byte. Inside a frame it goes by
// length alone, because data may look like a preamble.
type hunter struct {
	sync int // preamble bytes seen
	buf  [2 + maxLen]byte
	n    int
}

// feed takes one byte. After a damaged frame it hunts for the next one.
func (h *hunter) feed(b byte) (reply, heard) {
	if h.sync < preamble {
		h.hunt(b)
		return reply{}, nothing
	}
	h.buf[h.n] = b
	h.n++
	if h.n < 2 {
		return reply{}, nothing
	}
	size := int(h.buf[0])<<8 | int(h.buf[1])
	if size < minLen || size > maxLen {
		h.reset()
		return reply{}, damaged
	}
	if h.n < 2+size {
		return reply{}, nothing
	}
	f := h.buf[:h.n]
	h.reset()
	if xor(f) != 0 {
		return reply{}, damaged
	}
	return reply{Status(f[4]), f[5 : len(f)-1]}, whole
}

// hunt advances over AA AA AA 96 69; more than three AA are allowed.
func (h *hunter) hunt(b byte) {
	switch {
	case h.sync < 3 && b == 0xAA, h.sync == 3 && b == 0x96, h.sync == 4 && b == 0x69:
		h.sync++
	case h.sync == 3 && b == 0xAA:
	case b == 0xAA:
		h.sync = 1
	default:
		h.sync = 0
	}
}

func (h *hunter) reset() { h.sync, h.n = 0, 0 }

// wipe forgets every byte seen.
func (h *hunter) wipe() {
	clear(h.buf[:])
	h.reset()
}

func xor(b []byte) byte {
	var x byte
	for _, c := range b {
		x ^= c
	}
	return x
}
