package device

import (
	"context"
	"sync"
	"time"
)

const (
	tailPieces = 24 // that are remembered of one port
	tailBytes  = 32 // of each of them
)

// A Piece is what passed a port in one go.
type Piece struct {
	At    time.Time
	Out   bool   // to the hardware
	Size  int    // in bytes
	Bytes []byte // the beginning; nil when it is nobody's business
}

// A Tail remembers the last pieces that passed a port, for a technician who wants
// to see whether anything moves and what. What may belong to a person is never
// kept, only its size. It is bounded: about 2 KiB for each port.
type Tail struct {
	show func(out bool, b []byte) bool

	mu            sync.Mutex
	pieces        [tailPieces]Piece
	n             int // pieces ever
	read, written uint64
}

// NewTail returns a tail that keeps the bytes of those pieces for which show says
// yes; nil keeps none.
func NewTail(show func(out bool, b []byte) bool) *Tail { return &Tail{show: show} }

// Tap makes the ports that open opens leave their tail here.
func (t *Tail) Tap(open OpenFunc) OpenFunc {
	return func(ctx context.Context) (Port, error) {
		p, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return &tapped{p, t}, nil
	}
}

// Last returns the remembered pieces, the newest last.
func (t *Tail) Last() []Piece {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Piece
	for i := max(0, t.n-tailPieces); i < t.n; i++ {
		all = append(all, t.pieces[i%tailPieces])
	}
	return all
}

// Bytes returns how many have passed since the start.
func (t *Tail) Bytes() (read, written uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.read, t.written
}

func (t *Tail) passed(out bool, b []byte) {
	if len(b) == 0 {
		return
	}
	p := Piece{At: time.Now(), Out: out, Size: len(b)}
	if t.show != nil && t.show(out, b) {
		p.Bytes = append([]byte(nil), b[:min(len(b), tailBytes)]...)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if out {
		t.written += uint64(len(b))
	} else {
		t.read += uint64(len(b))
	}
	t.pieces[t.n%tailPieces] = p
	t.n++
}

// tapped is a port with a tail.
type tapped struct {
	Port
	tail *Tail
}

// Read notes what came.
func (p *tapped) Read(b []byte) (int, error) {
	n, err := p.Port.Read(b)
	p.tail.passed(false, b[:n])
	return n, err
}

// Write notes what was sent, also when the port did not take all of it.
func (p *tapped) Write(b []byte) (int, error) {
	p.tail.passed(true, b)
	return p.Port.Write(b)
}

// Await waits for the hardware.
func (p *tapped) Await(ctx context.Context, d time.Duration) { Await(ctx, p.Port, d) }

// Flush drops what waits in both directions.
func (p *tapped) Flush() error { return Flush(p.Port) }

// Drop drops what came and was not read.
func (p *tapped) Drop() error { return Drop(p.Port) }
