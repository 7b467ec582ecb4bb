// Package devicetest plays the hardware in tests: a script of exchanges, a
// pair of pseudo-terminals, and a wrapper that treats a port badly.
//
// It does not know any protocol; the bytes come from the tests.
package devicetest

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"longcheng/device"
	"longcheng/device/tape"
)

// An Op is one step of a Script.
type Op = tape.Op

// W expects these bytes to be written, in one call or in several.
func W(b ...byte) Op { return tape.W(b...) }

// R gives these bytes to the reader, in as many calls as it needs.
func R(b ...byte) Op { return tape.R(b...) }

// Silence answers one read with device.ErrTimeout.
func Silence() Op { return tape.Silence() }

// Gone unplugs the hardware: this and every later call returns device.ErrGone.
func Gone() Op { return tape.Gone() }

// A Script is a port that plays its steps back in order. A write that is not
// the next one fails the test. Reads before their turn find silence, which
// lasts 10 ms.
type Script = tape.Player

// NewScript returns a port that plays ops. At the end of the test it must have
// been played to its end.
func NewScript(t testing.TB, ops ...Op) *Script {
	s := tape.NewPlayer(10*time.Millisecond, ops...)
	s.Wrong = func(what string) { t.Error("script: ", what) }
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Recording reads the steps of a Script from a tape, so that the bytes of a
// misbehaving device can be played back. `kioskctl record` makes such files.
func Recording(t testing.TB, name string) []Op {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	ops, err := tape.Parse(b)
	if err != nil {
		t.Fatal(name, err)
	}
	return ops
}

// Opens returns an OpenFunc that gives the ports one after another, then
// device.ErrGone.
func Opens(ports ...device.Port) device.OpenFunc {
	var mu sync.Mutex
	return func(context.Context) (device.Port, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(ports) == 0 {
			return nil, device.ErrGone
		}
		p := ports[0]
		ports = ports[1:]
		return p, nil
	}
}
