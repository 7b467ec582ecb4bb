package gpio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"longcheng/device"
)

// recorder notes when a pin changed, and fails when told to.
type recorder struct {
	gpiotest.Pin
	mu    sync.Mutex
	begun time.Time
	last  gpio.Level
	log   []string
	fail  error
}

func (r *recorder) Out(l gpio.Level) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l != r.last {
		r.last = l
		r.log = append(r.log, fmt.Sprintf("%v@%v", l, time.Since(r.begun)))
	}
	return r.fail
}

func (r *recorder) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.log, " ")
}

func TestALampIsDarkAfterAPanicAndAfterAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &recorder{begun: time.Now()}
		l, _ := NewLamp(pin, false)
		func() {
			defer func() { recover() }()
			defer l.Halt()
			l.Set(true)
			panic("x")
		}()
		if pin.last != gpio.Low {
			t.Error("shines after a panic")
		}
		pin.fail = errors.New("no power")
		if err := l.Set(true); !errors.Is(err, pin.fail) {
			t.Error(err)
		}
	})
}

// A program that orders the buzzer again and again gets two seconds and then a
// tenth of the time.
func TestABuzzerKeepsToItsLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &recorder{begun: time.Now()}
		b, err := NewBuzzer(pin, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Sound(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := b.Sound(t.Context(), -time.Second); !errors.Is(err, device.ErrTired) {
			t.Error(err)
		}
		if want := "High@0s Low@2s"; pin.said() != want {
			t.Errorf("%s, want %s", pin.said(), want)
		}
		var on time.Duration
		for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); {
			begun := time.Now()
			if b.Sound(t.Context(), time.Second) == nil {
				on += time.Since(begun)
			} else {
				time.Sleep(10 * time.Millisecond)
			}
		}
		if on > 32*time.Second || on < 15*time.Second {
			t.Errorf("sounded %s in five minutes", on)
		}
	})
}

func TestABuzzerIsSilentWhenItsCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &recorder{begun: time.Now()}
		b, _ := NewBuzzer(pin, false)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := b.Sound(ctx, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if want := "High@0s Low@300ms"; pin.said() != want {
			t.Errorf("%s, want %s", pin.said(), want)
		}
	})
}

func TestASwitchTellsItsFirstStateAndHoldsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &contact{gpiotest.Pin{N: "GPIO22", EdgesChan: make(chan gpio.Level)}, make(chan bool, 16)}
		s, err := NewSwitch(pin, Options{Hold: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		pin.L = gpio.High
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var got []bool
		done := make(chan error)
		go func() { done <- s.Run(ctx, func(on bool) { mu.Lock(); defer mu.Unlock(); got = append(got, on) }) }()
		play := func(l gpio.Level, d time.Duration) { pin.set(l); time.Sleep(d) }
		time.Sleep(time.Second)
		play(gpio.Low, time.Second)
		play(gpio.High, 2*time.Second) // a person moves a little: still there
		play(gpio.Low, time.Second)
		play(gpio.High, 5*time.Second)
		cancel()
		<-done
		mu.Lock()
		defer mu.Unlock()
		if want := "[false true false]"; fmt.Sprint(got) != want {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestTheQuestionToTheKernel(t *testing.T) {
	r := packed([]uint32{17, 27}, ask{flags: inputFlags(gpio.PullUp, gpio.FallingEdge), debounce: 10 * time.Millisecond, queue: 1024})
	if r.Num_lines != 2 || r.Offsets[1] != 27 || r.Config.Flags != flagInput|flagPullUp|flagFalling || r.Event_buffer_size != 1024 {
		t.Errorf("%+v", r)
	}
	if a := r.Config.Attrs[0]; r.Config.Num_attrs != 1 || a.Attr.Id != 3 || a.Attr.Flags != word(10000) || a.Mask != 3 {
		t.Errorf("%+v", a)
	}
	r = packed([]uint32{4}, ask{flags: flagOutput, high: true})
	if a := r.Config.Attrs[0]; r.Config.Num_attrs != 1 || a.Attr.Id != 2 || a.Attr.Flags != 1 || a.Mask != 1 {
		t.Errorf("%+v", a)
	}
	if inputFlags(gpio.Float, gpio.BothEdges) != flagInput|flagNoBias|flagRising|flagFalling || inputFlags(gpio.PullDown, gpio.RisingEdge) != flagInput|flagPullDown|flagRising {
		t.Error("flags")
	}
	for _, n := range []int{0, 65} {
		if _, err := request(place{file: "/dev/null"}, make([]uint32, n), ask{}); err == nil {
			t.Errorf("%d lines", n)
		}
	}
}

func TestAPinThatCannotBeRequested(t *testing.T) {
	p := &Pin{place: place{"GPIO17", "pinctrl-none", "/dev/null", 17}, level: gpio.High}
	for what, err := range map[string]error{"in": p.In(gpio.PullUp, gpio.BothEdges), "out": p.Out(gpio.High), "pwm": p.PWM(0, 0)} {
		if err == nil || !strings.Contains(err.Error(), "GPIO17") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if p.WaitForEdge(-1) || p.Read() != gpio.High || p.Function() != "" || p.Halt() != nil || p.Close() != nil {
		t.Error("a pin without a request does something")
	}
	if _, err := NewWatch("NOSUCH99"); !errors.Is(err, ErrNoPin) {
		t.Error(err)
	}
}

// FuzzEvents feeds the decoder with what no kernel would say.
func FuzzEvents(f *testing.F) {
	f.Add(make([]byte, eventSize))
	f.Add(append([]byte{1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 27, 0, 0, 0, 9, 0, 0, 0}, make([]byte, 40)...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := &Watch{offsets: []uint32{17, 27}}
		b := make([]device.Edge, 4)
		n := w.decode(raw, b)
		if n > len(raw)/eventSize || n > len(b) {
			t.Fatal(n)
		}
		for _, e := range b[:n] {
			if e.Line != 0 && e.Line != 1 {
				t.Fatal(e)
			}
		}
	})
}
