package display

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"longcheng/kiosk"
)

var noon = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

func hall() *kiosk.Hall {
	return &kiosk.Hall{
		Name:    kiosk.Text{ZH: "龙城"},
		Queues:  []kiosk.Queue{{ID: "q", Name: kiosk.Text{ZH: "户政"}, Prefix: "A", Zone: "a"}, {ID: "r", Prefix: "B", Zone: "b"}},
		Windows: []kiosk.Window{{ID: "w1", Number: 1, Zone: "a"}, {ID: "w2", Number: 2, Zone: "a"}, {ID: "w3", Number: 3, Zone: "b"}},
	}
}

func call(seq, leg int64, window, number string) kiosk.Call {
	return kiosk.Call{Seq: seq, Leg: leg, Window: window, Number: number, At: noon}
}

// at returns a window at which the visit of c is.
func at(c kiosk.Call, s kiosk.State) kiosk.WindowState {
	return kiosk.WindowState{Window: c.Window, Desk: kiosk.Open, Current: &kiosk.Leg{ID: c.Leg, Number: c.Number, State: s, Call: c.Seq}}
}

func TestStripFollowsItsWindow(t *testing.T) {
	c := call(5, 50, "w1", "A012")
	tests := []struct {
		ws    kiosk.WindowState
		phase Phase
		text  string
	}{
		{kiosk.WindowState{Window: "w1", Desk: kiosk.Open}, PhaseIdle, "欢迎光临"},
		{kiosk.WindowState{Window: "w1", Desk: kiosk.Paused}, PhasePaused, "暂停服务"},
		{kiosk.WindowState{Window: "w1", Desk: kiosk.Paused, Notice: "午休"}, PhasePaused, "午休"},
		{kiosk.WindowState{Window: "w1", Desk: kiosk.Closed}, PhaseSignedOut, "暂未开放"},
		{kiosk.WindowState{Window: "w2", Desk: kiosk.Open}, PhaseSignedOut, "暂未开放"},
		{at(c, kiosk.Called), PhaseCalling, "请A012"},
		{at(c, kiosk.Serving), PhaseServing, "A012办理"},
	}
	for _, tt := range tests {
		v := BuildStrip(hall(), "w1")(kiosk.Snapshot{Windows: []kiosk.WindowState{tt.ws}}, []kiosk.Call{c})
		if v.Strip.Phase != tt.phase || v.Strip.Text.ZH != tt.text || (v.Strip.Blinks == 4) != (tt.phase == PhaseCalling) {
			t.Errorf("%+v: %+v", tt.ws, v.Strip)
		}
		if proves := v.Strip.Number == "A012"; proves != slices.Equal(v.Calls, []int64{5}) || proves == slices.Equal(v.Stale, []int64{5}) {
			t.Errorf("%+v: proves %v, stale %v", tt.ws, v.Calls, v.Stale)
		}
	}
}

func TestWallShowsItsZoneWithTheLatestRecallFirst(t *testing.T) {
	a, b, other := call(1, 10, "w1", "A001"), call(2, 20, "w2", "A002"), call(3, 30, "w3", "B001")
	again := call(4, 10, "w1", "A001")
	again.Recall = 1
	gone := call(0, 99, "w1", "A000")
	ws := at(again, kiosk.Called)
	s := kiosk.Snapshot{Seq: 9, Windows: []kiosk.WindowState{ws, at(b, kiosk.Serving)}, Calls: []kiosk.Call{other, b, a}, Queues: []kiosk.QueueState{{Queue: "q", Waiting: 7}}}
	v := BuildWall(hall(), kiosk.Text{}, "a")(s, []kiosk.Call{again, gone})
	w := v.Wall
	if len(w.Calls) != 2 || w.Calls[0].Number != "A001" || w.Calls[0].Seq != 4 || !w.Calls[0].Live || w.Calls[1].Live {
		t.Fatalf("calls %+v", w.Calls)
	}
	if len(w.Windows) != 2 || len(w.Queues) != 1 || w.Queues[0].Waiting != 7 || w.Title.ZH != "龙城" {
		t.Fatalf("wall %+v", w)
	}
	if !slices.Equal(v.Calls, []int64{4}) || !slices.Equal(v.Stale, []int64{0}) {
		t.Fatalf("proves %v, stale %v", v.Calls, v.Stale)
	}
}

