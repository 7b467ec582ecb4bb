package hall

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"longcheng/kiosk"
)

// A BoxStore remembers what a box promised.
type BoxStore interface {
	Origin() kiosk.Origin
	Standing(ctx context.Context) (kiosk.Standing, error) // its own
	Recall(ctx context.Context, in kiosk.Intent) (i kiosk.Issued, found bool, err error)
	Keep(ctx context.Context, in, asked kiosk.Intent, given kiosk.Issued, no *kiosk.Refusal) (kiosk.Issued, error)
	Doubt(ctx context.Context, why string) error
	Owe(ctx context.Context, in, asked kiosk.Intent, ahead int) (kiosk.Issued, error)
	Owed(ctx context.Context, limit int) (list []kiosk.Owed, all int, err error)
	Handed(ctx context.Context, tickets []kiosk.Taken) error
	Hold(ctx context.Context, r kiosk.Reserved) error
	Ranges() []kiosk.Range
	Wants(ctx context.Context) ([]kiosk.Want, error)
}

// BoxOptions are the parts of a Box; all are required but those with a default.
type BoxOptions struct {
	Store     BoxStore
	Hall      *kiosk.Hall
	Addresses []string      // of the host, and of whoever may take its place: https://10.0.0.2:8443
	Client    *http.Client  // presents the box's certificate; without a timeout of its own
	Patience  time.Duration // for a ticket; default 300 ms
	Now       func() time.Time
	Whole     bool // it shows more of the hall than its places do: queues on a touch page

	Seen     kiosk.Standing             // as it was saved before
	Save     func(kiosk.Standing) error // keeps what was seen of the host, so that it survives a restart
	Persons  func(key []byte) error     // keeps the hall's key for identity numbers; nil: nobody needs it
	OnChange func(Link)                 // the host is there or not
	OnTaken  func(kiosk.Taken)          // hears of every ticket that could not be taken over, or voided another
}

// A Link is how a box stands with its host.
type Link struct {
	Up    bool
	Since time.Time
	Why   string // not up: one sentence
	Full  bool   // the reserve has been filled since the host is up
}

// A Box is one that has joined a hall. Run and Tend are its two loops; the other
// methods may be called from any goroutine.
type Box struct {
	o      BoxOptions
	device string
	poke   chan struct{} // something to hand in or to ask for

	mu       sync.Mutex
	host     kiosk.Program // as it said when it was last met
	at       int           // which of the addresses is tried or used
	places   []kiosk.Place
	link     Link
	seen     kiosk.Standing
	saved    time.Time
	last     State
	acked    map[string]map[int64]bool // by surface: proven to the host, but not yet gone from its states
	watchers map[chan struct{}]bool
}

// NewBox returns a box that has not connected yet.
func NewBox(o BoxOptions) *Box {
	if o.Patience <= 0 {
		o.Patience = patience
	}
	b := &Box{o: o, device: o.Store.Origin().Device, poke: make(chan struct{}, 1), seen: o.Seen, acked: map[string]map[int64]bool{}, watchers: map[chan struct{}]bool{}}
	b.link = Link{Since: o.Now(), Why: "not connected yet"}
	return b
}

// Add says that the box has a surface; call it before Run.
func (b *Box) Add(p kiosk.Place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.places = append(b.places, p)
}

// Host returns what the host runs, as it said when the box last met it.
func (b *Box) Host() kiosk.Program {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.host
}

// Link returns how the box stands with its host.
func (b *Box) Link() Link {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.link
}

// Address is where the host was found, or is looked for now.
func (b *Box) Address() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.o.Addresses[b.at]
}

// elsewhere goes on to the next address: whoever was asked does not host the hall.
func (b *Box) elsewhere() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = (b.at + 1) % len(b.o.Addresses)
}

// Run keeps the box connected until ctx ends.
func (b *Box) Run(ctx context.Context) error {
	for fails := 0; ctx.Err() == nil; fails++ {
		begun := time.Now()
		err := b.connect(ctx)
		b.down(err)
		b.elsewhere()
		if time.Since(begun) > silence {
			fails = 0
		}
		_ = sleep(ctx, nil, min(50*time.Millisecond<<min(fails, 5), time.Second)) // the loop asks ctx
	}
	return ctx.Err()
}

