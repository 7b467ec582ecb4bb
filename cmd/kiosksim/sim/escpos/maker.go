package escpos

// A Maker is whose status bits and whose presenter a printer has. The zero value is
// Epson's: no presenter, a slip that was cut falls out.
type Maker string

// The makers with a presenter, which holds a slip until it is taken.
const (
	Epson   Maker = ""
	Cashino Maker = "cashino" // KP-628E user manual: DLE EOT 1 bit 7 is a slip not torn off
	Citizen Maker = "citizen" // PPU-700 command reference, p. 57-61 and 121: DLE EOT 4 bit 6, GS R
	Custom  Maker = "custom"  // KPM210 command manual, p. 7-9 and 49: FULL STATUS (DLE EOT 20), GS e
)

// Take pulls the slip out of the presenter, as a citizen does; there may be none.
func (p *Printer) Take() { p.change(func() { p.mouth = 0 }) }

// Presented reports whether a slip hangs in the presenter.
func (p *Printer) Presented() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mouth > 0
}

// present holds the slip that was cut; one that still hung there falls out.
func (p *Printer) present() {
	if p.cfg.Maker != Epson {
		p.mouth = p.count
	}
}

// retract draws the slip back into the bin.
func (p *Printer) retract() {
	for i := range p.slips {
		if p.slips[i].No == p.mouth {
			p.slips[i].Retracted = true
		}
	}
	p.mouth = 0
}

// presenter executes GS e n (Custom: 2 retract, 3 m present) and GS R n (Citizen: 0
// retract, 1 t set the timer, which is not simulated).
func (m *machine) presenter(c byte) error {
	if c == 'e' && m.p.cfg.Maker != Custom || c == 'R' && m.p.cfg.Maker != Citizen {
		return m.drop(gsArgs, c)
	}
	n, err := m.next()
	if err == nil && (c == 'e' && n == 3 || c == 'R' && n&^0x30 == 1) {
		_, err = m.next()
	}
	if err == nil && (c == 'e' && n == 2 || c == 'R' && n&^0x30 == 0) {
		m.p.change(m.p.retract)
	}
	return err
}

// fullStatus answers DLE EOT 20: 10 0F and the bytes of paper, user, recoverable and
// unrecoverable errors.
func (p *Printer) fullStatus() {
	s := [4]byte{}
	flag := func(i int, on bool, bits byte) {
		if on {
			s[i] |= bits
		}
	}
	flag(0, p.paperEnd, 0x01)
	flag(0, p.low(), 0x04)
	flag(0, p.mouth > 0, 0x20)
	flag(1, p.cover, 0x03)
	flag(1, p.working || len(p.buf) > p.queries, 0x04)
	flag(3, p.cutError, 0x01)
	p.answer(0x10, 0x0F, s[0], s[1], s[2], s[3])
}
