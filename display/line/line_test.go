package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/device"
)

// wire is a line on which sign n answers the byte n with the same byte, unless
// it is dead. Time is the test's.
type wire struct {
	mu     sync.Mutex
	dead   map[byte]bool
	echo   bool
	gone   bool
	in     []byte
	asked  map[byte]int
	writes int
}

func newWire(dead ...byte) *wire {
	w := &wire{dead: map[byte]bool{}, asked: map[byte]int{}}
	for _, d := range dead {
		w.dead[d] = true
	}
	return w
}

func (w *wire) String() string { return "wire" }
func (w *wire) Close() error   { return nil }

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return 0, device.ErrGone
	}
	w.writes++
	w.asked[b[0]]++
	if w.echo {
		w.in = append(w.in, b...)
	}
	if !w.dead[b[0]] {
		w.in = append(w.in, b[0])
	}
	return len(b), nil
}

func (w *wire) Read(b []byte) (int, error) {
	w.mu.Lock()
	n := copy(b, w.in)
	w.in = w.in[n:]
	w.mu.Unlock()
	if n > 0 {
		time.Sleep(20 * time.Millisecond) // what the answer takes
		return n, nil
	}
	time.Sleep(100 * time.Millisecond)
	return 0, device.ErrTimeout
}

func (w *wire) Do(_ context.Context, f func(device.Port) error) error { return f(w) }

// tries is how often sign n was asked so far.
func (w *wire) tries(n byte) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[n]
}

// revive lets sign n answer again.
func (w *wire) revive(n byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead[n] = false
}

// ping asks sign n.
func ping(n byte) Exchange {
	return func(ctx context.Context, c *Conn) error {
		return c.Ask(ctx, []byte{n, n, n}, func(b byte) (bool, error) { return b == n, nil })
	}
}

func serve(t *testing.T, w Link, o Options) *Line {
	t.Helper()
	l := New(w, o)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return l
}

// Twenty-seven signs on a busy line, three of them dead: nobody alive waits for
// more than one round and one silence, the dead ones together get no more than
// their share, and none is forgotten.
func TestDeadAddressesDoNotStarveTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 27
		w := newWire(3, 14, 25)
		l := serve(t, w, Options{Reply: 300 * time.Millisecond})
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
		defer stop()
		var mu sync.Mutex
		worst := time.Duration(0)
		var signs sync.WaitGroup
		for i := range byte(n) {
			l.Know(fmt.Sprint(i))
			signs.Go(func() {
				for ctx.Err() == nil { // a keeper that never rests
					began := time.Now()
					err := l.Do(ctx, fmt.Sprint(i), ping(i))
					if err == nil {
						mu.Lock()
						worst = max(worst, time.Since(began))
						mu.Unlock()
					} else {
						time.Sleep(50 * time.Millisecond)
					}
				}
			})
		}
		signs.Wait()
		silence := 300*time.Millisecond + 100*time.Millisecond + 70*time.Millisecond
		if limit := n*30*time.Millisecond + 3*2*silence; worst > limit {
			t.Errorf("somebody waited %s, more than %s", worst, limit)
		}
		for _, d := range []byte{3, 14, 25} {
			if n := w.tries(d); n < 5 {
				t.Errorf("dead sign %d was tried %d times in five minutes", d, n)
			}
		}
		wasted := time.Duration(w.tries(3)+w.tries(14)+w.tries(25)) * silence
		if share := wasted.Seconds() / 300; share > 1.0/n+0.02 {
			t.Errorf("the dead took %.1f %% of the time, more than one %dth", 100*share, n)
		}
	})
}

func TestASignThatReturnsIsSeenWithinTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(1)
		l := serve(t, w, Options{})
		ask := func() error { return l.Do(t.Context(), "1", ping(1)) }
		for range 8 {
			if err := ask(); !errors.Is(err, ErrSilent) {
				t.Fatal(err)
			}
			time.Sleep(11 * time.Second)
		}
		asked := w.tries(1)
		if asked != 3+7 {
			t.Errorf("asked %d times: three tries at first, then one each time", asked)
		}
		_ = ask()
		w.revive(1)
		if err := ask(); !errors.Is(err, ErrSilent) || w.tries(1) != asked+1 {
			t.Errorf("a resting sign was asked: %v", err)
		}
		time.Sleep(10 * time.Second)
		if err := ask(); err != nil {
			t.Error(err)
		}
	})
}

