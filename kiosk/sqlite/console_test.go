package sqlite

import (
	"slices"
	"testing"
	"time"

	"longcheng/kiosk"
)

// What a window set aside stays with it, whoever asks, until it goes on.
func TestParked(t *testing.T) {
	s, c := begin(t)
	one, two := take(t, s, kiosk.Intent{Item: "x"}), take(t, s, kiosk.Intent{Item: "x"})
	callAt(t, s, "1")
	act(t, s, "1", kiosk.DoHold)
	callAt(t, s, "1")
	c.add(time.Minute)
	act(t, s, "1", kiosk.DoSkip)
	var got []string
	for _, l := range must[[]kiosk.Leg](t)(s.Parked(t.Context(), "1")) {
		got = append(got, l.Number+" "+string(l.State))
	}
	if want := []string{two.Visit.Number + " skipped", one.Visit.Number + " held"}; !slices.Equal(got, want) {
		t.Errorf("parked %v, want %v", got, want)
	}
	if other := must[[]kiosk.Leg](t)(s.Parked(t.Context(), "2")); len(other) != 0 {
		t.Errorf("another window has %v", other)
	}
	must[kiosk.Leg](t)(s.Act(t.Context(), kiosk.ActRequest{Window: "1", Action: kiosk.DoRequeue, Visit: two.Visit.ID, By: "li"}))
	if rest := must[[]kiosk.Leg](t)(s.Parked(t.Context(), "1")); len(rest) != 1 {
		t.Errorf("after one went back: %v", rest)
	}
}

// The reason of a call can be told in parts, also after it was read again.
func TestWhyIsStored(t *testing.T) {
	s, _ := begin(t)
	take(t, s, kiosk.Intent{Item: "x"})
	take(t, s, kiosk.Intent{Item: "x", Class: "old"})
	c := callAt(t, s, "1")
	if w := c.Why; w.Rule != kiosk.WhyEarlier || w.Chosen.CreditS != 900 || w.Passed == nil || c.Reason != w.Sentence(s.loc) {
		t.Errorf("why %+v, reason %q", w, c.Reason)
	}
	if again := must[kiosk.Snapshot](t)(s.Snapshot(t.Context())).Windows[0].Call; again.Why.Sentence(s.loc) != c.Reason {
		t.Errorf("read again: %+v", again.Why)
	}
	act(t, s, "1", kiosk.DoRecall)
	if again := must[kiosk.Snapshot](t)(s.Snapshot(t.Context())).Windows[0].Call; again.Why.Rule != kiosk.WhyNamed || again.Why.Was != kiosk.Called {
		t.Errorf("recall: %+v", again.Why)
	}
}

func TestSignedOut(t *testing.T) {
	s, c := begin(t)
	note := func(what, session string) {
		t.Helper()
		if err := s.Note(t.Context(), kiosk.KindSigned, kiosk.Signed{User: "li", What: what, Session: session}); err != nil {
			t.Fatal(err)
		}
	}
	note("out", "old")
	c.add(time.Hour)
	since := c.now()
	note("in", "")
	note("out", "new")
	if got := must[[]string](t)(s.SignedOut(t.Context(), since)); !slices.Equal(got, []string{"new"}) {
		t.Errorf("signed out %v", got)
	}
}
