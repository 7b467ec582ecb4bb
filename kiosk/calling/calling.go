// Package calling is what clerks do: open a window, call the next visit, recall,
// start, finish, skip, hold, transfer. It knows which surfaces of the hall have
// to show a window's calls; the store decides who is next.
//
// It does not know how a surface shows a call, nor who a clerk is: the caller has
// checked that.
package calling

import (
	"context"
	"maps"
	"slices"
	"sync"

	"longcheng/kiosk"
)

// Store decides calls, each in one transaction.
type Store interface {
	Call(ctx context.Context, req kiosk.CallRequest) (kiosk.Call, error)
	Act(ctx context.Context, req kiosk.ActRequest) (kiosk.Leg, error)
	SetWindow(ctx context.Context, req kiosk.WindowRequest) (kiosk.WindowState, error)
	Grant(ctx context.Context, req kiosk.GrantRequest) (kiosk.Visit, error)
	Reprint(ctx context.Context, req kiosk.ReprintRequest) (kiosk.Job, error)
}

// A Surface is one thing of the hall that shows or speaks calls: a strip shows
// one window, a wall or a voice the windows of its zones.
type Surface struct {
	Name   string   // such as "strip:1", "wall:main", "voice:hall"
	Window string   // Window.ID of a strip
	Zones  []string // Zone.IDs of a wall or voice; none means the whole hall
}

// A Floor is the hall as clerks work it.
type Floor struct {
	Store
	windows map[string]kiosk.Window // by Window.ID

	mu       sync.Mutex
	surfaces map[string][]Surface // by box; this one is ""

	wake    func(printer string)
	printer string
}

// NewFloor returns the floor of a hall. wake is called after a reprint was asked
// for; printer is where copies come out unless the request names another.
func NewFloor(hall *kiosk.Hall, store Store, surfaces []Surface, printer string, wake func(printer string)) *Floor {
	f := &Floor{Store: store, windows: map[string]kiosk.Window{}, surfaces: map[string][]Surface{"": surfaces}, wake: wake, printer: printer}
	for _, w := range hall.Windows {
		f.windows[w.ID] = w
	}
	return f
}

// Place says which surfaces another box of the hall has now.
func (f *Floor) Place(box string, surfaces []Surface) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.surfaces[box] = surfaces
}

// around names the surfaces that show the calls of a window.
func (f *Floor) around(window string) (names []string) {
	w, ok := f.windows[window]
	if !ok {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, box := range slices.Sorted(maps.Keys(f.surfaces)) {
		for _, s := range f.surfaces[box] {
			if s.shows(w) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

func (s Surface) shows(w kiosk.Window) bool {
	if s.Window != "" {
		return s.Window == w.ID
	}
	if len(s.Zones) == 0 {
		return true
	}
	for _, z := range s.Zones {
		if z == w.Zone {
			return true
		}
	}
	return false
}

// Next calls the next visit to a window.
func (f *Floor) Next(ctx context.Context, req kiosk.CallRequest) (kiosk.Call, error) {
	if err := f.known(req.Window); err != nil {
		return kiosk.Call{}, err
	}
	req.Surfaces = f.around(req.Window)
	return f.Store.Call(ctx, req)
}

// Act does what a clerk does to a visit.
func (f *Floor) Act(ctx context.Context, req kiosk.ActRequest) (kiosk.Leg, error) {
	if req.Window != "" {
		if err := f.known(req.Window); err != nil {
			return kiosk.Leg{}, err
		}
	}
	req.Surfaces = f.around(req.Window)
	return f.Store.Act(ctx, req)
}

// SetWindow opens, pauses or closes a window.
func (f *Floor) SetWindow(ctx context.Context, req kiosk.WindowRequest) (kiosk.WindowState, error) {
	if err := f.known(req.Window); err != nil {
		return kiosk.WindowState{}, err
	}
	return f.Store.SetWindow(ctx, req)
}

// Reprint asks for a marked copy of a slip.
func (f *Floor) Reprint(ctx context.Context, req kiosk.ReprintRequest) (kiosk.Job, error) {
	if req.Printer == "" {
		req.Printer = f.printer
	}
	job, err := f.Store.Reprint(ctx, req)
	if err == nil {
		f.wake(job.Printer)
	}
	return job, err
}

func (f *Floor) known(window string) error {
	if _, ok := f.windows[window]; ok {
		return nil
	}
	return &kiosk.Refusal{Code: "unknown_window", Text: kiosk.Text{ZH: "没有此窗口", EN: "There is no such window"}}
}
