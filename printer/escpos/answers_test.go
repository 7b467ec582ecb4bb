package escpos

import (
	"slices"
	"testing"

	"longcheng/printer"
)

func read(d printer.Answers, in ...byte) []printer.Answer {
	var out []printer.Answer
	for _, b := range in {
		if a, ok := d.Next(b); ok {
			out = append(out, a)
		}
	}
	return out
}

func epson() *Encoder { return speaker("epson") }

func speaker(dialect string) *Encoder {
	return &Encoder{Profile: printer.Profile{Dialect: dialect, Completion: "gs_r"}}
}

func TestRealTimeAnswers(t *testing.T) {
	for _, c := range []struct {
		n    int
		b    byte
		want printer.Status
	}{
		{1, 0x12, 0}, {1, 0x16, 0}, {1, 0x1A, 0}, {1, 0x52, printer.Feeding},
		{2, 0x12, 0}, {2, 0x16, printer.CoverOpen}, {2, 0x32, printer.PaperOut}, {2, 0x52, printer.Faulty}, {2, 0x1A, printer.Feeding},
		{3, 0x1A, printer.CutterJam}, {3, 0x32, printer.Broken}, {3, 0x52, printer.HeadHot},
		{4, 0x1E, printer.PaperLow}, {4, 0x7E, printer.PaperOut | printer.PaperLow}, {4, 0x72, printer.PaperOut},
	} {
		d := epson().Answers()
		d.Ask(c.n)
		got := read(d, c.b)
		if len(got) != 1 || got[0].Kind != printer.Replied || got[0].Status != c.want {
			t.Errorf("DLE EOT %d answer %02x is %v, want %q", c.n, c.b, got, c.want)
		}
	}
}

// One stream, everything in it: flow control, ASB with a DLE EOT answer in its
// middle, a process ID, GS r.
func TestAnswersInterleave(t *testing.T) {
	d := epson().Answers()
	d.Ask(4)
	got := read(d, 0x11, 0x38, 0x13, 0x08, 0x72, 0x0C, 0x0F,
		0x37, 0x22, '4', '6', 0x11, '9', '1', 0, 0x00)
	want := []printer.Answer{
		{Kind: printer.Replied, Status: printer.PaperOut, ID: -1},
		{Kind: printer.Reported, Status: printer.Offline | printer.CoverOpen | printer.CutterJam | printer.PaperOut, ID: -1},
		{Kind: printer.Marked, ID: 2345, Last: true},
		{Kind: printer.Marked, ID: -1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
}

// The answer to nobody's question is dropped, not taken for the next one's.
func TestUnaskedAnswerIsDropped(t *testing.T) {
	d := epson().Answers()
	if got := read(d, 0x12); len(got) != 0 {
		t.Errorf("read %v", got)
	}
}

func TestPaperSensor(t *testing.T) {
	got := read(epson().Answers(), 0x00, 0x03, 0x0C)
	for i, want := range []printer.Status{0, printer.PaperLow, printer.PaperOut} {
		if got[i].Status != want || got[i].Kind != printer.Marked || got[i].Last {
			t.Errorf("answer %d is %+v", i, got[i])
		}
	}
}

// After any noise and a terminator, an answer is understood again.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0x38, 8, 12, 15}, true)
	f.Add([]byte{0x37, 0x22, '0', '0', '8', '5', 0}, true)
	f.Add([]byte{0x5F, 'E', 'P'}, false)
	f.Fuzz(func(t *testing.T, in []byte, pid bool) {
		d := epson().Answers()
		for i, b := range in {
			d.Ask(1 + i%4)
			if a, ok := d.Next(b); ok && (a.Kind < printer.Replied || a.Kind > printer.Marked) {
				t.Fatalf("answer %+v", a)
			}
		}
		d.Ask(2)
		got := read(d, 0x12)
		if len(got) != 1 || got[0].Kind != printer.Replied || got[0].Status != 0 {
			t.Fatalf("after % x a healthy answer read as %v", in, got)
		}
	})
}
