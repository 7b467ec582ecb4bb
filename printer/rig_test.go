package printer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sim "longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/device"
	"longcheng/device/glyph"
	"longcheng/kiosk"
	"longcheng/printer"
	"longcheng/printer/escpos"
)

// A rig is a spool, a simulated printer that executes what is sent on virtual
// paper, and a store in memory, all in virtual time.
type rig struct {
	t       *testing.T
	name    string // of the printer
	profile printer.Profile
	store   *store
	spool   *printer.Spool
	dev     *sim.Printer
	wire    *wire
	states  []string
	told    sync.Mutex // of states: Run adds to them, and who pauses
	notices []string
	opens   int
	stopDev func()
	hall    string // its name, on every ticket

	unpowered bool // the printer lost its power: the simulated one calls its slip incomplete
}

// glyphs24 is unpacked once for all tests: it is read only.
var glyphs24 = sync.OnceValue(glyph.Face24)

var glyphs16 = sync.OnceValue(glyph.Face16)

// blank is a font of empty paper: these tests read text, not dots.
type blank struct{}

func (blank) Glyph(rune) (int, int, func(x, y int) bool, bool) { return 0, 0, nil, false }

func named(t testing.TB, name string) printer.Profile {
	t.Helper()
	p, err := printer.ProfileNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newRig plugs a printer in. It must be closed before the bubble ends.
func newRig(t *testing.T, p printer.Profile, jobs int) *rig {
	r := &rig{t: t, name: "p", profile: p, store: newStore(jobs), hall: "龙城"}
	r.wire = &wire{shim: p.Dialect == "hwasung", answers: make(chan struct{}, 1)}
	r.dev = sim.New(sim.Config{Dots: p.Dots, Font: blank{}, Maker: maker(p)}, toHost{r.wire})
	r.wire.dev = r.dev
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.dev.Run(ctx) }()
	r.stopDev = func() { cancel(); <-done }
	r.newSpool()
	return r
}

// maker is whose status bits and presenter the simulated printer has.
func maker(p printer.Profile) sim.Maker {
	if p.Presenter == "none" {
		return sim.Epson
	}
	return sim.Maker(p.Presenter)
}

func (r *rig) newSpool() {
	hall := &kiosk.Hall{Name: kiosk.Text{ZH: r.hall}, Rules: kiosk.Rules{PhoneURL: "https://q.example/"}}
	var err error
	if r.spool, err = printer.NewSpool(r.options(hall)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) options(hall *kiosk.Hall) printer.Options {
	return printer.Options{
		Name: r.name, Profile: r.profile, Language: &escpos.Encoder{Profile: r.profile, Glyphs: glyphs()},
		Link: device.NewLink(r.open), Jobs: &life{store: r.store, no: r.store.lives}, Hall: func() *kiosk.Hall { return hall },
		OnChange: func(s printer.State) {
			r.told.Lock()
			defer r.told.Unlock()
			r.states = append(r.states, s.Status.String())
		},
		OnNotice: func(id int64, s string) { r.notices = append(r.notices, s) },
	}
}

func (r *rig) open(context.Context) (device.Port, error) {
	if r.wire.isOut() {
		return nil, device.ErrGone
	}
	r.opens++
	return r.wire, nil
}

// run runs the spool for a virtual time.
func (r *rig) run(d time.Duration) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), d)
	defer cancel()
	if err := r.spool.Run(ctx); err != nil {
		r.t.Errorf("run: %v", err)
	}
	synctest.Wait()
}

// after does something to the hardware at a virtual time from now.
func (r *rig) after(d time.Duration, f func()) { time.AfterFunc(d, f) }

