package voice

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"longcheng/display"
	"longcheng/kiosk"
)

// An Utterance is what an Engine says in one go.
type Utterance struct {
	Chime     bool // a chime comes first
	Sentences []Sentence
	Volume    int // percent; 0 means 100
}

// Loudness returns the volume from 1 to 100 percent.
func (u Utterance) Loudness() int {
	if u.Volume <= 0 {
		return 100
	}
	return min(u.Volume, 100)
}

// String returns the words, after a note sign for the chime.
func (u Utterance) String() string {
	var words []string
	if u.Chime {
		words = append(words, "♪")
	}
	for _, s := range u.Sentences {
		words = append(words, s.Text)
	}
	return strings.Join(words, " ")
}

// An Engine turns an utterance into sound. Say returns nil when the last
// syllable is over; it ends early when ctx does.
type Engine interface {
	Say(ctx context.Context, u Utterance) error
}

// Options of an Announcer. Zero values mean the defaults.
type Options struct {
	Style   Style
	Repeats int           // times each call is said; default 2, 1 to 3
	Gap     time.Duration // between repeats; default 1 s
	Backlog int           // with more calls waiting than this, each is said once; default 3
	Silent  bool          // no chime
	Volume  func() int    // percent, asked before each utterance; nil means 100
}

// An Announcer is the voice of one zone, as a surface. Each Show says what is urgent
// and then the first call of the view, and no more: the queue of calls is the store's,
// so nothing overlaps, nothing is lost in a crash, and a recall can still come first.
// A hall with several zones has an announcer and a display.Keeper for each.
type Announcer struct {
	name   string
	engine Engine
	o      Options
	turn   chan struct{} // one utterance at a time, whoever calls
	said   map[int64]int // times an announcement was spoken; guarded by turn

	mu    sync.Mutex
	hurry chan struct{} // closed when something urgent waits
}

// NewAnnouncer returns the voice of the named surface, such as "voice:hall".
func NewAnnouncer(name string, e Engine, o Options) *Announcer {
	if o.Repeats == 0 {
		o.Repeats = 2
	}
	o.Repeats = min(max(o.Repeats, 1), 3)
	if o.Gap <= 0 {
		o.Gap = time.Second
	}
	if o.Backlog <= 0 {
		o.Backlog = 3
	}
	return &Announcer{name: name, engine: e, o: o, turn: make(chan struct{}, 1), said: map[int64]int{}, hurry: make(chan struct{})}
}

// Name returns the surface's name.
func (a *Announcer) Name() string { return a.name }

// Hurry lets the utterance that is being spoken be the last before what is urgent:
// its repeats are left out. Call it when something urgent was announced.
func (a *Announcer) Hurry() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.hurry)
	a.hurry = make(chan struct{})
}

func (a *Announcer) hurried() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hurry
}

// Show says the urgent announcements and the first call of the view, whose Call.Seqs
// it returns; without a call, the other announcements. A call counts as spoken when
// it was said once: a fault in a repeat is not an error.
func (a *Announcer) Show(ctx context.Context, v display.View) ([]int64, error) {
	if len(v.Voice) == 0 && len(v.Announce) == 0 {
		return nil, nil
	}
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("speak on %s: %w", a.name, ctx.Err())
	}
	hurry := a.hurried()
	shown, err := a.speak(ctx, v, hurry)
	if err != nil {
		return shown, fmt.Errorf("speak on %s: %w", a.name, err)
	}
	return shown, nil
}

func (a *Announcer) speak(ctx context.Context, v display.View, hurry <-chan struct{}) ([]int64, error) {
	a.forget(v.Announce)
	if err := a.announce(ctx, v.Announce, true); err != nil {
		return nil, err
	}
	if len(v.Voice) == 0 {
		return nil, a.announce(ctx, v.Announce, false)
	}
	c := v.Voice[0]
	u := a.utterance(!a.o.Silent, a.o.Style.Sentences(c.Number, c.Window))
	if err := a.engine.Say(ctx, u); err != nil {
		return nil, err
	}
	u.Chime = false
	repeats := a.o.Repeats
	if len(v.Voice) > a.o.Backlog {
		repeats = 1
	}
	for range repeats - 1 {
		if !pause(ctx, a.o.Gap, hurry) || a.engine.Say(ctx, u) != nil {
			break
		}
	}
	return slices.Clone(c.Seqs), nil
}

func (a *Announcer) utterance(chime bool, s []Sentence) Utterance {
	u := Utterance{Chime: chime, Sentences: s}
	if a.o.Volume != nil {
		u.Volume = max(a.o.Volume(), 1)
	}
	return u
}

// announce says each announcement of one kind as often as it is to be said.
func (a *Announcer) announce(ctx context.Context, all []display.Announcement, urgent bool) error {
	for _, n := range all {
		for n.Urgent == urgent && a.said[n.ID] < n.Times {
			u := a.utterance(!a.o.Silent || urgent, a.o.Style.Texts(n.Text))
			if urgent {
				u.Volume = 100
			}
			if err := a.engine.Say(ctx, u); err != nil {
				return err
			}
			a.said[n.ID]++
		}
	}
	return nil
}

// forget drops what is no longer announced.
func (a *Announcer) forget(all []display.Announcement) {
	for id := range a.said {
		if !slices.ContainsFunc(all, func(n display.Announcement) bool { return n.ID == id }) {
			delete(a.said, id)
		}
	}
}

// pause waits, unless something more urgent comes.
func pause(ctx context.Context, d time.Duration, hurry <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-hurry:
	case <-ctx.Done():
	}
	select {
	case <-hurry:
		return false
	default:
		return ctx.Err() == nil
	}
}

// DayNight returns a volume that is lower between two times of the day, for
// Options.Volume. From after to goes over midnight.
func DayNight(day, night int, from, to kiosk.TimeOfDay, now func() time.Time) func() int {
	return func() int {
		t := now()
		at := kiosk.TimeOfDay(t.Hour()*60 + t.Minute())
		dark := from <= at && at < to
		if from > to {
			dark = at >= from || at < to
		}
		if dark {
			return night
		}
		return day
	}
}

// Chime plays the chime alone, between two utterances: does anything sound?
func (a *Announcer) Chime(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return fmt.Errorf("chime on %s: %w", a.name, ctx.Err())
	}
	if err := a.engine.Say(ctx, a.utterance(true, nil)); err != nil {
		return fmt.Errorf("chime on %s: %w", a.name, err)
	}
	return nil
}