func sleep(ctx context.Context, poke <-chan struct{}, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-poke:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// connect presents the box and reads states until the stream ends, which is
// always an error.
func (b *Box) connect(ctx context.Context) error {
	if err := b.hello(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(silence, func() { cancel(errors.New("the hall host is silent: look at the network")) })
	defer late.Stop()
	err := b.stream(ctx, func() { late.Reset(silence) })
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// owned are the ranges of this journal: a store that was restored from a backup
// remembers those of the one before, too.
func owned(s BoxStore) (own []kiosk.Range) {
	for _, r := range s.Ranges() {
		if r.Owner == s.Origin() {
			own = append(own, r)
		}
	}
	return own
}

// Warn tells whoever answers at the other addresses who hosts the hall, every two
// seconds until ctx ends: a host that was replaced hears of it as soon as it is
// back.
func (b *Box) Warn(ctx context.Context) error {
	for sleep(ctx, nil, beat) == nil {
		at := b.Address()
		for _, a := range b.o.Addresses {
			if a != at && b.Link().Up {
				_ = b.present(ctx, a, &kiosk.Welcome{}) // nobody is there, as a rule
			}
		}
	}
	return ctx.Err()
}

// present says hello at an address.
func (b *Box) present(ctx context.Context, at string, w *kiosk.Welcome) error {
	own, err := b.o.Store.Standing(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	h := kiosk.Hello{Joined: kiosk.Joined{Box: b.o.Store.Origin(), Seq: own.Seq, Places: b.places}, Seen: b.seen, Ranges: owned(b.o.Store)}
	b.mu.Unlock()
	return b.askAt(ctx, at, answerIn, pathHello, h, w)
}

// hello presents the box and drops the ranges that the host takes back.
func (b *Box) hello(ctx context.Context) error {
	b.mu.Lock()
	seen := b.seen.Term
	b.mu.Unlock()
	var w kiosk.Welcome
	if err := b.present(ctx, b.Address(), &w); err != nil {
		return err
	}
	b.mu.Lock()
	b.host = w.Host
	b.mu.Unlock()
	if w.Term < seen {
		return fmt.Errorf("the hall host is in term %d, and this box has seen term %d: another host decides now", w.Term, seen)
	}
	if seen > 0 && w.Term > seen {
		if err := b.o.Store.Doubt(ctx, fmt.Sprintf("the hall host is in term %d, after term %d", w.Term, seen)); err != nil {
			return err
		}
		b.nudge()
	}
	if len(w.Persons) > 0 && b.o.Persons != nil {
		if err := b.o.Persons(w.Persons); err != nil {
			return err
		}
	}
	if len(w.Void) == 0 {
		return nil
	}
	return b.o.Store.Hold(ctx, kiosk.Reserved{Void: w.Void, Why: w.Why})
}

// share is what the box asks the host to be told of.
func (b *Box) share() url.Values {
	q := url.Values{"steps": {"1"}}
	whole := b.o.Whole || len(b.places) == 0
	for _, p := range b.places {
		q.Add("surface", p.Name)
		whole = whole || p.Window == "" && len(p.Zones) == 0
	}
	if whole {
		return q
	}
	for _, w := range b.o.Hall.Windows {
		if slices.ContainsFunc(b.places, func(p kiosk.Place) bool { return p.Window == w.ID || slices.Contains(p.Zones, w.Zone) }) {
			q.Add("window", w.ID)
		}
	}
	for _, k := range b.o.Hall.Queues {
		if slices.ContainsFunc(b.places, func(p kiosk.Place) bool { return slices.Contains(p.Zones, k.Zone) }) {
			q.Add("queue", k.ID)
		}
	}
	return q
}

func (b *Box) stream(ctx context.Context, alive func()) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Address()+Base+pathState+"?"+b.share().Encode(), nil)
	if err != nil {
		return err
	}
	res, err := b.o.Client.Do(r)
	if err != nil {
		return fmt.Errorf("read the hall: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return readSaid(res, nil)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 4096), maxSaid)
	for lines.Scan() {
		alive()
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var s State
		if err := json.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("read the hall: %w: do both boxes have the same version?", err)
		}
		if err := b.receive(s); err != nil {
			return err
		}
	}
	return fmt.Errorf("read the hall: %w", errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}

// receive takes a state over.
func (b *Box) receive(s State) error {
	b.mu.Lock()
	s, err := s.onto(b.last)
	if err == nil && s.Standing.Term < b.seen.Term {
		err = fmt.Errorf("the hall host fell back to term %d", s.Standing.Term)
	}
	if err != nil {
		b.mu.Unlock()
		return err
	}
	if s.Standing.Term != b.seen.Term || s.Standing.Journal != b.seen.Journal {
		clear(b.acked) // calls are numbered by the journal
	}
	fresh := s.Standing.Term != b.seen.Term
	b.seen, b.last = s.Standing, s
	for name, seqs := range b.acked {
		for seq := range seqs {
			if !owes(s.Owed[name], seq) {
				delete(seqs, seq)
			}
		}
	}
	rose := !b.link.Up
	if rose {
		b.link = Link{Up: true, Since: b.o.Now()}
	}
	link := b.link
	due := fresh || time.Since(b.saved) > 2*time.Second
	if due {
		b.saved = time.Now()
	}
	b.mu.Unlock()
	if due {
		if err := b.o.Save(s.Standing); err != nil {
			return fmt.Errorf("remember the host: %w", err)
		}
	}
	if rose {
		b.o.OnChange(link)
		b.nudge()
	}
	b.wake()
	return nil
}

func owes(calls []kiosk.Call, seq int64) bool {
	for _, c := range calls {
		if c.Seq == seq {
			return true
		}
	}
	return false
}

// down notes that the host is away.
func (b *Box) down(err error) {
	b.mu.Lock()
	fell := b.link.Up || b.link.Why != err.Error()
	since := b.link.Since
	if b.link.Up {
		since = b.o.Now()
	}
	b.link = Link{Since: since, Why: err.Error()}
	link, seen := b.link, b.seen
	b.mu.Unlock()
	if fell {
		b.o.OnChange(link)
		_ = b.o.Save(seen) // it is saved again with the next state
		b.wake()
	}
}

// Watch returns a channel that receives after changes, and the function that ends
// the watch.
func (b *Box) Watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers[c] = true
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, c)
	}
}

func (b *Box) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (b *Box) nudge() {
	select {
	case b.poke <- struct{}{}:
	default:
	}
}

// ask makes one request of the host.
func (b *Box) ask(ctx context.Context, within time.Duration, path string, v, answer any) error {
	return b.askAt(ctx, b.Address(), within, path, v, answer)
}

func (b *Box) askAt(ctx context.Context, at string, within time.Duration, path string, v, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at+Base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	b.mu.Lock()
	r.Header.Set(termHeader, strconv.FormatInt(b.seen.Term, 10))
	b.mu.Unlock()
	res, err := b.o.Client.Do(r)
	if err != nil {
		return fmt.Errorf("ask the hall host: %w", err)
	}
	defer res.Body.Close()
	return readSaid(res, answer)
}

// Tend hands in what is owed and keeps the reserve full, until ctx ends.
func (b *Box) Tend(ctx context.Context) error {
	for sleep(ctx, b.poke, time.Second) == nil {
		if !b.Link().Up {
			continue
		}
		if err := errors.Join(b.handIn(ctx), b.fill(ctx)); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return ctx.Err()
}

// atOnce bounds the tickets of one hand-in.
const atOnce = 100

func (b *Box) handIn(ctx context.Context) error {
	for {
		list, _, err := b.o.Store.Owed(ctx, atOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		var done kiosk.Handed
		if err := b.ask(ctx, answerIn, pathHandIn, kiosk.HandIn{Box: b.o.Store.Origin(), Now: b.o.Now(), Tickets: list}, &done); err != nil {
			return fmt.Errorf("hand in %d tickets: %w", len(list), err)
		}
		if len(done.Tickets) == 0 {
			return errors.New("hand in tickets: the host's answer is empty")
		}
		for _, t := range done.Tickets {
			if t.Fault != "" || t.Voids != "" {
				b.o.OnTaken(t)
			}
		}
		if err := b.o.Store.Handed(ctx, done.Tickets); err != nil {
			return err
		}
	}
}

func (b *Box) fill(ctx context.Context) error {
	wants, err := b.o.Store.Wants(ctx)
	if err != nil || len(wants) == 0 {
		if err == nil {
			b.filled()
		}
		return err
	}
	var got kiosk.Reserved
	if err := b.ask(ctx, answerIn, pathReserve, wanted{"reserve-" + rand.Text(), b.o.Store.Origin(), wants}, &got); err != nil {
		return fmt.Errorf("ask for a reserve: %w", err)
	}
	if err := b.o.Store.Hold(ctx, got); err != nil {
		return err
	}
	b.nudge() // whether it is full now, or the business day has changed
	return nil
}

// filled notes that the box could go on without its host.
func (b *Box) filled() {
	b.mu.Lock()
	news := b.link.Up && !b.link.Full
	b.link.Full = b.link.Up
	link := b.link
	b.mu.Unlock()
	if news {
		b.o.OnChange(link)
	}
}

// errAway is why a display cannot read the hall.
type errAway struct{ link Link }

// Error says since when.
func (e errAway) Error() string {
	return "the hall host is away since " + e.link.Since.Format(time.DateTime) + ": " + strings.TrimSpace(e.link.Why)
}

// Snapshot returns the state of the hall; an error when the host is away.
func (b *Box) Snapshot(context.Context) (kiosk.Snapshot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.link.Up {
		return kiosk.Snapshot{}, errAway{b.link}
	}
	return b.last.Snapshot, nil
}

// Last returns the latest state that was heard of, however old.
func (b *Box) Last() (kiosk.Snapshot, Link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last.Snapshot, b.link
}

// Undelivered returns the calls that a surface of this box has not acknowledged.
func (b *Box) Undelivered(_ context.Context, surface string) (list []kiosk.Call, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.link.Up {
		return nil, errAway{b.link}
	}
	for _, c := range b.last.Owed[surface] {
		if !b.acked[surface][c.Seq] {
			list = append(list, c)
		}
	}
	return list, nil
}

// Deliver tells the host what a surface has shown, or why not.
func (b *Box) Deliver(ctx context.Context, d kiosk.Delivered) error {
	if err := b.ask(ctx, answerIn, pathDelivered, d, nil); err != nil {
		return err
	}
	if d.Fault != "" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acked[d.Surface] == nil {
		b.acked[d.Surface] = map[int64]bool{}
	}
	for _, seq := range d.Calls {
		b.acked[d.Surface][seq] = true
	}
	return nil
}
