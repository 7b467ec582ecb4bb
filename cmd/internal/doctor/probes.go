package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/device/idcard"
	"longcheng/printer"
)

// How long a device may think before the next speed is tried.
const (
	printerAnswers = 700 * time.Millisecond
	readerAnswers  = 1200 * time.Millisecond
)

// speeds are those that DIP switches of printers and readers offer.
var speeds = []int{9600, 19200, 38400, 57600, 115200}

// probes asks printers and card readers how they are. It does so only while no
// daemon has them. A query that a device hears at the wrong speed is a character
// or two of rubbish, and no more.
func (e *exam) probes() {
	if e.Status != nil || e.conf == nil {
		return
	}
	for _, p := range e.conf.Printers {
		profile, err := e.conf.Model(p)
		port, ok := e.conf.PortOf("printer", p.Name)
		if err == nil && ok && profile.Answers() {
			ask := printerProbe{parts.Language(p.Driver, profile, nil), printerAnswers + e.Grace}
			e.probe(port, ask.ask, "printer-silent", "printer-emulation")
		}
	}
	for _, r := range e.conf.Readers {
		if port, ok := e.conf.PortOf("reader", r.Name); ok && r.Driver == "sam" {
			e.probe(port, e.askReader, "device-silent", "reader-garbled")
		}
	}
}

// A heard is what came back: a fault, nothing at all, or bytes without sense.
type heard struct {
	answered bool
	rubbish  bool
	fault    string // behind the answer; "" is well
	said     string
}

// probe asks at the speed of the configuration, and at the others when nothing
// sensible comes.
func (e *exam) probe(p config.Port, ask func(context.Context, device.Port) heard, silent, rubbish string) {
	on := p.Device
	first, err := e.at(p, p.Baud, ask)
	switch {
	case err != nil:
		return // told by the ports already
	case first.answered && first.fault != "":
		e.find(first.fault, on, first.said)
		return
	case first.answered:
		return
	}
	for _, other := range e.others(p) {
		if h, err := e.at(p, other, ask); err == nil && h.answered {
			e.find("wrong-baud", on, fmt.Sprintf("configured %d, answers at %d", p.Baud, other))
			return
		}
	}
	if first.rubbish {
		e.find(rubbish, on, first.said)
		return
	}
	e.find(silent, on, fmt.Sprintf("nothing at %d nor at %v", p.Baud, e.others(p)))
}

// others are the speeds to try besides the configured one; USB and the network
// have none.
func (e *exam) others(p config.Port) []int {
	if _, _, _, usb := p.USB(); usb || p.Network() || parts.USBPrinter(p.File) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(speeds), func(s int) bool { return s == p.Baud })
}

// at opens a port for one question.
func (e *exam) at(at config.Port, baud int, ask func(context.Context, device.Port) heard) (heard, error) {
	at = e.here(at)
	at.Baud = baud
	p, err := parts.Opener(e.State, at)(e.ctx)
	if err != nil {
		return heard{}, err
	}
	heard := &counted{Port: p}
	h := ask(e.ctx, heard)
	if h.rubbish = !h.answered && heard.n > 0; h.rubbish && h.said == "" {
		h.said = fmt.Sprintf("%d bytes came back, none of them an answer", heard.n)
	}
	return h, p.Close()
}

// counted is a port that counts what came back.
type counted struct {
	device.Port
	n int
}

// Read counts.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Port.Read(b)
	c.n += n
	return n, err
}

// A printerProbe asks for the status in a printer's language.
type printerProbe struct {
	lang   printer.Language
	within time.Duration // it answers, or is silent
}

func (q printerProbe) ask(ctx context.Context, p device.Port) (h heard) {
	answers, all := q.lang.Answers(), printer.Status(0)
	for _, n := range q.lang.Queries() {
		answers.Ask(n)
		if _, err := p.Write(q.lang.Query(n)); err != nil {
			return h
		}
		a, ok, junk := q.listen(ctx, p, answers)
		if len(junk) > 0 {
			h.said = fmt.Sprintf("came back: % x", junk)
		}
		if !ok {
			return h
		}
		all |= a.Status
	}
	if all&printer.CoverOpen != 0 {
		all &^= printer.PaperOut | printer.PaperLow // may be wrong while it is open
	}
	return heard{answered: true, fault: OfPrinter(all), said: all.Technician().EN}
}

// listen waits for the reply to a query; junk is what was no answer.
func (q printerProbe) listen(ctx context.Context, p device.Port, answers printer.Answers) (a printer.Answer, ok bool, junk []byte) {
	buf := make([]byte, 64)
	for end := time.Now().Add(q.within); time.Now().Before(end) && ctx.Err() == nil; {
		n, err := p.Read(buf)
		for _, b := range buf[:n] {
			if a, ok = answers.Next(b); ok && a.Kind == printer.Replied {
				return a, true, nil
			}
			if len(junk) < 16 {
				junk = append(junk, b)
			}
		}
		if err != nil && !errors.Is(err, device.ErrTimeout) {
			break
		}
	}
	return a, false, junk
}

// askReader asks the security module how it is.
func (e *exam) askReader(ctx context.Context, p device.Port) heard {
	ctx, cancel := context.WithTimeout(ctx, readerAnswers+e.Grace)
	defer cancel()
	err := idcard.NewModule(p).Status(ctx)
	var s idcard.Status
	switch {
	case err == nil:
		return heard{answered: true}
	case errors.As(err, &s) && s.Broken():
		return heard{answered: true, fault: "reader-module", said: err.Error()}
	case errors.As(err, &s):
		return heard{answered: true}
	}
	return heard{}
}
