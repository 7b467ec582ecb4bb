package display

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"longcheng/device"
	"longcheng/kiosk"
)

// A Source is where a Keeper reads the state of the hall and records the proof.
// Watch returns a channel that receives after changes, merged when they come
// fast, and a function that ends the subscription.
type Source interface {
	Snapshot(ctx context.Context) (kiosk.Snapshot, error)
	Undelivered(ctx context.Context, surface string) ([]kiosk.Call, error)
	Deliver(ctx context.Context, d kiosk.Delivered) error
	Watch() (<-chan struct{}, func())
}

// Health is how a surface stands.
type Health struct {
	Surface  string
	Ready    bool
	Reason   string // why not ready, one sentence
	Since    time.Time
	Failures int // attempts since it was last ready
}

// Options of a Keeper. Zero values mean the defaults.
type Options struct {
	Refresh time.Duration        // the whole state is sent again after this; default 45 s
	Timeout time.Duration        // for one Show; default 10 s. A loudspeaker needs more.
	Late    time.Duration        // a call not shown within this is late; default 1 s
	Lost    time.Duration        // without the state of the hall for this long, Fault is shown; default 60 s
	Half    time.Duration        // half a blink; default 500 ms, which is one flash a second
	Fault   func(last View) View // what is shown then; nil keeps the last state as it is
	Now     func() time.Time

	OnChange func(Health)                                               // ready or not, or the reason, has changed
	OnLate   func(surface string, call kiosk.Call, after time.Duration) // the first of calls that are not shown in time
	OnTimely func(surface string)                                       // they are shown in time again, or OnChange has told why nothing is
}

// A Keeper makes one surface agree with the hall. Run is its only goroutine.
type Keeper struct {
	src     Source
	surface Surface
	build   Build
	o       Options

	acked  *View // what the surface has acknowledged
	due    time.Time
	read   time.Time // when the hall could last be read
	owed   []int64   // shown, not yet recorded
	stale  map[int64]bool
	outage bool // this outage is in the journal
	anew   chan struct{}

	left    int       // half blinks to come; even means lit now
	blinkAt time.Time // when the next one is due

	mu     sync.Mutex
	late   bool // calls are not shown in time
	health Health
}

const (
	backoffBase  = 50 * time.Millisecond
	backoffLimit = 5 * time.Second
	yieldFor     = 25 * time.Millisecond // of quiet
	yieldMax     = 200 * time.Millisecond
)

// NewKeeper returns a keeper; Run starts it.
func NewKeeper(src Source, s Surface, build Build, o Options) *Keeper {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.Refresh, 45*time.Second)
	def(&o.Timeout, 10*time.Second)
	def(&o.Late, time.Second)
	def(&o.Lost, time.Minute)
	def(&o.Half, 500*time.Millisecond)
	if o.Now == nil {
		o.Now = time.Now
	}
	k := &Keeper{src: src, surface: s, build: build, o: o, stale: map[int64]bool{}, anew: make(chan struct{}, 1)}
	k.read = o.Now()
	k.health = Health{Surface: s.Name(), Since: o.Now(), Reason: "not shown anything yet"}
	return k
}

// Health returns how the surface stands.
func (k *Keeper) Health() Health {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.health
}

// Refresh makes the keeper send the whole state again soon, for a surface that
// may have forgotten it: its line was reopened, its power came back.
func (k *Keeper) Refresh() {
	select {
	case k.anew <- struct{}{}:
	default:
	}
}

// Run keeps the surface in agreement until ctx ends. Changes that come while a
// view is being shown or a fault is waited out are merged: only the latest
// state is ever shown.
func (k *Keeper) Run(ctx context.Context) error {
	changed, stop := k.src.Watch()
	defer stop()
	for fails := 0; ctx.Err() == nil; {
		again, err := k.step(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			k.wait(ctx, nil, device.Backoff(fails, backoffBase, backoffLimit))
			fails++
		case !again:
			fails = 0
			k.idle(ctx, changed)
			k.yield(ctx, changed)
		}
	}
	return nil
}

// idle lets the surface blink until there is something to look at: a change, or
// the time of the refresh.
func (k *Keeper) idle(ctx context.Context, changed <-chan struct{}) {
	for k.left > 0 && ctx.Err() == nil {
		if k.wait(ctx, changed, k.blinkAt.Sub(k.o.Now())) {
			return
		}
		k.blinkAt = k.o.Now().Add(k.o.Half)
		k.left--
		if err := k.blink(ctx, k.left%2 == 0); err != nil {
			k.acked, k.left = nil, 0 // it may be dark: show it again
			return
		}
	}
	k.wait(ctx, changed, k.due.Sub(k.o.Now()))
}

