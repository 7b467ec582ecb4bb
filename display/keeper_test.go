package display

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/kiosk"
)

// lamp is a surface that cannot blink by itself.
type lamp struct {
	board
	mu  sync.Mutex
	lit []bool
}

func (l *lamp) blinks() []bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lit)
}

func (l *lamp) Blink(_ context.Context, _ View, lit bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lit = append(l.lit, lit)
	return nil
}

func run(ctx context.Context, t *testing.T, k *Keeper) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	t.Cleanup(func() { <-done })
}

// A call blinks four times, at most once a second, and then stays lit; changes
// elsewhere in the hall do not begin it anew, a recall does.
func TestACallBlinksAndStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		f, l := newHall(), &lamp{board: board{shows: make(chan View, 100)}}
		run(ctx, t, NewKeeper(f, l, BuildStrip(hall(), "w1"), Options{Refresh: time.Hour}))
		synctest.Wait()
		f.calls(call(1, 10, "w1", "A001"))
		time.Sleep(1100 * time.Millisecond)
		if lit := l.blinks(); len(lit) != 2 || lit[0] || !lit[1] {
			t.Fatalf("after a second: %v", lit)
		}
		f.changed <- struct{}{} // somebody else's call
		time.Sleep(20 * time.Second)
		if lit := l.blinks(); len(lit) != 8 || !lit[7] || len(l.shows) != 2 {
			t.Fatalf("blinks %v, shown %d times", lit, len(l.shows))
		}
		again := call(2, 10, "w1", "A001")
		again.Recall = 1
		f.calls(again)
		time.Sleep(20 * time.Second)
		if lit := l.blinks(); len(lit) != 16 {
			t.Fatalf("after a recall %v", lit)
		}
		stop()
	})
}

// hangs is a surface that shows one view and then does not answer until it is given up.
type hangs struct {
	board
	once sync.Once
}

func (h *hangs) Show(ctx context.Context, _ View) (shown []int64, err error) {
	first := false
	h.once.Do(func() { first = true })
	if first {
		return nil, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// The alarm comes after one second, not when the surface has been given up; then it
// gives way to the reason.
func TestTheAlarmDoesNotWaitForTheSurface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		f, late, over := newHall(), make(chan time.Duration, 10), make(chan time.Time, 10)
		run(ctx, t, NewKeeper(f, &hangs{}, BuildStrip(hall(), "w1"), Options{
			OnLate:   func(_ string, _ kiosk.Call, d time.Duration) { late <- d },
			OnTimely: func(string) { over <- time.Now() },
		}))
		time.Sleep(3 * time.Second) // the idle state is shown
		c := call(1, 10, "w1", "A001")
		c.At = time.Now()
		f.calls(c)
		time.Sleep(30 * time.Second)
		stop()
		if d := <-late; len(late) != 0 || d < time.Second || d > 2100*time.Millisecond {
			t.Fatalf("told after %s, %d more", d, len(late))
		}
		if gone := (<-over).Sub(c.At); len(over) != 0 || gone < 10*time.Second || gone > 11*time.Second {
			t.Fatalf("over after %s, %d more", gone, len(over))
		}
	})
}

func TestAWholeStateAfterTheLineWasReopened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		f, b := newHall(), &board{shows: make(chan View, 100)}
		k := keep(f, b, Options{Refresh: time.Hour})
		run(ctx, t, k)
		synctest.Wait()
		k.Refresh()
		synctest.Wait()
		if len(b.shows) != 2 {
			t.Fatalf("shown %d times", len(b.shows))
		}
		stop()
	})
}

// dark is a hall that cannot be read any more.
type dark struct {
	*fakeHall
	lost atomic.Bool
}

func (d *dark) Snapshot(ctx context.Context) (kiosk.Snapshot, error) {
	if d.lost.Load() {
		return kiosk.Snapshot{}, errors.New("no route to the host")
	}
	return d.fakeHall.Snapshot(ctx)
}

// A strip whose hall is away keeps its state for a minute, says so then, and
// comes back with the hall.
func TestAStripSaysThatItsHallIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		f, b := &dark{fakeHall: newHall()}, &board{shows: make(chan View, 100)}
		run(ctx, t, NewKeeper(f, b, BuildStrip(hall(), "w1"), Options{Fault: StripOptions{}.Fault(hall(), "w1")}))
		synctest.Wait()
		f.lost.Store(true)
		f.changed <- struct{}{}
		time.Sleep(50 * time.Second)
		if len(b.shows) != 1 {
			t.Fatalf("shown %d times", len(b.shows))
		}
		time.Sleep(20 * time.Second)
		if <-b.shows; len(b.shows) != 1 {
			t.Fatalf("%d views", len(b.shows))
		} else if v := <-b.shows; v.Strip.Phase != PhaseFault || v.Strip.Text.ZH == "" {
			t.Fatalf("%+v", v.Strip)
		}
		f.lost.Store(false)
		time.Sleep(10 * time.Second)
		if v := <-b.shows; v.Strip.Phase != PhaseSignedOut {
			t.Fatalf("%+v", v.Strip)
		}
		stop()
	})
}

func TestTextsOfTheHall(t *testing.T) {
	h := hall()
	h.Hours = kiosk.Hours{Bands: []kiosk.Band{{Days: "mon-fri", From: 9 * 60, To: 17 * 60}}}
	o := StripOptions{Texts: Texts{Calling: kiosk.Text{ZH: "{number}→{window}", EN: "{number} to {window}"}}, Blinks: -1}
	ws := at(call(1, 10, "w2", "A001"), kiosk.Called)
	v := o.Build(h, "w2")(kiosk.Snapshot{At: noon, Windows: []kiosk.WindowState{ws}}, nil)
	if v.Strip.Text != (kiosk.Text{ZH: "A001→2", EN: "A001 to 2"}) || v.Strip.Blinks != 0 {
		t.Fatalf("%+v", v.Strip)
	}
	o.Now = func() time.Time { return noon }
	if v := o.Build(h, "w1")(kiosk.Snapshot{}, nil); v.Strip.Phase != PhaseSignedOut {
		t.Fatalf("open hall: %+v", v.Strip)
	}
	o.Now = func() time.Time { return noon.Add(8 * time.Hour) }
	if v := o.Build(h, "w1")(kiosk.Snapshot{}, nil); v.Strip.Phase != PhaseClosed || v.Strip.Text.EN != "Closed" {
		t.Fatalf("closed hall: %+v", v.Strip)
	}
}
