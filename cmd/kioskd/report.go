package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"time"

	"longcheng/central"
	"longcheng/device"
	"longcheng/kiosk"
)

const (
	reportLook  = 10 * time.Second // a change is told by then
	reportAgain = time.Minute      // and nothing is told again by then
)

// report tells the centre how the box is until ctx ends: when something has
// changed, and every minute. What the centre did not hear is told the next time.
func (u *uplink) report(ctx context.Context, client *central.Client) {
	var last string
	var told time.Time
	for {
		is, err := u.status(ctx)
		if key := keyOf(is); err == nil && (key != last || time.Since(told) > reportAgain) {
			if err = client.Report(ctx, u.device, is); err == nil {
				last, told = key, time.Now()
			}
		}
		if err != nil && ctx.Err() == nil {
			u.log.Debug("report to the centre", "cause", err) // the outbox says that it is away
		}
		if device.Sleep(ctx, reportLook) != nil {
			return
		}
	}
}

// keyOf is what of a status makes it another one.
func keyOf(is central.Status) string {
	is.Sent, is.Waiting = time.Time{}, 0
	text, _ := json.Marshal(is) // a struct of texts, numbers and times
	return string(text)
}

// status says how the box is.
func (b *box) status(ctx context.Context) (central.Status, error) {
	is := central.Status{Sent: b.now().UTC(), Version: version, Config: b.fingerprint, Parts: []central.Part{}}
	if f := b.farEnd(); f != nil {
		is.Waiting = f.Waiting
	}
	if b.documents != nil {
		is.Documents = b.documents.inForce()
	}
	for _, r := range b.health.list() {
		is.Parts = append(is.Parts, central.Part{Name: r.Device, State: r.State, Fault: r.Fault, Since: r.Since.UTC(), Left: b.paperLeft(r.Device)})
	}
	if !b.hosts() {
		return is, nil // the host tells of the hall
	}
	snap, err := b.hallStore.Snapshot(ctx)
	if err != nil {
		return is, err
	}
	is.Hall = hallNow(b.conf.Hall, snap)
	return is, nil
}

// paperLeft returns how many tickets the roll of a printer still holds; nil when
// that is unknown, or the device is no printer.
func (b *box) paperLeft(device string) *int {
	spool := b.spools[device]
	if spool == nil {
		return nil
	}
	left := spool.Status().Left
	if left < 0 {
		return nil
	}
	return &left
}

// hallNow is the public state of the hall, without what names anybody.
func hallNow(h *kiosk.Hall, snap kiosk.Snapshot) *central.HallNow {
	now := &central.HallNow{Name: h.Name, Day: snap.Day, Alarm: snap.Alarm, Windows: []central.WindowNow{}, Queues: []central.QueueNow{}}
	for _, w := range snap.Windows {
		is := central.WindowNow{Window: w.Window, Desk: w.Desk}
		if w.Current != nil {
			is.Number, is.State, is.Since = w.Current.Number, string(w.Current.State), w.Current.Since.UTC()
		}
		now.Windows = append(now.Windows, is)
	}
	names := map[string]kiosk.Text{}
	for _, q := range h.Queues {
		names[q.ID] = q.Name
	}
	for _, q := range snap.Queues {
		now.Queues = append(now.Queues, central.QueueNow{Queue: q.Queue, Name: names[q.Queue], Waiting: q.Waiting, Windows: q.Windows, Estimate: q.Estimate})
	}
	return now
}

// fingerprint stands for the documents that a box runs with.
func fingerprint(file string, hall *kiosk.Hall) string {
	text, _ := os.ReadFile(file) // it was read a moment ago; without it the hall's part remains
	is, _ := json.Marshal(hall)  // a struct of texts and numbers
	sum := sha256.Sum256(append(text, is...))
	return hex.EncodeToString(sum[:6])
}
