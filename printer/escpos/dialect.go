package escpos

import "longcheng/printer"

// A bit is one bit of a status byte and what it means.
type bit struct {
	mask byte
	cond printer.Status
}

// pick returns the conditions of the bits that are set.
func pick(b byte, bits []bit) printer.Status {
	var s printer.Status
	for _, x := range bits {
		if b&x.mask != 0 {
			s |= x.cond
		}
	}
	return s
}

// A dialect is how one maker's models set the bits of their answers.
type dialect struct {
	mask      byte     // of the fixed bits of a DLE EOT answer, which are 12h
	realTime  [5][]bit // by the number asked
	automatic [4][]bit // of ASB
	full      bool     // answers FULL STATUS
	oneByte   bool     // answers single bytes that look like nothing else
}

// epsonBits are DLE EOT 1-4 of Epson: ESC/POS application programming guide,
// p. 302-310. 1 is asked for its feed button only: what it calls offline, 2 names.
var epsonBits = [5][]bit{
	1: {{0x40, printer.Feeding}},
	2: {{0x04, printer.CoverOpen}, {0x08, printer.Feeding}, {0x20, printer.PaperOut}, {0x40, printer.Faulty}},
	3: {{0x04, printer.Faulty}, {0x08, printer.CutterJam}, {0x20, printer.Broken}, {0x40, printer.HeadHot}},
	4: {{0x0C, printer.PaperLow}, {0x60, printer.PaperOut}},
}

// epsonASB are the four bytes of GS a: same guide, p. 316-320.
var epsonASB = [4][]bit{
	{{0x08, printer.Offline}, {0x20, printer.CoverOpen}, {0x40, printer.Feeding}},
	{{0x04, printer.Faulty}, {0x08, printer.CutterJam}, {0x20, printer.Broken}, {0x40, printer.HeadHot}},
	{{0x03, printer.PaperLow}, {0x0C, printer.PaperOut}},
	{},
}

// fullBits are the four bytes of Custom's FULL STATUS: KPM210 command manual,
// p. 7-9; KPM150, p. 66.
var fullBits = [4][]bit{
	{{0x01, printer.PaperOut}, {0x04, printer.PaperLow}, {0x20, printer.Presented}, {0x40, printer.PaperOut}},
	{{0x03, printer.CoverOpen}, {0x0C, printer.Busy}, {0x60, printer.Feeding}},
	{{0x01, printer.HeadHot}, {0x02, printer.Faulty}, {0x08, printer.Faulty}},
	{{0x03, printer.CutterJam}, {0x0C, printer.Broken}},
}

// dialects by the name that a profile gives.
var dialects = map[string]dialect{
	"epson": {mask: 0x93, realTime: epsonBits, automatic: epsonASB},

	// Cashino KP-628E user manual, DLE EOT: 1 bit 7 is the slip not torn off, so
	// that bit is not fixed.
	"cashino": {mask: 0x13, automatic: epsonASB, realTime: [5][]bit{
		1: {{0x40, printer.Feeding}, {0x80, printer.Presented}},
		2: epsonBits[2], 3: epsonBits[3], 4: epsonBits[4],
	}},

	// Citizen PPU-700 command reference, p. 57-61: 4 bits 2 and 3 are two near-end
	// sensors, 5 paper end, 6 a slip in the presenter; 3 bit 2 a black mark or the
	// presenter. ASB byte 3 likewise.
	"citizen": {mask: 0x93, realTime: [5][]bit{
		1: epsonBits[1], 2: epsonBits[2],
		3: {{0x04, printer.Jam}, {0x08, printer.CutterJam}, {0x20, printer.Broken}, {0x40, printer.HeadHot}},
		4: {{0x0C, printer.PaperLow}, {0x20, printer.PaperOut}, {0x40, printer.Presented}},
	}, automatic: [4][]bit{epsonASB[0], epsonASB[1],
		{{0x03, printer.PaperLow}, {0x04, printer.PaperOut}, {0x08, printer.Presented}}, {}}},

	"custom":  {mask: 0x93, realTime: epsonBits, automatic: epsonASB, full: true},
	"hwasung": {oneByte: true},
	"none":    {mask: 0x93},
}

// oneByte decodes Hwasung's answer to GS a: HMK-056 manual, p. 46.
func oneByte(b byte) printer.Status {
	return pick(b, []bit{
		{0x01, printer.PaperOut}, {0x02, printer.CoverOpen}, {0x04, printer.Jam}, {0x08, printer.PaperLow},
		{0x10, printer.Busy}, {0x20, printer.CutterJam}, {0x80, printer.Presented},
	})
}