// yield lets surfaces that owe a call go before one that owes none: that one waits
// until the hall is quiet, and makes one change of several. One that forgot its state
// is not kept waiting.
func (k *Keeper) yield(ctx context.Context, changed <-chan struct{}) {
	for end := time.Now().Add(yieldMax); k.acked != nil && ctx.Err() == nil; {
		calls, err := k.src.Undelivered(ctx, k.surface.Name())
		if err != nil || len(calls) > 0 || !k.wait(ctx, changed, min(yieldFor, time.Until(end))) {
			return
		}
	}
}

func (k *Keeper) blink(ctx context.Context, lit bool) error {
	ctx, cancel := context.WithTimeout(ctx, k.o.Timeout)
	defer cancel()
	return k.surface.(Blinker).Blink(ctx, *k.acked, lit)
}

// wait reports whether something happened before the time was over.
func (k *Keeper) wait(ctx context.Context, changed <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(max(d, time.Millisecond))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-k.anew:
		k.acked = nil
	case <-t.C:
		return false
	}
	return true
}

// step brings the surface up to date once. It reports whether there is more to
// show at once. That the hall cannot be read or written is no trouble of the surface:
// who keeps the hall tells of it, once and not for each surface.
func (k *Keeper) step(ctx context.Context) (again bool, err error) {
	if err := k.record(ctx); err != nil {
		return false, err
	}
	v, calls, err := k.view(ctx)
	if err != nil {
		return false, k.lost(ctx, err)
	}
	if err := k.recordStale(ctx, v.Stale); err != nil {
		return false, err
	}
	fresh := k.acked == nil || !same(*k.acked, v)
	if !fresh && len(v.Calls) == 0 && k.o.Now().Before(k.due) {
		return false, nil
	}
	shown, err := k.show(ctx, v, calls)
	k.owed = append(k.owed, shown...)
	if err != nil {
		k.acked, k.left = nil, 0
		return false, k.fault(ctx, err, v.Calls)
	}
	k.acked, k.due = &v, k.o.Now().Add(k.o.Refresh)
	k.timely(shown, calls, !fresh)
	if fresh {
		k.beginBlinks()
	}
	k.ready()
	if err := k.record(ctx); err != nil {
		return false, err
	}
	return len(shown) > 0 && (v.More > 0 || len(shown) < len(v.Calls)), nil
}

// view reads the hall and computes what the surface should present.
func (k *Keeper) view(ctx context.Context) (View, []kiosk.Call, error) {
	// Calls first: a call made between the two reads is then in the state but not
	// yet owed, and never taken for one that a later state has overtaken.
	calls, err := k.src.Undelivered(ctx, k.surface.Name())
	if err != nil {
		return View{}, nil, fmt.Errorf("read calls for %s: %w", k.surface.Name(), err)
	}
	s, err := k.src.Snapshot(ctx)
	if err != nil {
		return View{}, nil, fmt.Errorf("read the hall for %s: %w", k.surface.Name(), err)
	}
	k.read = k.o.Now()
	return k.build(s, calls), calls, nil
}

// lost shows the fault view when the hall has been unreadable for too long, and
// returns err.
func (k *Keeper) lost(ctx context.Context, err error) error {
	if k.o.Fault == nil || ctx.Err() != nil || k.o.Now().Sub(k.read) < k.o.Lost {
		return err
	}
	last := View{}
	if k.acked != nil {
		last = *k.acked
	}
	f := k.o.Fault(last)
	if k.acked != nil && same(*k.acked, f) {
		return err
	}
	if _, no := k.show(ctx, f, nil); no != nil {
		return errors.Join(err, k.fault(ctx, no, nil))
	}
	k.acked, k.left = &f, 0
	return err
}

// beginBlinks starts the blinks of a call on a sign that cannot blink by itself.
func (k *Keeper) beginBlinks() {
	k.left = 0
	if _, ok := k.surface.(Blinker); ok && k.acked.Strip != nil {
		k.left, k.blinkAt = 2*k.acked.Strip.Blinks, k.o.Now().Add(k.o.Half)
	}
}

