package centraltest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
)

// A Wire is a transport that behaves badly: each request is, with these
// chances, lost before it arrives, answered into nothing, sent twice, or sent
// again after later ones.
type Wire struct {
	To                        http.RoundTripper
	Lose, Forget, Twice, Late float64

	mu   sync.Mutex
	rng  *rand.Rand
	late []func()
	n    int
}

// NewWire makes a bad wire; the same seed makes the same faults for the same
// requests.
func NewWire(to http.RoundTripper, seed uint64) *Wire {
	return &Wire{To: to, Lose: 0.15, Forget: 0.15, Twice: 0.15, Late: 0.1, rng: rand.New(rand.NewPCG(seed, seed))}
}

var errLost = errors.New("the wire lost it")

// Faults returns how often the wire behaved badly.
func (w *Wire) Faults() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

func (w *Wire) chance(p float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	bad := w.rng.Float64() < p
	if bad {
		w.n++
	}
	return bad
}

// RoundTrip carries one request, or does not.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	send := func() (*http.Response, error) {
		c := r.Clone(r.Context())
		c.Body = io.NopCloser(bytes.NewReader(body))
		return w.To.RoundTrip(c)
	}
	w.deliverLate()
	if w.chance(w.Lose) {
		return nil, errLost
	}
	if w.chance(w.Twice) {
		drop(send())
	}
	if w.chance(w.Late) {
		again := r.Clone(r.Context())
		w.mu.Lock()
		w.late = append(w.late, func() {
			again.Body = io.NopCloser(bytes.NewReader(body))
			drop(w.To.RoundTrip(again))
		})
		w.mu.Unlock()
	}
	res, err := send()
	if err == nil && w.chance(w.Forget) {
		drop(res, nil)
		return nil, errLost
	}
	return res, err
}

// deliverLate sends what was held back, once three more requests have passed.
func (w *Wire) deliverLate() {
	w.mu.Lock()
	var f func()
	if len(w.late) > 2 {
		f, w.late = w.late[0], w.late[1:]
	}
	w.mu.Unlock()
	if f != nil {
		f()
	}
}

func drop(res *http.Response, err error) {
	if err == nil {
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}
