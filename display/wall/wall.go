package wall

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"longcheng/display"
)

// Limits of one wall.
const (
	maxClients  = 64
	defaultWait = 2 * time.Second
)

// Errors of Show.
var (
	ErrNoBrowser  = errors.New("no browser shows this wall: open its page")
	ErrStalled    = errors.New("the page draws nothing any more: start its browser anew")
	ErrNotPainted = errors.New("no page painted the calls in time: check the wall's browser")
)

// Options of a wall. Zero values mean the defaults.
type Options struct {
	Languages []string // one to three of zh, en, ja, ko, the first largest; default zh
	Notices   []Notice
	Playlist  []Piece
	Media     string   // directory of the playlist's files
	Night     Schedule // when the page is dark; a closed hall then shows a clock alone

	Wait  time.Duration    // for a page to paint; default 2 s
	Beat  time.Duration    // heartbeat to the pages; default 10 s. The page calls itself cut off after 10 s more than none.
	Build string           // version of the program; default is a digest of the page
	Drain time.Duration    // within which calls that wait for a row all get one, after an outage; default 600 ms
	Stall time.Duration    // a page that has not beaten for this long has stopped; default 30 s
	Now   func() time.Time // in the zone of the hall, whose time of day the page shows; default is this machine's
}

// message is what a page receives: the whole state, every time.
type message struct {
	Seq   uint64        `json:"seq"`   // counts messages of this wall
	Build string        `json:"build"` // a page of another build reloads itself
	Now   int64         `json:"now"`   // see clock
	Beat  int64         `json:"beat"`  // milliseconds between heartbeats
	Wall  *display.Wall `json:"wall"`
}

// client is one connected page. Its channel holds the latest state only, so a
// slow page costs one message.
type client struct {
	id   string
	out  chan []byte
	beat time.Time // when it last proved that it draws the latest message
}

// A Wall is one wall page with any number of screens, up to 64.
type Wall struct {
	name  string
	o     Options
	setup setup
	born  time.Time

	mu      sync.Mutex
	clients map[string]*client
	seq     uint64
	last    []byte        // latest message
	rows    []int64       // Call.Seqs in it
	painted chan struct{} // closed when the latest message is painted
	closed  chan struct{}
}

// New returns the wall of the named surface, such as "wall:main", or says what is
// wrong with the options.
func New(name string, o Options) (*Wall, error) {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.Wait, defaultWait)
	def(&o.Beat, 10*time.Second)
	def(&o.Drain, 600*time.Millisecond)
	def(&o.Stall, 30*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	s, err := o.prepare()
	if err != nil {
		return nil, err
	}
	if o.Build == "" {
		o.Build = pageDigest(s)
	}
	return &Wall{name: name, o: o, setup: s, born: time.Now(), clients: map[string]*client{}, closed: make(chan struct{})}, nil
}

// Name returns the surface's name.
func (w *Wall) Name() string { return w.name }

// Show sends the whole view to every connected page and waits until one of them
// has painted it.
func (w *Wall) Show(ctx context.Context, v display.View) ([]int64, error) {
	if v.Wall == nil {
		return nil, fmt.Errorf("show on %s: the view is not a wall's: build it with display.BuildWall", w.name)
	}
	painted, n, err := w.publish(v.Wall)
	if err != nil {
		return nil, fmt.Errorf("show on %s: %w", w.name, err)
	}
	if n == 0 {
		return nil, fmt.Errorf("show on %s: %w", w.name, ErrNoBrowser)
	}
	t := time.NewTimer(w.o.Wait)
	defer t.Stop()
	select {
	case <-painted:
		return slices.Clone(v.Calls), w.dwell(ctx, v.More)
	case <-t.C:
		return nil, fmt.Errorf("show on %s: %w", w.name, ErrNotPainted)
	case <-ctx.Done():
		return nil, fmt.Errorf("show on %s: %w", w.name, ctx.Err())
	}
}

// dwell leaves calls on the screen while others wait for their places. The more wait,
// the shorter: a wall that came back must not lag behind the hall for ever.
func (w *Wall) dwell(ctx context.Context, more int) error {
	if more == 0 {
		return nil
	}
	batches := 1 + (more+display.WallRows-1)/display.WallRows
	t := time.NewTimer(w.o.Drain / time.Duration(batches))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return nil // the calls were painted
}

// publish makes the view the latest one and hands it to the pages.
func (w *Wall) publish(v *display.Wall) (painted <-chan struct{}, clients int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := json.Marshal(message{Seq: w.seq + 1, Build: w.o.Build, Now: w.clock(), Beat: w.o.Beat.Milliseconds(), Wall: v})
	if err != nil {
		return nil, 0, err
	}
	w.seq++
	w.last, w.rows, w.painted = b, nil, make(chan struct{})
	for _, c := range v.Calls {
		w.rows = append(w.rows, c.Seq)
	}
	for _, c := range w.clients {
		c.offer(b)
	}
	return w.painted, len(w.clients), nil
}

// clock is the hall's time of day, in milliseconds since 1970 as if its zone were UTC:
// a page needs no table of zones, and no browser that is set to the right one.
func (w *Wall) clock() int64 {
	t := w.o.Now()
	_, east := t.Zone()
	return t.UnixMilli() + int64(east)*1000
}

// offer replaces whatever the page has not fetched yet.
func (c *client) offer(b []byte) {
	select {
	case <-c.out:
	default:
	}
	c.out <- b // only offer sends, under the wall's lock: there is room
}

// join adds a page and gives it the latest state, or refuses when all 64 places
// are taken.
func (w *Wall) join() (*client, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.clients) >= maxClients {
		return nil, false
	}
	c := &client{id: rand.Text(), out: make(chan []byte, 1), beat: time.Now()}
	w.clients[c.id] = c
	if w.last != nil {
		c.offer(w.last)
	}
	return c, true
}

func (w *Wall) leave(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.clients, c.id)
}

// Screens returns how many pages are connected.
func (w *Wall) Screens() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.clients)
}

// ack is what a page posts after it has painted a message.
type ack struct {
	Client  string  `json:"client"`  // as told by the stream
	Message uint64  `json:"message"` // message.Seq
	Seq     []int64 `json:"seq"`     // Call.Seqs on the screen
	Build   string  `json:"build"`
}

// accept believes a page that is connected, of this build, and shows every row
// of the latest message.
func (w *Wall) accept(a ack) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clients[a.Client] == nil || a.Build != w.o.Build || a.Message != w.seq || w.painted == nil {
		return false
	}
	for _, row := range w.rows {
		if !slices.Contains(a.Seq, row) {
			return false
		}
	}
	w.clients[a.Client].beat = time.Now()
	select {
	case <-w.painted:
	default:
		close(w.painted)
	}
	return true
}

// beaten notes that a page draws, if what it draws is the latest message.
func (w *Wall) beaten(a ack) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.clients[a.Client]
	if c == nil || a.Build != w.o.Build || a.Message != w.seq {
		return false
	}
	c.beat = time.Now()
	return true
}

// Alive says whether a page draws the latest message, or why its browser should be
// started anew. A wall that has just been made gives its browser a minute.
func (w *Wall) Alive() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.born) < time.Minute {
		return nil
	}
	for _, c := range w.clients {
		if time.Since(c.beat) < w.o.Stall {
			return nil
		}
	}
	if len(w.clients) == 0 {
		return ErrNoBrowser
	}
	return ErrStalled
}

// Close ends the streams of all pages; they keep their last numbers.
func (w *Wall) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.closed:
	default:
		close(w.closed)
	}
}