func TestVoiceSaysRecallsFirstAndEachTicketOnce(t *testing.T) {
	a, b := call(1, 10, "w1", "A001"), call(2, 20, "w2", "A002")
	again := call(3, 20, "w2", "A002")
	again.Recall = 1
	old, came := call(0, 30, "w1", "A000"), call(4, 40, "w3", "B001")
	old.At = noon.Add(-time.Hour)
	s := kiosk.Snapshot{At: noon, Windows: []kiosk.WindowState{at(a, kiosk.Called), at(again, kiosk.Called), at(came, kiosk.Serving)}}
	v := BuildVoice(hall(), time.Minute)(s, []kiosk.Call{old, a, b, again, came})
	if len(v.Voice) != 2 || v.Voice[0].Number != "A002" || !slices.Equal(v.Voice[0].Seqs, []int64{2, 3}) || v.Voice[1].Number != "A001" {
		t.Fatalf("voice %+v", v.Voice)
	}
	if !slices.Equal(v.Calls, []int64{1, 2, 3}) || !slices.Equal(v.Stale, []int64{0, 4}) {
		t.Fatalf("calls %v, stale %v", v.Calls, v.Stale)
	}
}

// A surface is told of for what it does itself: not for a hall that cannot be read,
// and with the reason of now, each once.
func TestHealthIsTheSurfacesOwn(t *testing.T) {
	f, b := newHall(), &board{shows: make(chan View, 100), reasons: []string{"no browser", "no browser", "not painted"}}
	f.away = 2
	health := make(chan Health, 100)
	k := keep(f, b, Options{OnChange: func(h Health) { health <- h }})
	run(t.Context(), t, k)
	for _, want := range []Health{{Reason: "no browser"}, {Reason: "not painted"}, {Ready: true}} {
		if h := <-health; h.Ready != want.Ready || h.Reason != want.Reason {
			t.Fatalf("told %+v, want %+v", h, want)
		}
	}
}

// fakeHall is a Source in memory.
type fakeHall struct {
	mu        sync.Mutex
	snap      kiosk.Snapshot
	open      []kiosk.Call
	delivered []kiosk.Delivered
	full      int // Delivers that fail first
	away      int // reads that fail first
	changed   chan struct{}
}

func (f *fakeHall) Snapshot(context.Context) (kiosk.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snap, nil
}

func (f *fakeHall) Undelivered(context.Context, string) ([]kiosk.Call, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away > 0 {
		f.away--
		return nil, errors.New("the hall host is away")
	}
	return slices.Clone(f.open), nil
}

func (f *fakeHall) Deliver(_ context.Context, d kiosk.Delivered) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full > 0 {
		f.full--
		return errors.New("disk is full")
	}
	f.delivered = append(f.delivered, d)
	if d.Fault == "" {
		f.open = slices.DeleteFunc(f.open, func(c kiosk.Call) bool { return slices.Contains(d.Calls, c.Seq) })
	}
	return nil
}

func (f *fakeHall) Watch() (<-chan struct{}, func()) { return f.changed, func() {} }

