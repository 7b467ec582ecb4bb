package hall

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"longcheng/kiosk"
)

// How boxes hear of the hall. One loop reads it after changes and encodes what is
// new, once for all boxes: a telling. Each box has a stream, which sends it the
// hall when it connects, and then what has changed of its share since the telling
// before. A box that reads slowly gets fewer and larger ones.

// A piece is one window, queue or call as it goes out.
type piece struct {
	place string // Window.ID or Queue.ID
	seq   int64  // of a call; 0 otherwise
	text  []byte
	since int64 // number of the telling in which it came to be so
}

// A telling is the hall at one moment. It does not change any more.
type telling struct {
	n        int64  // counts them
	last     int64  // Seq of the latest call in it
	standing []byte // JSON
	moment   []byte // JSON of a Snapshot without its lists and its end

	windows, queues, calls []piece
}

// A moment is a Snapshot without its lists.
type moment struct {
	Seq   int64     `json:"seq"`
	Day   kiosk.Day `json:"day"`
	At    time.Time `json:"at"`
	Alarm string    `json:"alarm,omitempty"`
}

// Run tells the boxes of changes until ctx ends. It reads the hall for half of the
// time at most: however large the hall, and however much happens in it, tickets and
// calls find a processor.
func (h *Host) Run(ctx context.Context) error {
	changed, stop := h.o.Store.Watch()
	defer stop()
	clock := time.NewTicker(beat)
	defer clock.Stop()
	for {
		begun := time.Now()
		h.tell(ctx)
		if err := sleep(ctx, nil, max(spread, time.Since(begun))); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-clock.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell makes the next telling, and wakes the streams that it concerns.
func (h *Host) tell(ctx context.Context) {
	h.mu.Lock()
	before := h.telling
	h.mu.Unlock()
	t, calls, err := h.read(ctx, before)
	if ctx.Err() != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unread = err; err != nil {
		for s := range h.streams {
			poke(s.urgent) // it ends
		}
		return
	}
	h.telling = t
	if before == nil {
		close(h.told)
		return
	}
	owing := owingSince(before.last, calls)
	many := t.last-before.last > int64(len(calls)) // some of them are not in the list any more
	for s := range h.streams {
		if many || slices.ContainsFunc(s.surfaces, func(name string) bool { return owing[name] }) {
			poke(s.urgent)
		} else if s.concerns(t) {
			poke(s.news)
		}
	}
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// owingSince are the surfaces that have to show a call later than last.
func owingSince(last int64, calls []kiosk.Call) map[string]bool {
	all := map[string]bool{}
	for _, c := range calls {
		for _, d := range c.Delivery {
			if c.Seq > last && d.At.IsZero() {
				all[d.Surface] = true
			}
		}
	}
	return all
}

// read makes a telling, and returns the latest calls in it.
func (h *Host) read(ctx context.Context, before *telling) (t *telling, calls []kiosk.Call, err error) {
	if before == nil {
		before = &telling{}
	}
	snap, err := h.o.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	standing, err := h.o.Store.Standing(ctx)
	if err != nil {
		return nil, nil, err
	}
	t = &telling{n: before.n + 1}
	for _, c := range snap.Calls {
		t.last = max(t.last, c.Seq)
	}
	if t.standing, err = json.Marshal(standing); err != nil {
		return nil, nil, err
	}
	if t.moment, err = json.Marshal(moment{snap.Seq, snap.Day, snap.At, snap.Alarm}); err != nil {
		return nil, nil, err
	}
	t.moment = t.moment[:len(t.moment)-1]
	t.windows, err = pieces(t.n, before.windows, snap.Windows, func(w kiosk.WindowState) piece { return piece{place: w.Window} })
	if err == nil {
		t.queues, err = pieces(t.n, before.queues, snap.Queues, func(q kiosk.QueueState) piece { return piece{place: q.Queue} })
	}
	if err == nil {
		t.calls, err = pieces(t.n, before.calls, snap.Calls, func(c kiosk.Call) piece { return piece{place: c.Window, seq: c.Seq} })
	}
	return t, snap.Calls, err
}

// pieces encodes a list; what is as it was before is the piece from before.
func pieces[T any](n int64, before []piece, list []T, name func(T) piece) ([]piece, error) {
	type id struct {
		place string
		seq   int64
	}
	old := make(map[id]piece, len(before))
	for _, p := range before {
		old[id{p.place, p.seq}] = p
	}
	all := make([]piece, 0, len(list))
	for _, v := range list {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		p := name(v)
		if was, ok := old[id{p.place, p.seq}]; ok && string(was.text) == string(text) {
			p = was
		} else {
			p.text, p.since = text, n
		}
		all = append(all, p)
	}
	return all, nil
}

// A stream is one box that listens.
type stream struct {
	surfaces        []string
	windows, queues map[string]bool // its share; nil: the whole hall
	steps           bool            // it can take what has changed alone

	urgent, news chan struct{} // one each: a surface has to show a call; something of the share has changed
}

func newStream(asked map[string][]string) *stream {
	s := &stream{surfaces: asked["surface"], steps: asked["steps"] != nil, urgent: make(chan struct{}, 1), news: make(chan struct{}, 1)}
	if asked["window"] != nil || asked["queue"] != nil {
		s.windows, s.queues = set(asked["window"]), set(asked["queue"])
	}
	return s
}

func set(list []string) map[string]bool {
	m := map[string]bool{}
	for _, v := range list {
		m[v] = true
	}
	return m
}

// in reports whether a place is in a share.
func in(share map[string]bool, place string) bool { return share == nil || share[place] }

// concerns reports whether something of the stream's share is new in a telling.
func (s *stream) concerns(t *telling) bool {
	fresh := func(share map[string]bool) func(piece) bool {
		return func(p piece) bool { return p.since == t.n && in(share, p.place) }
	}
	return slices.ContainsFunc(t.windows, fresh(s.windows)) || slices.ContainsFunc(t.calls, fresh(s.windows)) ||
		slices.ContainsFunc(t.queues, fresh(s.queues))
}

// write writes a State: what is new in t since a telling that the box has, or with
// 0 all of the box's share.
func (s *stream) write(o *output, t *telling, since int64, owed []byte) {
	o.text(`{"standing":`)
	o.bytes(t.standing)
	o.text(`,"telling":` + strconv.FormatInt(t.n, 10))
	if since > 0 {
		o.text(`,"since":` + strconv.FormatInt(since, 10) + `,"latest":[`)
		o.seqs(t.calls, s.windows)
		o.text(`]`)
	}
	o.text(`,"snapshot":`)
	o.bytes(t.moment)
	o.list(`,"windows":[`, t.windows, s.windows, since)
	o.list(`,"queues":[`, t.queues, s.queues, since)
	o.list(`,"calls":[`, t.calls, s.windows, since)
	o.text(`},"owed":`)
	o.bytes(owed)
	o.text(`}`)
}

// An output remembers the first error of what is written.
type output struct {
	w   io.Writer
	err error
}

func (o *output) bytes(b []byte) {
	if o.err == nil {
		_, o.err = o.w.Write(b)
	}
}

func (o *output) text(s string) { o.bytes([]byte(s)) }

func (o *output) list(name string, list []piece, share map[string]bool, since int64) {
	o.text(name)
	comma := ""
	for _, p := range list {
		if p.since > since && in(share, p.place) {
			o.text(comma)
			o.bytes(p.text)
			comma = ","
		}
	}
	o.text("]")
}

func (o *output) seqs(list []piece, share map[string]bool) {
	comma := ""
	for _, p := range list {
		if in(share, p.place) {
			o.text(comma + strconv.FormatInt(p.seq, 10))
			comma = ","
		}
	}
}

// state streams the hall to one box until either side goes away.
func (h *Host) state(rw http.ResponseWriter, r *http.Request) {
	device, ok := h.o.Who(r)
	s := newStream(r.URL.Query())
	if !ok || slices.ContainsFunc(s.surfaces, func(name string) bool { return !owns(device, name) }) {
		writeFault(rw, notYours)
		return
	}
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("X-Accel-Buffering", "no")
	defer h.listens(s)()
	if !h.pause(r.Context(), h.told, nil) {
		return
	}
	var since int64
	for whole := time.Now(); ; {
		if time.Since(whole) > anew || !s.steps {
			since, whole = 0, time.Now()
		}
		t, owed, err := h.news(r.Context(), s)
		if err != nil && r.Context().Err() == nil {
			h.o.OnError(device, err)
		}
		if err != nil || send(rw, s, t, since, owed) != nil || !h.due(r.Context(), s) {
			return
		}
		since = t.n
	}
}

// listens adds a stream until the function that it returns is called.
func (h *Host) listens(s *stream) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams[s] = true
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.streams, s)
	}
}

