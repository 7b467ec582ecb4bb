package ticketing

import (
	"context"
	"errors"
	"testing"
	"time"

	"longcheng/kiosk"
)

// fakeStore issues A001, A002, ... and asks may like the real one.
type fakeStore struct {
	n      int
	last   kiosk.Intent
	broken error
}

func (f *fakeStore) Issue(_ context.Context, in kiosk.Intent, may func() error) (kiosk.Issued, error) {
	if f.broken != nil {
		return kiosk.Issued{}, f.broken
	}
	if err := may(); err != nil {
		return kiosk.Issued{}, err
	}
	f.n++
	f.last = in
	return kiosk.Issued{Visit: kiosk.Visit{Number: kiosk.Number("A", f.n)}}, nil
}

type fakePrinter struct {
	woken int
	err   error
}

func (p *fakePrinter) Ready() error { return p.err }
func (p *fakePrinter) Wake()        { p.woken++ }

func hall() *kiosk.Hall {
	return &kiosk.Hall{Classes: []kiosk.Class{
		{ID: "senior", Name: kiosk.Text{ZH: "老年人"}, Credit: kiosk.Duration(15 * time.Minute), MinAge: 70},
		{ID: "old", Credit: kiosk.Duration(5 * time.Minute), MinAge: 60},
	}}
}

func newDesk(at time.Time) (*Desk, *fakeStore, *fakePrinter) {
	store, printer := &fakeStore{}, &fakePrinter{}
	return NewDesk(Options{
		Hall: hall(), Store: store, Printers: map[string]Printer{"p1": printer},
		Touches: []Touch{{Name: "k1", Printer: "p1"}}, Now: func() time.Time { return at },
	}), store, printer
}

func beijing(hour, minute int) time.Time {
	return time.Date(2026, 11, 24, hour, minute, 0, 0, time.FixedZone("CST", 8*3600)) // a Tuesday
}

func code(err error) string {
	var r *kiosk.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

// Durable first, then the printer is woken.
func TestTake(t *testing.T) {
	desk, store, printer := newDesk(beijing(10, 0))
	issued, err := desk.Take(t.Context(), kiosk.Intent{Kiosk: "k1", Item: "free"})
	if err != nil || issued.Visit.Number != "A001" || printer.woken != 1 || store.last.Printer != "p1" {
		t.Errorf("got %+v, %v; printer woken %d times; intent %+v", issued, err, printer.woken, store.last)
	}
}

// A printer without paper refuses before anything is promised.
func TestPrinterNotReady(t *testing.T) {
	desk, store, printer := newDesk(beijing(10, 0))
	printer.err = &kiosk.Refusal{Code: "printer", Text: kiosk.Text{ZH: "缺纸"}}
	if _, err := desk.Take(t.Context(), kiosk.Intent{Kiosk: "k1", Item: "free"}); code(err) != "printer" || store.n != 0 {
		t.Errorf("got %v and %d tickets", err, store.n)
	}
}

func TestCard(t *testing.T) {
	desk, store, _ := newDesk(beijing(10, 0))
	desk.Present("k1", "hmac", "李**", 71)
	screen, _ := desk.Screen("k1")
	if screen.Card == nil || screen.Card.ClassName.ZH != "老年人" {
		t.Fatalf("screen shows %+v", screen.Card)
	}
	if _, _, _, ok := desk.Resolve("another token"); ok {
		t.Fatal("a made-up token was resolved")
	}
	person, _, _, _ := desk.Resolve(screen.Card.Token)
	if _, err := desk.Take(t.Context(), kiosk.Intent{Kiosk: "k1", Item: "card", Person: person}); err != nil {
		t.Fatal(err)
	}
	if in := store.last; in.Person != "hmac" || in.Class != "senior" || in.Granter != "card" {
		t.Errorf("issued to %+v", in)
	}
	if screen, _ := desk.Screen("k1"); screen.Card != nil || screen.Last.Issued == nil {
		t.Error("the card stays on the screen after the ticket")
	}
}

// A token is void after its time, and the card leaves the screen.
func TestCardExpires(t *testing.T) {
	now := beijing(10, 0)
	desk := NewDesk(Options{Hall: hall(), Store: &fakeStore{}, Touches: []Touch{{Name: "k1"}}, Now: func() time.Time { return now }})
	desk.Present("k1", "hmac", "李**", 30)
	screen, _ := desk.Screen("k1")
	if _, _, _, ok := desk.Resolve(screen.Card.Token); !ok {
		t.Error("a fresh token is not known")
	}
	now = now.Add(2 * time.Minute)
	if _, _, _, ok := desk.Resolve(screen.Card.Token); ok {
		t.Error("an old token is still good")
	}
	if screen, _ := desk.Screen("k1"); screen.Card != nil {
		t.Error("an expired card is still on the screen")
	}
}

func TestScan(t *testing.T) {
	desk, store, _ := newDesk(beijing(10, 0))
	if _, err := desk.Scan(t.Context(), "k1", "r1", "BOOKED"); err != nil {
		t.Fatal(err)
	}
	if in := store.last; in.Channel != kiosk.ByAppointment || in.Code != "BOOKED" || in.Printer != "p1" || in.Request != "r1" {
		t.Errorf("issued %+v", store.last)
	}
}

// Trouble inside is a sentence to the citizen, never an error text.
func TestTroubleIsASentence(t *testing.T) {
	desk, store, _ := newDesk(beijing(10, 0))
	store.broken = errors.New("disk I/O error")
	watch, stop := desk.Watch()
	defer stop()
	if _, err := desk.Take(t.Context(), kiosk.Intent{Kiosk: "k1", Item: "free"}); !errors.Is(err, store.broken) {
		t.Fatal(err)
	}
	<-watch
	if screen, _ := desk.Screen("k1"); screen.Last.Refusal.Code != "trouble" {
		t.Errorf("screen shows %+v", screen.Last.Refusal)
	}
}

// With the last one who leaves go the card and the reader's sentence; without a
// sensor nobody is said to be there or not.
func TestSomebodyLeaves(t *testing.T) {
	desk, _, _ := newDesk(beijing(10, 0))
	desk.Present("k1", "hash", "张**", 71)
	desk.Say("k1", kiosk.Text{ZH: "请拿起身份证"})
	desk.Somebody("k1", true)
	if s, _ := desk.Screen("k1"); s.Card == nil || s.Note == nil || s.Person == nil || !*s.Person {
		t.Errorf("somebody came: %+v", s)
	}
	desk.Somebody("k1", false)
	if s, _ := desk.Screen("k1"); s.Card != nil || s.Note != nil || s.Person == nil || *s.Person {
		t.Errorf("nobody is left: %+v", s)
	}
	desk.Unwatched("k1")
	if s, _ := desk.Screen("k1"); s.Person != nil {
		t.Errorf("no sensor: %+v", s)
	}
}
