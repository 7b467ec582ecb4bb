package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"longcheng/cmd/kiosksim/sim/escpos"
)

// twoPrinters is the small hall with a second printer, each the other's spare; the
// first has a profile of the hall's own, of narrower lines.
func twoPrinters(t *testing.T) options {
	t.Helper()
	halls := t.TempDir()
	if err := os.CopyFS(halls, os.DirFS("../../deploy/halls")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(halls, "small", "kioskd.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Replace(string(text), "profile = \"generic80\"\n", "profile = \"ours.toml\"\nspare = \"printer-2\"\n", 1) +
		"\n[[printer]]\nname = \"printer-2\"\ndriver = \"escpos\"\nprofile = \"generic58\"\nspare = \"printer-1\"\nport = \"ports/printer-2\"\nbaud = 115200\n"
	profile := "name = \"ours\"\nmodel = \"the hall's own printer\"\nbase = \"generic80\"\ncolumns = 40\n[why]\ncolumns = \"its paper has wide margins (a ruler)\"\n"
	for name, text := range map[string]string{file: doc, filepath.Join(halls, "small", "ours.toml"): profile} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return options{tickets: 1, windows: 1, seed: 1, hall: "small", halls: halls}
}

// on waits until a number is on the paper of a printer, and returns the slip.
func (r *rig) on(name, number string) (slip escpos.Slip) {
	r.t.Helper()
	r.wait(number+" on the paper of "+name, func() bool {
		for _, s := range r.hw.printers[name].Slips() {
			if readSheet(s).number == number {
				slip = s
				return true
			}
		}
		return false
	})
	return slip
}

// press uses a control of the technician's page of printers.
func (r *rig) press(name, verb string) {
	r.t.Helper()
	if err := r.boss.post(r.ctx, "/technician/printers/"+name+"/"+verb, map[string]any{}, nil); err != nil {
		r.t.Fatal(err)
	}
}

// Two printers in a running kioskd, one with a profile of the hall's own: its lines are
// as wide as the profile says; the spare prints while it is paused or without paper;
// with both away nobody is promised a ticket; and it goes on when it is resumed.
func TestSpareProfileAndPause(t *testing.T) {
	noLeaks(t)
	r := newRigOf(t, twoPrinters(t), t.TempDir())
	slip := r.on("printer-1", r.ticket())
	if !slices.Contains(slip.Text, "-----") { // a rule of 40 columns, eightfold wide; generic80 has 48
		t.Errorf("lines are not 40 characters wide: %q", slip.Text)
	}
	r.press("printer-1", "pause")
	r.on("printer-2", r.ticket())
	r.wait("healthz to say that it is paused", func() bool { return strings.Contains(r.health(), "printer is paused") })
	r.press("printer-2", "pause")
	if no := r.refusal(); no.Code != "printer_not_ready" {
		t.Errorf("with both paused: %v", no)
	}
	r.press("printer-1", "resume")
	r.ready(true)
	r.on("printer-1", r.ticket())
	r.hw.printers["printer-1"].PaperOutAfter(0)
	r.ready(false)
	r.press("printer-2", "resume")
	r.ready(true)
	r.on("printer-2", r.ticket())
	r.hw.printers["printer-1"].NewRoll()
	if e := r.close(); e.copies() != 0 {
		t.Errorf("%d copies of tickets that nothing struck", e.copies())
	}
}

// health is what kioskd says of itself.
func (r *rig) health() string {
	r.t.Helper()
	res, err := r.boss.http.Get(r.base + "/healthz")
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body) // half of it will not say so
	return string(text)
}