// What the wire did is told to everybody who waits, and after it works again the
// signs are shown anew.
func TestABrokenWireIsToldToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reopened := 0
		w := newWire()
		w.gone = true
		l := New(w, Options{OnReopen: func() { reopened++ }})
		errs := make(chan error, 5)
		for i := range byte(5) {
			go func() { errs <- l.Do(t.Context(), fmt.Sprint(i), ping(i)) }()
		}
		synctest.Wait()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		for range 5 {
			if err := <-errs; !errors.Is(err, device.ErrGone) {
				t.Error(err)
			}
		}
		w.mu.Lock()
		w.gone = false
		w.mu.Unlock()
		for range 2 {
			if err := l.Do(t.Context(), "1", ping(1)); err != nil {
				t.Error(err)
			}
		}
		stop()
		if <-done; reopened != 1 || w.writes != 2 {
			t.Errorf("reopened %d times, %d writes", reopened, w.writes)
		}
	})
}

func TestOurOwnEchoIsNotAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(7)
		w.echo = true
		l := serve(t, w, Options{Echo: true})
		if err := l.Do(t.Context(), "7", ping(7)); !errors.Is(err, ErrSilent) {
			t.Error(err)
		}
		if err := l.Do(t.Context(), "8", ping(8)); err != nil {
			t.Error(err)
		}
	})
}

// A sign that says no is alive; a caller that gives up is not waited for.
func TestNoIsAnAnswerAndCallersMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no := errors.New("no")
		w := newWire()
		l := serve(t, w, Options{})
		for range 5 {
			err := l.Do(t.Context(), "1", func(ctx context.Context, c *Conn) error {
				return c.Ask(ctx, []byte{1}, func(byte) (bool, error) { return false, no })
			})
			if !errors.Is(err, no) {
				t.Fatal(err)
			}
		}
		idle := New(w, Options{}) // nobody runs it
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := idle.Do(ctx, "1", ping(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if len(idle.live) != 0 {
			t.Error("the job is still queued")
		}
	})
}

func TestTellWaitsUntilTheFrameHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := serve(t, newWire(), Options{Baud: 9600})
		began := time.Now()
		frame := bytes.Repeat([]byte{1}, 96) // 0.1 s at 9600 baud
		if err := l.Do(t.Context(), "1", func(ctx context.Context, c *Conn) error { return c.Tell(ctx, frame) }); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d < 100*time.Millisecond || d > 130*time.Millisecond {
			t.Error(d)
		}
	})
}

// lateWire holds us up after the write, with pieces of an answer in its buffer.
type lateWire struct {
	wire
	pieces int
}

func (w *lateWire) Write(b []byte) (int, error) {
	time.Sleep(10 * time.Second)
	return len(b), nil
}

func (w *lateWire) Read(b []byte) (int, error) {
	time.Sleep(time.Second) // we are held up here too
	if w.pieces == 0 {
		return 0, device.ErrTimeout
	}
	w.pieces--
	return copy(b, "x"), nil
}

// An answer that has come in time counts, however late a loaded machine looks; a wire
// that never stops talking is not listened to for ever.
func TestALateLookSeesTheAnswer(t *testing.T) {
	for _, tt := range []struct {
		pieces int
		want   error
	}{{3, nil}, {2, ErrSilent}} {
		synctest.Test(t, func(t *testing.T) {
			w := &lateWire{pieces: tt.pieces}
			got := 0
			err := (&Conn{port: w, o: Options{}.withDefaults()}).Ask(t.Context(), []byte{1}, func(byte) (bool, error) { got++; return got == 3, nil })
			if !errors.Is(err, tt.want) {
				t.Errorf("%d pieces: %v", tt.pieces, err)
			}
			chatter := &lateWire{pieces: 1000}
			err = (&Conn{port: chatter, o: Options{}.withDefaults()}).Ask(t.Context(), []byte{1}, func(byte) (bool, error) { return false, nil })
			if !errors.Is(err, ErrSilent) || chatter.pieces < 1000-maxLate {
				t.Errorf("chatter: %v after %d reads", err, 1000-chatter.pieces)
			}
		})
	}
}
