package hall

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"longcheng/kiosk"
)

// Warn tells whoever answers at the other addresses who hosts the hall, every two
// seconds until ctx ends: a host that was replaced hears of it as soon as it is
// back.
func (b *Box) Warn(ctx context.Context) error {
	for sleep(ctx, nil, beat) == nil {
		at := b.Address()
		for _, a := range b.o.Addresses {
			if a != at && b.Link().Up {
				_ = b.present(ctx, a, &kiosk.Welcome{}) // nobody is there, as a rule
			}
		}
	}
	return ctx.Err()
}

// owned are the ranges of this journal: a store that was restored from a backup
// remembers those of the one before, too.
func owned(s BoxStore) (own []kiosk.Range) {
	for _, r := range s.Ranges() {
		if r.Owner == s.Origin() {
			own = append(own, r)
		}
	}
	return own
}

// Tend hands in what is owed and keeps the reserve full, until ctx ends.
func (b *Box) Tend(ctx context.Context) error {
	for sleep(ctx, b.poke, time.Second) == nil {
		if !b.Link().Up {
			continue
		}
		if err := errors.Join(b.handIn(ctx), b.fill(ctx)); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return ctx.Err()
}

func (b *Box) handIn(ctx context.Context) error {
	for {
		list, _, err := b.o.Store.Owed(ctx, atOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		var done kiosk.Handed
		if err := b.ask(ctx, answerIn, pathHandIn, kiosk.HandIn{Box: b.o.Store.Origin(), Now: b.o.Now(), Tickets: list}, &done); err != nil {
			return fmt.Errorf("hand in %d tickets: %w", len(list), err)
		}
		if len(done.Tickets) == 0 {
			return errors.New("hand in tickets: the host's answer is empty")
		}
		for _, t := range done.Tickets {
			if t.Fault != "" || t.Voids != "" {
				b.o.OnTaken(t)
			}
		}
		if err := b.o.Store.Handed(ctx, done.Tickets); err != nil {
			return err
		}
	}
}

func (b *Box) fill(ctx context.Context) error {
	wants, err := b.o.Store.Wants(ctx)
	if err != nil || len(wants) == 0 {
		if err == nil {
			b.filled()
		}
		return err
	}
	var got kiosk.Reserved
	if err := b.ask(ctx, answerIn, pathReserve, wanted{"reserve-" + rand.Text(), b.o.Store.Origin(), wants}, &got); err != nil {
		return fmt.Errorf("ask for a reserve: %w", err)
	}
	if err := b.o.Store.Hold(ctx, got); err != nil {
		return err
	}
	b.nudge() // whether it is full now, or the business day has changed
	return nil
}

// filled notes that the box could go on without its host.
func (b *Box) filled() {
	b.mu.Lock()
	news := b.link.Up && !b.link.Full
	b.link.Full = b.link.Up
	b.mu.Unlock()
	if news {
		b.tellLink()
	}
}
