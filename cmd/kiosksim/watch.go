package main

import (
	"context"
	"sync"
	"time"

	"longcheng/device"
	"longcheng/kiosk"
)

// A watch follows the journal while the day is on, once for everybody.
type watch struct {
	mu     sync.Mutex
	ledger *ledger
}

// run reads what is new until ctx ends; a box that is just starting is asked
// again.
func (w *watch) run(ctx context.Context, boss *client) {
	for device.Sleep(ctx, 25*time.Millisecond) == nil {
		w.mu.Lock()
		next := w.ledger.after
		w.mu.Unlock()
		events, err := journal(ctx, boss, next)
		if err != nil {
			continue
		}
		w.mu.Lock()
		for _, e := range events {
			if w.ledger.take(e) != nil { // the audit reads it again and says why
				break
			}
		}
		w.mu.Unlock()
	}
}

// issued returns how many tickets of a kind exist.
func (w *watch) issued(by kiosk.Channel) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ledger.channels[by]
}

// shown reports whether a call of a leg was delivered to all it was meant for.
func (w *watch) shown(leg int64, recall int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for seq, c := range w.ledger.calls {
		if c.Leg == leg && c.Recall == recall {
			return len(w.ledger.owed(seq)) == 0
		}
	}
	return false
}
