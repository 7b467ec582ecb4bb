package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"longcheng/device"
	"longcheng/display"
	"longcheng/kiosk"
)

// How long a loop may go without a sign of life. The slowest honest round of a
// device loop is the longest wait before an unplugged port is tried again, 10 s;
// that of a surface is its refresh, and one attempt to show.
const (
	deviceSilence  = 30 * time.Second
	surfaceSilence = 75 * time.Second
	voiceSilence   = 2*time.Minute + 15*time.Second
	idleBeat       = 10 * time.Second // of loops that only wait
)

// A pulse is the sign of life of one loop. The loop beats it in every round,
// whether its device is there or not; a loop that hangs does not.
type pulse struct {
	name   string
	within time.Duration // silent for longer, it hangs

	mu    sync.Mutex
	began time.Time // when the loop was last started; zero before
	last  time.Time // last beat or start
	beats int
}

// begin says that the loop starts now. It is no beat.
func (p *pulse) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Now()
	p.last = p.began
}

// beat says that the loop lives. It costs a loop nothing and never waits.
func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
	p.beats++
}

// A sign is what a pulse says at one moment.
type sign struct {
	Loop   string        `json:"loop"`
	Silent time.Duration `json:"silent_ns"` // since the last sign of life
	Beaten bool          `json:"beaten"`    // it has lived at all
	Hangs  bool          `json:"hangs"`
}

func (p *pulse) sign() sign {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := sign{Loop: p.name, Beaten: p.beats > 0}
	if p.began.IsZero() {
		return s
	}
	s.Silent = time.Since(p.last)
	s.Hangs = s.Silent > p.within
	return s
}

// Err returns why the loop is not well, or nil.
func (s sign) Err() error {
	switch {
	case s.Hangs:
		return fmt.Errorf("loop %s: no sign of life for %s: restart kioskd, and report its log", s.Loop, s.Silent.Round(time.Second))
	case !s.Beaten:
		return fmt.Errorf("loop %s: it has not begun its first round: wait, or restart kioskd", s.Loop)
	}
	return nil
}

// beating makes the use of a port the proof that its loop lives: every try to
// open it and every read and write is a beat.
func beating(open device.OpenFunc, beat func()) device.OpenFunc {
	return func(ctx context.Context) (device.Port, error) {
		beat()
		p, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return &beatingPort{p, beat}, nil
	}
}

type beatingPort struct {
	device.Port
	beat func()
}

// Read beats when the port has answered, with bytes or with silence.
func (p *beatingPort) Read(b []byte) (int, error) {
	n, err := p.Port.Read(b)
	p.beat()
	return n, err
}

// Write beats when the port has taken the bytes or refused them.
func (p *beatingPort) Write(b []byte) (int, error) {
	n, err := p.Port.Write(b)
	p.beat()
	return n, err
}

// Await waits for the hardware; the read after it beats.
func (p *beatingPort) Await(ctx context.Context, d time.Duration) { device.Await(ctx, p.Port, d) }

// Flush drops what waits in both directions.
func (p *beatingPort) Flush() error { return device.Flush(p.Port) }

// Drop drops what came and was not read.
func (p *beatingPort) Drop() error { return device.Drop(p.Port) }

// beatingSource beats whenever its keeper reads what the surface has not shown
// yet, which it does in every round.
type beatingSource struct {
	display.Source
	beat func()
}

// Undelivered returns the calls that the surface has not acknowledged.
func (s beatingSource) Undelivered(ctx context.Context, surface string) ([]kiosk.Call, error) {
	s.beat()
	return s.Source.Undelivered(ctx, surface)
}
