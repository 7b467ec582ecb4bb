package escpos

import (
	"slices"
	"testing"

	"longcheng/printer"
)

// Each maker's bytes, as their manuals give them.
func TestDialects(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialect string
		asked   int
		in      []byte
		want    []printer.Answer
	}{
		{"cashino: slip not torn off", "cashino", 1, []byte{0x92}, replied(printer.Presented)},
		{"cashino: torn off", "cashino", 1, []byte{0x12}, replied(0)},
		{"cashino: no paper", "cashino", 4, []byte{0x72}, replied(printer.PaperOut)},
		{"citizen: slip in the presenter is not paper out", "citizen", 4, []byte{0x52}, replied(printer.Presented)},
		{"citizen: paper end", "citizen", 4, []byte{0x32}, replied(printer.PaperOut)},
		{"citizen: near end", "citizen", 4, []byte{0x16}, replied(printer.PaperLow)},
		{"citizen: presenter error", "citizen", 3, []byte{0x16}, replied(printer.Jam)},
		{"citizen: asb", "citizen", 0, []byte{0x14, 0, 0x0C, 0x0F}, []printer.Answer{{Kind: printer.Reported, Status: printer.PaperOut | printer.Presented, ID: -1}}},
		{"custom: well", "custom", 20, []byte{0x10, 0x0F, 0, 0, 0, 0}, replied(0)},
		{"custom: no paper, head up, busy, voltage, cutter", "custom", 20, []byte{0x10, 0x0F, 0x01, 0x09, 0x08, 0x01},
			replied(printer.PaperOut | printer.CoverOpen | printer.Busy | printer.Faulty | printer.CutterJam)},
		{"custom: flow control bytes are data there", "custom", 20, []byte{0x10, 0x10, 0x0F, 0x20, 0x11, 0x13, 0}, replied(printer.Presented | printer.CoverOpen | printer.HeadHot | printer.Faulty)},
		{"custom: by itself", "custom", 0, []byte{0x10, 0x0F, 0x04, 0, 0, 0}, []printer.Answer{{Kind: printer.Reported, Status: printer.PaperLow, ID: -1}}},
		{"custom: a mark beside it", "custom", 20, []byte{0x00, 0x10, 0x0F, 0, 0, 0, 0}, append([]printer.Answer{{Kind: printer.Marked, ID: -1}}, replied(0)...)},
		{"hwasung: printing, no paper is not flow control", "hwasung", 100, []byte{0x11}, replied(printer.Busy | printer.PaperOut)},
		{"hwasung: by itself", "hwasung", 0, []byte{0xA6}, []printer.Answer{{Kind: printer.Reported, Status: printer.Presented | printer.CutterJam | printer.Jam | printer.CoverOpen, ID: -1}}},
		{"hwasung: one answer to one question", "hwasung", 100, []byte{0, 0x10}, append(replied(0), printer.Answer{Kind: printer.Reported, Status: printer.Busy, ID: -1})},
	} {
		d := speaker(c.dialect).Answers()
		d.Ask(c.asked)
		if got := read(d, c.in...); !slices.Equal(got, c.want) {
			t.Errorf("%s: % x is %+v, want %+v", c.name, c.in, got, c.want)
		}
	}
}

func replied(s printer.Status) []printer.Answer {
	return []printer.Answer{{Kind: printer.Replied, Status: s, ID: -1}}
}

// Every dialect asks only what it can understand the answer of.
func TestQueriesAreAnswered(t *testing.T) {
	well := map[string][]byte{"epson": {0x12}, "cashino": {0x12}, "citizen": {0x12}, "custom": {0x10, 0x0F, 0, 0, 0, 0}, "hwasung": {0}}
	for dialect, answer := range well {
		e := speaker(dialect)
		if len(e.Queries()) == 0 {
			t.Errorf("%s asks nothing", dialect)
		}
		for _, n := range e.Queries() {
			d := e.Answers()
			d.Ask(n)
			if got := read(d, answer...); !slices.Equal(got, replied(0)) {
				t.Errorf("%s: query %d (% x) answered % x is %+v", dialect, n, e.Query(n), answer, got)
			}
		}
	}
	if q := speaker("none").Queries(); len(q) != 0 {
		t.Errorf("a mute printer is asked %v", q)
	}
}

// However a stream is cut, the answers are the same; and after any noise and a
// pause for the longest block, each dialect understands its answer again.
func FuzzDialects(f *testing.F) {
	f.Add([]byte{0x10, 0x0F, 1, 2, 3, 4, 0x12, 0x37, 0x22, '0', '0', '0', '1', 0}, byte(3))
	f.Add([]byte{0x5F, 'E', 'P', 0x14, 0, 0x13, 0, 0x0F}, byte(0))
	names := []string{"epson", "cashino", "citizen", "custom", "hwasung", "none"}
	f.Fuzz(func(t *testing.T, in []byte, which byte) {
		e := speaker(names[int(which)%len(names)])
		d := e.Answers()
		for i, b := range in {
			if qs := e.Queries(); len(qs) > 0 {
				d.Ask(qs[i%len(qs)])
			}
			if a, ok := d.Next(b); ok && (a.Kind < printer.Replied || a.Kind > printer.Marked || a.ID < -1) {
				t.Fatalf("answer %+v", a)
			}
		}
		d.Ask(0)
		read(d, make([]byte, maxBlock+8)...)
		if qs := e.Queries(); len(qs) > 0 && e.Profile.Dialect != "custom" && e.Profile.Dialect != "hwasung" {
			d.Ask(qs[0])
			if got := read(d, 0x12); !slices.Equal(got, replied(0)) {
				t.Fatalf("%s: after % x a healthy answer is %+v", e.Profile.Dialect, in, got)
			}
		}
	})
}
