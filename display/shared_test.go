package display

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"longcheng/kiosk"
)

// slowHall counts reads and holds the first one until it is released.
type slowHall struct {
	*fakeHall
	reads   atomic.Int64
	begun   chan struct{}
	release chan struct{}
}

func (s *slowHall) Snapshot(ctx context.Context) (kiosk.Snapshot, error) {
	n := s.reads.Add(1)
	if n == 1 {
		close(s.begun)
		select {
		case <-s.release:
		case <-ctx.Done():
			return kiosk.Snapshot{}, ctx.Err()
		}
	}
	return kiosk.Snapshot{Seq: n}, nil
}

func newSlow() *slowHall {
	return &slowHall{fakeHall: newHall(), begun: make(chan struct{}), release: make(chan struct{})}
}

// Who asks while a read is under way gets the next one, together with the rest.
func TestSharedSnapshotsAreFewAndFresh(t *testing.T) {
	src := newSlow()
	s := NewShared(src)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = s.Snapshot(t.Context()) })
	<-src.begun
	second := s.board() // the read that everybody below waits for
	if s.board() != second {
		t.Fatal("two who ask at once get two reads")
	}
	for range 100 {
		wg.Go(func() {
			if snap, err := s.Snapshot(t.Context()); err != nil || snap.Seq < 2 {
				t.Errorf("read %d, begun before it was asked for (%v)", snap.Seq, err)
			}
		})
	}
	close(src.release)
	wg.Wait()
	<-second.done
}

// One keeper that stops does not take the others' snapshot with it.
func TestSharedSnapshotSurvivesItsReader(t *testing.T) {
	src := newSlow()
	s := NewShared(src)
	ctx, cancel := context.WithCancel(t.Context())
	f := s.board()
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := s.Snapshot(ctx); err == nil {
			t.Error("a cancelled reader got an answer")
		}
	})
	<-src.begun
	cancel()
	<-f.done
	if snap, err := s.Snapshot(t.Context()); err != nil || snap.Seq != 2 {
		t.Fatalf("read %d, %v", snap.Seq, err)
	}
	wg.Wait()
}
