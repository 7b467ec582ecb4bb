package hall

import (
	"context"
	"errors"

	"longcheng/kiosk"
)

// Issue gives a ticket: with the host's number when the host answers in time,
// from the reserve of the box otherwise. When it returns nil, the ticket and its
// slip would survive a power cut of this box. The same request has the same
// answer for ever, whoever gave it.
func (b *Box) Issue(ctx context.Context, in kiosk.Intent, may func() error) (kiosk.Issued, error) {
	got, found, err := b.o.Store.Recall(ctx, in)
	if found || err != nil {
		return got, err
	}
	asked := in
	asked.Kiosk, asked.Printer = Named(b.device, in.Kiosk), ""
	if may != nil {
		if err := may(); err != nil {
			return b.keep(ctx, in, asked, kiosk.Issued{}, err)
		}
	}
	if b.Link().Up {
		var given kiosk.Issued
		err := b.ask(ctx, b.o.Patience, pathTake, asked, &given)
		if err == nil || errors.As(err, new(*kiosk.Refusal)) {
			return b.keep(ctx, in, asked, given, err)
		}
	}
	got, err = b.o.Store.Owe(ctx, in, asked, b.ahead(in))
	b.nudge()
	return got, err
}

func (b *Box) keep(ctx context.Context, in, asked kiosk.Intent, given kiosk.Issued, err error) (kiosk.Issued, error) {
	var no *kiosk.Refusal
	if err != nil && !errors.As(err, &no) {
		return kiosk.Issued{}, err
	}
	return b.o.Store.Keep(ctx, in, asked, given, no)
}

// ahead is how many waited in the queue of an item when the host was last heard
// of.
func (b *Box) ahead(in kiosk.Intent) int {
	snap, _ := b.Last()
	for _, i := range b.o.Hall.Items {
		if i.ID != in.Item {
			continue
		}
		for _, q := range snap.Queues {
			if q.Queue == i.Queue {
				return q.Waiting
			}
		}
	}
	return 0
}
