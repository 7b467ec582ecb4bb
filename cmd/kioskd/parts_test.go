package main

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A driver that panics is started again; its neighbour does not notice.
func TestPanicIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, healthy := 0, make(chan struct{})
		neighbour := make(chan struct{})
		s := start("devices", quiet, []part{
			{name: "wild", run: func(ctx context.Context) error {
				if tries++; tries < 3 {
					panic("garbage from the wire")
				}
				close(healthy)
				<-ctx.Done()
				return nil
			}},
			{name: "calm", run: func(ctx context.Context) error { <-ctx.Done(); close(neighbour); return nil }},
		})
		<-healthy
		select {
		case <-neighbour:
			t.Error("the neighbour was stopped")
		default:
		}
		if err := s.stop(time.Second); err != nil {
			t.Error(err)
		}
		<-neighbour
	})
}

// A part that does not stop is named, and does not hold up the shutdown.
func TestStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := start("devices", quiet, []part{{name: "stuck", run: func(context.Context) error { <-release; return nil }}})
		synctest.Wait()
		if err := s.stop(time.Second); err == nil {
			t.Error("a stuck part was not reported")
		}
		close(release)
	})
}
