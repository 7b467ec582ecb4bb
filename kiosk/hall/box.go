package hall

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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

	telling sync.Mutex // held while OnChange is told

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

// tellLink tells how the box stands with its host, now: of two loops that tell, the last
// one tells what is so.
func (b *Box) tellLink() {
	b.telling.Lock()
	defer b.telling.Unlock()
	b.o.OnChange(b.Link())
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

// atOnce bounds the tickets of one hand-in.
const atOnce = 100

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