func (r *rig) wantLog(want ...string) {
	r.t.Helper()
	if got := r.store.story(); !slices.Equal(got, want) {
		r.t.Errorf("journal:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (r *rig) wantStates(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.states, want) {
		r.t.Errorf("states %q, want %q", r.states, want)
	}
}

// A sheet is what one slip of paper is worth to a citizen.
type sheet struct {
	number string
	copied bool
	void   bool
	whole  bool // everything is on it, down to the last line and the code
	binned bool // nobody took it, and the printer drew it back
	end    bool // it is the end of a roll: whoever changes the roll has it in the hand
}

// sheets reads the paper that has left the printer, blank snippets aside.
func (r *rig) sheets() (list []sheet) {
	for _, s := range r.dev.Slips() {
		if len(s.Text) == 0 && len(s.QR) == 0 {
			continue
		}
		all := strings.Join(s.Text, "\n")
		x := sheet{copied: strings.Contains(all, "补打"), void: strings.Contains(all, "VOID"), end: !s.Complete && !r.unpowered, binned: s.Retracted}
		for i := range 10 {
			if n := fmt.Sprintf("A%03d", i+1); strings.Contains(all, n) {
				x.number += n
			}
		}
		native := r.profile.QR != "native" || slices.Contains(s.QR, "https://q.example/"+strings.ToLower(x.number))
		x.whole = len(x.number) == 4 && native && strings.HasPrefix(all, "排队号票") && strings.Contains(all, "2026-01-02 11:04")
		list = append(list, x)
	}
	return list
}

// good returns the slips that a citizen can wait with, as "A001" or "A001 copy".
func (r *rig) good() (list []string) {
	for _, s := range r.sheets() {
		switch {
		case !s.whole || s.void:
		case s.copied:
			list = append(list, s.number+" copy")
		default:
			list = append(list, s.number)
		}
	}
	return list
}

func (r *rig) wantGood(want ...string) {
	r.t.Helper()
	if got := r.good(); !slices.Equal(got, want) {
		r.t.Errorf("good slips are %q, want %q; all paper: %+v", got, want, r.sheets())
	}
}

// A wire is the cable between the spool and the printer.
type wire struct {
	dev     *sim.Printer
	shim    bool // the dialect is translated
	answers chan struct{}

	mu      sync.Mutex
	out     []byte // what the printer said and nobody has read
	gone    bool
	deaf    bool   // the printer's answers are lost
	noise   bool   // they are garbled
	drop    byte   // answers that begin with it are lost; 0 is none
	slips   []byte // all bytes written, without queries and zeros
	strike  int    // fault strikes after so many bytes of slips
	fault   func()
	dirty   int // marks that the shim asked for and has not seen
	status  [5]byte
	queried int
}

// toHost is the printer's end of the wire.
type toHost struct{ *wire }

func (h toHost) Write(b []byte) (int, error) {
	h.hostWrite(b)
	return len(b), nil
}

func (w *wire) String() string { return "wire" }
func (w *wire) Close() error   { return nil }

// Drop is what a serial port can: the bytes that nobody has read are gone.
func (w *wire) Drop() error { w.set(func() { w.out = nil }); return nil }

func (w *wire) isOut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}

func (w *wire) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// unplug pulls the cable: what the printer has stays with it.
func (w *wire) unplug() { w.set(func() { w.gone = true }) }
func (w *wire) replug() { w.set(func() { w.gone, w.out = false, nil }) }

// hear is the printer's side.
func (w *wire) hear(b []byte) {
	if w.gone || w.deaf || w.drop != 0 && b[0] == w.drop {
		return
	}
	for _, c := range b {
		if w.noise {
			c ^= 0xA5
		}
		w.out = append(w.out, c)
	}
	select {
	case w.answers <- struct{}{}:
	default:
	}
}

func (w *wire) Read(b []byte) (int, error) {
	w.mu.Lock()
	n, gone := copy(b, w.out), w.gone
	w.out = w.out[n:]
	w.mu.Unlock()
	switch {
	case gone:
		return 0, device.ErrGone
	case n > 0:
		return n, nil
	}
	select {
	case <-w.answers:
	case <-time.After(100 * time.Millisecond):
	}
	return 0, device.ErrTimeout
}

// deliver hands bytes to the printer; a printer that takes none for two seconds
// has broken the wire, as a serial port with a watchdog sees it.
func (w *wire) deliver(b []byte) error {
	if w.isOut() {
		return device.ErrGone
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	w.dev.Receive(ctx, b)
	if ctx.Err() != nil {
		return &device.Wire{Op: "write", Port: "wire", Err: device.ErrTimeout}
	}
	return nil
}

func sampleHall() *kiosk.Hall {
	return &kiosk.Hall{
		Name:  kiosk.Text{ZH: "龙城市政务服务中心", EN: "Longcheng Service Centre"},
		Rules: kiosk.Rules{PhoneURL: "https://hall.example/v/"},
		Items: []kiosk.Item{{ID: "i", Name: kiosk.Text{ZH: "居民身份证申领", EN: "Identity card"}, Bring: []kiosk.Text{{ZH: "户口簿", EN: "Household register"}}}},
	}
}

func sampleIssued() kiosk.Issued {
	v := kiosk.Visit{ID: "a012", Number: "A012", Item: "i", Kiosk: "K1", TakenAt: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)}
	return kiosk.Issued{Visit: v, Ahead: 3, Estimate: 9 * time.Minute}
}
