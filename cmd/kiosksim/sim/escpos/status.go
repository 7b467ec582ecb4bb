package escpos

import "bytes"

func (p *Printer) offline() bool { return p.cover || p.paperEnd || p.cutError || p.clogged }

// answer sends b to the host unless a fault forbids it. Called with mu held:
// answers keep their order.
func (p *Printer) answer(b ...byte) {
	if p.silent || p.off {
		return
	}
	if p.garbled {
		for i := range b {
			b[i] ^= 0xA5
		}
	}
	p.host.Write(b) // a lost answer is the host's time-out, as on a real line
}

// realTime executes DLE sequences as they arrive, out of the queue: DLE EOT n
// (10 04 n), DLE ENQ n (10 05 n), DLE DC4 08 (clear buffers).
func (p *Printer) realTime(c byte) {
	p.scan = append(p.scan, c)
	if p.scan[0] != dle {
		p.scan = nil
		return
	}
	switch {
	case len(p.scan) == 2 && c != 4 && c != 5 && c != 0x14:
		p.scan = nil
	case len(p.scan) == 3 && p.scan[1] == 4:
		p.queries += 3
		p.scan = nil
		p.eot(c)
	case len(p.scan) == 3 && p.scan[1] == 5:
		p.scan = nil
		p.enq(c)
	case len(p.scan) == len(clearBuffers):
		if bytes.Equal(p.scan, clearBuffers) {
			p.reset()
			p.answer(0x37, 0x25, 0)
		}
		p.scan = nil
	}
}

func (p *Printer) eot(n byte) {
	s := byte(0x12)
	flag := func(on bool, bits byte) {
		if on {
			s |= bits
		}
	}
	switch n {
	case 1:
		flag(true, 0x04)
		flag(p.offline(), 0x08)
		flag(p.cfg.Maker == Cashino && p.mouth > 0, 0x80)
	case 2:
		flag(p.cover, 0x04)
		flag(p.paperEnd, 0x20)
		flag(p.cutError || p.clogged, 0x40)
	case 3:
		flag(p.clogged, 0x04)
		flag(p.cutError, 0x08)
	case 4:
		flag(p.low() || p.paperEnd, 0x0C)
		flag(p.paperEnd, 0x20)
		flag(p.paperEnd && p.cfg.Maker != Citizen || p.mouth > 0 && p.cfg.Maker == Citizen, 0x40)
	case 20:
		if p.cfg.Maker == Custom {
			p.fullStatus()
		}
		return
	default:
		return
	}
	p.answer(s)
}

// enq recovers from a cutter error: 1 tries again, 2 clears the buffers. While
// the blade is held fast, the error stays whatever the host asks.
func (p *Printer) enq(n byte) {
	if !p.cutError {
		return
	}
	switch n {
	case 1:
		p.cutError = p.jam
	case 2:
		p.reset()
	}
	p.report()
}

// low reports whether the near-end sensor sees the core: the roll is thin.
func (p *Printer) low() bool { return p.nearEnd || p.paperLeft < nearEndDots }

func (p *Printer) roll() byte {
	switch {
	case p.paperEnd:
		return 0x0C
	case p.low():
		return 0x03
	}
	return 0
}

func (p *Printer) asbNow() [4]byte {
	s := [4]byte{0x14, 0, p.roll(), 0x0F}
	switch {
	case p.cfg.Maker == Citizen: // bit 2 is paper end, bit 3 the presenter
		s[2] = s[2]&3 | s[2]>>1&4
		if p.mouth > 0 {
			s[2] |= 8
		}
	case p.paperEnd:
		s[2] = 0x0F
	}
	if p.offline() {
		s[0] |= 0x08
	}
	if p.cover {
		s[0] |= 0x20
	}
	if p.clogged {
		s[1] |= 0x04
	}
	if p.cutError {
		s[1] |= 0x08
	}
	return s
}

// report sends automatic status (GS a) when it has changed.
func (p *Printer) report() {
	if s := p.asbNow(); p.asb != 0 && s != p.lastASB {
		p.lastASB = s
		p.answer(s[:]...)
	}
}
