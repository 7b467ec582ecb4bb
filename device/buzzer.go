package device

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A buzzer may sound for two seconds at once and a tenth of the time in the
// long run: a program gone wrong must not drive a hall mad nor burn the coil.
const (
	buzzerMost  = 2 * time.Second
	buzzerShare = 10 // one part in this many
)

// ErrTired says that a buzzer has sounded as long as it may for now.
var ErrTired = errors.New("the buzzer has sounded enough for now: wait a little")

// A Buzzer keeps what sounds to its limits. It is safe for several goroutines:
// one sounds at a time, the others wait.
type Buzzer struct {
	set  func(ctx context.Context, on bool) error
	turn chan struct{}

	mu   sync.Mutex
	left time.Duration // what may still be sounded
	then time.Time     // when left was counted
}

// NewBuzzer returns a buzzer that set switches on and off.
func NewBuzzer(set func(ctx context.Context, on bool) error) *Buzzer {
	return &Buzzer{set: set, turn: make(chan struct{}, 1), left: buzzerMost, then: time.Now()}
}

// Sound sounds for d, or shorter where the limits end it, and returns when it
// is silent again: also when ctx ends or something panics. It returns ErrTired
// without a sound when the limits leave nothing.
func (b *Buzzer) Sound(ctx context.Context, d time.Duration) (err error) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	if d = b.allow(time.Now(), d); d <= 0 {
		return ErrTired
	}
	defer func() { err = errors.Join(err, b.Halt()) }()
	if err := b.set(ctx, true); err != nil {
		return err
	}
	return Sleep(ctx, d)
}

// allow takes up to d out of what is left at that moment.
func (b *Buzzer) allow(now time.Time, d time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(buzzerMost, b.left+now.Sub(b.then)/buzzerShare)
	b.then = now
	d = min(max(d, 0), b.left)
	if d < 5*time.Millisecond { // too short to be heard
		return 0
	}
	b.left -= d
	return d
}

// silenced is how long a buzzer may take to be switched off.
const silenced = 2 * time.Second

// Halt silences the buzzer.
func (b *Buzzer) Halt() error {
	ctx, cancel := context.WithTimeout(context.Background(), silenced)
	defer cancel()
	return b.set(ctx, false)
}