func (f *fakeHall) calls(c kiosk.Call) {
	f.mu.Lock()
	f.snap.Seq++
	f.snap.Windows = []kiosk.WindowState{at(c, kiosk.Called)}
	f.open = append(f.open, c)
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// board is a surface that fails with each of some reasons first, or a number of times.
type board struct {
	reasons []string
	fails   int
	shows   chan View
}

func (b *board) Name() string { return "strip:1" }

func (b *board) Show(_ context.Context, v View) ([]int64, error) {
	if len(b.reasons) > 0 {
		why := b.reasons[0]
		b.reasons = b.reasons[1:]
		return nil, errors.New(why)
	}
	if b.fails > 0 {
		b.fails--
		return nil, errors.New("card is silent")
	}
	b.shows <- v
	return v.Calls, nil
}

func newHall() *fakeHall { return &fakeHall{changed: make(chan struct{}, 1)} }

func keep(f *fakeHall, b *board, o Options) *Keeper {
	return NewKeeper(f, b, BuildStrip(hall(), "w1"), o)
}

// The whole life: idle, a call that the board refuses three times, proof.
func TestKeeperShowsAndProves(t *testing.T) {
	f, b := newHall(), &board{shows: make(chan View, 100)}
	health := make(chan Health, 100)
	k := keep(f, b, Options{OnChange: func(h Health) { health <- h }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.Run(ctx) }()
	if v := <-b.shows; v.Strip.Phase != PhaseSignedOut {
		t.Fatalf("first view %+v", v.Strip)
	}
	if h := <-health; !h.Ready {
		t.Fatalf("health %+v", h)
	}
	b.fails = 3 // the keeper is idle: it shows again only after the next change
	f.calls(call(1, 10, "w1", "A001"))
	if v := <-b.shows; v.Strip.Number != "A001" {
		t.Fatalf("view %+v", v.Strip)
	}
	if h := <-health; h.Ready || h.Reason != "card is silent" {
		t.Fatalf("health %+v", h)
	}
	if h := <-health; !h.Ready {
		t.Fatalf("health %+v", h)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(f.open) != 0 || len(f.delivered) != 2 || f.delivered[0].Fault == "" || f.delivered[1].Fault != "" {
		t.Fatalf("open %v, delivered %+v", f.open, f.delivered)
	}
}

func step(t *testing.T, k *Keeper) error {
	t.Helper()
	_, err := k.step(t.Context())
	return err
}

// What was shown and could not be recorded is recorded later, not shown again.
func TestKeeperOwesProofWhileTheStoreRefuses(t *testing.T) {
	f, b := newHall(), &board{shows: make(chan View, 10)}
	k := keep(f, b, Options{})
	f.calls(call(1, 10, "w1", "A001"))
	f.full = 2
	for range 2 {
		if step(t, k) == nil {
			t.Fatal("no error")
		}
	}
	if err := step(t, k); err != nil {
		t.Fatal(err)
	}
	if len(b.shows) != 1 || len(f.open) != 0 {
		t.Fatalf("shown %d times, open %v", len(b.shows), f.open)
	}
}

func TestKeeperRefreshesOnlyWhenDue(t *testing.T) {
	f, b := newHall(), &board{shows: make(chan View, 10)}
	now := noon
	k := keep(f, b, Options{Now: func() time.Time { return now }})
	for i, want := range []int{1, 1, 2, 2} {
		if i == 2 {
			now = now.Add(46 * time.Second)
		}
		if err := step(t, k); err != nil || len(b.shows) != want {
			t.Fatalf("step %d: shown %d times, want %d (%v)", i, len(b.shows), want, err)
		}
	}
}

// A surface that lags is told of once, whatever it is called; it is over when a call
// is shown in time, or when a whole refresh went by without one. One that fails is
// not told of as late, too: it has a reason.
func TestKeeperTellsOfLateCallsOnce(t *testing.T) {
	f, b := newHall(), &board{fails: 3, shows: make(chan View, 20)}
	var told []string
	now := noon
	k := keep(f, b, Options{
		Now:      func() time.Time { return now },
		OnLate:   func(_ string, c kiosk.Call, d time.Duration) { told = append(told, c.Number+" after "+d.String()) },
		OnTimely: func(string) { told = append(told, "timely") },
	})
	show := func(seq int64, number string, after time.Duration) {
		c := call(seq, 10+seq, "w1", number)
		c.At = now
		f.calls(c)
		now = now.Add(after)
		_ = step(t, k)
	}
	show(1, "A001", 700*time.Millisecond)
	for range 3 {
		now = now.Add(700 * time.Millisecond)
		_ = step(t, k) // the fourth succeeds
	}
	show(2, "A002", 2*time.Second)
	show(3, "A003", 300*time.Millisecond)
	show(4, "A004", 2*time.Second)
	now = now.Add(time.Minute)
	_ = step(t, k)
	if want := []string{"A002 after 2s", "timely", "A004 after 2s", "timely"}; !slices.Equal(told, want) {
		t.Fatalf("told %q, want %q", told, want)
	}
}

// A call that another replaced before the strip came back is never shown, and
// the journal says so once.
func TestKeeperRecordsOvertakenCallsOnce(t *testing.T) {
	f, b := newHall(), &board{shows: make(chan View, 10)}
	k := keep(f, b, Options{})
	f.calls(call(1, 10, "w1", "A001"))
	f.calls(call(2, 20, "w1", "A002"))
	for range 3 {
		if err := step(t, k); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.delivered) != 2 || f.delivered[0].Fault == "" || !slices.Equal(f.delivered[1].Calls, []int64{2}) {
		t.Fatalf("delivered %+v", f.delivered)
	}
}
