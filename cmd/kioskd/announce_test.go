package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"longcheng/display"
)

// What stands in the file is on the walls and spoken; a mistake in it takes nothing
// down and is told.
func TestAnnouncementsFollowTheirFile(t *testing.T) {
	b := &box{board: &display.Billboard{}, health: newHealth(quiet, time.Now, nil), set: settings{state: t.TempDir()}}
	changed := make(chan struct{}, 10)
	b.board.OnChange(func() { changed <- struct{}{} })
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.announce(ctx) }()
	write := func(text string) {
		t.Helper()
		tmp := filepath.Join(b.set.state, "new")
		if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(b.set.state, announceFile)); err != nil {
			t.Fatal(err)
		}
	}
	write(`[{"zh": "请立即撤离", "urgent": true}]`)
	<-changed
	if now := b.board.Current(time.Now(), nil); len(now) != 1 || !now[0].Urgent || now[0].Text.ZH != "请立即撤离" {
		t.Fatalf("%+v", now)
	}
	write(`[{"zh": ""}]`)
	for tick, end := time.NewTicker(10*time.Millisecond), time.Now().Add(2*time.Minute); len(b.health.list()) == 0; <-tick.C {
		if time.Now().After(end) {
			t.Fatal("the mistake is not told")
		}
	}
	if len(b.board.Current(time.Now(), nil)) != 1 {
		t.Error("a mistake took the announcement down")
	}
	if err := os.Remove(filepath.Join(b.set.state, announceFile)); err != nil {
		t.Fatal(err)
	}
	<-changed
	stop()
	if err := <-done; err != nil || len(b.board.Current(time.Now(), nil)) != 0 {
		t.Error(err)
	}
}
