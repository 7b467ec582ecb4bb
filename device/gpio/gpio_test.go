package gpio

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"longcheng/device"
)

// contact is a pin whose level is live, as that of a real one; gpiotest.Pin
// changes only when an edge is waited for. Edges queue up to 16, then are lost.
type contact struct {
	gpiotest.Pin
	edges chan bool
}

func (c *contact) WaitForEdge(wait time.Duration) bool {
	select {
	case <-c.edges:
		return true
	case <-time.After(wait):
		return false
	}
}

func (c *contact) set(l gpio.Level) {
	c.Out(l)
	select {
	case c.edges <- true:
	default:
	}
}

// watch runs a button on a fake pin inside a bubble; edge plays its contact.
func watch(t *testing.T, o Options, start gpio.Level, play func(edge func(...gpio.Level)), want string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		pin := &contact{gpiotest.Pin{N: "GPIO17", EdgesChan: make(chan gpio.Level)}, make(chan bool, 16)}
		b, err := NewButton(pin, o)
		if err != nil {
			t.Fatal(err)
		}
		pin.L = start
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var got []string
		done := make(chan error)
		go func() {
			done <- b.Run(ctx, func(p device.Press) { mu.Lock(); defer mu.Unlock(); got = append(got, string(p)) })
		}()
		time.Sleep(time.Second)
		play(func(ls ...gpio.Level) {
			for _, l := range ls {
				pin.set(l)
				time.Sleep(time.Millisecond)
			}
			time.Sleep(500 * time.Millisecond)
		})
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q, want %q", s, want)
		}
	})
}

func TestABouncingContactIsOnePress(t *testing.T) {
	watch(t, Options{}, gpio.High, func(edge func(...gpio.Level)) {
		edge(gpio.Low, gpio.High, gpio.Low, gpio.High, gpio.Low)
		edge(gpio.High, gpio.Low, gpio.High)
	}, "pressed released")
}

func TestTheLevelFoundIsNoPress(t *testing.T) {
	watch(t, Options{}, gpio.Low, func(edge func(...gpio.Level)) { edge(gpio.High) }, "released")
}

func TestActiveHighAndLongAndStuck(t *testing.T) {
	watch(t, Options{ActiveHigh: true, LongPress: 2 * time.Second}, gpio.Low, func(edge func(...gpio.Level)) {
		edge(gpio.High)
		time.Sleep(40 * time.Second)
		edge(gpio.Low)
	}, "pressed long stuck released")
}

// deaf returns from WaitForEdge at once, as the driver does for a lost chip.
type deaf struct {
	gpiotest.Pin
	waits int
}

func (d *deaf) WaitForEdge(wait time.Duration) bool {
	d.waits++
	if wait <= 0 {
		panic("waits for ever or not at all")
	}
	return false
}

func TestADeadLineIsReportedAndNeverSpins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &deaf{Pin: gpiotest.Pin{N: "GPIO17", EdgesChan: make(chan gpio.Level)}}
		b, err := NewButton(pin, Options{})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		err = b.Run(t.Context(), func(device.Press) { t.Error("press") })
		if !errors.Is(err, device.ErrGone) || pin.waits > 20 || time.Since(begun) < time.Second {
			t.Fatalf("%v after %s and %d waits", err, time.Since(begun), pin.waits)
		}
	})
}

// blind fails the test when an output is read.
type blind struct {
	gpiotest.Pin
	t *testing.T
}

func (b *blind) Read() gpio.Level { b.t.Error("an output was read"); return gpio.Low }

func TestLampsAreOffFirstAndLastAndNeverRead(t *testing.T) {
	for _, activeLow := range []bool{false, true} {
		pin := &blind{Pin: gpiotest.Pin{N: "GPIO5", L: gpio.Level(!activeLow)}, t: t}
		l, err := NewLamp(pin, activeLow)
		dark := gpio.Level(activeLow)
		if err != nil || pin.L != dark {
			t.Fatal("on at the start", err)
		}
		if err := l.Set(true); err != nil || pin.L == dark {
			t.Fatal("dark", err)
		}
		if err := l.Halt(); err != nil || pin.L != dark {
			t.Fatal("on after halt", err)
		}
	}
}

func TestAPinThatIsNotThere(t *testing.T) {
	for _, name := range []string{"NOSUCH99", "pinctrl-none:17", "pinctrl-none:-1", ":", ""} {
		if p, err := Open(name); p != nil || !errors.Is(err, ErrNoPin) {
			t.Errorf("%q: %v, %v", name, p, err)
		}
	}
}

func TestAButtonThatCannotBeConfiguredFailsEarly(t *testing.T) {
	if _, err := NewButton(&gpiotest.Pin{N: "GPIO17"}, Options{}); err == nil || !strings.Contains(err.Error(), "GPIO17") {
		t.Fatal(err)
	}
}
