// Package linetest runs a line against scripted signs in tests.
package linetest

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/device"
	"longcheng/display/line"
)

// A Wire answers every write with what Reply returns, and remembers the writes.
type Wire struct {
	Reply func(written []byte) []byte

	mu     sync.Mutex
	in     []byte
	writes [][]byte
}

// String returns "wire".
func (w *Wire) String() string { return "wire" }

// Close does nothing.
func (w *Wire) Close() error { return nil }

// Write remembers b and prepares the answer.
func (w *Wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, append([]byte(nil), b...))
	if w.Reply != nil {
		w.in = append(w.in, w.Reply(b)...)
	}
	return len(b), nil
}

// Read gives the answer, or a short silence.
func (w *Wire) Read(b []byte) (int, error) {
	w.mu.Lock()
	n := copy(b, w.in)
	w.in = w.in[n:]
	w.mu.Unlock()
	if n > 0 {
		return n, nil
	}
	time.Sleep(time.Millisecond) // the tick of a port
	return 0, device.ErrTimeout
}

// Do has an exchange on the wire.
func (w *Wire) Do(_ context.Context, f func(device.Port) error) error { return f(w) }

// Writes returns what was written, one line of hex per write.
func (w *Wire) Writes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, b := range w.writes {
		out = append(out, strings.ToUpper(hex.EncodeToString(b)))
	}
	return out
}

// Last returns the last write.
func (w *Wire) Last() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.writes) == 0 {
		return nil
	}
	return w.writes[len(w.writes)-1]
}

// Start runs a line over w until the test ends; its times are short.
func Start(t testing.TB, w line.Link) *line.Line {
	t.Helper()
	l := line.New(w, line.Options{Baud: 1_000_000, Reply: 20 * time.Millisecond, Quiet: time.Microsecond, Retries: -1, Rest: time.Nanosecond})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return l
}

// Hex reads bytes written as hex with spaces.
func Hex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
