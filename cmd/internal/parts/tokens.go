package parts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	"longcheng/device/gpio"
	"longcheng/device/mrz"
	"longcheng/device/secret"
	"longcheng/device/uid"
	"longcheng/device/wiegand"
)

// A Token is what a reader of anything but identity cards has read: a passport,
// a contactless card. It is wiped when the handler returns. Such a card is easily
// copied: it tells visitors apart and proves nobody.
type Token struct {
	Number  secret.Text
	Name    secret.Text // of a passport: the surname
	Birth   secret.Day  // of a passport
	Expired bool
	Removed bool // nothing else is set: the card was lifted
}

// ReadTokens reads the tokens of a reader until ctx ends. link is nil for a reader
// on pins. refused, which may be nil, is told why something was dropped.
func ReadTokens(ctx context.Context, r config.Reader, link *device.Link, now func() time.Time, handle func(Token), refused func(error)) error {
	switch r.Driver {
	case "mrz":
		reader := mrz.NewReader(link, now)
		reader.OnRefused = refused
		return reader.Run(ctx, func(d mrz.Document) {
			handle(Token{Number: d.Number, Name: d.Surname, Birth: d.Birth, Expired: d.Expired(now())})
		})
	case "wiegand":
		return readWiegand(ctx, r, handle, refused)
	}
	format, ok := formats()[r.Driver]
	if !ok {
		return fmt.Errorf("reader %s: driver %q reads no tokens", r.Name, r.Driver)
	}
	reader, err := uid.NewReader(link, format)
	if err != nil {
		return err
	}
	return reader.Run(ctx, func(e uid.Event) { handle(Token{Number: e.ID.Text, Removed: e.Removed}) })
}

// formats are those of readers that send numbers by themselves, by driver.
func formats() map[string]uid.Format {
	return map[string]uid.Format{"em4100": uid.EM4100(), "hex4": uid.Line(4), "hex7": uid.Line(7), "hex10": uid.Line(10), "block": uid.Block()}
}

func readWiegand(ctx context.Context, r config.Reader, handle func(Token), refused func(error)) error {
	wires, err := gpio.NewWatch(r.Pins...)
	if err != nil {
		return err
	}
	defer wires.Close()
	reader := wiegand.NewReader(wires, nil)
	reader.OnDropped = func(c wiegand.Counts) {
		if refused != nil {
			refused(errors.New(c.String()))
		}
	}
	return reader.Run(ctx, func(f wiegand.Frame) {
		if f.Kind != wiegand.Card {
			return // keys of a keypad mean nothing to a queue
		}
		number := secret.New(fmt.Appendf(nil, "%d/%x", f.Bits, f.Data))
		handle(Token{Number: number})
		number.Wipe()
	})
}