// show presents v. Calls that become late meanwhile are told of while the
// surface is still trying: it may take long to fail.
func (k *Keeper) show(ctx context.Context, v View, calls []kiosk.Call) ([]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, k.o.Timeout)
	defer cancel()
	for _, c := range calls {
		if slices.Contains(v.Calls, c.Seq) {
			k.reportLate(c)
		}
	}
	var watch *time.Timer
	armed := make(chan struct{})
	watch = time.AfterFunc(k.o.Late+time.Millisecond, func() {
		<-armed
		calls, err := k.src.Undelivered(ctx, k.surface.Name())
		if err != nil || ctx.Err() != nil {
			return
		}
		for _, c := range calls {
			k.reportLate(c)
		}
		watch.Reset(k.o.Late)
	})
	close(armed)
	defer watch.Stop()
	return k.surface.Show(ctx, v)
}

// same reports whether two views present the same.
func same(a, b View) bool {
	return reflect.DeepEqual(a.Strip, b.Strip) && reflect.DeepEqual(a.Wall, b.Wall) && reflect.DeepEqual(a.Voice, b.Voice) &&
		reflect.DeepEqual(a.Announce, b.Announce)
}

// record hands in the proof of what was shown. What it cannot hand in stays
// owed: a call is not spoken twice because the disk was busy.
func (k *Keeper) record(ctx context.Context) error {
	if len(k.owed) == 0 {
		return nil
	}
	if err := k.src.Deliver(ctx, kiosk.Delivered{Surface: k.surface.Name(), Calls: k.owed}); err != nil {
		return fmt.Errorf("record calls of %s: %w", k.surface.Name(), err)
	}
	k.owed = nil
	return nil
}

// recordStale tells the journal, once each, of calls this surface will never
// show.
func (k *Keeper) recordStale(ctx context.Context, seqs []int64) error {
	var fresh []int64
	for _, s := range seqs {
		if !k.stale[s] {
			fresh = append(fresh, s)
		}
	}
	if len(fresh) > 0 {
		d := kiosk.Delivered{Surface: k.surface.Name(), Calls: fresh, Fault: "overtaken by a later state before it could be shown"}
		if err := k.src.Deliver(ctx, d); err != nil {
			return fmt.Errorf("record calls of %s: %w", k.surface.Name(), err)
		}
	}
	clear(k.stale)
	for _, s := range seqs {
		k.stale[s] = true
	}
	return nil
}

// fault notes that the surface is not in agreement, once per outage in the
// journal, and returns err.
func (k *Keeper) fault(ctx context.Context, err error, calls []int64) error {
	if ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	k.change(false, err.Error())
	if len(calls) > 0 && !k.outage {
		d := kiosk.Delivered{Surface: k.surface.Name(), Calls: calls, Fault: err.Error()}
		k.outage = k.src.Deliver(ctx, d) == nil
	}
	return err
}

func (k *Keeper) ready() {
	k.outage = false
	k.change(true, "")
}

func (k *Keeper) change(ready bool, reason string) {
	k.mu.Lock()
	h := &k.health
	changed := h.Ready != ready || h.Failures == 0 && !ready
	news := changed || h.Reason != reason
	h.Ready, h.Reason = ready, reason
	if changed {
		h.Since = k.o.Now()
	}
	if ready {
		h.Failures = 0
	} else {
		h.Failures++
	}
	now := *h
	k.mu.Unlock()
	if news && k.o.OnChange != nil {
		k.o.OnChange(now)
	}
	if !ready {
		k.notLate() // it is away, which says more
	}
}

// reportLate tells of the first call that is not shown in time: a surface that lags
// would otherwise raise an alarm at every call. One that is known to fail shows
// nothing in time, and its reason has been told.
func (k *Keeper) reportLate(c kiosk.Call) {
	after := k.o.Now().Sub(c.At)
	if after > k.o.Late && k.Health().Failures == 0 && k.setLate(true) && k.o.OnLate != nil {
		k.o.OnLate(k.surface.Name(), c, after)
	}
}

// timely ends that, when calls were shown in time, or there was none for a whole
// refresh.
func (k *Keeper) timely(shown []int64, calls []kiosk.Call, refreshed bool) {
	over := refreshed
	for _, c := range calls {
		if slices.Contains(shown, c.Seq) {
			if k.o.Now().Sub(c.At) > k.o.Late {
				return
			}
			over = true
		}
	}
	if over {
		k.notLate()
	}
}

func (k *Keeper) notLate() {
	if k.setLate(false) && k.o.OnTimely != nil {
		k.o.OnTimely(k.surface.Name())
	}
}

// setLate reports whether late has changed.
func (k *Keeper) setLate(late bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed := k.late != late
	k.late = late
	return changed
}
