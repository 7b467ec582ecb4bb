package main

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	"longcheng/device/idcard"
	"longcheng/device/scanner"
	"longcheng/kiosk"
)

// problems are the reader's troubles in a citizen's words.
var problems = map[idcard.Problem]kiosk.Text{
	idcard.Moved:       {ZH: "读取时身份证被移开，请拿起后重新放置", EN: "The card was moved: lift it and put it back"},
	idcard.Damaged:     {ZH: "身份证读取失败，请拿起后重新放置", EN: "The card could not be read: lift it and put it back"},
	idcard.Counterfeit: {ZH: "此证件无法识别，请到咨询台", EN: "This card is not accepted: please ask at the desk"},
	idcard.WrongCard:   {ZH: "这不是身份证，请放置身份证", EN: "This is not an identity card"},
	idcard.Unsupported: {ZH: "暂不支持此证件，请到咨询台", EN: "This document is not supported: please ask at the desk"},
	idcard.OutOfOrder:  {ZH: "读卡器故障，请到咨询台", EN: "The card reader is out of order: please ask at the desk"},
}

// makeReaders connects every reader with the touch pages it serves.
func (b *box) makeReaders() error {
	for _, r := range b.conf.Readers {
		name := "reader " + r.Name
		var pages []string
		for _, t := range b.conf.Touches {
			if t.Reader == r.Name {
				pages = append(pages, t.Name)
			}
		}
		pulse := b.pulse(name, deviceSilence)
		run := b.readTokens(r, name, pages, pulse.beat)
		if r.Driver == "sam" {
			run = b.readCards(r, name, pages, pulse.beat)
		}
		b.input = append(b.input, part{name, run, pulse})
	}
	return nil
}

// readCards serves a reader of identity cards.
func (b *box) readCards(r config.Reader, name string, pages []string, beat func()) func(context.Context) error {
	port := b.port("reader", r.Name)
	link := b.link(port, beat)
	link.OnChange = b.readerChanged(port, pages)
	reader := idcard.NewReader(link)
	reader.OnModule = func(id string) { b.log.Info("card reader's module", "reader", r.Name, "id", id) }
	reader.OnCounterfeit = func(answer idcard.Status) { b.counterfeit(name, answer) }
	return func(ctx context.Context) error {
		return reader.Run(ctx, func(e idcard.Event) { b.card(name, pages, e) })
	}
}

// readerChanged tells the technician how a reader's port stands, and citizens
// that they cannot use their cards.
func (b *box) readerChanged(ref config.Port, pages []string) func(device.Health) {
	report := b.reporting(ref)
	return func(h device.Health) {
		report(h)
		for _, page := range pages {
			switch h.State {
			case device.Broken:
				b.desk.Say(page, problems[idcard.OutOfOrder])
			case device.Ready:
				b.desk.Lift(page)
			}
		}
	}
}

// card brings what a reader saw to the screens. The number leaves this function
// only as a keyed hash, the name only masked.
func (b *box) card(reader string, pages []string, e idcard.Event) {
	switch {
	case e.Problem == idcard.OutOfOrder:
		b.health.tell(reader, "reader-module", "the reader says that it is out of order: switch it off and on, else call its service")
	case e.Card != nil:
		b.health.over(reader)
	}
	if !e.Removed && !e.Lift {
		b.sound(e.Card != nil && !slices.Contains(e.Card.Flags(b.now()), idcard.Expired))
	}
	for _, page := range pages {
		switch {
		case e.Card != nil && slices.Contains(e.Card.Flags(b.now()), idcard.Expired):
			b.desk.Say(page, kiosk.Text{ZH: "身份证已过有效期，请到咨询台", EN: "This card has expired: please ask at the desk"})
		case e.Card != nil:
			b.desk.Present(page, b.persons.is(e.Card.Number.Reveal()), kiosk.MaskName(e.Card.Name.Reveal()), age(e.Card.Birth.Time(), b.now()))
		case e.Removed:
			b.desk.Lift(page)
		case e.Lift:
			b.desk.Say(page, kiosk.Text{ZH: "请拿起身份证", EN: "Please take your card"})
		default:
			b.desk.Say(page, problems[e.Problem])
		}
	}
}

// counterfeit is a security event: the reader works, so its health is not
// touched, and every one of them is in the journal.
func (b *box) counterfeit(reader string, answer idcard.Status) {
	b.health.happened(reader+" security", "card-not-genuine", "a card did not prove itself genuine: look after it at the desk: "+answer.Error())
}

// age is in full years.
func age(birth, now time.Time) int {
	years := now.Year() - birth.Year()
	if now.Month() < birth.Month() || now.Month() == birth.Month() && now.Day() < birth.Day() {
		years--
	}
	return years
}

// scanned takes the ticket of an appointment code; what comes of it is on the
// screen of the touch page.
func (b *box) scanned(ctx context.Context, page, code string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := b.desk.Scan(ctx, page, "scan-"+rand.Text(), code)
	b.notTaken("scanned code", page, err)
}

// pressed takes a ticket for the item of a button.
func (b *box) pressed(ctx context.Context, page, item string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	in := kiosk.Intent{Request: "press-" + rand.Text(), Kiosk: page, Channel: kiosk.ByButton, Item: item}
	_, err := b.desk.Take(ctx, in)
	b.notTaken("pressed button", page, err)
}

// notTaken lets the citizen hear whether there is a ticket and logs why not. The citizen has read it on the screen; a
// refusal by the rules is in the journal, and anything else is ours to mend.
func (b *box) notTaken(way, page string, err error) {
	b.sound(err == nil)
	var no *kiosk.Refusal
	switch {
	case err == nil:
	case errors.As(err, &no):
		b.log.Debug("take ticket: refused by the rules", "way", way, "page", page, "code", no.Code)
	default:
		b.log.Error("take ticket: the citizen was sent to the desk: look at the store and its disk", "way", way, "page", page, "cause", err)
	}
}

// makeScanners connects every scanner with the first touch page.
func (b *box) makeScanners() error {
	for _, s := range b.conf.Scanners {
		ref := b.port("scanner", s.Name)
		name := "scanner " + s.Name
		pulse := b.pulse(name, deviceSilence)
		link := b.link(ref, pulse.beat)
		link.OnChange = b.reporting(ref)
		scan := scanner.New(link)
		b.input = append(b.input, part{name, func(ctx context.Context) error {
			return scan.Run(ctx, func(code string) { b.scanned(ctx, b.firstPage(), code) })
		}, pulse})
	}
	return nil
}

// firstPage is the touch page that shows what buttons and codes bring; a box
// without one still prints.
func (b *box) firstPage() string {
	if len(b.conf.Touches) > 0 {
		return b.conf.Touches[0].Name
	}
	return b.conf.Device
}
