package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"longcheng/cmd/internal/commission"
	"longcheng/kiosk"
)

const (
	lookForSheets = time.Minute
	maxSheet      = 256 << 10 // of an event: 300 devices' verdicts
	noted         = ".noted"  // beside a sheet that is in the journal
)

// noteSheets brings the sheets of acceptance tests into the journal, which carries
// them to the centre. Kioskctl writes them while the daemon is stopped.
func (b *box) noteSheets(ctx context.Context) error {
	tick := time.NewTicker(lookForSheets)
	defer tick.Stop()
	for {
		if _, err := os.Stat(commission.PutOffFile(b.set.state)); err == nil {
			b.health.tell("acceptance", "not-accepted", "put off at the first start: systemctl stop kioskd, then kioskctl accept")
		}
		files, _ := filepath.Glob(filepath.Join(commission.AcceptanceDir(b.set.state), "*.json")) // the pattern is good
		for _, f := range files {
			if err := b.noteSheet(ctx, f); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// noteSheet notes one sheet, once. One that cannot be read is told and not tried
// again.
func (b *box) noteSheet(ctx context.Context, file string) error {
	if _, err := os.Stat(file + noted); err == nil {
		return nil
	}
	text, err := os.ReadFile(file)
	if err == nil && len(text) > maxSheet {
		err = fmt.Errorf("it is larger than %d KiB", maxSheet>>10)
	}
	if err == nil {
		var s commission.Sheet
		if s, _, err = commission.ReadDocument(text, nil); err == nil {
			err = b.accepted(ctx, s, text)
			if err != nil {
				return fmt.Errorf("note acceptance sheet: %w", err)
			}
		}
	}
	if err != nil {
		b.log.Warn("acceptance sheet is not sent: test the box again", "file", filepath.Base(file), "cause", err)
	}
	return os.WriteFile(file+noted, nil, 0o640)
}

func (b *box) accepted(ctx context.Context, s commission.Sheet, text []byte) error {
	a := kiosk.Accepted{At: s.Ended, By: s.By, Good: s.Good, Document: text}
	for _, v := range append([]commission.Verdict{s.Box}, s.Devices...) {
		if !v.Good {
			a.Failed = append(a.Failed, v.Device)
		}
	}
	if err := b.store.Note(ctx, kiosk.KindAccepted, a); err != nil {
		return err
	}
	if s.Good {
		b.health.over("acceptance")
		return nil
	}
	b.health.tell("acceptance", "not-accepted", fmt.Sprintf("not good: %s: mend them, then kioskctl accept", strings.Join(a.Failed, ", ")))
	return nil
}
