package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/cmd/internal/sealed"
	standing "longcheng/cmd/internal/status"
	"longcheng/cmd/internal/support"
	"longcheng/cmd/internal/workshop"
	"longcheng/device"
	"longcheng/device/tty"
	"longcheng/display"
	"longcheng/kiosk"
	"longcheng/printer"
)

// A wire is a device's port as the technician's page sees it.
type wire struct {
	link *device.Link
	tail *device.Tail
	line *tty.Line // nil where no serial line is
}

// passed is what went through it since the daemon started.
func (w wire) passed() *standing.Wire {
	h := w.link.Health()
	is := &standing.Wire{Opens: h.Opens, Exchanges: h.Exchanges, Failures: h.Failures}
	is.Read, is.Written = w.tail.Bytes()
	if w.line != nil {
		n := w.line.Counters()
		is.Hangups, is.Stuck, is.Echoes = n.Hangups, n.Stuck, n.Echoes
		is.Framing, is.Parity, is.Overruns, is.Breaks = n.Framing, n.Parity, n.Overruns, n.Breaks
	}
	return is
}

// A trial is something a technician can try on a device.
type trial struct {
	device string
	name   kiosk.Text
	run    func(ctx context.Context) error
}

// shows says which pieces on a device's wire may be shown. Cards and codes belong
// to persons, and so does what stands on tickets; a sign shows all the hall what
// it is sent.
func shows(name string) func(out bool, b []byte) bool {
	switch kind, _, _ := strings.Cut(name, " "); kind {
	case "line", "board", "voice":
		return func(bool, []byte) bool { return true }
	case "printer": // status queries and their answers
		return func(out bool, b []byte) bool { return !out || len(b) <= 8 && b[0] == 0x10 }
	}
	return nil
}

// try adds something that can be tried.
func (b *box) try(name, zh, en string, run func(context.Context) error) {
	b.trials = append(b.trials, trial{name, kiosk.Text{ZH: zh, EN: en}, run})
}

// makeWorkshop mounts the technician's page.
func (b *box) makeWorkshop() error {
	o := workshop.Box{
		Devices: b.workbench, Test: b.tryOut, Settings: func() []workshop.Setting { return workshop.Settings(b.conf) },
		Examine: func(ctx context.Context) []doctor.Finding { return doctor.Examine(ctx, b.patient(ctx)) },
		File:    func() string { return support.Name(b.conf.Device, b.now()) },
		Tested: func(name string, err error) {
			b.log.Info("tried by a technician", "device", name, "cause", err)
		},
	}
	if b.conf.Support.Recipient != "" {
		o.Bundle = b.supportBundle
	}
	b.workshop = workshop.New(o)
	b.mount("/technician/box", b.workshop.Handler())
	b.mux.Handle("GET /technician/{$}", http.RedirectHandler("/technician/box/", http.StatusSeeOther)) // which asks who is there
	return nil
}

// patient is this box as the doctor sees it from inside.
func (b *box) patient(ctx context.Context) doctor.Patient {
	p := doctor.Patient{Config: b.conf.File, State: b.set.state, Version: version, Now: b.now}
	d, _ := b.diagnose(ctx)
	var s standing.Status
	text, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if p.Status, p.Asked = &s, err; err != nil {
		p.Status = nil
	}
	return p
}

func (b *box) supportBundle(ctx context.Context, w io.Writer) error {
	files := support.Collect(ctx, support.Options{Patient: b.patient(ctx), Log: "the log is kept by systemd: kioskctl support-bundle takes it along\n"})
	return sealed.Write(w, b.conf.Support.Recipient, b.now(), files)
}

// workbench lists every device: those that have said something of themselves, and
// those on whose wire something passes.
func (b *box) workbench(ctx context.Context) (string, []workshop.Device) {
	d, _ := b.diagnose(ctx)
	var all []workshop.Device
	for _, r := range d.Devices {
		x := workshop.Explained(standing.Device{Device: r.Device, State: r.State, Fault: r.Fault, Since: r.Since, Faults: r.Faults, Wire: r.Wire})
		if w, ok := b.taps[r.Device]; ok {
			x.Tail = pieces(w.tail)
		}
		for _, t := range b.trials {
			if t.device == r.Device {
				x.Tests = append(x.Tests, t.name)
			}
		}
		all = append(all, x)
	}
	return d.State, all
}

// withWires adds to each report what passed its device's wire.
func (b *box) withWires(all []report) []report {
	for i, r := range all {
		if w, ok := b.taps[r.Device]; ok {
			all[i].Wire = w.passed()
		}
	}
	return all
}

func pieces(t *device.Tail) []workshop.Piece {
	all := []workshop.Piece{}
	for _, p := range t.Last() {
		x := workshop.Piece{At: p.At, Out: p.Out, Size: p.Size}
		if p.Bytes != nil {
			x.Hex = fmt.Sprintf("% x", p.Bytes)
			x.Text = strings.Map(printable, string(p.Bytes))
		}
		all = append(all, x)
	}
	return all
}

func printable(r rune) rune {
	if r < ' ' || r == unicode.ReplacementChar || !unicode.IsPrint(r) {
		return '.'
	}
	return r
}

// tryOut runs the n-th trial of a device.
func (b *box) tryOut(ctx context.Context, name string, n int) error {
	for _, t := range b.trials {
		if t.device != name {
			continue
		}
		if n--; n < 0 {
			return t.run(ctx)
		}
	}
	return errors.New("there is no such test")
}

// testSlip is what a test prints: all that goes wrong with a wrong profile.
func (b *box) testSlip(p config.Printer) printer.Page {
	return printer.Page{
		printer.Text{S: "测试票 TEST", Width: 2, Height: 2, Align: printer.Center, Bold: true},
		printer.Text{S: "不作取号凭证 no ticket", Align: printer.Center},
		printer.Rule{},
		printer.Columns{Left: p.Name, Right: b.now().Format(time.DateTime)},
		printer.Text{S: "龙城 0123456789 ABCDEFG"},
		printer.Rule{},
		printer.Cut{},
	}
}

// tryStrip lights a strip for a moment, and then has it show what it should.
func (b *box) tryStrip(s display.Surface, k *display.Keeper) func(context.Context) error {
	return func(ctx context.Context) error {
		defer k.Refresh()
		text := kiosk.Text{ZH: "测试8888", EN: "TEST 8888"}
		if _, err := s.Show(ctx, display.View{Strip: &display.Strip{Phase: display.PhasePaused, Text: text}}); err != nil {
			return err
		}
		return device.Sleep(ctx, 3*time.Second)
	}
}

// tryLamp switches a lamp on, off, and back to what it should be.
func (b *box) tryLamp(l lamp) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, on := range []bool{true, false, true, false} {
			if err := l.light(ctx, on); err != nil {
				return err
			}
			if err := device.Sleep(ctx, 500*time.Millisecond); err != nil {
				return err
			}
		}
		_, good := b.desk.Ready(b.firstPage())
		return l.light(ctx, good)
	}
}

// announceTrials names what can be tried that has not said anything of itself yet,
// so that it is on the page.
func (b *box) announceTrials() {
	known := b.health.list()
	for _, t := range b.trials {
		if !slices.ContainsFunc(known, func(r report) bool { return r.Device == t.device }) && strings.HasPrefix(t.device, "lamp ") {
			b.health.say(t.device, ready)
		}
	}
}
