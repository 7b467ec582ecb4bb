package commission

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"longcheng/device"
	"longcheng/device/usblp"
)

// Facts are what a printer says of itself.
type Facts struct {
	Port     string `json:"port"`
	Baud     int    `json:"baud,omitempty"`
	Maker    string `json:"maker,omitempty"`
	Model    string `json:"model,omitempty"`
	Firmware string `json:"firmware,omitempty"`
	RealTime string `json:"real_time"` // answers to DLE EOT 1 to 4, in hexadecimal; ".." for none
	Status   bool   `json:"gs_r"`      // answers GS r 1
	ID       bool   `json:"pid"`       // answers GS ( H: completion by number
}

func dleEOT(n byte) []byte { return []byte{0x10, 0x04, n} }

// errNoPrinter says that nothing at the port talks like a printer.
var errNoPrinter = errors.New("no printer answers: check power, cable and speed, or find it with kioskctl scan; a model that answers nothing keeps the profile default")

// ProbePrinter asks the printer at an open port what it is: DLE EOT, GS I, GS r
// and GS ( H. None of them moves paper; a clone that does not know GS ( H may
// print its ten bytes as text with the next slip, so it is only asked of one that
// told its model.
func ProbePrinter(ctx context.Context, p device.Port) (Facts, error) {
	f := Facts{Port: p.String()}
	answered := false
	for n := byte(1); n <= 4; n++ {
		got, err := hear(ctx, p, dleEOT(n), time.Second)
		if err != nil {
			return f, err
		}
		if len(got) == 1 && got[0]&0x93 == 0x12 {
			answered = true
			f.RealTime += fmt.Sprintf("%02X ", got[0])
			continue
		}
		f.RealTime += ".. "
	}
	f.RealTime = strings.TrimSpace(f.RealTime)
	if usb, ok := p.(*usblp.Port); ok {
		if id, err := usb.ID(); err == nil {
			f.Maker, f.Model, answered = id.Maker, id.Model, true
		}
	}
	if !answered {
		return f, errNoPrinter
	}
	return f.more(ctx, p)
}

// more asks what only a printer that has answered is asked.
func (f Facts) more(ctx context.Context, p device.Port) (Facts, error) {
	for _, q := range []struct {
		n  byte
		to *string
	}{{66, &f.Maker}, {67, &f.Model}, {65, &f.Firmware}} {
		if s, err := block(ctx, p, q.n); err != nil {
			return f, err
		} else if s != "" {
			*q.to = s
		}
	}
	got, err := hear(ctx, p, []byte{0x1D, 'r', 1}, time.Second)
	if err != nil {
		return f, err
	}
	f.Status = len(got) == 1 && got[0]&0x90 == 0
	if f.Model != "" {
		got, err = hear(ctx, p, []byte{0x1D, '(', 'H', 6, 0, 48, 48, '1', '2', '3', '4'}, time.Second)
		f.ID = bytes.Equal(got, []byte{0x37, 0x22, '1', '2', '3', '4', 0})
	}
	return f, err
}

// block asks for one text of GS I, such as 67 for the model.
func block(ctx context.Context, p device.Port, n byte) (string, error) {
	got, err := hear(ctx, p, []byte{0x1D, 'I', n}, time.Second)
	if err != nil || len(got) < 3 || got[0] != 0x5F || got[len(got)-1] != 0 {
		return "", err
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(got[1:len(got)-1]))), nil
}

// model returns maker and model, as far as they are told.
func model(ctx context.Context, p device.Port) string {
	maker, _ := block(ctx, p, 66) // a printer that answers is a printer, whoever made it
	name, _ := block(ctx, p, 67)
	return strings.TrimSpace(maker + " " + name)
}

// guess returns the built-in profile that is nearest to a model.
func guess(model string) string {
	m := strings.ToUpper(model)
	for _, k := range []struct{ has, profile string }{
		{"T88III", "epson-t88iii"}, {"T88", "epson-t88"}, {"T82", "epson-t82"}, {"T20", "epson-t20"}, {"EU-T", "epson-eu-t300"},
		{"KPM216", "custom-kpm216"}, {"PPU", "citizen-ppu700"}, {"KP628", "cashino-kp628e"}, {"HMK", "hwasung-hmk056"},
		{"D347", "masung-d347"}, {"XP-", "xprinter-80"}, {"N160", "xprinter-80"}, {"STAR", "star-escpos"}, {"58", "generic58"},
	} {
		if strings.Contains(m, k.has) {
			return k.profile
		}
	}
	return "default"
}

// Profile fills a profile with what the printer said; the technician adds what
// only paper can show. at is the day of the probe.
func (f Facts) Profile(name string, at time.Time) string {
	var b, why strings.Builder
	day := at.Format(time.DateOnly)
	set := func(key, value, reason string) {
		fmt.Fprintf(&b, "%s = %s\n", key, value)
		fmt.Fprintf(&why, "%s = %q\n", key, reason+" (probed "+day+")")
	}
	fmt.Fprintf(&b, "name = %q\nmodel = %q\nbase = %q\n\n", name, strings.TrimSpace(f.Maker+" "+f.Model+" "+f.Firmware), guess(f.Maker+" "+f.Model))
	switch {
	case f.ID:
		set("completion", `"pid"`, "answers GS ( H with the number it was asked with")
	case f.Status:
		set("completion", `"gs_r"`, "answers GS r 1")
	default:
		set("completion", `"none"`, "answers neither GS ( H nor GS r 1")
	}
	if strings.HasPrefix(f.RealTime, "..") {
		set("dialect", `"none"`, "does not answer DLE EOT")
	} else {
		set("dialect", `"epson"`, "answers DLE EOT with "+f.RealTime)
	}
	if f.Baud > 0 {
		set("baud", fmt.Sprint(f.Baud), "answered at this speed")
	}
	return b.String() + "# Measure on the printer's self test: dots, columns, cut_feed.\n\n[why]\n" + why.String()
}
