package main

import (
	"strings"
	"testing"
)

// What goes wrong with a device is told to each in their words: one line in the
// log, an entry in healthz with the remedy, a sentence on the citizen's screen.
// When it is over, all three say so.

func TestPrinterUnpluggedInATicket(t *testing.T) {
	r := newRig(t, 60)
	d := r.start(smallHall).healthy()
	d.ticket(true)
	d.until("the first line", func() bool { return len(r.printer.Hanging().Rows) > 0 })
	r.cables["printer-1"].Unplug()
	d.until("the screen to say so", func() bool {
		s := d.screen()
		return strings.Contains(s, `"printer_ready":false`) && strings.Contains(s, "Please use another one or ask at the desk")
	})
	d.until("healthz to say so", func() bool {
		return strings.Contains(d.health(), "printer is not connected: check its power and cable")
	})
	if !strings.HasPrefix(d.health(), "ok\n") {
		t.Error("an unplugged printer makes the daemon fail")
	}
	if err := r.cables["printer-1"].Replug(); err != nil {
		t.Fatal(err)
	}
	d.slips(r, 1)
	d.until("the screen to be ready", func() bool { return strings.Contains(d.screen(), `"printer_ready":true`) })
	d.until("the log to say that it is over", func() bool { return d.logged("device is ready", `device="printer printer-1"`, "after=") >= 1 })
	if n := d.logged("device needs attention", `device="printer printer-1"`, "not connected", "port"); n != 1 {
		t.Errorf("%d lines about the printer, want 1", n)
	}
	d.stop()
}

func TestReaderSilent(t *testing.T) {
	r := newRig(t, 3000)
	d := r.start(smallHall).healthy()
	d.until("the reader", func() bool { return d.logged("device is ready", `device="reader reader-1"`) == 1 })
	r.cables["reader-1"].Hang(true)
	d.until("the screen to say so", func() bool { return strings.Contains(d.screen(), "The card reader is out of order") })
	d.until("healthz to say so", func() bool {
		return strings.Contains(d.health(), "check that it is switched on, its cable and its speed")
	})
	d.ticket(true) // by touch, all the same
	r.cables["reader-1"].Hang(false)
	d.until("the screen to be quiet again", func() bool { return !strings.Contains(d.screen(), "The card reader is out of order") })
	if n := d.logged("device needs attention", `device="reader reader-1"`); n != 1 {
		t.Errorf("%d lines about the reader, want 1", n)
	}
	d.stop()
}

func TestStripDead(t *testing.T) {
	r := newRig(t, 3000)
	d := r.start(smallHall).healthy()
	d.until("strip 2", func() bool { return d.logged("device is ready", "device=strip:2") == 1 })
	r.line.Card("2").PowerOff()
	d.open("2")
	d.until("healthz to say so", func() bool {
		return strings.Contains(d.health(), "sign is silent: check its power, address and baud rate")
	})
	silent := func() int { return d.logged("device needs attention", "device=strip:2", "sign is silent") }
	d.until("the log to say so", func() bool { return silent() > 0 }) // which comes through a pipe
	if d.logged("device needs attention", "device=strip:1") != 0 || d.logged("device needs attention", `device="line line-1"`) != 0 {
		t.Error("one dead card was taken for the whole line")
	}
	r.line.Card("2").PowerOn()
	d.until("the log to say that it is over", func() bool { return d.logged("device is ready", "device=strip:2", "after=") == 1 })
	d.stop()
	if n := silent(); n != 1 {
		t.Errorf("%d lines about the strip, want 1", n)
	}
}
