package calling

import (
	"context"
	"errors"
	"slices"
	"testing"

	"longcheng/kiosk"
)

type fakeStore struct {
	Store
	call kiosk.CallRequest
	act  kiosk.ActRequest
}

func (f *fakeStore) Call(_ context.Context, r kiosk.CallRequest) (kiosk.Call, error) {
	f.call = r
	return kiosk.Call{}, nil
}

func (f *fakeStore) Act(_ context.Context, r kiosk.ActRequest) (kiosk.Leg, error) {
	f.act = r
	return kiosk.Leg{}, nil
}

func (f *fakeStore) Reprint(_ context.Context, r kiosk.ReprintRequest) (kiosk.Job, error) {
	return kiosk.Job{Printer: r.Printer}, nil
}

func newFloor() (*Floor, *fakeStore, *[]string) {
	store, woken := &fakeStore{}, &[]string{}
	hall := &kiosk.Hall{Windows: []kiosk.Window{{ID: "1", Zone: "east"}, {ID: "2", Zone: "west"}}}
	surfaces := []Surface{{Name: "strip:1", Window: "1"}, {Name: "strip:2", Window: "2"}, {Name: "wall:east", Zones: []string{"east"}}, {Name: "voice:hall"}}
	return NewFloor(hall, store, surfaces, "p1", func(p string) { *woken = append(*woken, p) }), store, woken
}

// A call goes to the window's own strip and to the walls and voices that cover it.
func TestSurfacesOfACall(t *testing.T) {
	floor, store, _ := newFloor()
	for window, want := range map[string][]string{
		"1": {"strip:1", "wall:east", "voice:hall"},
		"2": {"strip:2", "voice:hall"},
	} {
		if _, err := floor.Next(t.Context(), kiosk.CallRequest{Window: window}); err != nil || !slices.Equal(store.call.Surfaces, want) {
			t.Errorf("call at window %s goes to %v (%v), want %v", window, store.call.Surfaces, err, want)
		}
		if _, err := floor.Act(t.Context(), kiosk.ActRequest{Window: window, Action: kiosk.DoRecall}); err != nil || !slices.Equal(store.act.Surfaces, want) {
			t.Errorf("recall at window %s goes to %v (%v), want %v", window, store.act.Surfaces, err, want)
		}
	}
}

func TestUnknownWindow(t *testing.T) {
	floor, _, _ := newFloor()
	_, next := floor.Next(t.Context(), kiosk.CallRequest{Window: "9"})
	_, act := floor.Act(t.Context(), kiosk.ActRequest{Window: "9"})
	_, set := floor.SetWindow(t.Context(), kiosk.WindowRequest{Window: "9"})
	for _, err := range []error{next, act, set} {
		if !errors.Is(err, &kiosk.Refusal{Code: "unknown_window"}) {
			t.Errorf("got %v", err)
		}
	}
}

func TestReprintWakesThePrinter(t *testing.T) {
	floor, _, woken := newFloor()
	if _, err := floor.Reprint(t.Context(), kiosk.ReprintRequest{}); err != nil || !slices.Equal(*woken, []string{"p1"}) {
		t.Errorf("woken %v, %v", *woken, err)
	}
}

// What another box has counts from when it says so, and no longer than that.
func TestSurfacesOfAnotherBox(t *testing.T) {
	f, store, _ := newFloor()
	f.Place("d1", []Surface{{Name: "d1/strip:1", Window: "1"}})
	if _, err := f.Next(t.Context(), kiosk.CallRequest{Window: "1"}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"strip:1", "wall:east", "voice:hall", "d1/strip:1"}; !slices.Equal(store.call.Surfaces, want) {
		t.Errorf("shown on %v, want %v", store.call.Surfaces, want)
	}
	f.Place("d1", nil)
	if _, err := f.Next(t.Context(), kiosk.CallRequest{Window: "1"}); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(store.call.Surfaces, "d1/strip:1") {
		t.Errorf("still shown on %v", store.call.Surfaces)
	}
}
