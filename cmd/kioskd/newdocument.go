package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"longcheng/central"
	"longcheng/device"
	"longcheng/kiosk"
)

// errNewDocument ends the life of a box so that another one begins, with another
// hall document.
var errNewDocument = errors.New("another hall document is taken into use")

// documentName is the hall document's name in reports of health.
const documentName = "hall document"

// orderDocument takes a hall document of the centre.
func (b *box) orderDocument(ctx context.Context, m central.Message) error {
	if b.documents == nil {
		return decline("本机不保存大厅文档", "this box keeps no hall documents")
	}
	return b.documents.accept(ctx, m)
}

// watchDocuments takes a document into use when its moment has come, and says
// when one has proved good.
func (b *box) watchDocuments(ctx context.Context) error {
	if b.documents == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	if t := b.documents.trouble(); t != "" {
		b.health.tell(documentName, "document-held", t)
	}
	begun, proved := time.Now(), false
	for {
		if !proved && time.Since(begun) >= goodAfter {
			if err := b.documents.proved(); err != nil {
				return fmt.Errorf("note that the hall document is good: %w", err)
			}
			if proved = true; b.documents.trouble() == "" {
				b.health.over(documentName)
			}
		}
		if p, is := b.documents.change(); is {
			if err := b.renewDocument(ctx, p); err != nil {
				return err
			}
		}
		if err := device.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// renewDocument takes a publication into use, unless people wait in what it does
// not have any more, or nobody knows what time it is. The stop that follows is
// ordered and bounded: a slip in hand is finished, and everything else is in the
// store.
func (b *box) renewDocument(ctx context.Context, publication int64) error {
	s, err := b.situation(ctx)
	if err != nil || s.Alarm != "" {
		return err
	}
	c, err := b.documents.load(publication)
	if err != nil {
		return fmt.Errorf("read hall document: %w", err)
	}
	if who := stranded(s, c.Hall); who != "" {
		b.health.tell(documentName, "document-held", "a new version waits: "+who)
		return nil
	}
	if err := b.documents.take(publication); err != nil {
		return fmt.Errorf("take hall document into use: %w", err)
	}
	b.log.Info("hall document: the parts are started again with another one", "publication", publication)
	b.life.fail(errNewDocument)
	<-ctx.Done()
	return ctx.Err()
}

// situation is the hall as this box knows it: a kiosk's own store has its tickets,
// but not what became of them.
func (b *box) situation(ctx context.Context) (kiosk.Snapshot, error) {
	if b.member == nil || b.promoted {
		return b.hallStore.Snapshot(ctx)
	}
	own, err := b.store.Snapshot(ctx)
	if s, _ := b.member.Last(); s.Day != "" {
		s.Alarm = own.Alarm
		return s, err
	}
	return own, err
}

// stranded says who would be lost with another hall: those who wait in a queue,
// or are served at a window, that it does not have.
func stranded(s kiosk.Snapshot, h *kiosk.Hall) string {
	queues, windows := map[string]bool{}, map[string]bool{}
	for _, q := range h.Queues {
		queues[q.ID] = true
	}
	for _, w := range h.Windows {
		windows[w.ID] = true
	}
	for _, q := range s.Queues {
		if q.Waiting > 0 && !queues[q.Queue] {
			return fmt.Sprintf("%d people wait in queue %s, which it does not have", q.Waiting, q.Queue)
		}
	}
	for _, w := range s.Windows {
		if w.Current != nil && !windows[w.Window] {
			return fmt.Sprintf("somebody is at window %s, which it does not have", w.Window)
		}
	}
	return ""
}