// calm is how often a box hears of what it need not show at once: the more boxes,
// the less often, so that to tell all of them is a bounded share of the host's work.
func (h *Host) calm() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return min(time.Duration(len(h.streams))*perBox, beat)
}

// due waits until there is something to tell a box: a call that its surfaces have
// to show, at once; anything else in its turn. It returns false when the stream is
// over.
func (h *Host) due(ctx context.Context, s *stream) bool {
	turn, pulse := time.NewTimer(h.calm()), time.NewTimer(beat)
	defer turn.Stop()
	defer pulse.Stop()
	for news, free := false, false; !news || !free; {
		select {
		case <-s.urgent:
			return true
		case <-s.news:
			news = true
		case <-turn.C:
			free = true
		case <-pulse.C:
			return true
		case <-ctx.Done():
			return false
		case <-h.done:
			return false
		}
	}
	return true
}

// news returns the latest telling, and what of it a box owes.
func (h *Host) news(ctx context.Context, s *stream) (t *telling, owed []byte, err error) {
	h.mu.Lock()
	t, err = h.telling, h.unread
	h.mu.Unlock()
	if err == nil {
		owed, err = h.owed(ctx, s.surfaces, t.last)
	}
	return t, owed, err
}

// send writes a telling to a box that has the one numbered since.
func send(rw http.ResponseWriter, s *stream, t *telling, since int64, owed []byte) error {
	rc := http.NewResponseController(rw)
	if err := rc.SetWriteDeadline(time.Now().Add(slow)); err != nil {
		return err
	}
	o := output{w: rw}
	o.text("data: ")
	s.write(&o, t, since, owed)
	o.text("\n\n")
	if o.err != nil {
		return o.err
	}
	return rc.Flush()
}

// owed are the calls up to the last of a telling that surfaces have not
// acknowledged, as JSON. A later call is not in that telling, and the surface would
// take it for one that is over.
func (h *Host) owed(ctx context.Context, surfaces []string, last int64) ([]byte, error) {
	owed := map[string][]kiosk.Call{}
	for _, name := range surfaces {
		calls, err := h.o.Store.Undelivered(ctx, name)
		if err != nil {
			return nil, err
		}
		calls = slices.DeleteFunc(calls, func(c kiosk.Call) bool { return c.Seq > last })
		if len(calls) > 0 {
			owed[name] = calls
		}
	}
	return json.Marshal(owed)
}
