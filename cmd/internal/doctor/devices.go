package doctor

import (
	"errors"
	"fmt"
	"strings"

	"longcheng/cmd/internal/status"
	"longcheng/device"
	"longcheng/device/gpio"
	"longcheng/device/idcard"
	"longcheng/display/line"
	"longcheng/display/voice"
	"longcheng/display/voice/chip"
	"longcheng/display/wall"
	"longcheng/printer"
)

// devices tells what the daemon says of each device that is not ready.
func (e *exam) devices() {
	if e.Status == nil {
		return
	}
	for _, d := range e.Status.Devices {
		if d.State == status.Ready {
			continue
		}
		id := d.Fault
		if id == "" {
			id = "device-trouble"
		}
		if d.Device == "disk" && (e.has("disk-full") || e.has("disk-filling")) {
			continue // the same room, measured by both
		}
		e.find(id, d.Device, d.State)
	}
}

// noisy is the share of damaged bytes that is more than a plug being moved.
const noisy = 1000

// wires finds lines whose bytes arrive damaged.
func (e *exam) wires() {
	if e.Status == nil {
		return
	}
	for _, d := range e.Status.Devices {
		w := d.Wire
		if w == nil {
			continue
		}
		if bad := w.Framing + w.Parity + w.Breaks; bad > 10 && bad*noisy > w.Read {
			e.find("line-noise", d.Device, fmt.Sprintf("%d framing errors, %d of parity, %d breaks in %d bytes", w.Framing, w.Parity, w.Breaks, w.Read))
		}
	}
}

// troubles are errors of devices and the faults behind them; the first that fits
// is it.
var troubles = []struct {
	err   error
	fault string
}{
	{line.ErrSilent, "strip-silent"},
	{wall.ErrNoBrowser, "wall-browser"}, {wall.ErrStalled, "wall-browser"}, {wall.ErrNotPainted, "wall-browser"},
	{voice.ErrDevice, "voice-silent"}, {chip.ErrRejected, "voice-silent"}, {chip.ErrCorrupt, "voice-silent"},
	{gpio.ErrNoPin, "pin-missing"}, {gpio.ErrTaken, "pin-missing"},
	{idcard.ErrGarbled, "reader-garbled"},
	{device.ErrTimeout, "device-silent"},
	{device.ErrGone, "device-gone"},
	{device.ErrHangs, "port-hangs"},
}

// OfDevice is the fault behind an error of a device that was in use.
func OfDevice(err error) string {
	var s idcard.Status
	if errors.As(err, &s) && s.Broken() {
		return "reader-module"
	}
	for _, t := range troubles {
		if errors.Is(err, t.err) {
			return t.fault
		}
	}
	return "device-trouble"
}

// OfSurface is the fault behind the reason of a strip, wall or voice. Reasons are
// sentences, because surfaces may be programs of others.
func OfSurface(surface, why string) string {
	kind, _, _ := strings.Cut(surface, ":")
	switch {
	case kind == "strip" && (strings.Contains(why, "not a sound") || strings.Contains(why, "not an answer")):
		return "strip-doubled"
	case kind == "strip" && (strings.Contains(why, "refuse") || strings.Contains(why, "reject")):
		return "strip-refused"
	case kind == "voice":
		return "voice-silent"
	}
	for _, t := range troubles {
		if strings.Contains(why, t.err.Error()) {
			return t.fault
		}
	}
	return "device-trouble"
}

// conditions are what printers say and the faults that they are; the first that
// holds is it.
var conditions = []struct {
	is    printer.Status
	fault string
}{
	{printer.Unplugged, "port-missing"}, {printer.Silent, "printer-silent"}, {printer.Paused, "printer-paused"},
	{printer.Broken, "printer-broken"}, {printer.CutterJam, "cutter-jam"}, {printer.Jam, "paper-jam"},
	{printer.CoverOpen, "cover-open"}, {printer.PaperOut, "paper-out"}, {printer.HeadHot, "head-hot"},
	{printer.Faulty | printer.Feeding | printer.Offline, "printer-error"}, {printer.PaperLow, "paper-low"},
}

// OfPrinter is the fault behind what a printer says, "" when there is none.
func OfPrinter(s printer.Status) string {
	for _, c := range conditions {
		if s&c.is != 0 {
			return c.fault
		}
	}
	return ""
}
