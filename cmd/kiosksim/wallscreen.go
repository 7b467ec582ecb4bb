package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"longcheng/device"
)

// A wallScreen is a browser as far as a wall can tell: it reads the wall's
// stream, remembers what it shows, and acknowledges it.
type wallScreen struct {
	*client
	path string // "/wall/main"

	mu    sync.Mutex
	shown []string // "A012 → 3", in the order in which they appeared
}

type wallMessage struct {
	Seq  uint64
	Wall struct {
		Calls []struct {
			Seq    int64
			Number string
			Window int
		}
	}
}

// watch keeps the screen connected until ctx ends.
func (w *wallScreen) watch(ctx context.Context) {
	for ctx.Err() == nil {
		id, build := "", ""
		_ = w.events(ctx, w.path+"/events", func(event string, data []byte) error { // a lost stream is opened again
			switch event {
			case "hello":
				var h struct{ Client, Build string }
				err := json.Unmarshal(data, &h)
				id, build = h.Client, h.Build
				return err
			case "state":
				return w.paint(ctx, id, build, data)
			}
			return nil
		})
		_ = device.Sleep(ctx, 100*time.Millisecond)
	}
}

func (w *wallScreen) paint(ctx context.Context, id, build string, data []byte) error {
	var m wallMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("wall: %w", err)
	}
	seqs := []int64{}
	w.mu.Lock()
	for _, c := range slices.Backward(m.Wall.Calls) {
		seqs = append(seqs, c.Seq)
		if r := row(c.Number, c.Window); !slices.Contains(w.shown, r) {
			w.shown = append(w.shown, r)
		}
	}
	w.mu.Unlock()
	err := w.once(ctx, http.MethodPost, w.path+"/ack", "ack", map[string]any{"client": id, "message": m.Seq, "seq": seqs, "build": build}, nil)
	if _, refusedByWall := err.(*refused); refusedByWall { // a newer message is on its way
		return nil
	}
	return err
}

// seen returns the calls that were on the screen.
func (w *wallScreen) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.shown)
}
