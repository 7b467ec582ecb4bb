package main

import (
	"context"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/cmd/internal/parts"
	"longcheng/kiosk"
)

// aCard is what the screen calls a card without a name on it.
const aCard = "卡片"

// refusedEvery is the least time between two words on what was not read whole.
const refusedEvery = 2 * time.Second

// readTokens serves a reader of passports or contactless cards.
func (b *box) readTokens(r config.Reader, name string, pages []string, beat func()) func(context.Context) error {
	handle := func(t parts.Token) { b.token(pages, t) }
	var said time.Time
	refused := func(err error) { // the citizen shall try again; a wire full of noise is told now and then
		if time.Since(said) < refusedEvery {
			return
		}
		said = time.Now()
		b.sound(false)
		b.log.Warn("a card was not read whole", "reader", r.Name, "cause", err)
		for _, page := range pages {
			b.desk.Say(page, kiosk.Text{ZH: "证件读取失败，请重新放置", EN: "The document could not be read: put it down again"})
		}
	}
	if r.Driver == "wiegand" {
		return func(ctx context.Context) error {
			b.health.say(name, ready)
			err := keepBeating(ctx, beat, func(ctx context.Context) error {
				return parts.ReadTokens(ctx, r, nil, b.now, handle, refused)
			})
			if ctx.Err() == nil {
				b.health.tell(name, doctor.OfDevice(err), err.Error()+advice(err))
			}
			return err
		}
	}
	port := b.port("reader", r.Name)
	link := b.link(port, beat)
	link.OnChange = b.readerChanged(port, pages)
	return func(ctx context.Context) error { return parts.ReadTokens(ctx, r, link, b.now, handle, refused) }
}

// token brings what was read to the screens; only a keyed hash of the number goes
// on, apart from those of identity cards.
func (b *box) token(pages []string, t parts.Token) {
	if !t.Removed {
		b.sound(!t.Expired)
	}
	for _, page := range pages {
		switch {
		case t.Removed:
			b.desk.Lift(page)
		case t.Expired:
			b.desk.Say(page, kiosk.Text{ZH: "证件已过有效期，请到咨询台", EN: "This document has expired: please ask at the desk"})
		default:
			name, years := aCard, 0
			if !t.Name.IsZero() {
				name, years = kiosk.MaskName(t.Name.Reveal()), age(t.Birth.Time(), b.now())
			}
			b.desk.Present(page, b.persons.is("token "+t.Number.Reveal()), name, years)
		}
	}
}

// keepBeating beats while f waits for edges, which may not come for hours: the
// kernel wakes it, and it cannot hang on anything else.
func keepBeating(ctx context.Context, beat func(), f func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	tick := time.NewTicker(idleBeat)
	defer tick.Stop()
	for {
		beat()
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
	}
}
