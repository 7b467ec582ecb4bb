package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

type fake struct {
	closed int
	reads  []any // []byte or error, in order; then ErrTimeout every 100 ms
}

func (f *fake) String() string              { return "fake" }
func (f *fake) Close() error                { f.closed++; return nil }
func (f *fake) Write(b []byte) (int, error) { return len(b), nil }
func (f *fake) Read(b []byte) (int, error) {
	if len(f.reads) == 0 {
		time.Sleep(100 * time.Millisecond)
		return 0, ErrTimeout
	}
	r := f.reads[0]
	f.reads = f.reads[1:]
	if err, ok := r.(error); ok {
		return 0, err
	}
	return copy(b, r.([]byte)), nil
}

func opener(f *fake, opens *int, errs ...error) OpenFunc {
	return func(context.Context) (Port, error) {
		*opens++
		if *opens <= len(errs) && errs[*opens-1] != nil {
			return nil, errs[*opens-1]
		}
		return f, nil
	}
}

func TestBackoffStaysBetweenZeroAndTheLimit(t *testing.T) {
	seen := map[bool]bool{}
	for i := range 2000 {
		d := Backoff(i%70, time.Second, 10*time.Second)
		if d < 0 || d > 10*time.Second {
			t.Fatalf("try %d waits %s", i%70, d)
		}
		seen[d > 5*time.Second] = true
	}
	if len(seen) != 2 {
		t.Fatal("no jitter: all waits on one side of the middle")
	}
	if d := Backoff(0, 0, time.Second); d != 0 {
		t.Fatalf("no base waits %s", d)
	}
}

func TestWireErrorsAreToldFromWhatTheDeviceSays(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("no paper"), false},
		{context.Canceled, false},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), false},
		{fmt.Errorf("x: %w", ErrTimeout), true},
		{ErrGone, true},
		{&Wire{Op: "read", Port: "p", Err: io.EOF}, true},
		{syscall.EIO, true},
		{io.EOF, true},
	} {
		if got := IsWire(c.err); got != c.want {
			t.Errorf("IsWire(%v) = %v", c.err, got)
		}
	}
}

// A printer without paper is heard perfectly well: nothing to reconnect.
func TestADeviceThatSaysNoKeepsItsPort(t *testing.T) {
	f, opens := &fake{}, 0
	l := NewLink(opener(f, &opens))
	no := errors.New("no paper")
	for range 3 {
		if err := l.Do(t.Context(), func(Port) error { return no }); !errors.Is(err, no) {
			t.Fatal(err)
		}
	}
	if opens != 1 || f.closed != 0 || l.Health().State != Ready || l.Health().Exchanges != 3 {
		t.Fatalf("opens %d, closed %d, %+v", opens, f.closed, l.Health())
	}
}

func TestABrokenWireClosesWaitsAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, opens := &fake{}, 0
		l := NewLink(opener(f, &opens))
		var states []State
		l.OnChange = func(h Health) { states = append(states, h.State) }
		ok := func(Port) error { return nil }
		l.Do(t.Context(), ok)
		if err := l.Do(t.Context(), func(Port) error { return ErrGone }); !errors.Is(err, ErrGone) {
			t.Fatal(err)
		}
		if h := l.Health(); f.closed != 1 || h.State != Broken || h.Reason == "" || h.Failures != 1 {
			t.Fatalf("closed %d, %+v", f.closed, h)
		}
		if err := l.Do(t.Context(), ok); err != nil {
			t.Fatal(err)
		}
		if opens != 2 || fmt.Sprint(states) != "[ready broken ready]" {
			t.Fatalf("opens %d, states %v", opens, states)
		}
	})
}

func TestACallerInAHurryGetsTheReasonAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, opens := &fake{}, 0
		l := NewLink(opener(f, &opens, ErrGone))
		l.Do(t.Context(), func(Port) error { return nil })
		l.retry = time.Now().Add(5 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		begun := time.Now()
		err := l.Do(ctx, func(Port) error { return nil })
		if !errors.Is(err, ErrGone) || time.Since(begun) != 0 {
			t.Fatalf("%v after %s", err, time.Since(begun))
		}
	})
}

func TestRepeatedFailuresToOpenNeverSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opens := 0
		l := NewLink(func(context.Context) (Port, error) { opens++; return nil, errors.New("no such file") })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		for ctx.Err() == nil {
			l.Do(ctx, func(Port) error { return nil })
			if h := l.Health(); h.State != Broken {
				t.Fatalf("%+v", h)
			}
			time.Sleep(time.Millisecond)
		}
		if opens < 20 || opens > 300 {
			t.Fatalf("%d opens in five minutes", opens)
		}
	})
}

func TestOneExchangeAtATimeAndACancelledWaiterLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, opens := &fake{}, 0
		l := NewLink(opener(f, &opens))
		hold, done := make(chan bool), make(chan error)
		go func() { done <- l.Do(t.Context(), func(Port) error { <-hold; return nil }) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Do(ctx, func(Port) error { t.Error("two at once"); return nil }); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		close(hold)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := l.Close(t.Context()); err != nil || f.closed != 1 || l.Health().State != Idle {
			t.Fatal(err, f.closed, l.Health())
		}
	})
}

func TestReadFullWaitsOutSilenceButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{reads: []any{[]byte("ab"), ErrTimeout, []byte("c")}}
		b := make([]byte, 3)
		if n, err := ReadFull(t.Context(), f, b, time.Second); n != 3 || err != nil || string(b) != "abc" {
			t.Fatal(n, err, b)
		}
		if n, err := ReadFull(t.Context(), f, b, time.Second); n != 0 || !errors.Is(err, ErrTimeout) {
			t.Fatal(n, err)
		}
		f.reads = []any{[]byte("x"), ErrGone}
		if n, err := ReadFull(t.Context(), f, b, time.Second); n != 1 || !errors.Is(err, ErrGone) {
			t.Fatal(n, err)
		}
	})
}
