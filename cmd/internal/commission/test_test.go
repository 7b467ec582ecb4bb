package commission

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/device"
	"longcheng/kiosk"
	"longcheng/printer"
)

func keepOpen(device.Port) error { return nil }

func mustPort(t *testing.T, r *rig, kind, name string) config.Port {
	t.Helper()
	p, ok := r.conf.PortOf(kind, name)
	if !ok {
		t.Fatalf("no port of %s %s", kind, name)
	}
	return p
}

func tested(t *testing.T, tester *Tester, name string) Verdict {
	t.Helper()
	v, err := tester.Test(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// act does things when it is told a sentence with a word in it.
func (r *rig) act(t *testing.T) hand {
	return hand{told: func(what kiosk.Text) {
		switch {
		case strings.Contains(what.EN, "identity card on"):
			r.reader.Place(citizen, sam.Good)
		case strings.Contains(what.EN, "QR or bar code"):
			go func() { // the scanner waits for the port to be opened, as a hand would
				for range 100 {
					_ = r.scanner.Scan("A-20261130-0007")
					time.Sleep(100 * time.Millisecond)
					if t.Context().Err() != nil {
						return
					}
				}
			}()
		case strings.Contains(what.EN, "press button"):
			var n int
			if _, err := fmt.Sscanf(what.EN, "press button %d", &n); err == nil {
				go r.press(t, n)
			}
		case strings.Contains(what.EN, "open and shut the door"):
			go r.press(t, 5)
		}
	}}
}

// press closes and opens an input again and again: the first level is no press.
func (r *rig) press(t *testing.T, n int) {
	for held := true; t.Context().Err() == nil; held = !held {
		r.board.Press(n, held)
		time.Sleep(300 * time.Millisecond)
	}
}

// A door and a buzzer may hang on a board.
func TestDoorAndBuzzerOnABoard(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	board := r.conf.Boards[0].Name
	r.conf.Switches = []config.Switch{{Name: "cabinet", Kind: "door", Input: board + ":5"}}
	r.conf.Buzzer.Output = board + ":7"
	sounded := make(chan bool, 1)
	go func() {
		for t.Context().Err() == nil {
			if r.board.Lamp(7) {
				sounded <- true
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	h := r.act(t)
	h.yes = func(kiosk.Text) bool { return <-sounded }
	tester := r.tester(h)
	for _, name := range []string{"cabinet", "buzzer"} {
		if v := tested(t, tester, name); !v.Good {
			t.Errorf("%+v", v)
		}
	}
	if r.board.Lamp(7) {
		t.Error("the buzzer sounds on")
	}
}

// Every device of the small hall is good when it is.
func TestGoodDevices(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.act(t)
	h.yes = func(q kiosk.Text) bool {
		if strings.Contains(q.EN, "is lamp 0 lit") {
			return r.board.Lamp(0)
		}
		return true
	}
	tester := r.tester(h)
	for _, name := range tester.Devices() {
		t.Run(name, func(t *testing.T) {
			if v := tested(t, tester, name); !v.Good || v.Remedy.EN != "" || len(v.Steps) < 2 {
				t.Errorf("%+v", v)
			}
		})
	}
	if slips := r.printer.Slips(); len(slips) != 1 {
		t.Errorf("%d test tickets", len(slips))
	}
	if r.board.Lamp(0) {
		t.Error("the lamp is still lit")
	}
}

// What is wrong is told with a remedy, in both languages.
func TestBadDevices(t *testing.T) {
	for _, c := range []struct {
		name, device string
		trouble      func(r *rig)
		person       hand
		silent       bool // nothing comes: the test lasts as long as its patience
		remedy       string
	}{
		{"unplugged", "reader-1", func(r *rig) { r.cables["reader"].Unplug() }, hand{}, false, "plug the device in"},
		{"no card", "reader-1", func(*rig) {}, hand{}, true, "flat on the middle"},
		{"moved card", "reader-1", func(r *rig) { r.reader.Place(citizen, sam.MovedTooEarly) }, hand{}, false, "leave it there"},
		{"dead reader", "reader-1", func(r *rig) { r.cables["reader"].Hang(true) }, hand{}, true, "kioskctl scan"},
		{"nothing scanned", "scanner-1", func(*rig) {}, hand{}, true, "virtual COM"},
		{"dark strip", "strip 1", func(r *rig) { r.cables["line"].Hang(true) }, hand{}, true, "address, speed"},
		{"strip not seen", "strip 1", func(*rig) {}, hand{yes: func(kiosk.Text) bool { return false }}, false, "width and height"},
		{"ticket not seen", "printer-1", func(*rig) {}, hand{yes: func(kiosk.Text) bool { return false }}, false, "side of the paper"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			c.trouble(r)
			tester := r.tester(c.person)
			if c.silent {
				tester.Patience = 3 * time.Second
			}
			v := tested(t, tester, c.device)
			if v.Good || !strings.Contains(v.Remedy.EN, c.remedy) || v.Remedy.ZH == "" || v.Remedy.ZH == v.Remedy.EN {
				t.Errorf("%+v, want the remedy %q", v, c.remedy)
			}
		})
	}
}

func TestUnknownDevice(t *testing.T) {
	r := newRig(t)
	_, err := r.tester(hand{}).Test(t.Context(), "nope")
	if err == nil || !strings.Contains(err.Error(), "printer printer-1") {
		t.Error(err)
	}
}

// The bytes of a reader whose answers arrive damaged are recorded, nobody is in
// them, and the driver meets the same trouble when they are played back.
func TestRecordAndReplay(t *testing.T) {
	for _, c := range []struct {
		state sam.Condition
		want  string
	}{{sam.Good, "a card was read: resident"}, {sam.BadChecksum, "problem: damaged"}, {sam.MovedTooEarly, "problem: moved"}} {
		t.Run(c.want, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.reader.Place(citizen, c.state)
			var file bytes.Buffer
			if _, err := r.tester(hand{}).Record(t.Context(), "reader-1", &file); err != nil {
				t.Fatal(err)
			}
			if plain := utf16le(citizen.Name); strings.Contains(file.String(), plain) || strings.Contains(file.String(), utf16le(citizen.Number)) {
				t.Error("somebody is on the tape")
			}
			said, err := Replay(t.Context(), file.Bytes(), "")
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(said, "\n"); !strings.Contains(all, c.want) || strings.Contains(all, "something else than on the tape") {
				t.Errorf("the driver said %q\n%s", said, &file)
			}
		})
	}
}

// utf16le is how a text of the basic plane stands on a tape.
func utf16le(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, " %02X %02X", byte(r), byte(r>>8))
	}
	return b.String()
}

// A printer tells what it is, and the profile made of that is a good one.
func TestProbe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tester := r.tester(hand{})
	link := tester.linkOf("printer", "printer-1")
	defer shut(t.Context(), link)
	var f Facts
	err := link.Do(t.Context(), func(p device.Port) (err error) {
		f, err = ProbePrinter(t.Context(), p)
		return err
	})
	if err != nil || f.Maker != "SIM" || f.Model != "SIM-80" || f.Firmware != "1.00" || !f.Status {
		t.Fatalf("%+v, %v", f, err)
	}
	if len(r.printer.Slips()) > 0 {
		t.Error("the probe printed")
	}
	file := t.TempDir() + "/sim.toml"
	if err := writeFile(file, f.Profile("sim", time.Now())); err != nil {
		t.Fatal(err)
	}
	p, err := printer.ReadProfile(file)
	if err != nil || p.Name != "sim" || p.Completion == "none" {
		t.Errorf("%+v, %v", p, err)
	}
}
