package escpos

import (
	"slices"
	"strings"
	"testing"
)

// Every command takes exactly its own bytes, as the makers' references count
// them: what follows is text, and nothing of the command is.
func TestCommandsTakeTheirBytes(t *testing.T) {
	for name, command := range map[string]string{
		"ESC SP": "\x1b A", "ESC !": "\x1b!\x00", "ESC $": "\x1b$AA", "ESC %": "\x1b%A", "ESC *": "\x1b*\x00\x03\x00AAA",
		"ESC * 24 dots": "\x1b*\x21\x02\x00AAAAAA", "ESC -": "\x1b-A", "ESC 2": "\x1b2", "ESC 3": "\x1b3A", "ESC =": "\x1b=\x01",
		"ESC ?": "\x1b?A", "ESC &": "\x1b&\x03AB\x01AAA\x02AAAAAA", "ESC D": "\x1bD\x08\x10\x00", "ESC E": "\x1bE\x00", "ESC G": "\x1bG\x00",
		"ESC M": "\x1bMA", "ESC R": "\x1bRA", "ESC V": "\x1bVA", "ESC \\": "\x1b\\AA", "ESC a": "\x1ba\x00", "ESC c 3": "\x1bc3A",
		"ESC c 4": "\x1bc4A", "ESC c 5": "\x1bc5A", "ESC p": "\x1bpAAA", "ESC t": "\x1bt\x00", "ESC {": "\x1b{A",
		"FS !": "\x1c!\x00", "FS &": "\x1c&", "FS -": "\x1c-A", "FS C": "\x1cCA", "FS S": "\x1cSAA", "FS W": "\x1cW\x00",
		"FS 2": "\x1c2" + strings.Repeat("A", 74), "FS ?": "\x1c?AA", "FS p": "\x1cpAA",
		"GS !": "\x1d!\x00", "GS *": "\x1d*\x01\x01AAAAAAAA", "GS B": "\x1dBA", "GS H": "\x1dHA", "GS L": "\x1dLAA", "GS W": "\x1dWAA",
		"GS P": "\x1dPAA", "GS f": "\x1dfA", "GS h": "\x1dhA", "GS w": "\x1dwA", "GS /": "\x1d/A", "GS ^": "\x1d^AAA",
		"GS k A": "\x1dk\x04AAAA\x00", "GS k B": "\x1dk\x49\x03AAA", "GS ( A": "\x1d(A\x02\x00AA", "GS ( D": "\x1d(D\x03\x00\x14\x01\x00",
	} {
		t.Run(name, func(t *testing.T) {
			r := plug(t)
			r.send("\x1b@" + command + "ok\n" + cut)
			if s := r.slips(1)[0]; !slices.Equal(s.Text, []string{"ok"}) {
				t.Errorf("the paper reads %q", s.Text)
			}
		})
	}
}

// Of a command it does not know, a printer drops the code and prints the rest.
func TestUnknownCommand(t *testing.T) {
	r := plug(t)
	r.send("\x1b\x7fone\n\x1c~two\n\x1d~three\n" + cut)
	if s := r.slips(1)[0]; !slices.Equal(s.Text, []string{"one", "two", "three"}) {
		t.Errorf("the paper reads %q", s.Text)
	}
}

// black returns the size in dots of what is printed on a slip.
func black(s Slip) (w, h int) {
	top, bottom, right := -1, 0, 0
	for y, row := range s.Image.Rows {
		for x := range s.Image.Dots {
			if bit(row, x) {
				if top < 0 {
					top = y
				}
				bottom, right = y, max(right, x)
			}
		}
	}
	return right + 1, bottom - top + 1
}

// FS ! and FS W size Chinese characters alone, GS ! and ESC ! all of them.
func TestSizes(t *testing.T) {
	const han = "\xca\xd0" // 市, 24 dots wide
	for _, c := range []struct {
		name, send string
		w, h       int
	}{
		{"plain", han + "A", 24 + 12, 24},
		{"FS ! double both", "\x1c!\x0c" + han + "A", 48 + 12, 48},
		{"FS ! double width", "\x1c!\x04" + han + "A", 48 + 12, 24},
		{"FS W", "\x1cW\x01" + han, 48, 48},
		{"FS W off", "\x1cW\x01\x1cW\x00" + han, 24, 24},
		{"GS ! 3 by 2", "\x1d!\x21" + han + "A", 72 + 36, 48},
		{"ESC ! double height", "\x1b!\x10" + han + "A", 24 + 12, 48},
		{"ESC @ forgets", "\x1c!\x0c\x1b@" + han, 24, 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := plug(t)
			r.send("\x1b@\x1c&" + c.send + "\n" + cut)
			if w, h := black(r.slips(1)[0]); w != c.w || h != c.h {
				t.Errorf("printed %d by %d dots, want %d by %d", w, h, c.w, c.h)
			}
		})
	}
}

// ESC t chooses what bytes above 7F mean, outside Chinese mode.
func TestCodePages(t *testing.T) {
	r := plug(t)
	r.send("\x1b@\x1c.\x80\n\x1bt\x11\x80\n\x1bt\x10\x80\n\x1bt\x13\xd5\n\x1bt\x63\x80\n" + cut)
	if s := r.slips(1)[0]; !slices.Equal(s.Text, []string{"Ç", "А", "€", "€", "Ç"}) {
		t.Errorf("the paper reads %q", s.Text)
	}
}

// HT goes to the next stop, every eight characters.
func TestTab(t *testing.T) {
	r := plug(t)
	r.send("ab\tc\t\td\n" + cut)
	if s := r.slips(1)[0]; !slices.Equal(s.Text, []string{"ab      c               d"}) {
		t.Errorf("the paper reads %q", s.Text)
	}
}

// ESC i and ESC m cut where the paper stands, without feeding.
func TestCutWithoutFeeding(t *testing.T) {
	for _, c := range []string{"\x1bi", "\x1bm"} {
		r := plug(t)
		r.send("far above\n" + strings.Repeat("\n", 6) + "below the blade\n" + c)
		if s := r.slips(1)[0]; !slices.Equal(s.Text, []string{"far above"}) || !s.Complete {
			t.Errorf("% x: complete %v, %q", c, s.Complete, s.Text)
		}
	}
}

// The host cannot talk a jam away: neither by trying again nor by clearing the
// buffers. When the blade is free, clearing forgets the slip.
func TestAJamStays(t *testing.T) {
	for _, ask := range []string{"\x10\x05\x01", "\x10\x05\x02"} {
		r := plug(t)
		r.JamCutter()
		r.send("\x1da\x02")
		r.expect("\x14\x00\x00\x0f")
		r.send("x\n" + cut)
		r.expect("\x1c\x08\x00\x0f")
		r.send(ask + "\x10\x04\x03\x10\x04\x02")
		r.expect("\x1a\x52")
	}
}

// The near-end sensor sees the roll, not a switch: five metres before its end.
func TestNearEndIsAtALength(t *testing.T) {
	r := plug(t)
	r.send("\x10\x04\x04")
	r.expect("\x12")
	r.PaperOutAfter(nearEndDots + 20)
	r.send("\x10\x04\x04\x1dr1")
	r.expect("\x12\x00")
	r.send("a line\n\x1dr1")
	r.expect("\x03")
	r.send("\x10\x04\x04")
	r.expect("\x1e")
	r.NewRoll()
	r.send("\x10\x04\x04")
	r.expect("\x12")
}
